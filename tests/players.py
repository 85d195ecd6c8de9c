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

    def __init__(self, bus: Bus) -> None:
        self.incarnation = time.time_ns()
        self._outbox = bus.outbox(streams.FRAMES)
        self._positions = bus.inbox(streams.FRAME_POSITIONS)
        self._ring: deque[m.Captured] = deque()
        self._n = self._epoch = self._nack = self._at = self.acked = 0
        self._add(m.Attached(0, 0, 0.0, "G"))
        self._add(m.StreamOpened(0, 0, 0.0, "G/T/1", URL, "websocket"))

    def _add(self, item: m.Captured) -> None:
        self._n += 1
        self._ring.append(msgspec.structs.replace(item, n=self._n))

    def frame(self, number: int) -> None:
        """See a frame that carries `number`."""
        self.text(b'42["n",%d]' % number)

    def text(self, payload: bytes) -> None:
        """See a frame."""
        at_us = time.time_ns() // 1000
        self._add(m.FrameSeen(0, at_us, time.monotonic(), "G/T/1", False, 1, payload))

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
            capture="capture-a", incarnation=self.incarnation, epoch=self._epoch, nack=self._nack,
            after=self._at, upto=upto, read_until_s=0.0, attached="G", items=items,
        )  # fmt: skip
        if self._outbox.send(batch):
            self._at = upto

    def _hear(self, epoch: int, position: m.CapturePosition) -> None:
        if (epoch, position.nack) != (self._epoch, self._nack):
            self._epoch, self._nack, self._at = epoch, position.nack, position.have
        self.acked = position.acked
        while self._ring and self._ring[0].n <= position.acked:
            self._ring.popleft()
