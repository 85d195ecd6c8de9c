"""Keeps the board up to date from the streams, and wakes the open pages.

Live events and states in; `Page.wake` out. The supervisor is asked once a second while a page is open, else each
five seconds; the Parquet files are looked at again after each round. Holes in the live stream are healed by a snapshot.
"""

import asyncio
import contextlib
import logging
import time

from actors.core import streams
from actors.core.bus import AsyncInbox, Bus
from actors.core.messages import Events, LiveState
from web.archive import Archive
from web.board import LAST_ROUNDS, Board, Known, View
from web.errors import Refused
from web.house import House
from web.register import Register
from web.rounds import PricedRound, Round

TURN_S = 1.0
IDLE_S = 5.0
RELOAD_S = 20.0  # a round takes at least 15 s


class Page:
    """One open page: what it has, and a bell."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.known = Known()
        self.wake = asyncio.Event()
        self.wake.set()


class Hub:
    """The board's listeners."""

    def __init__(self, bus: Bus, house: House, archive: Archive, register: Register, log: logging.Logger) -> None:
        self.board = Board()
        self.pages: set[Page] = set()
        self._house = house
        self._archive = archive
        self._register = register
        self._log = log
        self._events: AsyncInbox[Events] = bus.async_inbox(streams.LIVE)
        self._states: AsyncInbox[LiveState] = bus.async_inbox(streams.LIVE_STATE)
        self._stale = asyncio.Event()
        self._stale.set()  # nothing is known at the start
        self._opened = asyncio.Event()
        self._reload_at_s = 0.0

    async def run(self) -> None:
        """Listen for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._house.hear_results())
            tasks.create_task(self._hear_events())
            tasks.create_task(self._hear_states())
            tasks.create_task(self._heal())
            tasks.create_task(self._watch())

    def open(self, view: View) -> Page:
        """Add a page; it is given everything at once."""
        page = Page(view)
        self.pages.add(page)
        self._opened.set()
        return page

    def close(self, page: Page) -> None:
        """Forget a page."""
        self.pages.discard(page)

    async def rounds(self, limit: int, before: int | None, *, sidebets: bool = False) -> list[Round]:
        """Return finished rounds, newest first, also those not in Parquet yet."""
        stored = await asyncio.to_thread(self._archive.newest, limit, before, sidebets=sidebets)
        known = {one.game_id for one in stored}
        fresh = [_unpriced(one) for one in self.board.fresh.values() if one.game_id not in known]
        newer = [one for one in fresh if before is None or one.seq < before]
        if stored:  # what is older than the page's end belongs to a later page, and is on disk
            newer = [one for one in newer if one.seq > stored[-1].seq or len(stored) < limit]
        return sorted([*stored, *newer], key=lambda one: -one.seq)[:limit]

    async def round(self, game_id: str) -> PricedRound | None:
        """Return one finished round with its prices."""
        stored = await asyncio.to_thread(self._stored, game_id)
        return stored if stored is not None else self.board.fresh.get(game_id)

    def _stored(self, game_id: str) -> PricedRound | None:
        place = self._register.place(game_id)
        return self._archive.find(game_id, place.path) if place is not None else None

    def _ring(self) -> None:
        for page in self.pages:
            page.wake.set()

    async def _hear_events(self) -> None:
        while True:
            batch = await self._events.receive()
            if self.board.hear_events(batch, time.time_ns() // 1_000_000):
                self._stale.set()
            if any(event.type == "game.completed" for event in batch.events):
                self._reload_at_s = 0.0
            self._ring()

    async def _hear_states(self) -> None:
        while True:
            self.board.hear_state(await self._states.receive())
            self._ring()

    async def _heal(self) -> None:
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                self.board.adopt(await self._house.snapshot())
            except Refused:  # the state actor is away; the supervisor brings it back
                self._stale.set()
                await pause(TURN_S)
            self._ring()

    async def _watch(self) -> None:
        await self._reload()
        await asyncio.to_thread(self._register.place, "")  # read what is on disk now, not when the first page asks
        while True:
            if not self.pages:
                self._opened.clear()
                with contextlib.suppress(TimeoutError):  # the lines of memory and processor go on without a page
                    await asyncio.wait_for(self._opened.wait(), IDLE_S)
            try:
                status = await self._house.status()
            except Refused:
                status = None
            now_ms = time.time_ns() // 1_000_000
            self.board.hear_status(status, now_ms)
            self.board.hear_pulse(now_ms)
            if self.board.state_is_behind():
                self._stale.set()
            if self.pages and time.monotonic() >= self._reload_at_s:
                await self._reload()
            self._ring()
            await pause(TURN_S)

    async def _reload(self) -> None:
        self._reload_at_s = time.monotonic() + RELOAD_S
        try:
            rounds = await asyncio.to_thread(self._archive.newest, LAST_ROUNDS)
            newest = None
            if rounds and self.board.chart.game_id is None:
                newest = await asyncio.to_thread(self._archive.find, rounds[0].game_id)
        except (OSError, ValueError) as error:  # pyarrow's errors are among these; the page says what it has
            self._log.warning("rounds on disk cannot be read: %s", error)
            return
        self.board.load_rounds(rounds, newest)


async def pause(seconds: float) -> None:
    """Let `seconds` go by."""
    never = asyncio.Event()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(never.wait(), seconds)


def _unpriced(one: PricedRound) -> Round:
    return Round(**{name: getattr(one, name) for name in Round.__struct_fields__})
