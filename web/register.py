"""An index over all finished rounds: sorted, searched and paged in milliseconds, over a million of them.

In: the `game` Parquet files, whose names say what is in them; a `Query`. Out: one page of rounds and how many match.
The narrow columns of all rounds lie in one Arrow file in `<data dir>/cache`, mapped into memory and brought up to date
file by file; it can be deleted at any time and is made anew. Runs in a thread, one call at a time. Columns in memory
and not a database: any mix of conditions costs one pass of some 10 ms over a million rounds, where an index fits only
some.
"""

import contextlib
import itertools
import json
import math
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from actors.core.files import PRIVATE_FILE, private_dir
from actors.core.special_files import is_special
from web.query import PAGE, Entry, Found, Query

pc: Any = pyarrow.compute  # its stubs know neither chunked arrays nor tables here

FORMAT = "1"  # raised with every change of the columns: an older file is made anew
MOST_CHUNKS = 64  # then they are put together, and kept
NAME = re.compile(r"^\d+-\d+\.parquet$")
FIELDS: list[tuple[str, Any]] = [
    ("seq", pa.int64()), ("game_id", pa.string()), ("tail", pa.string()), ("at", pa.int64()), ("peak", pa.float64()),
    ("ticks", pa.int32()), ("rug_price", pa.float64()), ("verified", pa.bool_()), ("verify_reason", pa.string()),
    ("live_ticks", pa.int32()), ("missing_ticks", pa.int32()), ("file", pa.int32()),
]  # fmt: skip
SCHEMA = pa.schema(FIELDS)
READ = ("seq", "ts", "ended_at", *(name for name in SCHEMA.names if name not in ("seq", "tail", "at", "file")))
SHOWN = ("seq", "game_id", "at", "peak", "ticks", "rug_price", "verified", "verify_reason", "live_ticks",
         "missing_ticks")  # fmt: skip


class Place(NamedTuple):
    """Where a round's row lies, its number, and when it ended."""

    seq: int
    at: int
    path: Path


class Register:
    """The index of one data directory."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "events_parquet" / "doc_type=game"
        self._path = data_dir / "cache" / "rounds.arrow"
        self._lock = threading.Lock()
        self._table: pa.Table | None = None
        self._files: dict[str, int] = {}
        self._listings: dict[str, tuple[int, int]] | None = None

    def page(self, query: Query) -> Found:
        """Return one page; a page beyond the last is the last."""
        with self._lock:
            table = self._current()
            mask = _mask(table, query)
            total = table.num_rows if mask is None else int(pc.sum(mask).as_py() or 0)
            pages = max(1, -(-total // PAGE))
            page = min(max(1, query.page), pages)
            first = (page - 1) * PAGE
            rows = self._pick(table, mask, query, total, first, min(total, first + PAGE))
            return Found(rounds=_entries(table.take(rows)), total=total, page=page, pages=pages)

    def around(self, since_ms: int, until_ms: int, limit: int = 5000) -> list[Entry]:
        """Return the rounds that ended in a span, the newest `limit` of them, oldest first."""
        with self._lock:
            table = self._current()
            mask = _mask(table, Query(since=since_ms, until=until_ms))
            found = pc.indices_nonzero(mask)
            return _entries(table.take(found[max(0, len(found) - limit) :]))

    def place(self, game_id: str) -> Place | None:
        """Return where a round lies, None where it is not on disk."""
        with self._lock:
            table = self._current()
            row = pc.index(table["game_id"], game_id).as_py()
            if row < 0:
                return None
            names = {number: name for name, number in self._files.items()}
            at, seq = table["at"][row].as_py(), table["seq"][row].as_py()
            return Place(seq, at, self._folder / names[table["file"][row].as_py()])

    def before(self, seq: int) -> int:
        """Return the number of the round before this one, 0 where there is none."""
        with self._lock:
            numbers = self._current()["seq"]
            earlier = pc.max(pc.if_else(pc.less(numbers, seq), numbers, 0)).as_py()
            return int(earlier or 0)

    # Choosing rows.

    def _pick(self, table: pa.Table, mask: Any, query: Query, total: int, first: int, last: int) -> Any:
        """Return the row numbers `[first, last)` of what matches, in the order asked for."""
        down = query.order == "down"
        if query.sort == "time":  # the table's own order
            rows = [total - 1 - at if down else at for at in range(first, last)]
            return (
                pa.array(rows, pa.int64())
                if mask is None
                else pc.indices_nonzero(mask).take(pa.array(rows, pa.int64()))
            )
        found = None if mask is None else pc.indices_nonzero(mask)
        columns = table.select([query.sort, "seq"])
        rows = _ranked(columns if found is None else columns.take(found), first, last, down=down)
        return rows if found is None else found.take(rows)

    # Keeping up to date.

    def _current(self) -> pa.Table:
        listings = {}
        for day in self._folder.glob("date=*"):
            with contextlib.suppress(FileNotFoundError):
                stat = day.stat()
                listings[day.name] = (stat.st_ino, stat.st_mtime_ns)
        table = self._load() if self._table is None else self._table
        if listings != self._listings:
            table = self._update(table)
            self._listings = listings
        self._table = table
        return table

    def _update(self, known: pa.Table) -> pa.Table:
        present = set(self._names())
        fresh = sorted(present - self._files.keys(), key=lambda name: name.rpartition("/")[2])
        gone = [self._files.pop(name) for name in self._files.keys() - present]
        number = max(self._files.values(), default=0)
        parts = [known]
        for name in fresh:
            number += 1
            with contextlib.suppress(FileNotFoundError):  # a compaction took it; the next look finds its successor
                parts.append(_read(self._folder / name, number))
                self._files[name] = number
        if gone:
            parts[0] = known.filter(pc.invert(pc.is_in(known["file"], pa.array(gone, pa.int32()))))
        table = pa.concat_tables(parts)
        if not _rises(parts):
            table = table.take(pc.sort_indices(table.select(["seq"]), [("seq", "ascending")]))
        return self._kept(table) if gone or table.column(0).num_chunks > MOST_CHUNKS else table

    def _names(self) -> Iterator[str]:
        for day in self._folder.glob("date=*"):
            with contextlib.suppress(FileNotFoundError):
                named = (path for path in day.iterdir() if NAME.match(path.name))
                yield from (f"{day.name}/{path.name}" for path in named if not is_special(path))

    def _load(self) -> pa.Table:
        """Map what an earlier process kept; where there is none, or it cannot be read, begin with nothing."""
        with contextlib.suppress(OSError, ValueError, pa.ArrowException):
            table = pa.ipc.open_file(pa.memory_map(str(self._path))).read_all()
            kept = json.loads((table.schema.metadata or {}).get(b"vectra", b"{}"))
            if kept.get("format") == FORMAT and table.schema.equals(SCHEMA):
                self._files = kept["files"]
                return table.replace_schema_metadata(None)
        self._files = {}
        return SCHEMA.empty_table()

    def _kept(self, table: pa.Table) -> pa.Table:
        """Put the pieces together, write them down, and return the mapped file. A full disk changes nothing."""
        partial = private_dir(self._path.parent) / f".{self._path.name}.tmp"
        kept = json.dumps({"format": FORMAT, "files": self._files})
        whole = table.combine_chunks().replace_schema_metadata({"vectra": kept})
        with contextlib.suppress(OSError):
            with pa.OSFile(str(partial), "wb") as sink, pa.ipc.new_file(sink, whole.schema) as writer:
                writer.write_table(whole)
            partial.chmod(PRIVATE_FILE)
            partial.replace(self._path)
            pa.default_memory_pool().release_unused()
            return self._load()
        return whole


def _read(path: Path, number: int) -> pa.Table:
    with pq.ParquetFile(path) as file:
        table = file.read(columns=list(READ), use_threads=False)
    at = pc.coalesce(table["ended_at"], table["ts"]).cast(pa.int64())
    columns = {name: table[name] for name in READ[3:]} | {
        "seq": table["seq"],
        "at": pc.divide(at, 1000),
        "tail": pc.replace_substring_regex(table["game_id"], "^[0-9]{8}-", ""),
        "file": pa.array([number] * table.num_rows, pa.int32()),
    }
    return pa.table({name: columns[name] for name in SCHEMA.names}).cast(SCHEMA).combine_chunks()


def _rises(parts: list[pa.Table]) -> bool:
    """Say whether the pieces follow each other by number."""
    ends = [(part["seq"][0].as_py(), part["seq"][-1].as_py()) for part in parts if part.num_rows]
    return all(before[1] < after[0] for before, after in itertools.pairwise(ends))


def _mask(table: pa.Table, query: Query) -> Any:
    """Return which rows match, None for all."""
    terms: list[Any] = []
    for column, test, value in (
        ("peak", pc.greater_equal, query.peak_from), ("peak", pc.less_equal, query.peak_to),
        ("ticks", pc.greater_equal, query.ticks_from), ("ticks", pc.less_equal, query.ticks_to),
        ("at", pc.greater_equal, query.since), ("at", pc.less_equal, query.until),
    ):  # fmt: skip
        if value is not None:
            terms.append(pc.fill_null(test(table[column], value), False))
    if query.text:
        begins = [pc.starts_with(table[name], query.text) for name in ("game_id", "tail")]
        terms.append(pc.or_(*begins))
    if query.verdict == "unknown":
        terms.append(pc.is_null(table["verified"]))
    elif query.verdict is not None:
        terms.append(pc.fill_null(pc.equal(table["verified"], query.verdict == "true"), False))
    if not terms:
        return None
    mask = terms[0]
    for term in terms[1:]:
        mask = pc.and_(mask, term)
    return mask


def _ranked(columns: pa.Table, first: int, last: int, *, down: bool) -> Any:
    """Return the row numbers at the ranks `[first, last)`, ordered by the first column and then `seq`, null last.

    Only what lies between the values at both ranks is sorted, and these are found without sorting: a million rows
    cost the same at any rank.
    """
    if first >= last:
        return pa.array([], pa.uint64())
    column = columns[0].cast(pa.float64())
    values = pc.fill_null(column, -math.inf if down else math.inf).combine_chunks()
    end = len(values) - 1
    low, high = sorted((end - first, end - last + 1) if down else (first, last - 1))
    least, most = (values[pc.partition_nth_indices(values, pivot=rank)[rank].as_py()] for rank in (low, high))
    near = pc.indices_nonzero(pc.and_(pc.greater_equal(values, least), pc.less_equal(values, most)))
    ahead = pc.sum(pc.greater(values, most) if down else pc.less(values, least)).as_py()
    order = "descending" if down else "ascending"
    ordered = pc.sort_indices(columns.take(near), [(columns.column_names[0], order), ("seq", order)])
    return near.take(ordered.slice(first - ahead, last - first))


def _entries(table: pa.Table) -> list[Entry]:
    return [Entry(**row) for row in table.select(list(SHOWN)).to_pylist()]
