"""The receiving shell of the lossless flow: a stream in, positions out, `Intake` in between.

For an actor that takes Rows or Events: it reads what is there, hands over what is new, and publishes its position on
change and every 100 ms (50 ms until the first data of a start). It never waits. While paused it reads nothing, so that
the stream's own limits hold the sender back.
"""

import time
from collections.abc import Callable
from typing import Any

from actors.core import streams
from actors.core.bus import Inbox, Outbox
from actors.core.flow import Intake
from actors.core.messages import Position
from actors.core.runtime import Context
from actors.core.streams import Stream

MOST_A_TURN = 256  # batches; then timers and reports have their turn
TURN_S = 0.05
TICK_S = 0.05
REPEAT_S = 0.1
QUIET_MS = 50  # what lies in the kernel of a sender that has stopped is here long before


class Receiver:
    """One receiver of one stream. `take` gets each batch that continues what we have, with the number before its new
    items: an item is new when `frame_of(item.seq) > after`. `settle` is called after each turn of reading.
    """

    def __init__(self, context: Context, stream: Stream, name: str, have: int) -> None:
        self.intake = Intake(name, time.monotonic_ns(), have)
        self._loop = context.loop
        self._inbox: Inbox[Any] = context.bus.inbox(stream)
        self._positions: Outbox[Position] = context.bus.outbox(streams.EVENT_POSITIONS)
        self._take: Callable[[Any, int], None] = _ignore
        self._settle: Callable[[], None] = _nothing
        self._published: Position | None = None
        self._published_s = 0.0
        self._waiting = True
        self._paused = False

    def start(self, take: Callable[[Any, int], None], settle: Callable[[], None]) -> None:
        """Begin to read within the loop."""
        self._take, self._settle = take, settle
        self._loop.read(self._inbox, self.read)
        self._loop.every(TICK_S, self._tick)
        self.publish()

    def read(self) -> None:
        """Take what is there, within bounds."""
        until_s = time.monotonic() + TURN_S
        for _ in range(MOST_A_TURN):
            batch = None if self._paused else self._inbox.receive()
            if batch is None:
                break
            self._waiting = False
            if (after := self.intake.take(batch)) is not None:
                self._take(batch, after)
            if time.monotonic() > until_s:
                break
        self._settle()
        self._publish_change()

    def drain(self, cap_s: float) -> None:
        """At a stop: take what has arrived already, until nothing more comes, for at most `cap_s`."""
        until_s = time.monotonic() + cap_s
        while not self._paused and time.monotonic() < until_s and self._inbox.socket.poll(QUIET_MS):
            self.read()

    def pause(self) -> None:
        """Read nothing more until `resume`."""
        if not self._paused:
            self._paused = True
            self._loop.forget(self._inbox)

    def resume(self) -> None:
        """Go on reading."""
        if self._paused:
            self._paused = False
            self._loop.read(self._inbox, self.read)

    @property
    def paused(self) -> bool:
        """Whether nothing is read now."""
        return self._paused

    def acknowledge(self, seq: int) -> None:
        """Everything up to `seq` is durable here."""
        self.intake.acked = max(self.intake.acked, seq)
        self._publish_change()

    def publish(self) -> None:
        """Tell the sender where we stand."""
        self._published = self.intake.position()
        self._published_s = time.monotonic()
        self._positions.send(self._published)

    def _publish_change(self) -> None:
        if self.intake.position() != self._published:
            self.publish()

    def _tick(self) -> None:
        if self._waiting or time.monotonic() - self._published_s >= REPEAT_S - TICK_S / 2:
            self.publish()


def _ignore(batch: Any, after: int) -> None:
    """Stand in until `start`."""


def _nothing() -> None:
    """Stand in until `start`."""
