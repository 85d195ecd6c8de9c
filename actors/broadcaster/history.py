"""The journal read back as events: the same pure core, the same numbers, the same bytes as they went out live.

In: the data directory (journal and checkpoints), a number to go on after. Out: pages of events, bounded by count, bytes
and records scanned, never ending within a record. A cursor begins at the newest checkpoint before the wanted number.
Blocking: it belongs where no event loop waits. Never writes.
"""

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from actors.broadcaster.subscription import Subscription
from actors.broadcaster.timeline import record_of
from actors.core.checkpoints import Checkpoints
from actors.core.messages import SEQ_STEP, Event, Record
from actors.core.segments import Reader
from actors.rugs.normalize import Memory, derive

RECENT_CHECKPOINTS = 3  # one each 10 s, and one at the end of each round
RECENT_RECORDS = 10_000  # at most, some 0.2 s of work
MARK_RECORDS = 250  # between two remembered places, at least
MARKS = 64  # of some 130 KB each
RECORDS_A_PAGE = 2000  # some 100 ms of work: then somebody else has a turn


class Page(Struct, frozen=True, kw_only=True):
    """Wanted events above `after`, complete up to `upto`."""

    after: int
    upto: int
    last: dict[str, int]  # type -> its last number up to `after`; of all types
    events: list[Event]
    done: bool  # nothing more is written now, or the asked limit was reached


class TooOld(Exception):
    """The wanted number is older than what the journal can still derive; `floor` is the lowest that can be served."""

    def __init__(self, floor: int | None) -> None:
        super().__init__(f"events up to {floor} are not kept any more")
        self.floor = floor  # None: nothing can be derived from what is kept


class Cursor:
    """A place in the journal, with the memory that goes with it."""

    def __init__(self, journal_dir: Path, start: int, memory: Memory, since: int) -> None:
        """start: the record after which `memory` stands; since: no event up to this number is wanted."""
        self.at = since  # every event up to this number was given out
        self.whole = True  # False: the limit cut a record's events in two, this cursor cannot go on
        self.floor = since  # no event between this and `at` is wanted by `asker`
        self.asker: tuple[str, ...] | None = ()  # the key of the subscription that was asked for last
        self._read = start  # everything up to this record went through the memory
        self._memory = memory
        self._last: dict[str, int] = dict(memory.last)
        self._reader = Reader(journal_dir)
        self._records: Iterator[Record] = iter(())
        self._ahead: Record | None = None  # read, but beyond the limit of the last page

    def page(self, upto: int | None, wanted: Subscription, events_max: int, bytes_max: int) -> Page:
        """Return the next page; upto: an event number not to go beyond. The limits may be passed by one record."""
        since, size, done = self.at, 0, False
        last: dict[str, int] | None = None
        events: list[Event] = []
        for _ in range(RECORDS_A_PAGE):
            record = self._next(upto)
            if record is None:
                self.at = max(self.at, upto) if self._ahead and upto is not None else self.at
                done = True
                break
            new = derive(self._memory, record).events
            if last is None and new and new[-1].seq > since:
                last = self._last_before(since, new)
            self._last.update((event.type, event.seq) for event in new)
            chosen = [event for event in new if event.seq > since and wanted.matches(event.type)]
            events += self._within(upto, chosen, record)
            size += sum(len(event.data) for event in chosen)
            if len(events) >= events_max or size >= bytes_max:
                break
        last = dict(self._last) if last is None else last
        self.floor = events[-1].seq if events else self.floor if wanted.key == self.asker else since
        self.asker = wanted.key
        return Page(after=since, upto=self.at, last=last, events=events, done=done)

    def _last_before(self, since: int, new: list[Event]) -> dict[str, int]:
        last = dict(self._last)
        last.update((event.type, event.seq) for event in new if event.seq <= since)
        return last

    def _within(self, upto: int | None, events: list[Event], record: Record) -> list[Event]:
        end = record.seq + SEQ_STEP - 1
        if upto is None or upto >= end:
            self.at = max(self.at, end)
            return events
        self.at, self.whole = max(self.at, upto), False
        return [event for event in events if event.seq <= upto]

    @property
    def last(self) -> dict[str, int]:
        """Type -> its last number among all that was read."""
        return self._last

    @property
    def read(self) -> int:
        """The record after which the memory stands."""
        return self._read

    def continues(self, since: int, wanted: Subscription) -> bool:
        """Say whether the next page is what comes after `since` for this subscription."""
        return since == self.at or (self.asker == wanted.key and self.floor <= since <= self.at)

    def memory(self) -> bytes:
        """Return the memory as it stands, encoded."""
        return msgspec.msgpack.encode(self._memory)

    def close(self) -> None:
        """Give the open file back."""
        self._reader.close()

    def _next(self, upto: int | None) -> Record | None:
        record = self._ahead or next(self._records, None)
        if record is None:  # the end of what was written then; perhaps there is more now
            self._records = self._reader.read(self._read)
            record = next(self._records, None)
        self._ahead = record if record is not None and upto is not None and record.seq > upto else None
        if record is None or self._ahead is not None:
            return None
        self._read = record.seq
        return record


class History:
    """Opens cursors. Remembers where earlier ones were, so that the next one need not begin at a checkpoint."""

    def __init__(self, data_dir: Path) -> None:
        self._journal_dir = data_dir / "journal"
        self._checkpoints = Checkpoints(data_dir / "checkpoints")
        self._marks: OrderedDict[int, bytes] = OrderedDict()  # record -> the memory after it

    def mark(self, cursor: Cursor) -> None:
        """Remember the place up to which a cursor has read."""
        nearest = max((seq for seq in self._marks if seq <= cursor.read), default=0)
        if cursor.read - nearest < MARK_RECORDS * SEQ_STEP:
            return
        self._marks[cursor.read] = cursor.memory()
        if len(self._marks) > MARKS:
            self._marks.popitem(last=False)

    def open(self, since: int) -> Cursor:
        """Return a cursor whose first event is the first above `since`. TooOld: that is not kept."""
        begin = self._begin()
        start, memory = self._memory(record_of(since + 1) - 1, begin)
        return Cursor(self._journal_dir, start, memory, since)

    def recent(self) -> Cursor:
        """Return a cursor some checkpoints back: what clients that come back have missed. TooOld: none fits."""
        begin = self._begin()
        seqs = self._checkpoints.seqs()
        near = [seq for seq in seqs if seq >= seqs[-1] - RECENT_RECORDS * SEQ_STEP][-RECENT_CHECKPOINTS:]
        start, memory = self._memory(near[0] if near and near[0] >= begin else 1 << 53, begin)
        return Cursor(self._journal_dir, start, memory, start + SEQ_STEP - 1)

    def _begin(self) -> int:
        """Return the record after which the journal is whole; 0 for a journal that never lost its beginning."""
        oldest = Reader(self._journal_dir).oldest()
        return 0 if oldest is None else max(0, record_of(oldest - 1))

    def _memory(self, at_or_below: int, begin: int) -> tuple[int, Memory]:
        marked = max((seq for seq in self._marks if begin <= seq <= at_or_below), default=-1)
        if marked >= max((seq for seq in self._checkpoints.seqs() if seq <= at_or_below), default=0):
            self._marks.move_to_end(marked)
            return marked, msgspec.msgpack.decode(self._marks[marked], type=Memory)
        while (found := self._checkpoints.newest(at_or_below)) is not None and found[0] >= begin:
            try:
                return found[0], msgspec.msgpack.decode(found[1], type=Memory)
            except msgspec.MsgspecError:  # of another version
                at_or_below = found[0] - 1
        if begin == 0:
            return 0, Memory()
        usable = [seq for seq in self._checkpoints.seqs() if seq >= begin]
        raise TooOld(usable[0] + SEQ_STEP - 1 if usable else None)
