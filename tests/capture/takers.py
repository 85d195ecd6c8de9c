"""A journal's end of the frames stream, pure: takes, syncs, is killed, publishes positions that may come late."""

from actors.capture.ring import Ring
from actors.core.messages import CaptureBatch, Captured, CapturePosition, CapturePositions


class Taker:
    """Batches in; positions out; dies at will."""

    def __init__(self, incarnation: int) -> None:
        self.incarnation = incarnation
        self.queue: list[CaptureBatch] = []
        self.items: list[Captured] = []
        self.published: list[CapturePositions] = []
        self.epoch, self.nack = 1, 0
        self.have = self.acked = 0
        self._synced_items = 0

    def deliver(self, count: int) -> None:
        for batch in self.queue[:count]:
            self._take(batch)
        del self.queue[:count]

    def _take(self, batch: CaptureBatch) -> None:
        if (batch.epoch, batch.nack) != (self.epoch, self.nack):
            return
        if batch.after > self.have:
            self.nack += 1
            return
        for item in batch.items:
            if item.n > self.have:
                self.items.append(item)
        self.have = max(self.have, batch.upto)

    def sync(self, _: int = 0) -> None:
        self.acked, self._synced_items = self.have, len(self.items)

    def publish(self, _: int = 0) -> None:
        mine = CapturePosition(incarnation=self.incarnation, nack=self.nack, have=self.have, acked=self.acked)
        self.published.append(CapturePositions(epoch=self.epoch, positions=[mine]))

    def hear(self, ring: Ring, which: int) -> None:
        """Let one of the published positions arrive, in any order, again and again."""
        if self.published:
            ring.hear(self.published[-1 - which % len(self.published)])

    def kill(self, unsynced_gone: bool) -> None:
        if unsynced_gone:
            self.have = self.acked
            del self.items[self._synced_items :]
        self.epoch, self.nack = self.epoch + 1, 0

    def exchange(self, ring: Ring) -> CaptureBatch:
        """Publish, be heard, get what follows."""
        self.publish()
        ring.hear(self.published[-1])
        batch = ring.next_batch(0.0, None)
        ring.sent(batch)
        self._take(batch)
        return batch

    def settle(self, ring: Ring) -> None:
        """Run until both agree."""
        for _ in range(200):
            batch = self.exchange(ring)
            self.sync()
            if self.have == ring.n and not batch.items:
                return
