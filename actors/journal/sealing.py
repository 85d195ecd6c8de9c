"""Rewrites full segments in their sealed form: the same batches in large blocks that compress far better.

In: segments that are no longer written. Out: `.sealed` files that appear whole, then the `.seg` goes; readers that hold
it open read on. Done in steps of some milliseconds, so that the journal's loop never waits. What cannot be read is told
before it is left out. Never touches the segment being written.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import zstandard

from actors.core.blocks import MAGIC, Block, BlockFile, Cut, block, open_blocks, rest, scan
from actors.core.faults import point
from actors.core.files import PRIVATE_FILE, sync_dir
from actors.core.segments import GROWING, Codec, Damage, first_seq, join, sealed_path, segment_paths

BLOCK_BYTES = 4_000_000  # of batches in one block: what a reader decodes at once
STEP_BYTES = 128_000  # of batches read or compressed in one step, some 3 ms
LEVEL = 6

Tell = Callable[[Damage], int]
"""Tells of damage, and returns the number of the note that says so."""


class Sealer:
    """Seals one segment after the other."""

    def __init__(self, directory: Path, tell: Tell, synced: Callable[[], int]) -> None:
        """synced: the highest number that is durable; damage is left out only once its note is."""
        self._directory = directory
        self._tell = tell
        self._synced = synced
        self._codec = Codec()
        self._steps: Iterator[None] | None = None
        self._partial: Path | None = None

    def step(self) -> bool:
        """Do a little work; False where there is none. OSError: the disk refuses; the old segment stays."""
        if self._steps is None:
            path = self._next()
            if path is None:
                return False
            self._steps = self._seal(path)
        try:
            next(self._steps)
        except StopIteration:
            self._steps = None
        except OSError:
            self._give_up()
            raise
        return True

    def close(self) -> None:
        """Leave the segment at hand as it was."""
        self._give_up()

    def _next(self) -> Path | None:
        return next((path for path in segment_paths(self._directory)[:-1] if path.suffix == GROWING), None)

    def _give_up(self) -> None:
        self._steps = None
        if self._partial is not None:
            self._partial.unlink(missing_ok=True)
            self._partial = None

    def _seal(self, path: Path) -> Iterator[None]:
        final = sealed_path(path)
        self._partial = final.with_name(f".{final.name}.{os.getpid()}.tmp")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        fd = os.open(self._partial, flags, PRIVATE_FILE)
        told = 0
        try:
            os.write(fd, MAGIC)
            with open_blocks(path) as file:
                for found in self._blocks(file, path):
                    if isinstance(found, Cut):
                        told = max(told, self._tell(Damage(path, found)))
                    elif found is not None:
                        _write(fd, found)
                    yield
                written = os.fstat(file.fileno())
            os.utime(fd, ns=(written.st_atime_ns, written.st_mtime_ns))  # retention goes by the age of the data
            point("journal-seal-fsync")
            os.fsync(fd)
            point("journal-seal-fsynced")
        finally:
            os.close(fd)
        while told > self._synced():
            yield
        self._publish(path, final)

    def _publish(self, path: Path, final: Path) -> None:
        if self._partial is None or not path.exists():  # retention took it meanwhile
            self._give_up()
            return
        self._partial.replace(final)
        self._partial = None
        point("journal-seal-renamed")
        sync_dir(self._directory)
        point("journal-seal-durable")
        path.unlink(missing_ok=True)
        point("journal-seal-removed")

    def _blocks(self, file: BlockFile, path: Path) -> Iterator[bytes | Cut | None]:
        """Yield the sealed form's blocks, damage as it is met, and None after each step between."""
        parts: list[bytes] = []
        size = step = 0
        after = last = first_seq(path) - 1
        for found in scan(file, after):
            taken = self._taken(found)
            if isinstance(taken, Cut):
                yield taken
                continue
            if size + len(taken) > BLOCK_BYTES and parts:
                yield from _compressed(after, last, parts)
                parts, size, after = [], 0, last
            parts.append(taken)
            size, step, last = size + len(taken), step + len(taken), max(last, found.upto or last)
            if step > STEP_BYTES:
                step = 0
                yield None
        if parts:
            yield from _compressed(after, last, parts)
        left = rest(file, last)
        if left is not None:
            yield left

    def _taken(self, found: Block | Cut) -> bytes | Cut:
        """Return a block's batches as they stand in it, or the damage that it is."""
        if isinstance(found, Cut):
            return found
        try:
            return join([bytes(part) for part in self._codec.unpack(found.payload or b"")])
        except ValueError as error:
            size = found.end - found.offset
            return Cut(found.offset, size, f"cannot be decoded: {error}", found.after, found.upto)


def _compressed(after: int, upto: int, parts: list[bytes]) -> Iterator[bytes | None]:
    """Yield None after each step, at last the block."""
    compressor = zstandard.ZstdCompressor(level=LEVEL).compressobj(size=sum(map(len, parts)))
    done: list[bytes] = []
    step = 0
    for part in parts:
        for at in range(0, len(part), STEP_BYTES):
            piece = part[at : at + STEP_BYTES]
            done.append(compressor.compress(piece))
            step += len(piece)
            if step > STEP_BYTES:
                step = 0
                yield None
    done.append(compressor.flush())
    yield block(after, upto, b"".join(done))


def _write(fd: int, data: bytes) -> None:
    point("journal-seal-write")
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    point("journal-seal-written")
    os.fdatasync(fd)  # little by little: the last one is short then
