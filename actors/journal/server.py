"""Serves the journal's records to the normalizer: from memory while it keeps up, from disk where it is behind.

In: what was written, and the receiver's positions. Out: `Records` batches that continue what the receiver has. Sends
nothing that was not written, and never waits: where the stream is full, the disk holds the rest.
"""

from collections import deque
from collections.abc import Iterator

from actors.core.bus import Outbox
from actors.core.flow import Outlet
from actors.core.messages import Frame, Position, Record, Records
from actors.core.segments import Batch, Reader

TAIL_BYTES = 8_000_000  # of recent batches kept in memory
MESSAGE_BYTES = 128_000  # of records in one message; bounds, with the stream's high-water mark, what lies in pipes
_RECORD_OVERHEAD = 200


class RecordServer:
    """One receiver's end of the records stream."""

    def __init__(self, outbox: Outbox[Records], reader: Reader, receiver: str) -> None:
        self.outlet = Outlet(receiver)
        self.synced = 0
        self._outbox = outbox
        self._reader = reader
        self._tail: deque[tuple[Batch, int]] = deque()
        self._tail_bytes = 0
        self._told_synced = 0
        self._disk: Iterator[Batch] | None = None
        self._unsent: Batch | None = None

    def hear(self, position: Position) -> None:
        """Take the receiver's position."""
        if self.outlet.hear(position):
            self._disk = self._unsent = None
            self._told_synced = 0

    def wrote(self, batch: Batch) -> None:
        """Remember a batch that is on disk now, to send it without reading it back."""
        if batch.upto == batch.after:
            return
        size = sum(_size(record) for record in batch.records)
        self._tail.append((batch, size))
        self._tail_bytes += size
        while self._tail_bytes > TAIL_BYTES and len(self._tail) > 1:
            self._tail_bytes -= self._tail.popleft()[1]

    def pump(self, head: int, most: int) -> bool:
        """Send up to `most` batches; True where more could be sent at once."""
        if not self.outlet.known:
            return False
        for _ in range(most):
            if self.outlet.at >= head:
                break
            batch = self._unsent or self._next()
            if batch is None:
                return False
            self._unsent = batch
            records, upto = _next_part(batch, self.outlet.at)
            if not self._send(self.outlet.at, upto, records):
                return False
            self.outlet.at = upto
            if upto >= batch.upto:
                self._unsent = None
        if self.outlet.at >= head:
            self._tell_synced()
        return self.outlet.at < head

    def behind(self, head: int) -> bool:
        """Whether the receiver is there and lacks something."""
        return self.outlet.known and self.outlet.at < head

    def _next(self) -> Batch | None:
        if self._tail and self._tail[0][0].after <= self.outlet.at:
            self._disk = None
            return self._from_tail()
        if self._disk is None:
            self._disk = self._reader.batches(self.outlet.at)
        batch = next(self._disk, None)
        if batch is None:
            self._disk = None
        return batch

    def _from_tail(self) -> Batch | None:
        while len(self._tail) > 1 and self._tail[0][0].upto <= self.outlet.at:
            self._tail_bytes -= self._tail.popleft()[1]
        batch = self._tail[0][0]
        return batch if batch.upto > self.outlet.at else None

    def _send(self, after: int, upto: int, records: list[Record]) -> bool:
        outlet, synced = self.outlet, self.synced
        message = Records(epoch=outlet.epoch, nack=outlet.nack, after=after, upto=upto, synced=synced, records=records)
        return self._outbox.send(message)

    def _tell_synced(self) -> None:
        if self.synced > self._told_synced and self._send(self.outlet.at, self.outlet.at, []):
            self._told_synced = self.synced


def _size(record: Record) -> int:
    return _RECORD_OVERHEAD + len(record.payload if isinstance(record, Frame) else record.data)


def _next_part(batch: Batch, after: int) -> tuple[list[Record], int]:
    """Return the records of a batch beyond `after` that fit into one message, at least one, and where they end."""
    part: list[Record] = []
    size = 0
    for record in batch.records:
        if record.seq <= after:
            continue
        size += _size(record)
        if part and size > MESSAGE_BYTES:
            return part, part[-1].seq
        part.append(record)
    return part, batch.upto
