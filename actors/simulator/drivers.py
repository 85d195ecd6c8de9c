"""What makes frames flow: the game by its clock, a recording by its times, the load by its rate.

Each is a coroutine that runs until the server stops. They keep an absolute schedule, so that small delays do not add
up; one that has fallen more than a second behind (a machine that slept) starts afresh instead of racing after it.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from actors.simulator.clients import Clients
from actors.simulator.dice import Dice
from actors.simulator.game import Game
from actors.simulator.messages import Emit
from actors.simulator.replay import delay_s, read_recording

LOAD_BYTES = (2_000, 4_000, 8_000, 15_000)  # the sizes of the game's frames, full snapshots aside
LOAD_OVERHEAD_BYTES = 64
FRAMES_PER_DRAIN = 64
LATE_S = 1.0


def now_ms() -> int:
    """Return Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


class Schedule:
    """A row of moments, each a given time after the last, on the monotonic clock."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop
        self._due_s = time.monotonic()

    async def wait(self, seconds: float) -> bool:
        """Wait for the next moment; return False when told to stop."""
        now_s = time.monotonic()
        self._due_s = max(self._due_s, now_s - LATE_S) + seconds
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), max(0.0, self._due_s - now_s))
        return not self._stop.is_set()


async def run_game(game: Game, clients: Clients, stop: asyncio.Event, speed: float) -> None:
    """Play the game for ever, `speed` times as fast as the real one."""
    schedule = Schedule(stop)
    while True:
        step = game.step(now_ms())
        await clients.send(step.emits)
        if not await schedule.wait(step.delay_s / speed):
            return


async def run_replay(path: Path, clients: Clients, stop: asyncio.Event, speed: float) -> None:
    """Send a recording once, from the moment the first client is there; then say nothing more.

    speed: 0 sends as fast as the clients take it. A client that comes later gets the rest.
    """
    if not await _first_client(clients, stop):
        return
    schedule, last_s = Schedule(stop), None
    for number, recorded in enumerate(read_recording(path), 1):
        if not await schedule.wait(delay_s(last_s, recorded.t, speed)):
            return
        last_s = recorded.t
        await clients.send_packet(recorded.frame[1:])  # the 4 in front is Engine.IO's and comes back on sending
        if speed == 0 and number % FRAMES_PER_DRAIN == 0:
            await clients.drain()


async def run_load(
    clients: Clients, stop: asyncio.Event, rate: float, payload_bytes: int, clock_ms: Callable[[], float] | None = None
) -> None:
    """Emit `load` events at `rate` a second, numbered from 0, in order; pause while no client is connected.

    payload_bytes: size of one frame; 0 goes round 2, 4, 8 and 15 KB.
    """
    clock_ms = clock_ms or (lambda: time.time() * 1000)
    sizes = (payload_bytes,) if payload_bytes else LOAD_BYTES
    dice = Dice("load")
    pads = [dice.hexadecimal(max(1, size - LOAD_OVERHEAD_BYTES)) for size in sizes]
    schedule, number = Schedule(stop), 0
    while await _first_client(clients, stop):
        payload = {"n": number, "sentAt": clock_ms(), "pad": pads[number % len(pads)]}
        await clients.send([Emit(name="load", args=(payload,))])
        number += 1
        if not await schedule.wait(1 / rate):
            return


async def _first_client(clients: Clients, stop: asyncio.Event) -> bool:
    """Wait until a client is connected; return False when told to stop before."""
    if clients.present.is_set():
        return not stop.is_set()
    waits = [asyncio.create_task(clients.present.wait()), asyncio.create_task(stop.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waits:
            task.cancel()
    return not stop.is_set()
