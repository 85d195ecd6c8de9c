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
MESSAGE_BATCHES = 256  # in one message at most: many hold nothing but marks
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
        self._begun: Batch | None = None  # read, and not wholly gathered yet
        self._unsent: tuple[list[Record], int] | None = None  # the next message's records and the end of its range

    def hear(self, position: Position) -> None:
        """Take the receiver's position."""
        if self.outlet.hear(position):
            self._disk = self._begun = self._unsent = None
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
            self._unsent = self._unsent or self._gather(self.outlet.at)
            if self._unsent is None or not self._send(self.outlet.at, self._unsent[1], self._unsent[0]):
                return False
            self.outlet.at, self._unsent = self._unsent[1], None
        if self.outlet.at >= head:
            self._tell_synced()
        return self.outlet.at < head

    def behind(self, head: int) -> bool:
        """Whether the receiver is there and lacks something."""
        return self.outlet.known and self.outlet.at < head

    def _gather(self, at: int) -> tuple[list[Record], int] | None:
        """Return what follows `at` as one message, None where nothing does: on disk, a batch may be one frame."""
        records: list[Record] = []
        upto, room = at, MESSAGE_BYTES
        for _ in range(MESSAGE_BATCHES):
            self._begun = batch = self._begun or self._next(upto)
            if batch is None:
                break
            room, upto = _take_part(batch, upto, room, records)
            if upto < batch.upto:
                break
            self._begun = None
        return (records, upto) if upto > at else None

    def _next(self, at: int) -> Batch | None:
        if self._tail and self._tail[0][0].after <= at:
            self._disk = None
            return self._from_tail(at)
        if self._disk is None:
            self._disk = self._reader.batches(at)
        batch = next(self._disk, None)
        if batch is None:
            self._disk = None
        return batch

    def _from_tail(self, at: int) -> Batch | None:
        while len(self._tail) > 1 and self._tail[0][0].upto <= at:
            self._tail_bytes -= self._tail.popleft()[1]
        batch = self._tail[0][0]
        return batch if batch.upto > at else None

    def _send(self, after: int, upto: int, records: list[Record]) -> bool:
        outlet, synced = self.outlet, self.synced
        message = Records(epoch=outlet.epoch, nack=outlet.nack, after=after, upto=upto, synced=synced, records=records)
        return self._outbox.send(message)

    def _tell_synced(self) -> None:
        if self.synced > self._told_synced and self._send(self.outlet.at, self.outlet.at, []):
            self._told_synced = self.synced


def _size(record: Record) -> int:
    return _RECORD_OVERHEAD + len(record.payload if isinstance(record, Frame) else record.data)


def _take_part(batch: Batch, after: int, room: int, part: list[Record]) -> tuple[int, int]:
    """Add a batch's records beyond `after` to `part` while there is room, at least one to an empty one.

    Return (the room left, the end of what was added).
    """
    end = after
    for record in batch.records:
        if record.seq <= after:
            continue
        room -= _size(record)
        if part and room < 0:
            return room, end
        part.append(record)
        end = record.seq
    return room, max(end, batch.upto)
