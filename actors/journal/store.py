"""The journal on disk: batches in, written at once and synced on demand; knows what to do when the disk refuses.

A write that fails leaves nothing behind and is tried again by the caller. A sync that fails is not tried again: the
kernel may have dropped the pages. What was written since the last good sync is written anew into a fresh segment, and
only then cut off the old one. Nothing that was written is ever taken back: somebody may have seen its numbers.
"""

from collections import deque
from pathlib import Path

import msgspec

from actors.core.config import Journal as Settings
from actors.core.messages import SEQ_STEP, Frame
from actors.core.segment_writer import Recovered, Writer
from actors.core.segments import Batch, Damage, Reader
from actors.journal.memory import Memory, Session
from actors.journal.numbers import Numbers, derived_upto

TAIL_FRAMES = 8192  # the merge's window


class Store:
    """The segments and the number reservation of one journal directory."""

    def __init__(self, directory: Path, settings: Settings) -> None:
        self._writer = Writer(directory, settings.segment_bytes)
        recovered = self._writer.recover()
        self.memory = _folded(recovered)
        self._durable = msgspec.msgpack.decode(msgspec.msgpack.encode(self.memory), type=Memory)  # as of the last sync
        self.damage: list[Damage] = recovered.damage
        self._writer.sync()  # the tail of a killed predecessor is in the page cache, and about to be acknowledged
        self._numbers = Numbers(directory, derived_upto(directory.parent))
        self.first_free = self._numbers.first_free(self.memory.head, tail_lost=bool(self.damage))
        self._since_sync: list[Batch] = []
        self._sync_failed = False
        self.tail = _tail(self.memory, directory)
        self.written_bytes = 0

    def write(self, batch: Batch) -> None:
        """Write a batch; it outlives every process, not yet a power cut. OSError: nothing was written."""
        self._numbers.reserve(batch.upto)
        if not self._writer.is_open:
            self._writer.begin_segment(batch.after + 1, msgspec.msgpack.encode(self._durable))
        self.written_bytes += self._writer.append(batch)
        self._since_sync.append(batch)

    def sync(self) -> bool:
        """Make all that was written durable; False where nothing was written since.

        OSError: not even anew. It stays written, and the next call writes it anew.
        """
        if not self._since_sync:
            return False
        if not self._sync_failed:
            try:
                self._writer.sync()
            except OSError:
                self._sync_failed = True
        if self._sync_failed:
            self._write_anew()
            self._sync_failed = False
        for batch in self._since_sync:
            self._durable.apply(batch)
        self._since_sync.clear()
        return True

    @property
    def full(self) -> bool:
        """Whether it is time for a new segment."""
        return self._writer.full

    def roll(self, memory: Memory) -> None:
        """Begin a new segment. OSError: the old one goes on. Only when all that was written is synced.

        memory: as after the last written batch.
        """
        self._writer.begin_segment(memory.head + 1, msgspec.msgpack.encode(memory))

    @property
    def growing(self) -> Path | None:
        """The segment that is being written."""
        return self._writer.path

    def set_aside(self, damage: Damage) -> None:
        """Keep a copy of what cannot be read."""
        self._writer.set_aside(damage)

    def close(self) -> None:
        """Give the open file back."""
        self._writer.close()

    def _write_anew(self) -> None:
        """Put what is not synced into a new segment, whole and synced."""
        memory = msgspec.msgpack.encode(self._durable)
        self._writer.begin_segment(self._since_sync[0].after + 1, memory, self._since_sync)


def _folded(recovered: Recovered) -> Memory:
    memory = msgspec.msgpack.decode(recovered.memory, type=Memory) if recovered.memory else Memory()
    for batch in recovered.batches:
        memory.apply(batch)
    return memory


def _tail(memory: Memory, directory: Path) -> list[Frame]:
    """Return the last frames, rising: from the first that an attached capture may send again or continue."""
    begin = min((_begin(session, memory) for session in memory.attached), default=memory.head)
    with Reader(directory) as reader:
        frames = (record for record in reader.read(max(0, begin - 1)) if isinstance(record, Frame))
        return list(deque(frames, TAIL_FRAMES))


def _begin(session: Session, memory: Memory) -> int:
    """Return the number from which on frames may be what this session sends next: its oldest place in an open stream.

    A session that has no place in one of them may send all that it saw since its attach. While sight of the game is
    lost no stream counts as open, whichever goes on.
    """
    streams = [name for name, stream in memory.streams.items() if stream.open]
    places = [session.places[name][1] for name in streams if name in session.places]
    if len(places) < len(streams) or memory.lost_since_us is not None:
        return max(0, memory.head - SEQ_STEP * TAIL_FRAMES)
    return min(places, default=memory.head)
