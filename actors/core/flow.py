"""The lossless stream over sockets that lose: ranges, positions, and who resends what. Pure.

`Intake` stands at the receiver: which batch continues what it has, when to ask again. `Outlet` stands at the sender:
where one receiver wants to go on, and when to go back. The pair `(epoch, nack)` on every batch is what keeps batches
queued for a dead predecessor, or sent before the last request took effect, from being taken: without it nothing was
lost either, but each kill cost hundreds of needless rewinds.
"""

from actors.core.messages import SEQ_STEP, Events, Position, Records, Rows

Ranged = Records | Events | Rows
"""Any batch with a range and the pair of its receiver."""


def frame_of(seq: int) -> int:
    """Return the number of the journal record that an event's number belongs to. New after `a`: `frame_of(seq) > a`."""
    return seq - seq % SEQ_STEP


class Intake:
    """Batches in; says from which number on to take them. Keeps the position to publish."""

    def __init__(self, receiver: str, epoch: int, have: int) -> None:
        """epoch: new at each start, rising (monotonic nanoseconds); have: everything up to here is durable already."""
        self.receiver = receiver
        self.epoch = epoch
        self.nack = 0
        self.have = have
        self.acked = have
        self.synced = 0
        self.stale = 0  # batches dropped: another pair's, or had already

    def take(self, batch: Ranged) -> int | None:
        """Return the number after which the batch's items are new, None to drop the batch."""
        if (batch.epoch, batch.nack) != (self.epoch, self.nack):
            self.stale += 1
            return None
        self.synced = max(self.synced, batch.synced)
        if batch.after > self.have:
            self.nack += 1
            return None
        if batch.upto <= self.have:
            self.stale += batch.upto > batch.after
            return None
        after, self.have = self.have, batch.upto
        return after

    def rewind(self, have: int) -> None:
        """Ask the sender to go on from `have`, a number already taken."""
        self.have = have
        self.nack += 1

    def position(self) -> Position:
        """Return what to publish."""
        return Position(receiver=self.receiver, epoch=self.epoch, nack=self.nack, have=self.have, acked=self.acked)


class Outlet:
    """Positions of one receiver in; says when to go back, and stamps what is sent."""

    def __init__(self, receiver: str) -> None:
        self.receiver = receiver
        self.epoch = 0
        self.nack = 0
        self.at = 0  # everything up to here was sent under (epoch, nack)
        self.acked = 0

    @property
    def known(self) -> bool:
        """Whether the receiver was heard of at all."""
        return self.epoch != 0

    def hear(self, position: Position) -> bool:
        """Take a position; return True when sending must go on from `at`, which was set to what the receiver has."""
        if position.receiver != self.receiver or (position.epoch, position.nack) < (self.epoch, self.nack):
            return False
        self.acked = position.acked if position.epoch != self.epoch else max(self.acked, position.acked)
        if (position.epoch, position.nack) == (self.epoch, self.nack):
            return False
        self.epoch, self.nack, self.at = position.epoch, position.nack, position.have
        return True
