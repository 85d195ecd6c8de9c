"""The journal's files: append-only segments of checked batches, and how they are read.

`<journal dir>/<first seq, 16 digits>.seg` holds blocks (`actors.core.blocks`), each one zstd frame of one or more
batches, each `[length u32][msgpack Batch]`. The first batch of a segment carries the journal's whole memory, so that a
restart reads the last segment only. A segment appears whole (with that first batch) and then only grows. Once it is
full the journal rewrites it as `.sealed`: the same batches in large, better compressed blocks. `SegmentWriter` is in
`actors.core.segment_writer`. Reading never changes a file.
"""

import contextlib
import os
import re
import struct
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import msgspec
import zstandard
from msgspec import Struct

from actors.core.blocks import Block, BlockFile, Cut, block, open_blocks, rest, scan
from actors.core.messages import Record

GROWING, SEALED = ".seg", ".sealed"
SEGMENT_NAME = re.compile(r"([0-9]{16})(\.seg|\.sealed)")
_LENGTH = struct.Struct("<I")
_LEVEL = 1  # one zstd-1 frame a batch: 259 k events/s with checksum; sealing compresses better, later
_FAR = 10_000_000  # numbers; a place further ahead is looked up by the segments' names
_DAMAGE_KEPT = 1000


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


class Damage(Struct, frozen=True):
    """Where a segment cannot be read."""

    segment: Path
    cut: Cut


def segment_paths(directory: Path) -> list[Path]:
    """Return the segments, oldest first; where a sealed form is there already, that one.

    Only plain files with names as we give them: what else lies there is not ours, and is neither read nor removed.
    """
    found: dict[int, str] = {}
    try:
        with os.scandir(directory) as listing:
            for entry in listing:
                if (match := SEGMENT_NAME.fullmatch(entry.name)) and entry.is_file(follow_symlinks=False):
                    first = int(match[1])
                    if match[2] == SEALED or first not in found:
                        found[first] = entry.name
    except FileNotFoundError:
        return []
    return [directory / name for _, name in sorted(found.items())]


def first_seq(path: Path) -> int:
    """Return the first number a segment may hold, from its name."""
    return int(path.name.split(".", 1)[0])


def sealed_path(path: Path) -> Path:
    """Return the name of a segment's sealed form."""
    return path.with_suffix(SEALED)


def join(encoded: list[bytes]) -> bytes:
    """Return encoded batches as a block's content before compression."""
    return b"".join(part for one in encoded for part in (_LENGTH.pack(len(one)), one))


class Codec:
    """Batches to checked bytes and back."""

    def __init__(self) -> None:
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Batch)
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL)
        self._decompressor = zstandard.ZstdDecompressor()

    def encode(self, batch: Batch) -> bytes:
        """Return the batch as it stands on disk, head included."""
        encoded = self._encoder.encode(batch)
        payload = self._compressor.compress(_LENGTH.pack(len(encoded)) + encoded)
        return block(batch.after, batch.upto, payload)

    def unpack(self, payload: bytes) -> list[memoryview]:
        """Return the encoded batches of a block. ValueError: the block is not one of ours."""
        try:
            content = memoryview(self._decompressor.decompress(payload))
        except zstandard.ZstdError as error:
            raise ValueError(str(error)) from error
        parts, at = [], 0
        while at < len(content):
            (length,) = _LENGTH.unpack(content[at : at + 4])
            parts.append(content[at + 4 : at + 4 + length])
            at += 4 + length
        return parts

    def decode(self, payload: bytes) -> list[Batch]:
        """Return the batches of a block. ValueError: it checks out but is not one of ours."""
        return [self._decoder.decode(part) for part in self.unpack(payload)]


class Reader:
    """Reads the journal in order, also while it is being written, by any process. Remembers its place."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._codec = Codec()
        self._file: BlockFile | None = None
        self._path = Path()
        self._seq = -1  # the place: everything up to here lies before it
        self._ahead: deque[Batch] = deque()  # the rest of a block
        self._known: set[tuple[int, int]] = set()
        self.damage: list[Damage] = []  # what was passed over, each place once; the owner may take it out

    def batches(self, after: int) -> Iterator[Batch]:
        """Yield batches with anything beyond `after`, up to the end of what is written now."""
        if self._file is None or not self._seq <= after <= self._seq + _FAR:
            self._go_to(after)
        while self._file is not None:
            yield from self._rest_of_block(after)
            file = self._file
            for found in scan(file, self._seq, skip_upto=after):
                if isinstance(found, Cut):
                    self._passed_over(found)
                elif found.payload is not None:
                    self._ahead.extend(self._decoded(found))
                    yield from self._rest_of_block(after)
                else:
                    self._seq = max(self._seq, found.upto)
                if self._file is not file:
                    return  # moved while the caller had its turn
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
        with contextlib.suppress(FileNotFoundError), open_blocks(paths[-1]) as file:
            for found in scan(file, last, skip_upto=1 << 62):
                last = max(last, found.upto or 0)
        return last

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the open file back."""
        self._ahead.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _rest_of_block(self, after: int) -> Iterator[Batch]:
        while self._ahead:
            batch = self._ahead.popleft()
            new = batch.upto > self._seq or batch.after == batch.upto
            self._seq = max(self._seq, batch.upto)
            if batch.upto > after and new:
                yield batch

    def _decoded(self, found: Block) -> list[Batch]:
        try:
            return self._codec.decode(found.payload or b"")
        except (ValueError, msgspec.MsgspecError) as error:
            size = found.end - found.offset
            self._passed_over(Cut(found.offset, size, f"cannot be decoded: {error}", found.after, found.upto))
            return []

    def _passed_over(self, cut: Cut) -> None:
        place = (first_seq(self._path), cut.offset)
        if place not in self._known and len(self._known) < _DAMAGE_KEPT:
            self._known.add(place)
            self.damage.append(Damage(self._path, cut))

    def _go_to(self, after: int) -> None:
        self.close()
        self._seq = -1
        paths = segment_paths(self._directory)
        at = max((i for i, path in enumerate(paths) if first_seq(path) <= after + 1), default=0)
        if paths:
            self._open(paths[at])

    def _open(self, path: Path) -> None:
        for form in (path, sealed_path(path)):  # it may be sealed between listing and opening, or gone
            with contextlib.suppress(FileNotFoundError):
                self._file, self._path = open_blocks(form), form
                self._seq = max(self._seq, first_seq(form) - 1)
                return

    def _next_segment(self) -> bool:
        if self._file is None:
            return False
        if self._replaced():
            self._go_to(self._seq)
            return self._file is not None
        here = first_seq(self._path)
        later = [path for path in segment_paths(self._directory) if first_seq(path) > here]
        if not later:
            return False
        if self._file.peek(1) and self._tail_grew():
            return True
        left = rest(self._file, self._seq)
        if left is not None:
            self._passed_over(left)
        self.close()
        self._open(later[0])
        return self._file is not None

    def _replaced(self) -> bool:
        """Say whether another file has our file's name now: a segment written anew after a failed sync."""
        if self._file is None or self._path.suffix == SEALED:
            return False
        try:
            return self._path.stat().st_ino != os.fstat(self._file.fileno()).st_ino
        except FileNotFoundError:
            return False

    def _tail_grew(self) -> bool:
        """Say whether a whole batch was appended between reading the end and listing the next segment."""
        if self._file is None:
            return False
        offset = self._file.tell()
        grew = next(scan(self._file, self._seq), None) is not None
        self._file.seek(offset)
        return grew
