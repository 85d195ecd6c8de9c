"""The rounds on disk: newest first, page by page, or one by its id. Reads `doc_type=game` Parquet files, never writes.

Files appear whole and never change, and their names say which numbers they cover, so a page opens only the files it
needs, newest first, and what was read of a file is kept (bounded). pyarrow and not DuckDB: the same 50 rounds cost this
process 11 MB instead of 49. Runs in a thread, one call at a time.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from actors.core.special_files import is_special
from actors.rugs.schema import IMPORT_SEQ
from web.rounds import COLUMNS, PricedRound, Round

R = TypeVar("R", bound=Round)
T = TypeVar("T")

NAME = re.compile(r"^(\d+)-(\d+)\.parquet$")
KEPT_ROWS = 4000  # about 4 MB
LIGHT = tuple(name for name in COLUMNS if name != "sidebets")


class GameFile(NamedTuple):
    """A file and the numbers it covers."""

    first: int
    last: int
    path: Path


class Archive:
    """The `game` rows below one data directory."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "events_parquet" / "doc_type=game"
        self._lock = threading.Lock()
        self._listings: dict[Path, tuple[tuple[int, int], list[GameFile]]] = {}
        self._read: OrderedDict[Path, list[Round]] = OrderedDict()

    def newest(self, limit: int, before: int | None = None, *, sidebets: bool = False) -> list[Round]:
        """Return at most `limit` rounds that come behind the one numbered `before`, newest first, imported ones last.

        sidebets: also fill the `sidebets` column, which is large and therefore not kept.
        """
        with self._lock:
            return self._again_if_swapped(lambda: self._newest(limit, before, sidebets))

    def find(self, game_id: str, path: Path | None = None) -> PricedRound | None:
        """Return a round with its prices, None where it is not on disk. path: the file that should have it."""
        with self._lock:
            if path is not None and (found := _one(path, game_id)) is not None:
                return found
            return self._again_if_swapped(lambda: self._find(game_id))

    def _again_if_swapped(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except FileNotFoundError:  # a compaction put the day's files in place of these
            self._listings.clear()
            return read()

    def _newest(self, limit: int, before: int | None, sidebets: bool) -> list[Round]:
        found: list[Round] = []
        bound = None if before is None else _age(before)
        for file in sorted(self._files(), key=lambda file: _age(file.first), reverse=True):
            if bound is not None and _age(file.first) >= bound:
                continue
            rounds = _rows(file.path, Round, COLUMNS) if sidebets else self._light(file.path)
            older = [one for one in rounds if bound is None or _age(one.seq) < bound]
            found += sorted(older, key=lambda one: -_age(one.seq))
            if len(found) >= limit:
                break
        return found[:limit]

    def _find(self, game_id: str) -> PricedRound | None:
        for file in sorted(self._files(), key=lambda file: _likely(file, game_id), reverse=True):
            if any(one.game_id == game_id for one in self._light(file.path)):
                return _one(file.path, game_id)
        return None

    def _light(self, path: Path) -> list[Round]:
        rows = self._read.pop(path, None)
        self._read[path] = rows = _rows(path, Round, LIGHT) if rows is None else rows
        while len(self._read) > 1 and sum(map(len, self._read.values())) > KEPT_ROWS:
            self._read.popitem(last=False)
        return rows

    def _files(self) -> Iterator[GameFile]:
        if not self._folder.is_dir():
            return
        for day in self._folder.glob("date=*"):
            stat = day.stat()
            version = (stat.st_ino, stat.st_mtime_ns)
            known = self._listings.get(day)
            if known is None or known[0] != version:
                known = self._listings[day] = (version, list(_list(day)))
            yield from known[1]


def _age(seq: int) -> int:
    """Return what to sort by: imported rounds bear the highest numbers, and are older than whatever was recorded."""
    return seq - 2 * IMPORT_SEQ if seq >= IMPORT_SEQ else seq


def _list(day: Path) -> Iterator[GameFile]:
    for path in day.iterdir():
        if (match := NAME.match(path.name)) and not is_special(path):
            yield GameFile(int(match[1]), int(match[2]), path)


def _likely(file: GameFile, game_id: str) -> tuple[bool, int]:
    day = f"date={game_id[:4]}-{game_id[4:6]}-{game_id[6:8]}"  # ids begin with the UTC date, as YYYYMMDD
    return file.path.parent.name == day, file.first


def _one(path: Path, game_id: str) -> PricedRound | None:
    """Return one row whole: of the row groups only the one that holds it is read, and of that only its row decoded."""
    try:
        with pq.ParquetFile(path) as file:
            present = [name for name in (*COLUMNS, "prices") if name in file.schema_arrow.names]
            for group in range(file.num_row_groups):
                ids = file.read_row_group(group, columns=["game_id"], use_threads=False).column(0)
                place = pc.index(ids, game_id).as_py()
                if place >= 0:
                    row = file.read_row_group(group, columns=present, use_threads=False).slice(place, 1)
                    values = {name: _plain(row.column(name))[0] for name in present}
                    return msgspec.convert(values, PricedRound)
    except FileNotFoundError:  # a compaction took it
        return None
    return None


def _rows(path: Path, kind: type[R], columns: tuple[str, ...]) -> list[R]:
    with pq.ParquetFile(path) as file:
        present = [name for name in columns if name in file.schema_arrow.names]
        table = file.read(columns=present, use_threads=False)
    values = {name: _plain(table.column(name)) for name in present}
    rows = [dict(zip(present, row, strict=True)) for row in zip(*values.values(), strict=True)]
    return msgspec.convert(rows, list[kind])  # type: ignore[valid-type]  # mypy knows no list of a variable


def _plain(column: "pa.ChunkedArray[Any]") -> list[Any]:
    if pa.types.is_timestamp(column.type):
        return [us // 1000 if us is not None else None for us in column.cast(pa.int64()).to_pylist()]
    return column.to_pylist()
