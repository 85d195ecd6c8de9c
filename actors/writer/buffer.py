"""Rows that wait to become durable. Pure: owns no socket, clock or file.

In: batches as they arrive, and what the journal has synced. Out: the longest prefix of whole ranges that may be made
durable now. Nothing is forgotten before `drop` says that it is on disk.
"""

from collections import deque

from msgspec import Struct

from actors.core.flow import frame_of
from actors.core.messages import SEQ_STEP, Row, Rows
from actors.rugs.schema import DOC_TYPES
from actors.writer.layout import LAST_US

_BYTES: dict[type, int] = {str: 1, bytes: 1, list: 32}
ROW_BYTES = 200  # what a row's objects cost besides their payload, roughly
LAST_SEQ = 2**53 - 1


class Chunk(Struct, frozen=True):
    """The new rows of one batch. `upto` is the end of its range."""

    upto: int
    rows: list[Row]
    size_bytes: int
    ends_round: bool


class Buffer:
    """Keeps chunks in order of their ranges."""

    def __init__(self) -> None:
        self._chunks: deque[Chunk] = deque()
        self.rows = 0
        self.size_bytes = 0
        self.strays = 0  # rows that no file can hold: of an unknown doc_type, or with a number outside their range

    def add(self, batch: Rows, after: int) -> None:
        """Take the rows of a batch that are new after `after`."""
        old, end = _last_of(after), min(_last_of(batch.upto), LAST_SEQ)
        new = [row for row in batch.rows if row.seq > old]
        fit = [_dated(row) for row in new if row.seq <= end and row.doc_type in DOC_TYPES]
        self.strays += len(new) - len(fit)
        last = self._chunks[-1] if self._chunks else None
        if not fit and last is not None and not last.rows:
            self._chunks.pop()  # silence after silence is one silence
        chunk = Chunk(batch.upto, fit, sum(map(_size, fit)), any(row.doc_type == "game" for row in fit))
        self._chunks.append(chunk)
        self.rows += len(fit)
        self.size_bytes += chunk.size_bytes

    def ready(self, synced: int) -> list[Chunk]:
        """Return the chunks that the journal has on disk, in order."""
        chunks = []
        for chunk in self._chunks:
            if frame_of(chunk.upto) > synced:
                break
            chunks.append(chunk)
        return chunks

    def drop(self, upto: int) -> None:
        """Forget what is on disk now."""
        while self._chunks and self._chunks[0].upto <= upto:
            chunk = self._chunks.popleft()
            self.rows -= len(chunk.rows)
            self.size_bytes -= chunk.size_bytes


def _last_of(seq: int) -> int:
    """Return the last number an event of the same record may have."""
    return frame_of(seq) + SEQ_STEP - 1


def _dated(row: Row) -> Row:
    """Return the row with a time that has a date: a clock gone mad must not stop the writer."""
    if 0 <= row.at_us <= LAST_US:
        return row
    return Row(row.seq, row.doc_type, 0, row.game_id, row.values)


def _size(row: Row) -> int:
    return ROW_BYTES + sum([len(value) * _BYTES[type(value)] for value in row.values if type(value) in _BYTES])
