"""What lies on disk, asked from the event loop: each question runs in a thread, and its answer is ready to be shown.

In: questions of pages and API. Out: the record's timeline, sizes and forecast, pages of rounds. Never writes but for
the index of rounds, which is only a cache.
"""

import asyncio
import time
from pathlib import Path
from typing import Any

from msgspec import Struct

from actors.rugs.readings import integer, text
from web.board import Board
from web.house import House
from web.query import Entry, Found, Query
from web.register import Register
from web.storage import Day, Forecast, Limits, Storage
from web.system_rows import SystemRecord, SystemRows, merged
from web.timeline import TICK_MS, Gap, Played, Span, gaps, spans

HOUR_US = 3_600_000_000
PRESALE_MS = 15_000


class RecordingView(Struct, frozen=True, kw_only=True):
    """The record over the last hours, and what it takes on disk. Times are Unix milliseconds."""

    since: int
    until: int
    spans: list[Span]
    gaps: list[Gap]
    days: list[Day]  # newest first
    forecast: Forecast
    first: int | None  # when the oldest record on disk was made


class Reported(Struct, frozen=True, kw_only=True):
    """One record of the system itself."""

    seq: int
    at: int
    event: str
    data: dict[str, Any]


class Drift(Reported, frozen=True, kw_only=True):
    """A difference between what the game sends and the known protocol, told once, when it was first seen."""

    what: str  # unknown event, unknown (a field), retyped, vanished
    path: str  # where: the event, and in it the field
    expected: str | None  # types
    found: str | None
    since: int
    frames: int | None  # of the event that were not as described, by now; null is not known


class Ledger:
    """Questions about one data directory."""

    def __init__(self, data_dir: Path, register: Register, board: Board, house: House) -> None:
        self.data_dir = data_dir
        self.register = register
        self._rows = SystemRows(data_dir)
        self._storage = Storage(data_dir)
        self._board = board
        self._house = house

    async def recording(self, hours: int) -> RecordingView:
        """Return the record's timeline of the last hours, sizes and forecast."""
        limits = await self._house.journal_limits()
        return await asyncio.to_thread(self._recording, hours, limits, [*self._board.system])

    async def reports(self, hours: int, events: frozenset[str]) -> list[Reported]:
        """Return the system's own records of some kinds, newest first."""
        records = await asyncio.to_thread(self._records, time.time_ns() // 1000, hours, [*self._board.system])
        return [
            Reported(seq=one.seq, at=one.at_us // 1000, event=one.event, data=one.data)
            for one in reversed(records)
            if one.event in events
        ]

    async def drift(self, hours: int) -> list[Drift]:
        """Return how the game's protocol differs from what is known, as seen in the last hours, newest first."""
        told = await self.reports(hours, frozenset({"drift"}))
        frames = await self._house.drift_frames()
        return [drift_of(one, frames) for one in told]

    async def gaps(self, hours: int) -> list[Gap]:
        """Return the gaps of the last hours, newest first."""
        return await asyncio.to_thread(self._gaps, hours, [*self._board.system])

    async def rounds(self, query: Query) -> Found:
        """Return one page of finished rounds."""
        return await asyncio.to_thread(self.register.page, query)

    def _records(self, now_us: int, hours: int, fresh: list[SystemRecord]) -> list[SystemRecord]:
        since_us = now_us - hours * HOUR_US
        recent = [one for one in fresh if one.at_us >= since_us]
        return merged(self._rows.between(since_us, now_us + HOUR_US), recent)

    def _gaps(self, hours: int, fresh: list[SystemRecord]) -> list[Gap]:
        now_us = time.time_ns() // 1000
        records = self._records(now_us, hours, fresh)
        return gaps(records, self._played(records, now_us, hours), now_us)[::-1]

    def _played(self, records: list[SystemRecord], now_us: int, hours: int) -> list[Played]:
        if not any(one.event in ("gap", "connection") for one in records):
            return []
        since_ms = (now_us - hours * HOUR_US) // 1000 - 3_600_000
        return [_played(one) for one in self.register.around(since_ms, now_us // 1000 + 60_000)]

    def _recording(self, hours: int, limits: Limits, fresh: list[SystemRecord]) -> RecordingView:
        now_us = time.time_ns() // 1000
        since_us = now_us - hours * HOUR_US
        records = self._records(now_us, hours, fresh)
        last = self._rows.last_before(since_us, "recording")
        first_us = self._rows.first_at_us()
        before = last.data.get("on") is True if last is not None else None
        if before is None and first_us is not None and first_us < since_us:
            before = False
        days = self._storage.days()
        return RecordingView(
            since=since_us // 1000,
            until=now_us // 1000,
            spans=spans(records, before, since_us, now_us),
            gaps=gaps(records, self._played(records, now_us, hours), now_us)[::-1],
            days=days,
            forecast=self._storage.forecast(days, limits, now_us / 1e6, first_us / 1e6 if first_us else None),
            first=first_us // 1000 if first_us is not None else None,
        )


def drift_of(one: Reported, frames: dict[str, int]) -> Drift:
    """Return a report of drift in columns. frames: of each event, as the normalizer counts them."""
    event, field, what = (text(one.data.get(key)) for key in ("event", "field", "what"))
    keys = [f"unknown {event}"] if what == "unknown event" else [str(event).lower(), f"sent {event}".lower()]
    counts = [] if what == "vanished" else [frames[key] for key in keys if key in frames]
    return Drift(
        seq=one.seq,
        at=one.at,
        event=one.event,
        data=one.data,
        what=what or "",
        path=".".join(part for part in (event, field) if part),
        expected=text(one.data.get("expected")),
        found=text(one.data.get("type")),
        since=integer(one.data.get("firstSeenAt")) or one.at,
        frames=counts[0] if counts else None,
    )


def _played(one: Entry) -> Played:
    length_ms = (one.ticks or 0) * TICK_MS + PRESALE_MS
    return Played(one.at - length_ms, one.at, one.missing_ticks or 0)
