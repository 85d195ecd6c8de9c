"""The tap on an inner stream, with real sockets: everything in order, and a failing handler ends it."""

import asyncio
import shutil
import tempfile
from pathlib import Path

import pytest

from actors.broadcaster.tap import PORTION, Tap
from actors.core import streams
from actors.core.bus import Bus
from actors.core.messages import LiveState


def state(seq: int) -> LiveState:
    return LiveState(seq=seq, last={}, state=b"{}")


async def tapped(count: int, fails_at: int) -> list[int]:
    """Return what a tap handed over of `count` messages."""
    home = Path(tempfile.mkdtemp(prefix="v-"))
    bus, got, all_there = Bus(home), list[int](), asyncio.Event()

    def handle(message: LiveState) -> None:
        got.append(message.seq)
        if message.seq == fails_at:
            raise ValueError("as told")
        if message.seq == count:
            all_there.set()

    try:
        outbox = bus.outbox(streams.LIVE_STATE)
        outbox.send(state(0))
        tap: Tap[LiveState] = Tap(bus.inbox(streams.LIVE_STATE), handle)
        running = asyncio.create_task(tap.run())
        while not got:  # until the subscription has arrived
            outbox.send(state(0))
            await asyncio.wait([running], timeout=0.01)
        for seq in range(1, count + 1):
            outbox.send(state(seq))
            while seq % 50 == 0 and got[-1] < seq and not running.done():  # half of the stream's high-water mark
                await asyncio.wait([running], timeout=0.01)
        waiting = asyncio.create_task(all_there.wait())
        await asyncio.wait([running, waiting], timeout=10, return_when=asyncio.FIRST_COMPLETED)
        for task in (running, waiting):
            task.cancel()
        await asyncio.wait([running, waiting])
        if not running.cancelled():
            running.result()
        return [seq for seq in got if seq]
    finally:
        bus.close()
        shutil.rmtree(home)


def test_everything_is_handed_over_in_order() -> None:
    assert asyncio.run(tapped(PORTION * 5 + 7, fails_at=-1)) == list(range(1, PORTION * 5 + 8))


def test_a_failing_handler_ends_the_tap_with_its_error() -> None:
    with pytest.raises(ValueError, match="as told"):
        asyncio.run(tapped(50, fails_at=20))
