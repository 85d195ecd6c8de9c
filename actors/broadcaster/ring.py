"""The newest events, in memory, bounded by bytes: what most clients that come or come back need. Pure.

In: events in rising order. Out: those after a number, and which type had which number last at any point from `floor`
on. Everything above `floor` is here; what is older must be read from the journal.
"""

from bisect import bisect_right

from actors.core.messages import Event

RING_BYTES = 16_000_000  # three minutes of a busy round at 20 events/s of 4.4 KB
_EVENT_BYTES = 200  # what an event costs beside its data


class Ring:
    """Events above `floor`, oldest first."""

    def __init__(self, bytes_max: int = RING_BYTES) -> None:
        self.floor = 0
        self.size_bytes = 0
        self._bytes_max = bytes_max
        self._floor_last: dict[str, int] = {}
        self._events: list[Event] = []
        self._seqs: list[int] = []
        self._begin = 0  # the lists' entries before this are forgotten

    def __len__(self) -> int:
        return len(self._events) - self._begin

    @property
    def below_oldest(self) -> int:
        """The number before the oldest event here, `floor` where there is none."""
        return self._seqs[self._begin] - 1 if len(self) else self.floor

    def start(self, floor: int, last: dict[str, int]) -> None:
        """Begin anew above `floor`; last: type -> its last number up to there."""
        self.floor, self._floor_last = floor, dict(last)
        self._events, self._seqs, self._begin, self.size_bytes = [], [], 0, 0

    def add(self, event: Event) -> None:
        """Keep an event newer than all before; forget the oldest where there are too many bytes."""
        self._events.append(event)
        self._seqs.append(event.seq)
        self.size_bytes += len(event.data) + _EVENT_BYTES
        while self.size_bytes > self._bytes_max:
            self._forget_oldest()

    def after(self, seq: int, limit: int) -> list[Event]:
        """Return at most `limit` events with numbers above `seq`, which is not below `floor`."""
        begin = bisect_right(self._seqs, seq, self._begin)
        return self._events[begin : begin + limit]

    def last_at(self, seq: int) -> dict[str, int]:
        """Return type -> its last number up to `seq`, which is not below `floor`."""
        last = dict(self._floor_last)
        for index in range(self._begin, bisect_right(self._seqs, seq, self._begin)):
            last[self._events[index].type] = self._seqs[index]
        return last

    def _forget_oldest(self) -> None:
        event = self._events[self._begin]
        self.floor = event.seq
        self._floor_last[event.type] = event.seq
        self.size_bytes -= len(event.data) + _EVENT_BYTES
        self._begin += 1
        if self._begin > 1024 and self._begin * 2 > len(self._events):
            del self._events[: self._begin], self._seqs[: self._begin]
            self._begin = 0
