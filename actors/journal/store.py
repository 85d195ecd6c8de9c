"""The journal on disk: batches in, written at once and synced on demand; knows what to do when the disk refuses.

A write that fails leaves nothing behind and is tried again by the caller. A sync that fails is not tried again: the
kernel may have dropped the pages. What was written since the last good sync is cut off and written anew into a fresh
segment.
"""

from collections import deque
from pathlib import Path

import msgspec

from actors.core.config import Journal as Settings
from actors.core.messages import Frame
from actors.core.segments import Batch, Cut, Reader, Writer, first_seq, segment_paths
from actors.journal.memory import Memory
from actors.journal.numbers import Numbers, derived_upto

TAIL_FRAMES = 8192  # the merge's window


class Store:
    """The segments and the number reservation of one journal directory."""

    def __init__(self, directory: Path, settings: Settings) -> None:
        self._writer = Writer(directory, settings.segment_bytes)
        self.memory, self.findings = self._recover()
        self._writer.sync()  # the tail of a killed predecessor is in the page cache, and about to be acknowledged
        self._numbers = Numbers(directory, derived_upto(directory.parent))
        self.first_free = self._numbers.first_free(self.memory.head)
        self._since_sync: list[Batch] = []
        self.tail = self._read_tail(directory)
        self.written_bytes = 0

    def write(self, batch: Batch) -> None:
        """Write a batch; it outlives every process, not yet a power cut. OSError: nothing was written."""
        self._numbers.reserve(batch.upto)
        self.written_bytes += self._writer.append(batch)
        self._since_sync.append(batch)

    def sync(self) -> bool:
        """Make all that was written durable; False where nothing was written since. OSError: not even anew."""
        if not self._since_sync:
            return False
        try:
            self._writer.sync()
        except OSError:
            self._write_anew()
        self._since_sync.clear()
        return True

    def roll_if_full(self, memory: Memory) -> None:
        """Begin a new segment where it is time. OSError: the old one goes on.

        memory: as after the last written batch.
        """
        if self._writer.full:
            self.sync()
            self._writer.begin_segment(memory.head + 1, msgspec.msgpack.encode(memory))

    def close(self) -> None:
        """Give the open file back."""
        self._writer.close()

    def _read_tail(self, directory: Path) -> list[Frame]:
        """Return the last frames, rising: what a capture that lags behind may send again."""
        paths = segment_paths(directory)[-2:]
        if not paths:
            return []
        with Reader(directory) as reader:
            records = deque(reader.read(first_seq(paths[0]) - 1), TAIL_FRAMES)
        return [record for record in records if isinstance(record, Frame)]

    def _recover(self) -> tuple[Memory, list[Cut]]:
        recovered = self._writer.recover()
        memory = msgspec.msgpack.decode(recovered.memory, type=Memory) if recovered.memory else Memory()
        for batch in recovered.batches:
            memory.apply(batch)
        return memory, [*recovered.damage, *([recovered.cut] if recovered.cut else [])]

    def _write_anew(self) -> None:
        unsynced = self._since_sync
        self._writer.cut_unsynced()
        memory, _ = self._recover()
        self._writer.begin_segment(unsynced[0].after + 1, msgspec.msgpack.encode(memory))
        for batch in unsynced:
            self._writer.append(batch)
        self._writer.sync()
