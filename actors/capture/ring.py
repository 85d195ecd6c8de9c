"""What a capture has read and the journal has not yet on disk: numbered, bounded, sent again on demand. Pure.

In: items as they are read, and the journal's positions. Out: batches `(after, upto]` under the journal's (epoch, nack).
Where the ring is full the oldest are forgotten; who then still wants them gets one `Lost` in their place. Always keeps
the newest item, however large. Never sends an item twice under one (epoch, nack).
"""

import msgspec

from actors.capture.socket_filter import SocketFilter
from actors.core.messages import CaptureBatch, Captured, CapturePosition, CapturePositions, FrameSeen, Lost

ITEM_BYTES = 200  # of a frame beside its payload: struct, ids, numbers
BATCH_BYTES = 1_000_000
BATCH_ITEMS = 1000
WINDOW_BYTES = 16_000_000  # under way to the journal and not yet written there: bounds what lies in the sockets


class Ring:
    """Items in; batches out. `n` is the last number given."""

    def __init__(self, capture: str, incarnation: int, limit_bytes: int, predecessor: str = "") -> None:
        """predecessor: what the process before was working on when it was killed; told until somebody has heard it."""
        self._predecessor = predecessor
        self.capture = capture
        self.incarnation = incarnation
        self.n = 0
        self.size_bytes = 0
        self.forgotten = 0  # items pushed out before they were acknowledged
        self.acked = 0
        self._limit_bytes = limit_bytes
        self._items: dict[int, Captured] = {}  # numbers _floor + 1 to n
        self._floor = 0  # everything up to here is no longer kept
        self._epoch = 0
        self._nack = 0
        self._is_fresh = True  # nothing was sent under (epoch, nack) yet
        self._at = 0  # sent up to here under (epoch, nack)
        self._have = 0
        self._way_bytes = 0  # size of (have, at]
        self._told_s = 0.0  # the newest read mark that held for all of (0, _at]
        self._lost_at: tuple[int, float, int] = (0, 0.0, 0)  # at_us, cdp_s of the newest forgotten; at_us of the oldest

    @property
    def unacked(self) -> int:
        """Items that are not known to be on disk."""
        return self.n - self.acked

    @property
    def heard(self) -> bool:
        """Whether a journal was heard of at all."""
        return self._epoch != 0

    def add(self, item: Captured) -> None:
        """Give the item its number and keep it; forget the oldest where there is no room."""
        self.n += 1
        self._items[self.n] = msgspec.structs.replace(item, n=self.n)
        self.size_bytes += _size(item)
        while self.size_bytes > self._limit_bytes and len(self._items) > 1:
            self._forget_oldest()

    def hear(self, positions: CapturePositions) -> None:
        """Take what the journal says: go back where it asks, drop what is on its disk."""
        mine = CapturePosition(incarnation=self.incarnation, nack=0, have=0, acked=0)
        for position in positions.positions:
            if position.incarnation == self.incarnation:
                mine = position
        pair = (positions.epoch, mine.nack)
        if pair < (self._epoch, self._nack):
            return
        if pair > (self._epoch, self._nack):
            self._epoch, self._nack = pair
            self._is_fresh = True
            self._at = self._have = min(mine.have, self.n)
            self._way_bytes = 0
            self._told_s = 0.0
        self._arrived(min(mine.have, self._at))
        self._drop(min(mine.acked, self.n))

    def next_batch(
        self, read_until_s: float, attached: str | None, sockets: SocketFilter | None = None
    ) -> CaptureBatch:
        """Return what follows what was sent; empty where there is nothing, or nothing may be sent now.

        sockets: what is known of them; all that count are named in the first batch under each (epoch, nack).
        """
        items: list[Captured] = []
        size, upto = 0, self._at
        room = WINDOW_BYTES - self._way_bytes
        if self._epoch and self._at < self._floor:
            items.append(self._lost())
            upto = self._floor
        while self._epoch and upto < self.n and size < min(BATCH_BYTES, room) and len(items) < BATCH_ITEMS:
            upto += 1
            items.append(self._items[upto])
            size += _size(items[-1])
        if upto == self.n:
            self._told_s = max(self._told_s, read_until_s)
        return CaptureBatch(
            capture=self.capture,
            incarnation=self.incarnation,
            epoch=self._epoch,
            nack=self._nack,
            after=self._at,
            upto=upto,
            read_until_s=self._told_s,
            attached=attached,
            items=items,
            streams=sockets.table if sockets is not None and self._is_fresh else {},
            asks=sockets.asks if sockets is not None else [],
            predecessor="" if self.acked else self._predecessor,
        )

    def sent(self, batch: CaptureBatch) -> None:
        """Take note that the stream took the batch."""
        self._at = batch.upto
        self._is_fresh = self._is_fresh and batch.epoch == 0
        self._way_bytes += sum(map(_size, batch.items))

    def _arrived(self, have: int) -> None:
        while self._have < have:
            self._have += 1
            if (item := self._items.get(self._have)) is not None:
                self._way_bytes -= _size(item)
        if self._have >= self._at:
            self._way_bytes = 0

    def _drop(self, acked: int) -> None:
        self.acked = max(self.acked, acked)
        while self._floor < acked:
            self._floor += 1
            item = self._items.pop(self._floor)
            self.size_bytes -= _size(item)
            self._lost_at = (item.at_us, item.cdp_s, item.at_us)

    def _forget_oldest(self) -> None:
        self._floor += 1
        item = self._items.pop(self._floor)
        self.size_bytes -= _size(item)
        if self._floor > self._have:
            self.forgotten += 1
        since_us = self._lost_at[2] if self._floor - 1 > self.acked else item.at_us
        self._lost_at = (item.at_us, item.cdp_s, since_us)

    def _lost(self) -> Lost:
        at_us, cdp_s, since_us = self._lost_at
        return Lost(n=self._floor, at_us=at_us, cdp_s=cdp_s, count=self._floor - self._at, since_us=since_us)


def _size(item: Captured) -> int:
    return ITEM_BYTES + (len(item.payload) if isinstance(item, FrameSeen) else 0)
