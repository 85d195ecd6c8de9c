"""Parts played by tests over the real sockets, to the letter of the flow: here the sending end, a capture."""

import time
from collections import deque

import msgspec

from actors.core import messages as m
from actors.core import streams
from actors.core.bus import Bus

URL = "wss://backend.rugs.fun/socket.io/?EIO=4&transport=websocket"


class Capture:
    """The sending end: numbers frames, keeps what is not acknowledged, goes back where the journal says."""

    def __init__(self, bus: Bus, name: str = "capture-a", *, saw_opening: bool = True, jitter_s: float = 0.0) -> None:
        self.name = name
        self.jitter_s = jitter_s
        self.incarnation = time.time_ns()
        self._outbox = bus.outbox(streams.FRAMES)
        self._positions = bus.inbox(streams.FRAME_POSITIONS)
        self._ring: deque[m.Captured] = deque()
        self._n = self._epoch = self._nack = self._at = self.acked = 0
        at_s, at_us = time.monotonic(), time.time_ns() // 1000
        self._add(m.Attached(0, at_us, at_s, "G"))
        if saw_opening:
            self._add(m.StreamOpened(0, at_us, at_s, "G/T/1", URL, "websocket"))

    def _add(self, item: m.Captured) -> None:
        self._n += 1
        self._ring.append(msgspec.structs.replace(item, n=self._n))

    def frame(self, number: int) -> None:
        """See a frame that carries `number`."""
        self.text(b'42["n",%d]' % number)

    def text(self, payload: bytes, at_s: float | None = None) -> None:
        """See a frame; at_s: when, CDP seconds, before this capture's jitter."""
        at_us = time.time_ns() // 1000
        seen_s = (time.monotonic() if at_s is None else at_s) + self.jitter_s
        self._add(m.FrameSeen(0, at_us, seen_s, "G/T/1", False, 1, payload))

    @property
    def unacknowledged(self) -> int:
        """How many items the journal has not yet made durable."""
        return len(self._ring)

    def close(self) -> None:
        """Be killed: what is not acknowledged is gone with this process."""
        self._outbox.close()
        self._positions.close()

    def wait(self, timeout_s: float) -> None:
        """Wait for news of the journal."""
        self._positions.socket.poll(timeout_s * 1000)

    def turn(self) -> None:
        """Hear where the journal is, and send what it lacks."""
        while (positions := self._positions.receive()) is not None:
            for position in positions.positions:
                if position.incarnation == self.incarnation:
                    self._hear(positions.epoch, position)
            if positions.epoch != self._epoch:  # a journal that has never heard of us
                self._epoch, self._nack, self._at = positions.epoch, 0, 0
        items = [item for item in self._ring if item.n > self._at][:50]
        upto = items[-1].n if items else self._at
        batch = m.CaptureBatch(
            capture=self.name, incarnation=self.incarnation, epoch=self._epoch, nack=self._nack,
            after=self._at, upto=upto, read_until_s=time.monotonic(), attached="G", items=items,
        )  # fmt: skip
        if self._outbox.send(batch):
            self._at = upto

    def _hear(self, epoch: int, position: m.CapturePosition) -> None:
        if (epoch, position.nack) != (self._epoch, self._nack):
            self._epoch, self._nack, self._at = epoch, position.nack, position.have
        self.acked = position.acked
        while self._ring and self._ring[0].n <= position.acked:
            self._ring.popleft()
