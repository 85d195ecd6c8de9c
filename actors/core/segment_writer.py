"""The writing end of the journal's files: append, sync, roll, recover. One process only.

In: batches. Out: segments (`actors.core.segments`) that open again whatever dies when: a new segment appears whole, an
append that fails leaves nothing, an unfinished tail is cut off at the next start, and what cannot be read is kept in
`quarantine/`. Never reads what it need not: a restart reads the last segment only.
"""

import contextlib
import os
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from actors.core.blocks import MAGIC, Block, Cut, open_blocks, rest, scan
from actors.core.faults import point
from actors.core.files import is_plain_file, partial_of, private_dir, remove_file, replace_file
from actors.core.messages import Frame
from actors.core.segments import GROWING, SEGMENT_NAME, Batch, Codec, Damage, first_seq, sealed_path, segment_paths

_PARTIAL = partial_of(SEGMENT_NAME.pattern)


class Recovered(Struct, frozen=True, kw_only=True):
    """What a writer found when it opened the journal."""

    memory: bytes  # of the last segment's first batch; empty for a new journal
    batches: list[Batch]  # that followed it, frames without their payloads: a segment holds ten times its size
    damage: list[Damage]  # what could not be read; an unfinished tail, which was cut off, is the last


class _Loaded(Struct, frozen=True):
    """What a segment holds."""

    batches: list[Batch]
    cuts: list[Cut]  # damage between whole blocks
    rest: Cut | None  # behind the last whole block


class Writer:
    """Appends batches. One process only (the supervisor's lock sees to that)."""

    def __init__(self, directory: Path, segment_bytes: int) -> None:
        self._directory = private_dir(directory)
        self._segment_bytes = segment_bytes
        self._codec = Codec()
        self._fd = -1
        self._size = 0
        self._synced_size = 0
        self.path: Path | None = None

    def recover(self) -> Recovered:
        """Open the last segment, cut off an unfinished tail, and return what is needed to go on.

        Where the last segment's beginning is damaged, the memory is taken from the last that has one.
        """
        self._tidy()
        paths = segment_paths(self._directory)
        begin, memory = self._last_memory(paths)
        batches: list[Batch] = []
        damage: list[Damage] = []
        for path in paths[begin:]:
            loaded = self._load(path)
            batches += [batch for batch in loaded.batches if not batch.memory]
            damage += [Damage(path, cut) for cut in loaded.cuts]
            if path is paths[-1]:
                damage += self._open_last(path, loaded)
            elif loaded.rest is not None:
                damage.append(Damage(path, loaded.rest))
        return Recovered(memory=memory, batches=batches, damage=damage)

    def append(self, batch: Batch) -> int:
        """Write a batch at once and return its size; it outlives this process, not yet a power cut.

        OSError (disk full, ...): nothing of the batch is left in the file.
        """
        data = self._codec.encode(batch)
        try:
            point("journal-write")
            written = os.write(self._fd, data)
            while written < len(data):
                point("journal-write-torn")
                written += os.write(self._fd, data[written:])
            point("journal-written")
        except OSError:
            self._truncate(self._size)
            raise
        self._size += len(data)
        return len(data)

    def sync(self) -> None:
        """Put what was appended on the disk. OSError: the pages may be gone; write them anew (`begin_segment`)."""
        if self._fd < 0:
            return
        point("journal-sync")
        os.fdatasync(self._fd)
        self._synced_size = self._size
        point("journal-synced")

    @property
    def is_open(self) -> bool:
        """Whether there is a segment to append to."""
        return self._fd >= 0

    @property
    def full(self) -> bool:
        """Whether it is time for a new segment."""
        return self._fd < 0 or self._size >= self._segment_bytes

    def begin_segment(self, first: int, memory: bytes, batches: list[Batch] | None = None) -> None:
        """Start the segment that holds `first` and what follows; it begins with the journal's memory, synced.

        batches: what was appended to the segment before it since its last good sync, to be written anew: it is cut
        off there, after it stands here. Without, the segment before must be synced already.
        """
        head = Batch(after=first - 1, upto=first - 1, records=[], memory=memory)
        path = self._directory / f"{first:016d}{GROWING}"
        data = MAGIC + b"".join(self._codec.encode(batch) for batch in [head, *(batches or [])])
        point("journal-roll")
        replace_file(path, data, fault="journal-roll")
        point("journal-rolled")
        if batches and self._fd >= 0:
            with contextlib.suppress(OSError):  # doubles are passed over by their numbers
                self._truncate(self._synced_size)
        self._open(path)

    def set_aside(self, damage: Damage) -> None:
        """Keep what cannot be read: nothing that once reached the disk is thrown away unseen. Safe to repeat."""
        with damage.segment.open("rb") as file:
            file.seek(damage.cut.offset)
            content = file.read(damage.cut.size)
        kept = private_dir(self._directory / "quarantine") / f"{damage.segment.name}-{damage.cut.offset}"
        if os.path.lexists(kept) and not (is_plain_file(kept) and kept.read_bytes() == content):
            kept = _free_path(kept)
        replace_file(kept, content, fault="journal-quarantine")

    def close(self) -> None:
        """Give the file back."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _open(self, path: Path) -> None:
        self.close()
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self._size = self._synced_size = os.fstat(self._fd).st_size
        self.path = path

    def _truncate(self, size: int) -> None:
        point("journal-truncate")
        os.ftruncate(self._fd, size)
        self._size = size
        point("journal-truncated")

    def _tidy(self) -> None:
        """Remove what deaths left: unfinished files, and segments whose sealed form is there."""
        for path in sorted(self._directory.iterdir()):
            is_growing = SEGMENT_NAME.fullmatch(path.name) is not None and path.suffix == GROWING
            if _PARTIAL.fullmatch(path.name) or (is_growing and is_plain_file(sealed_path(path))):
                remove_file(path)

    def _last_memory(self, paths: list[Path]) -> tuple[int, bytes]:
        """Return (index, memory) of the last segment that begins with the journal's memory; (0, nothing) without."""
        for index in reversed(range(len(paths))):
            with open_blocks(paths[index]) as file:
                found = next(scan(file, first_seq(paths[index]) - 1), None)
            if isinstance(found, Block):
                first = self._decode(found)
                if first and first[0].memory:
                    return index, first[0].memory
        return 0, b""

    def _load(self, path: Path) -> "_Loaded":
        """Read a segment: its batches, what could not be read, and what lies behind the last whole block."""
        batches: list[Batch] = []
        cuts: list[Cut] = []
        with open_blocks(path) as file:
            for found in scan(file, first_seq(path) - 1):
                if isinstance(found, Cut):
                    cuts.append(found)
                elif decoded := self._decode(found):
                    batches += decoded
                else:
                    size = found.end - found.offset
                    cuts.append(Cut(found.offset, size, "cannot be decoded", found.after, found.upto))
            last = max((batch.upto for batch in batches), default=first_seq(path) - 1)
            return _Loaded(batches, cuts, rest(file, last))

    def _decode(self, found: Block) -> list[Batch]:
        try:
            return [_light(batch) for batch in self._codec.decode(found.payload or b"")]
        except (ValueError, msgspec.MsgspecError):
            return []

    def _open_last(self, path: Path, loaded: "_Loaded") -> list[Damage]:
        """Make the last segment ready for more, or leave it as it is: then it is time for a new one."""
        if not loaded.batches:  # nothing in it can be read, and a new segment may want its name
            kept = _free_path(private_dir(self._directory / "quarantine") / path.name)
            path.rename(kept)
            return [Damage(kept, loaded.rest)] if loaded.rest is not None else []
        found = [Damage(path, loaded.rest)] if loaded.rest is not None else []
        if path.suffix == GROWING:
            self._open(path)
            if loaded.rest is not None and self._kept(found[0]):
                self._truncate(loaded.rest.offset)
            self._synced_size = self._size
        return found

    def _kept(self, damage: Damage) -> bool:
        """Say whether the tail may be cut off: it is kept aside, or was never finished and hence never seen."""
        try:
            self.set_aside(damage)
        except OSError:  # a full disk: what follows is found behind it all the same
            return damage.cut.torn
        return True


def _free_path(path: Path) -> Path:
    """Return the path, with a number where something is there already: nothing in quarantine is overwritten."""
    count, found = 1, path
    while os.path.lexists(found):
        count += 1
        found = path.with_name(f"{path.name}.{count}")
    return found


def _light(batch: Batch) -> Batch:
    """Return a batch without its frames' payloads."""
    records = [replace(record, payload=b"") if isinstance(record, Frame) else record for record in batch.records]
    return replace(batch, records=records)
