"""One gapless row of events out of the lossy live stream. Pure.

In: live batches with their ranges, and what a replay of the journal brought. Out: each event once, in order. A batch
that begins beyond what is here is held back until the journal has filled the hole before it (`hole`). Numbers here are
compared by record: the events made of a record share its number's multiple of 256.
"""

from collections import deque

from actors.broadcaster.ring import Ring
from actors.core.messages import SEQ_STEP, Event, Events

HELD_BYTES = 16_000_000  # live batches that wait for a heal; beyond it they are dropped, the heal reads them too


def record_of(seq: int) -> int:
    """Return the number of the record that an event, or a range's end, belongs to."""
    return seq - seq % SEQ_STEP


class Timeline:
    """Everything up to `head`, the newest of it in `ring`."""

    def __init__(self, ring: Ring, recording: str = "") -> None:
        """recording: the id of the recording that all numbers here belong to."""
        self.recording = recording
        self.ring = ring
        self.head = 0  # every event of records up to this one was seen
        self.last: dict[str, int] = {}  # type -> its last number
        self.holes = 0
        self._seq = 0
        self._held: deque[Events] = deque()
        self._held_bytes = 0

    @property
    def seq(self) -> int:
        """The number up to which all is known, as clients are told it."""
        return self._seq

    def start(self, head: int, last: dict[str, int]) -> None:
        """Begin after the record `head`; last: type -> its last number up to there."""
        self.head = record_of(head)
        self.last = dict(last)
        self._seq = max([head, *last.values()])
        self.ring.start(max(last.values(), default=0), last)

    @property
    def hole(self) -> int | None:
        """The record up to which the journal must be read before the held batches fit, None without a hole."""
        return record_of(self._held[0].after) if self._held else None

    def take(self, batch: Events) -> list[Event]:
        """Take a live batch; return what is new, nothing where a hole is before it."""
        if self._held or record_of(batch.after) > self.head:
            self._hold(batch)
            return []
        return self._advance(batch.events, batch.upto)

    def fill(self, events: list[Event], upto: int) -> list[Event]:
        """Take what a replay brought, everything up to record `upto`; return it with the held batches that now fit."""
        new = self._advance(events, upto)
        while self._held and record_of(self._held[0].after) <= self.head:
            batch = self._held.popleft()
            self._held_bytes -= _weight(batch)
            new += self._advance(batch.events, batch.upto)
        return new

    def _hold(self, batch: Events) -> None:
        self.holes += not self._held
        if self._held_bytes < HELD_BYTES:
            self._held.append(batch)
            self._held_bytes += _weight(batch)

    def _advance(self, events: list[Event], upto: int) -> list[Event]:
        new = [event for event in events if event.seq > self._seq]
        for event in new:
            self.last[event.type] = event.seq
            self.ring.add(event)
        self.head = max(self.head, record_of(upto))
        self._seq = max(self._seq, self.head, new[-1].seq if new else 0)
        return new


def _weight(batch: Events) -> int:
    return 200 + sum(len(event.data) for event in batch.events)
