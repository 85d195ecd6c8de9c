"""The form of the journal's files: checked blocks that can be found again after damage. Knows nothing of their content.

A file begins with a magic number; then follow blocks, each `[mark 4][length u32][after u64][upto u64][crc32c of the
payload u32][crc32c of the head u32][payload]`, little-endian. A head that checks out can be trusted with its length,
so a place is found by heads alone; where none checks out, the next one is found by its mark. A block that was cut
short at the end is not there: readers stop before it, the writer cuts it off at its next start.
"""

import os
import struct
from collections.abc import Iterator
from io import BufferedReader, FileIO
from pathlib import Path
from typing import TypeAlias

import google_crc32c
from msgspec import Struct

MAGIC = b"VECTRAJ2"
MARK = b"\xf5VB\xae"  # the first byte never begins a UTF-8 character: rare in payloads
_HEAD = struct.Struct("<4sIQQII")
HEAD_BYTES = _HEAD.size
_CHECKED = HEAD_BYTES - 4
_LARGEST_BLOCK = 1_000_000_000  # a length beyond this is damage, not data
_SEARCH_BYTES = 1 << 20

BlockFile: TypeAlias = "BufferedReader[FileIO]"


class Head(Struct, frozen=True):
    """What stands before a payload."""

    length: int
    after: int
    upto: int
    checksum: int  # of the payload


class Block(Struct, frozen=True):
    """One whole block: what it holds of the range `(after, upto]`."""

    offset: int
    end: int  # offset of what follows
    after: int
    upto: int
    payload: bytes | None  # None: passed over by its head, not read


class Cut(Struct, frozen=True):
    """Bytes of a file that are no whole block: damage, or an unfinished write."""

    offset: int
    size: int
    reason: str
    after: int  # the numbers that may have been in it: above this
    upto: int | None  # up to this; None where nothing follows that tells
    torn: bool = False  # the beginning of a block at the end of the file: a write that was not finished


def block(after: int, upto: int, payload: bytes) -> bytes:
    """Return a payload as it stands on disk, head included."""
    checked = _HEAD.pack(MARK, len(payload), after, upto, google_crc32c.value(payload), 0)[:_CHECKED]
    return checked + struct.pack("<I", google_crc32c.value(checked)) + payload


def head_of(data: bytes) -> Head | None:
    """Return the head that these bytes begin with, None where they are none."""
    if len(data) < HEAD_BYTES or not data.startswith(MARK):
        return None
    _, length, after, upto, checksum, own = _HEAD.unpack_from(data)
    if google_crc32c.value(data[:_CHECKED]) != own or length > _LARGEST_BLOCK:
        return None
    return Head(length, after, upto, checksum)


def open_blocks(path: Path) -> BlockFile:
    """Open a file of blocks behind its magic number, or at its beginning where that is not there."""
    file = BufferedReader(FileIO(path), 1 << 20)
    if file.read(len(MAGIC)) != MAGIC:
        file.seek(0)
    return file


def scan(file: BlockFile, after: int, *, skip_upto: int = -1) -> Iterator[Block | Cut]:
    """Yield whole blocks from the file's place on, and damage between them; stop before an unfinished end.

    after: the last number before this place. skip_upto: payloads of blocks that end here or before are not read. The
    file's place is behind what was yielded; a damaged block at the very end cannot be told from one being written.
    """
    while True:
        offset = file.tell()
        head = head_of(file.read(HEAD_BYTES))
        if head is None:
            cut = _until_next(file, offset, after)
            if cut is None:
                file.seek(offset)
                return
            file.seek(offset + cut.size)
            yield cut
            continue
        end = offset + HEAD_BYTES + head.length
        skipped = head.upto <= skip_upto and end <= os.fstat(file.fileno()).st_size
        payload = None if skipped else file.read(head.length)
        if skipped:
            file.seek(end)
        if payload is None or (len(payload) == head.length and google_crc32c.value(payload) == head.checksum):
            after = head.upto
            yield Block(offset, end, head.after, head.upto, payload)
        elif len(payload) < head.length or not file.peek(1):
            file.seek(offset)
            return
        else:
            yield Cut(offset, end - offset, "checksum does not match", head.after, head.upto)


def rest(file: BlockFile, after: int) -> Cut | None:
    """Return what lies between the file's place, where `scan` stopped, and its end; None where nothing does."""
    offset = file.tell()
    data = file.read(HEAD_BYTES)
    size = os.fstat(file.fileno()).st_size - offset
    file.seek(offset)
    if size <= 0:
        return None
    head = head_of(data)
    if head is None:
        torn = len(data) < HEAD_BYTES and (data.startswith(MARK) or MARK.startswith(data))
        return Cut(offset, size, "unfinished batch" if torn else "no batch begins here", after, None, torn)
    torn = size < HEAD_BYTES + head.length
    reason = "unfinished batch" if torn else "checksum does not match"
    return Cut(offset, size, reason, head.after, head.upto, torn)


def _until_next(file: BlockFile, offset: int, after: int) -> Cut | None:
    """Return what lies between `offset` and the next head, None where there is no further one."""
    at = offset + 1
    while True:
        file.seek(at)
        data = file.read(_SEARCH_BYTES)
        place = data.find(MARK)
        while place >= 0 and len(data) - place >= HEAD_BYTES:
            head = head_of(data[place : place + HEAD_BYTES])
            if head is not None and head.after >= after:
                return Cut(offset, at + place - offset, "no batch begins here", after, head.after)
            place = data.find(MARK, place + 1)
        if len(data) < _SEARCH_BYTES:
            return None
        at += len(data) - HEAD_BYTES
