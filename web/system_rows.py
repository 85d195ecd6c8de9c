"""The system's own record on disk: `doc_type=system_event` rows of a span of time. Reads Parquet, never writes.

In: a data directory and times in Unix microseconds. Out: records in the journal's order. What was read of a file is
kept (bounded): files never change. Runs in a thread, one call at a time.
"""

import datetime
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from actors.core.special_files import is_special

KEPT_ROWS = 20_000
LOOK_BACK_DAYS = 60
DAY_US = 86_400_000_000
COLUMNS = ["seq", "ts", "event", "data"]


class SystemRecord(NamedTuple):
    """One thing that happened to the system."""

    seq: int
    at_us: int
    event: str  # gap, connection, recording, actor, drift, ...
    data: dict[str, Any]


class SystemRows:
    """The `system_event` rows below one data directory."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "events_parquet" / "doc_type=system_event"
        self._lock = threading.Lock()
        self._read: OrderedDict[Path, list[SystemRecord]] = OrderedDict()

    def between(self, since_us: int, until_us: int) -> list[SystemRecord]:
        """Return the records of `[since_us, until_us]`, oldest first."""
        with self._lock:
            days = _dates(since_us - DAY_US, until_us)  # a file may run on past midnight
            found = [row for day in days for row in self._day(day) if since_us <= row.at_us <= until_us]
        return sorted(found)

    def last_before(self, at_us: int, event: str) -> SystemRecord | None:
        """Return the newest record of a kind before a time, None where the last 60 days hold none."""
        with self._lock:
            for day in reversed(list(_dates(at_us - LOOK_BACK_DAYS * DAY_US, at_us))):
                found = [row for row in self._day(day) if row.event == event and row.at_us < at_us]
                if found:
                    return max(found)
        return None

    def first_at_us(self) -> int | None:
        """Return when the oldest record on disk was made."""
        with self._lock:
            days = sorted(path.name.removeprefix("date=") for path in self._folder.glob("date=*"))
            for day in days:
                if rows := self._day(day):
                    return min(row.at_us for row in rows)
        return None

    def _day(self, day: str) -> list[SystemRecord]:
        try:
            return list(self._rows(day))
        except FileNotFoundError:  # a compaction put the day's files in place of these
            return list(self._rows(day))

    def _rows(self, day: str) -> Iterator[SystemRecord]:
        folder = self._folder / f"date={day}"
        for path in sorted(one for one in folder.glob("*.parquet") if not is_special(one)):
            rows = self._read.pop(path, None)
            self._read[path] = rows = _load(path) if rows is None else rows
            while len(self._read) > 1 and sum(map(len, self._read.values())) > KEPT_ROWS:
                self._read.popitem(last=False)
            yield from rows


def record(seq: int, at_us: int, event: str, data: bytes | str | None) -> SystemRecord:
    """Return a record; data that is no JSON object is kept under `value`."""
    try:
        value = msgspec.json.decode(data or b"{}")
    except msgspec.DecodeError:
        value = {"value": str(data)}
    return SystemRecord(seq, at_us, event, value if isinstance(value, dict) else {"value": value})


def merged(stored: Iterable[SystemRecord], fresh: Iterable[SystemRecord]) -> list[SystemRecord]:
    """Return what is on disk and what just came by, each number once, in order."""
    by_seq = {one.seq: one for one in fresh} | {one.seq: one for one in stored}
    return [by_seq[seq] for seq in sorted(by_seq)]


def _load(path: Path) -> list[SystemRecord]:
    with pq.ParquetFile(path) as file:
        table = file.read(columns=COLUMNS, use_threads=False)
    times = table.column("ts").cast(pa.int64()).to_pylist()
    columns = [table.column(name).to_pylist() for name in ("seq", "event", "data")]
    return [
        record(seq, at, str(event), data) for seq, at, event, data in zip(columns[0], times, *columns[1:], strict=True)
    ]


def _dates(since_us: int, until_us: int) -> Iterator[str]:
    first, last = max(0, since_us) // DAY_US, max(0, until_us) // DAY_US
    for number in range(first, last + 1):
        yield (datetime.date(1970, 1, 1) + datetime.timedelta(days=number)).isoformat()
