"""What an import is given, as frames and rows one after the other: files of lines, Parquet files, folders of these.

In: paths. Out: `Source`s whose items are numbered from 1: what a line or row tells of, or `BadLine` with the reason why
it tells of nothing. Lines may be compressed by gzip or zstd. A Parquet file is read a few rows at a time, whatever the
size of its row groups. ValueError, OSError: the file cannot be read, or nothing of it can be understood.
"""

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from actors.rugs.recordings import BadLine, Recorded, check_values, read_line, time_of
from actors.rugs.stored import VERSION_KEY, Standing, standing
from actors.rugs.tables import Kept, NotUnderstood, Table, read_row, time_in, understand
from actors.writer.bounded_lines import MOST_LINE_BYTES, TooLong, bounded_lines
from actors.writer.layout import events_dir
from actors.writer.merging import READ_BYTES
from actors.writer.table_values import column_values, slice_rows

SUFFIXES = (".parquet", ".pq")
DOC_TYPE = "doc_type="
_GZIP, _ZSTD, _PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"
_ORDER = ("ws_event", "player_action", "system_event", "server_state", "game_tick", "trade", "sidebet", "game")
"""Messages first: where they tell of a row, the row is there already when its own file comes."""

UNREADABLE = (ValueError, TypeError, ArithmeticError, LookupError, RecursionError, MemoryError)
"""What a line may raise that tells of nothing; OSError is the file's."""

Item = Recorded | Kept | BadLine


class Source:
    """A file of lines."""

    unit = "lines"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.left: set[str] = set()  # columns that nothing was made of, known when all is read

    def items(self) -> Iterator[tuple[int, Item]]:
        """Yield what each line tells of; empty ones do not count."""
        with _open(self.path) as file:
            for number, line in enumerate(bounded_lines(file), 1):
                if isinstance(line, TooLong) or line.strip():
                    yield number, _line(line)


class TableSource(Source):
    """A Parquet file."""

    unit = "rows"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.doc_type = doc_type_in(path)
        self.first_us = 0
        self._tables: dict[str | None, Table | NotUnderstood] = {}

    def place(self) -> tuple[int, int, str]:
        """Find out where in the order of files it comes; an unreadable one comes where its name puts it."""
        with suppress(ValueError, OSError, ArithmeticError):
            self.first_us = self._first_us()
        rank = _ORDER.index(self.doc_type) if self.doc_type in _ORDER else 0
        return rank, self.first_us, str(self.path)

    def items(self) -> Iterator[tuple[int, Item]]:
        """Yield what each row tells of."""
        number = 0
        with self._opened() as parquet:
            names = parquet.schema_arrow.names
            if "doc_type" not in names:
                understand(names, self.doc_type)
            for batch in parquet.iter_batches(slice_rows(parquet), use_threads=False):
                for values in zip(*(column_values(column) for column in batch.columns), strict=True):
                    number += 1
                    yield number, self._row(names, dict(zip(names, values, strict=True)))

    def _row(self, names: list[str], row: dict[str, Any]) -> Item:
        told = row.get("doc_type")
        table = self._table(names, told if self.doc_type is None and isinstance(told, str) else self.doc_type)
        if isinstance(table, NotUnderstood):
            return BadLine(str(table))
        try:
            for name, value in row.items():
                if isinstance(value, str | bytes) and len(value) > MOST_LINE_BYTES:
                    raise BadLine(
                        f"column {name} holds {len(value) / 1e6:,.0f} MB, must be {MOST_LINE_BYTES // 10**6} at most"
                    )
            return _checked(read_row(table, row))
        except BadLine as bad:
            return bad
        except UNREADABLE as error:
            return BadLine(f"cannot be read: {type(error).__name__}: {error}")

    def _table(self, names: list[str], doc_type: str | None) -> Table | NotUnderstood:
        if doc_type not in self._tables:
            try:
                table = understand(names, doc_type)
                self.left.update(table.left)
                self._tables[doc_type] = table
            except NotUnderstood as error:
                self._tables[doc_type] = error
        return self._tables[doc_type]

    def _first_us(self) -> int:
        with self._opened() as parquet:
            column = time_in(parquet.schema_arrow.names)
            if column is None:
                return 0
            for batch in parquet.iter_batches(1, columns=[column], use_threads=False):
                value = column_values(batch.column(0))[0]
                return time_of(value.isoformat() if hasattr(value, "isoformat") else value)[0]
        return 0

    @contextmanager
    def _opened(self) -> Iterator[pq.ParquetFile]:
        try:
            _require_file(self.path)
            with pq.ParquetFile(self.path, pre_buffer=False, buffer_size=READ_BYTES) as parquet:
                yield parquet
        except (pa.ArrowException, OverflowError) as error:
            raise ValueError(f"cannot be read: {error}") from error


def sources(paths: list[Path], data_dir: Path) -> list[Source]:
    """Return what is to be read, in order: files of lines as they were given, then Parquet files by their times.

    Of a folder every Parquet file below it counts. VECTRA's own never do where they lie in `data_dir` already.
    """
    lines: list[Source] = []
    tables: dict[Path, TableSource] = {}
    for path in paths:
        if path.is_dir():
            tables |= {
                one.resolve(): TableSource(one) for one in _below(path, data_dir) if not _is_there(one, data_dir)
            }
        elif path.suffix not in SUFFIXES and _head(path) != _PARQUET:
            lines.append(Source(path))
        elif not _is_there(path, data_dir):
            tables[path.resolve()] = TableSource(path)
    return lines + sorted(tables.values(), key=TableSource.place)


def doc_type_in(path: Path) -> str | None:
    """Return the doc_type that a folder of the path tells, None where none does."""
    folders = (parent.name for parent in path.absolute().parents)
    return next((name.removeprefix(DOC_TYPE) for name in folders if name.startswith(DOC_TYPE)), None)


def standing_of(path: Path) -> Standing:
    """Return how a Parquet file stands to VECTRA's own. OSError, ValueError: it is damaged."""
    footer = pq.read_metadata(path)
    version = (footer.metadata or {}).get(VERSION_KEY)
    columns = footer.schema.to_arrow_schema().names
    return standing(doc_type_in(path), None if version is None else version.decode(errors="replace"), columns)


def _below(folder: Path, data_dir: Path) -> Iterator[Path]:
    """Yield the Parquet files below a folder; where that holds the data directory, of this the recorded data only."""
    home, root = data_dir.resolve(), events_dir(data_dir).resolve()
    is_around = home.is_relative_to(folder.resolve())
    for path in (one for suffix in SUFFIXES for one in folder.rglob(f"*{suffix}")):
        is_aside = is_around and path.resolve().is_relative_to(home) and not path.resolve().is_relative_to(root)
        if path.is_file() and not is_aside:
            yield path


def _is_there(path: Path, data_dir: Path) -> bool:
    """Say whether a file is one of VECTRA's own, in its place."""
    if not path.resolve().is_relative_to(events_dir(data_dir).resolve()):
        return False
    try:
        return standing_of(path) != "other schema"
    except (pa.ArrowException, OSError, ValueError):
        return False


def _line(line: bytes | TooLong) -> Item:
    if isinstance(line, TooLong):
        size, most = line.size_bytes / 1e6, MOST_LINE_BYTES // 1_000_000
        return BadLine(f"has {size:,.0f} MB, must be {most} at most")
    try:
        check_values(line)
        return _checked(read_line(line))
    except BadLine as bad:
        return bad
    except UNREADABLE as error:
        return BadLine(f"cannot be read: {type(error).__name__}: {error}")


def _checked(item: Recorded | Kept) -> Recorded | Kept:
    if isinstance(item, Recorded):
        check_values(item.payload)
    return item


def _head(path: Path) -> bytes:
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(4)
    except OSError:
        return b""  # told when its turn comes


def _require_file(path: Path) -> None:
    """ValueError: it is a device or a pipe, which may have no end."""
    if path.exists() and not path.is_file():
        raise ValueError("is no regular file")


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes] | Any]:
    """Open a file of lines, compressed or not. OSError: it cannot be read."""
    _require_file(path)
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        if head[:2] == _GZIP:
            with gzip.open(file) as lines:
                yield lines
        elif head == _ZSTD:
            with zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as reader:
                yield io.BufferedReader(reader)
        else:
            yield file
