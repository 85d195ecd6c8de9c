"""Writes a day or a round into files that other programs read: `python -P -m web.export ORDER`, a process of its own.

In: an `Order` as JSON. Out: one file, CSV, JSON lines or Parquet, or a zip of one for each kind of rows; on standard
output a line of JSON for each step of the way. Reads Parquet in batches, so any day fits into little memory; a
compaction under way is no harm. Ends with its parent. Never changes what it reads.
"""

import contextlib
import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet as pq
from msgspec import Struct

from actors.core.lifeline import die_with_parent
from actors.core.printable import printable, spreadsheet_text
from actors.core.special_files import is_special
from actors.rugs.stored import FILE_NAME

pc: Any = pyarrow.compute  # its stubs do not know arrays beside plain values

BATCH_ROWS = 4096
PIECE_BYTES = 1_000_000
NICE = 10
_ACTING = r"^[=+\-@\t\r]|[^\n\t -~]"
"""Texts that are looked at one by one: what a spreadsheet may run, and whatever is not plain ASCII."""


class Order(Struct, frozen=True, kw_only=True):
    """What to write, and where."""

    parent: int
    root: str  # events_parquet
    folder: str  # of the results
    name: str  # of the result, without its ending
    format: str  # csv, csv-raw, jsonl, parquet
    doc_types: list[str]
    days: list[str]
    game_id: str | None = None


class Step(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far it is."""

    done: int = 0
    total: int = 0
    rows: int = 0
    what: str = ""
    result: str | None = None
    size: int | None = None


def main() -> None:
    """Be the process."""
    order = msgspec.json.decode(sys.argv[1], type=Order)
    die_with_parent(order.parent)
    os.umask(0o077)
    os.nice(NICE)
    pa.set_cpu_count(1)
    try:
        Export(order).run()
    except OSError as error:
        sys.exit(f"{error.strerror or error}: {error.filename or order.folder}")
    except (pa.ArrowException, ValueError) as error:
        sys.exit(str(error))


class Export:
    """One export on its way."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._root = Path(order.root)
        self._folder = Path(order.folder)
        self._done = self._rows = 0
        self._total = sum(_row_count(path) for kind in order.doc_types for path in self._files(kind))

    def run(self) -> None:
        """Write every kind, then put them into one file where there are several."""
        written = [path for kind in self._order.doc_types if (path := self._write(kind)) is not None]
        if not written:
            raise ValueError("Nothing is on disk of what was asked for.")
        result = written[0] if len(written) == 1 else self._zip(written)
        final = self._folder / f"{self._order.name}{'.' + written[0].stem if len(written) == 1 else ''}{result.suffix}"
        result.replace(final)
        size = final.stat().st_size
        _say(Step(done=self._done, total=self._done, rows=self._rows, result=final.name, size=size))

    def _tell(self, what: str) -> None:
        self._total = max(self._total, self._done)  # the writer adds rows, and a file may not have been counted
        _say(Step(done=self._done, total=self._total, rows=self._rows, what=what))

    def _files(self, kind: str) -> list[Path]:
        found = [
            path
            for day in self._order.days
            for path in (self._root / f"doc_type={kind}" / f"date={day}").glob("*.parquet")
            if FILE_NAME.fullmatch(path.name) and not is_special(path)
        ]
        return sorted(found, key=lambda path: path.name)

    def _write(self, kind: str) -> Path | None:
        ending = self._order.format.removesuffix("-raw")
        path, sink, count = self._folder / f"{kind}.{ending}", None, 0
        for batch in self._batches(kind):
            if batch.num_rows and sink is None:
                sink = SINKS[self._order.format](path, batch.schema)
            if batch.num_rows and sink is not None:
                sink.write(batch)
                count += batch.num_rows
                self._rows += batch.num_rows
            self._tell(kind)
        if sink is not None:
            sink.close()
        return path if count else None

    def _batches(self, kind: str) -> Iterator[pa.RecordBatch]:
        """Yield the rows by rising number. A file that a compaction took is read on in its successor."""
        reached, tries = -1, 0
        files = self._files(kind)
        while files:
            try:
                for batch in _read(files[0], reached):
                    reached = batch.column("seq")[-1].as_py() if batch.num_rows else reached
                    self._done += batch.num_rows
                    yield self._wanted(batch)
                files.pop(0)
            except FileNotFoundError:
                tries += 1
                if tries > 100:
                    raise
                files = [path for path in self._files(kind) if int(path.stem.partition("-")[2]) > reached]

    def _wanted(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self._order.game_id is None:
            return batch
        return batch.filter(pc.fill_null(pc.equal(batch.column("game_id"), self._order.game_id), False))

    def _zip(self, parts: list[Path]) -> Path:
        path = self._folder / "all.zip"
        packed = zipfile.ZIP_STORED if self._order.format == "parquet" else zipfile.ZIP_DEFLATED
        with zipfile.ZipFile(path, "w", packed, compresslevel=6) as archive:
            for part in parts:
                with part.open("rb") as source, archive.open(part.name, "w", force_zip64=True) as target:
                    while piece := source.read(PIECE_BYTES):
                        target.write(piece)
                        self._tell(f"packing {part.name}")
                part.unlink()
        return path


class RawCsvSink:
    """Comma-separated values with a head line, texts exactly as they are; lists as JSON."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        flat = pa.schema([(field.name, pa.string() if _is_list(field.type) else field.type) for field in schema])
        self._schema = flat
        self._writer = pyarrow.csv.CSVWriter(str(path), flat)

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""
        columns = [_json_text(column) if _is_list(column.type) else self._text(column) for column in batch.columns]
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._schema))

    def close(self) -> None:
        """End the file."""
        self._writer.close()

    def _text(self, column: Any) -> Any:
        return column


class CsvSink(RawCsvSink):
    """Comma-separated values for spreadsheets: no text of a player's is run as a formula, or acts on a terminal."""

    def _text(self, column: Any) -> Any:
        if not pa.types.is_string(column.type) or not pc.any(pc.match_substring_regex(column, _ACTING)).as_py():
            return column
        texts = column.to_pylist()
        return pa.array([None if one is None else spreadsheet_text(printable(one, lines=True)) for one in texts])


class JsonlSink:
    """One JSON object a line; times as ISO text."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._file: BinaryIO = path.open("wb")
        self._encoder = msgspec.json.Encoder()

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""
        self._file.write(self._encoder.encode_lines(batch.to_pylist()))

    def close(self) -> None:
        """End the file."""
        self._file.close()


class ParquetSink:
    """Parquet, as it is on disk."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(str(path), schema, compression="zstd")

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""
        self._writer.write_batch(batch)

    def close(self) -> None:
        """End the file."""
        self._writer.close()


SINKS: dict[str, Any] = {"csv": CsvSink, "csv-raw": RawCsvSink, "jsonl": JsonlSink, "parquet": ParquetSink}


def _read(path: Path, after: int) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH_ROWS, use_threads=False):
            yield batch.filter(pc.greater(batch.column("seq"), after)) if after >= 0 else batch


def _row_count(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return int(pq.read_metadata(path).num_rows)
    return 0


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind)


def _json_text(column: Any) -> Any:
    return pa.array([None if value is None else msgspec.json.encode(value).decode() for value in column.to_pylist()])


def _say(step: Step) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(step) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
