"""The journal's files: append-only segments of checked batches.

`<journal dir>/<first seq, 16 digits>.seg` begins with a magic number; then follow batches, each
`[length u32][crc32c u32][zstd(msgpack Batch)]`, little-endian. The first batch of a segment carries the journal's whole
memory, so that a restart reads the last segment only. A segment appears whole (with that first batch) and then only
grows. A batch that was cut short at the end is not there: the writer cuts it off at its next start, readers stop before
it. A damaged batch in the middle is passed over and counted.
"""

import os
import struct
from collections.abc import Iterator
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Self

import google_crc32c
import msgspec
import zstandard
from msgspec import Struct

from actors.core.faults import point
from actors.core.files import private_dir, replace_file
from actors.core.messages import Record

MAGIC = b"VECTRAJ1"
_HEAD = struct.Struct("<II")
_LARGEST_BATCH = 1_000_000_000  # a length beyond this is damage, not data
_LEVEL = 1  # one zstd-1 frame a batch: 259 k events/s with checksum; higher levels cost more than they save here


class Mark(Struct, frozen=True, array_like=True):
    """How far the journal had read one capture incarnation when a batch was written."""

    capture: str
    incarnation: int
    n: int  # all up to here is in the journal: written, or recognised as the other capture's double
    read_until_us: int  # what Chromium sent before this is in the journal
    other_n: int = 0  # the last item that was no frame
    places: list[tuple[str, int, int]] = []  # (stream, n, seq) of the last frame of each stream that moved


class Batch(Struct, frozen=True, array_like=True):
    """What one write puts on disk: the records of `(after, upto]` and what the journal must remember with them."""

    after: int
    upto: int
    records: list[Record]
    marks: list[Mark] = []
    commands: list[tuple[str, int]] = []  # (id of a submitted note, its seq)
    ignored: list[str] = []  # streams found to be of no interest
    memory: bytes = b""  # first batch of a segment: the journal's memory before it


def segment_paths(directory: Path) -> list[Path]:
    """Return the segments, oldest first."""
    return sorted(directory.glob("[0-9]*.seg"))


def first_seq(path: Path) -> int:
    """Return the first number a segment may hold, from its name."""
    return int(path.name.split(".", 1)[0])


def open_buffered(path: Path) -> BufferedReader:
    """Open a segment for reading, a megabyte at a time."""
    return BufferedReader(FileIO(path), 1 << 20)


class Codec:
    """Batch to checked bytes and back."""

    def __init__(self) -> None:
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Batch)
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL)
        self._decompressor = zstandard.ZstdDecompressor()

    def encode(self, batch: Batch) -> bytes:
        """Return the batch as it stands on disk, head included."""
        payload = self._compressor.compress(self._encoder.encode(batch))
        return _HEAD.pack(len(payload), google_crc32c.value(payload)) + payload

    def decode(self, payload: bytes, checksum: int) -> Batch | None:
        """Return the batch, None where it is damaged."""
        if google_crc32c.value(payload) != checksum:
            return None
        try:
            return self._decoder.decode(self._decompressor.decompress(payload))
        except (zstandard.ZstdError, msgspec.MsgspecError):
            return None


class Cut(Struct, frozen=True):
    """What a reader met where it stopped, or what it passed over."""

    offset: int
    size: int
    reason: str


def read_batches(file: BufferedReader, codec: Codec, damage: list[Cut]) -> Iterator[tuple[int, Batch]]:
    """Yield (offset after it, batch) from the file's place on; stop before an unfinished tail.

    A damaged batch that is followed by more is passed over and added to `damage`; at the end of the file it cannot be
    told from one that is still being written.
    """
    while True:
        offset = file.tell()
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            file.seek(offset)
            return
        length, checksum = _HEAD.unpack(head)
        payload = file.read(length) if 0 < length <= _LARGEST_BATCH else b""
        batch = codec.decode(payload, checksum) if len(payload) == length and length else None
        if batch is None:
            if len(payload) < length or not length or not file.peek(1):
                file.seek(offset)
                return
            damage.append(Cut(offset, _HEAD.size + length, "checksum does not match"))
            continue
        yield file.tell(), batch


class Reader:
    """Reads the journal in order, also while it is being written, by any process. Remembers its place."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._codec = Codec()
        self._file: BufferedReader | None = None
        self._path: Path | None = None
        self._seq = -1  # the place: everything up to here lies before it
        self.damage: list[Cut] = []

    def batches(self, after: int) -> Iterator[Batch]:
        """Yield batches with anything beyond `after`, up to the end of what is written now."""
        if self._file is None or after < self._seq:
            self._go_to(after)
        while self._file is not None:
            for _, batch in read_batches(self._file, self._codec, self.damage):
                self._seq = max(self._seq, batch.upto)
                if batch.upto > after:
                    yield batch
            if not self._next_segment():
                return

    def read(self, after: int, upto: int | None = None) -> Iterator[Record]:
        """Yield the records with `after` < seq <= `upto`, up to the end of what is written now."""
        for batch in self.batches(after):
            for record in batch.records:
                if upto is not None and record.seq > upto:
                    self.close()  # the rest of this batch is wanted next time
                    return
                if record.seq > after:
                    yield record

    def oldest(self) -> int | None:
        """Return the first number that may still be kept, None for an empty journal."""
        paths = segment_paths(self._directory)
        return first_seq(paths[0]) if paths else None

    def head(self) -> int:
        """Return the highest number written so far, 0 for an empty journal."""
        paths = segment_paths(self._directory)
        if not paths:
            return 0
        last = first_seq(paths[-1]) - 1
        with Reader(self._directory) as reader:
            return max((batch.upto for batch in reader.batches(last)), default=last)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the open file back."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _go_to(self, after: int) -> None:
        self.close()
        self._seq = -1
        paths = segment_paths(self._directory)
        at = max((i for i, path in enumerate(paths) if first_seq(path) <= after + 1), default=0)
        if paths:
            self._open(paths[at])

    def _open(self, path: Path) -> None:
        try:
            file = open_buffered(path)
        except FileNotFoundError:  # retention took it between listing and opening
            return
        file.seek(len(MAGIC))
        self._file, self._path = file, path

    def _next_segment(self) -> bool:
        later = [path for path in segment_paths(self._directory) if self._path is not None and path > self._path]
        if not later or self._file is None:
            return False
        if self._file.peek(1) and self._tail_grew():
            return True
        self.close()
        self._open(later[0])
        return self._file is not None

    def _tail_grew(self) -> bool:
        """Say whether a whole batch was appended between reading the end and listing the next segment."""
        if self._file is None:
            return False
        offset = self._file.tell()
        grew = next(read_batches(self._file, self._codec, []), None) is not None
        self._file.seek(offset)
        return grew


class Recovered(Struct, frozen=True, kw_only=True):
    """What a writer found when it opened the journal."""

    memory: bytes  # of the last segment's first batch; empty for a new journal
    batches: list[Batch]  # that followed it
    cut: Cut | None  # the unfinished tail that was cut off
    damage: list[Cut]


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
        """Open the last segment, cut off an unfinished tail, and return what is needed to go on."""
        for partial in self._directory.glob(".*.tmp"):
            partial.unlink()
        for path in reversed(segment_paths(self._directory)):
            recovered = self._recover(path)
            if recovered is not None:
                return recovered
        return Recovered(memory=b"", batches=[], cut=None, damage=[])

    def append(self, batch: Batch) -> int:
        """Write a batch at once and return its size; it outlives this process, not yet a power cut.

        OSError (disk full, ...): nothing of the batch is left in the file.
        """
        data = self._codec.encode(batch)
        try:
            point("journal-write")
            written = os.write(self._fd, data)
            while written < len(data):
                written += os.write(self._fd, data[written:])
            point("journal-written")
        except OSError:
            os.ftruncate(self._fd, self._size)
            raise
        self._size += len(data)
        return len(data)

    def sync(self) -> None:
        """Put what was appended on the disk. OSError: the pages may be gone; `cut_unsynced` and write anew."""
        if self._fd < 0:
            return
        point("journal-sync")
        os.fdatasync(self._fd)
        self._synced_size = self._size
        point("journal-synced")

    def cut_unsynced(self) -> None:
        """Cut off what was appended since the last good sync."""
        os.ftruncate(self._fd, self._synced_size)
        self._size = self._synced_size

    @property
    def full(self) -> bool:
        """Whether it is time for a new segment."""
        return self._fd < 0 or self._size >= self._segment_bytes

    def begin_segment(self, first: int, memory: bytes) -> None:
        """Start the segment that holds `first` and what follows; it begins with the journal's memory, synced.

        The segment before it must be synced already.
        """
        head = Batch(after=first - 1, upto=first - 1, records=[], memory=memory)
        path = self._directory / f"{first:016d}.seg"
        point("journal-roll")
        replace_file(path, MAGIC + self._codec.encode(head))
        point("journal-rolled")
        self._open(path)

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

    def _recover(self, path: Path) -> Recovered | None:
        damage: list[Cut] = []
        with open_buffered(path) as file:
            if file.read(len(MAGIC)) != MAGIC:
                return None
            end, batches = len(MAGIC), []
            for end, batch in read_batches(file, self._codec, damage):  # noqa: B007
                batches.append(batch)
        if not batches or not batches[0].memory:
            return None
        size = path.stat().st_size
        cut = Cut(end, size - end, "unfinished batch") if size > end else None
        if cut is not None:
            self._set_aside(path, cut)
            os.truncate(path, end)
        self._open(path)
        return Recovered(memory=batches[0].memory, batches=batches[1:], cut=cut, damage=damage)

    def _set_aside(self, path: Path, cut: Cut) -> None:
        """Keep what is cut off: nothing that once reached the disk is thrown away unseen."""
        with path.open("rb") as file:
            file.seek(cut.offset)
            replace_file(private_dir(self._directory / "quarantine") / f"{path.name}-{cut.offset}", file.read())
