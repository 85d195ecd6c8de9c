"""The part of the normalizer, played over the real sockets: takes records, each once, and acknowledges them."""

import time

import msgspec

from actors.core import messages as m
from actors.core import streams
from actors.core.bus import Bus
from actors.core.flow import Intake


class Normalizer:
    """The receiving end: collects what comes, each number once."""

    def __init__(self, bus: Bus, *, makes_durable: bool = True) -> None:
        """makes_durable: acknowledge what the journal has synced."""
        self._makes_durable = makes_durable
        self._inbox = bus.inbox(streams.RECORDS)
        self._positions = bus.outbox(streams.RECORD_POSITIONS)
        self.intake = Intake("normalizer", time.monotonic_ns(), 0)
        self.records: list[m.Record] = []

    def turn(self, wait_s: float = 0.0) -> None:
        """Take what is there, and say how far it is."""
        if wait_s:
            self._inbox.socket.poll(wait_s * 1000)
        while (batch := self._inbox.receive()) is not None:
            after = self.intake.take(batch)
            if after is not None:
                self.records += [record for record in batch.records if record.seq > after]
        if self._makes_durable:
            self.intake.acked = max(self.intake.acked, min(self.intake.have, self.intake.synced))
        self._positions.send(self.intake.position())

    def close(self) -> None:
        """Give the sockets back."""
        self._inbox.close()
        self._positions.close()

    def numbers(self) -> list[int]:
        """Return the numbers that the played frames carry, in the order they came."""
        frames = [record.payload for record in self.records if isinstance(record, m.Frame)]
        return [msgspec.json.decode(payload[2:])[1] for payload in frames]
