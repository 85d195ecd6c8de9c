"""The broadcaster: the one door outwards. Live events in; WebSocket, ZeroMQ and monitor out.

Starts some checkpoints back in the journal, so that a client that comes back with `since` finds what it missed;
then follows the live stream, which may lose, and heals its holes from the journal. One event loop; history is read in a
process of its own. Never writes to disk but for its endpoints, never slows the pipeline.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from aiohttp import web

from actors.broadcaster.archive import PAGE_BYTES, PAGE_EVENTS, Archive
from actors.broadcaster.archivist import Wanted
from actors.broadcaster.door import Door
from actors.broadcaster.entrance import Entrance, serve
from actors.broadcaster.feed import FeedServer
from actors.broadcaster.guard import Guard
from actors.broadcaster.health import NOT_FRAMES, StatusSource
from actors.broadcaster.history import Cursor, History, TooOld
from actors.broadcaster.hub import Hub
from actors.broadcaster.monitor import Figures, Monitor
from actors.broadcaster.ring import Ring
from actors.broadcaster.snapshots import Snapshots
from actors.broadcaster.subscription import Subscription
from actors.broadcaster.tap import Tap
from actors.broadcaster.timeline import Timeline, record_of
from actors.core import streams
from actors.core.clock import now_us
from actors.core.messages import SEQ_STEP, Event, Events, LiveState
from actors.core.recording_id import recording_id
from actors.core.runtime import Context
from actors.core.turn import turn

HOUSEKEEPING_S = 0.5
FEED_GUESTS = 2000
MONITOR_GUESTS = 200
ALL = Subscription(None)


class Broadcaster:
    """Ties the parts together and feeds them."""

    def __init__(self, context: Context) -> None:
        bus = context.bus
        self._context = context
        self._timeline = Timeline(Ring(), recording_id(context.data_dir))
        self._hub = Hub(self._timeline)
        self._archive = Archive(context.data_dir, context.log)
        self._snapshots = Snapshots(self._timeline, bus.async_dealer(streams.QUERIES))
        settings = context.config.feed
        self._feed = FeedServer(settings, self._hub, self._snapshots, self._archive, product_version(), context.log)
        self._door = Door(context.config.bus, self._timeline, self._snapshots, self._archive, context.log)
        self._live: Tap[Events] = Tap(bus.inbox(streams.LIVE), self._on_live)
        self._live_state: Tap[LiveState] = Tap(bus.inbox(streams.LIVE_STATE), self._snapshots.hear)
        self._source = StatusSource(bus.async_dealer(streams.CONTROL))
        self._healing: asyncio.Task[None] | None = None
        self._last_frame_ms: int | None = None
        self._lag_ms: float | None = None

    async def main(self, stop: asyncio.Event) -> None:
        """Rebuild, open the doors, serve until `stop`."""
        await self._rebuild()
        config, runtime_dir = self._context.config, self._context.runtime_dir
        guard = Guard(config, runtime_dir)
        figures = Figures(self.figures, lambda: self._hub.counts, lambda: self._last_frame_ms)
        monitor = Monitor(self._context, guard, self._source, figures)
        feed = web.Application(middlewares=[guard.middleware])
        feed.router.add_get("/feed", self._feed.handle)
        self._door.open(runtime_dir)
        host = config.feed.host
        runners = [
            await serve(feed, runtime_dir, Entrance("feed", host, config.feed.port, "ws://{}/feed", FEED_GUESTS)),
            await serve(
                monitor.application(),
                runtime_dir,
                Entrance("monitor", host, config.monitor.port, "http://{}", MONITOR_GUESTS),
            ),
        ]
        self._context.ready()
        await self._work(stop)
        self._feed.close()
        await asyncio.gather(*(runner.cleanup() for runner in runners))
        self._door.close()
        await self._archive.close()

    def figures(self) -> dict[str, Any]:
        """Return the figures for status and metrics."""
        sent, dropped = self._feed.totals()
        return {
            "clients": len(self._feed.clients),
            "sent": sent,
            "dropped": dropped,
            "holes": self._timeline.holes,
            "replays": self._archive.questions,
            "ring_events": len(self._timeline.ring),
            "ring_bytes": self._timeline.ring.size_bytes,
            "seq": self._timeline.seq,
            **self._door.figures(),
            "lag_ms": self._lag_ms,
        }

    async def _work(self, stop: asyncio.Event) -> None:
        """Run every task until `stop`, or until one fails, which ends the actor."""
        jobs: list[Coroutine[Any, Any, Any]] = [
            self._live.run(),
            self._live_state.run(),
            self._door.serve(),
            self._keep_house(),
            stop.wait(),
        ]
        tasks = [asyncio.create_task(job) for job in jobs]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            tasks += [self._healing] if self._healing is not None else []
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _rebuild(self) -> None:
        """Read what was derived in the last half minute or so. Nobody is connected yet, so it is done here."""
        try:
            cursor = History(self._context.data_dir).recent()
        except TooOld:
            self._context.log.warning("no checkpoint fits the journal; what was before now cannot be served")
            return
        self._timeline.start(record_of(cursor.at), cursor.last)
        await self._read_to_end(cursor)
        cursor.close()
        self._context.log.info("rebuilt up to %d, %d events in memory", self._timeline.seq, len(self._timeline.ring))

    async def _read_to_end(self, cursor: Cursor) -> None:
        done = False
        while not done:
            page = cursor.page(None, ALL, PAGE_EVENTS, PAGE_BYTES)
            self._note_frames(self._timeline.fill(page.events, page.upto))
            done = page.done
            await turn()

    def _on_live(self, batch: Events) -> None:
        self._publish(self._timeline.take(batch))
        if batch.events:
            self._lag_ms = round(now_us() / 1000 - batch.events[-1].ts, 1)
        if self._timeline.hole is not None and self._healing is None:
            self._healing = asyncio.create_task(self._heal())
        if self._healing is not None and self._healing.done():
            self._healing.result()
            self._healing = None

    async def _heal(self) -> None:
        """Fill holes from the journal until the live stream fits again."""
        while (hole := self._timeline.hole) is not None:
            since, upto = self._timeline.head + SEQ_STEP - 1, hole + SEQ_STEP - 1
            found = await self._archive.find(
                Wanted(since=since, upto=upto, events_max=PAGE_EVENTS, bytes_max=PAGE_BYTES)
            )
            if found.page is None:
                self._context.log.warning("records %d to %d are not kept any more", self._timeline.head + 1, hole)
                self._feed.tell_lost(self._timeline.seq + 1, upto)
                self._publish(self._timeline.fill([], upto))
            else:
                self._publish(self._timeline.fill(found.page.events, upto if found.page.done else found.page.upto))

    def _publish(self, events: list[Event]) -> None:
        self._note_frames(events)
        self._door.publish(events)
        self._hub.publish(events)

    def _note_frames(self, events: list[Event]) -> None:
        for event in reversed(events):
            if not event.type.startswith(NOT_FRAMES):
                self._last_frame_ms = event.ts
                return

    async def _keep_house(self) -> None:
        never = asyncio.Event()
        while True:
            now_s = asyncio.get_running_loop().time()
            self._live.read()
            self._feed.check(now_s)
            self._archive.rest(now_s)
            self._context.stats.update(self.figures())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(never.wait(), HOUSEKEEPING_S)


def product_version() -> str:
    """Return our version, as installed."""
    try:
        return version("vectra-player")
    except PackageNotFoundError:
        return "unknown"


def run(context: Context) -> None:
    """Be the broadcaster until told to stop."""

    async def main(stop: asyncio.Event) -> None:
        await Broadcaster(context).main(stop)

    context.run_async(main)
