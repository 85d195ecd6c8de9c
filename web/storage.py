"""How much lies on disk, by day and kind, and how long the disk lasts. Reads directories, never a file.

In: a data directory and the limits in force. Out: figures in bytes. A directory's listing is kept until the directory
changes. Runs in a thread.
"""

import datetime
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

DAY_S = 86_400.0
SAMPLE_DAYS = 7
SHORTEST_S = 60.0  # less than a minute of data foretells nothing
HORIZON_DAYS = 3650


class Kind(Struct, frozen=True, kw_only=True):
    """The files of one kind of rows on one day."""

    doc_type: str
    files: int
    bytes: int


class Day(Struct, frozen=True, kw_only=True):
    """One UTC day's Parquet files."""

    date: str
    files: int
    bytes: int
    kinds: list[Kind]


class Forecast(Struct, frozen=True, kw_only=True):
    """What the disk can take. Null is not known yet."""

    parquet_bytes: int
    journal_bytes: int
    journal_limit: int  # the journal never grows beyond: the oldest segments go
    journal_days: int
    free_bytes: int
    bytes_per_day: int | None  # of Parquet
    sample_s: float  # how long a time that figure is from
    days_left: int | None  # until the disk is full; 3650 stands for ten years and more


class Limits(NamedTuple):
    """The journal's limits in force."""

    journal_bytes: int
    journal_days: int


class Storage:
    """Sizes below one data directory."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._known: dict[Path, tuple[tuple[int, int], tuple[int, int]]] = {}

    def days(self) -> list[Day]:
        """Return every day that has files, newest first."""
        found: dict[str, list[Kind]] = {}
        seen: dict[Path, tuple[tuple[int, int], tuple[int, int]]] = {}
        for folder in (self._data_dir / "events_parquet").glob("doc_type=*/date=*"):
            if not _is_date(folder.name.removeprefix("date=")):
                continue  # somebody else's folder; `doctor` names it
            try:
                stat = folder.stat()
                version = (stat.st_ino, stat.st_mtime_ns)
                known = self._known.get(folder)
                sizes = known[1] if known is not None and known[0] == version else _sizes(folder)
            except FileNotFoundError:  # swapped by a compaction just now; the next look has it
                continue
            seen[folder] = (version, sizes)
            kind = folder.parent.name.removeprefix("doc_type=")
            found.setdefault(folder.name.removeprefix("date="), []).append(
                Kind(doc_type=kind, files=sizes[0], bytes=sizes[1])
            )
        self._known = seen
        return [_day(date, kinds) for date, kinds in sorted(found.items(), reverse=True)]

    def forecast(self, days: list[Day], limits: Limits, now_s: float, first_s: float | None) -> Forecast:
        """Return what the disk can take. first_s: Unix time of the oldest record, None where there is none."""
        journal = sum(_file_sizes(self._data_dir / "journal"))
        free = shutil.disk_usage(self._data_dir).free if self._data_dir.is_dir() else 0
        rate, sample_s = _rate(days, now_s, first_s)
        return Forecast(
            parquet_bytes=sum(day.bytes for day in days),
            journal_bytes=journal,
            journal_limit=limits.journal_bytes,
            journal_days=limits.journal_days,
            free_bytes=free,
            bytes_per_day=rate,
            sample_s=round(sample_s, 1),
            days_left=_days_left(free, rate, max(0, limits.journal_bytes - journal)),
        )


def _rate(days: list[Day], now_s: float, first_s: float | None) -> tuple[int | None, float]:
    """Return bytes of Parquet a day, over the last week or what there is of it, and the seconds it is from."""
    begin_s = max(now_s - SAMPLE_DAYS * DAY_S, first_s if first_s is not None else now_s)
    midnight_s = begin_s // DAY_S * DAY_S
    whole_s = midnight_s if first_s is not None and first_s <= midnight_s else begin_s
    sample_s = now_s - whole_s
    if sample_s < SHORTEST_S:
        return None, max(0.0, sample_s)
    recent = sum(day.bytes for day in days if _begin_s(day.date) >= midnight_s)
    return round(recent / sample_s * DAY_S), sample_s


def _days_left(free: int, rate: int | None, journal_room: int) -> int | None:
    """The journal is given all the room it may still take before Parquet gets any: the careful figure."""
    if rate is None:
        return None
    room = free - min(journal_room, free)
    return min(HORIZON_DAYS, int(room / rate)) if rate > 0 else HORIZON_DAYS


def _is_date(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _begin_s(date: str) -> float:
    return datetime.datetime.fromisoformat(f"{date}T00:00:00+00:00").timestamp()


def _day(date: str, kinds: list[Kind]) -> Day:
    ordered = sorted(kinds, key=lambda kind: -kind.bytes)
    return Day(
        date=date, files=sum(kind.files for kind in kinds), bytes=sum(kind.bytes for kind in kinds), kinds=ordered
    )


def _sizes(folder: Path) -> tuple[int, int]:
    sizes = [path.stat().st_size for path in folder.glob("*.parquet")]
    return len(sizes), sum(sizes)


def _file_sizes(folder: Path) -> Iterator[int]:
    for path in folder.glob("*"):
        try:
            yield path.stat().st_size
        except FileNotFoundError:  # retention took it
            continue
