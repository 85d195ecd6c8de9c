"""A real sender for receivers under test: speaks the normalizer's end of the flow over real sockets.

Holds batches with ranges, answers positions (rewinds included), and keeps sending until told otherwise. What is sent is
a function of the number alone, so the truth to compare with needs no bookkeeping.
"""

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any, Generic, Self, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from actors.core import streams
from actors.core.bus import Bus
from actors.core.flow import Outlet, frame_of
from actors.core.messages import SEQ_STEP, Event, Events, Progress, Row, Rows
from actors.rugs.schema import DOC_TYPES
from actors.writer.columns import columns_of
from actors.writer.layout import date_of, events_dir, files_of

MIDNIGHT_US = 1_765_843_200_000_000  # 2025-12-16 00:00 UTC
GAME = "20251215-0123456789abcdef"

B = TypeVar("B", Rows, Events)


def rows_of(number: int, midnight: int = 30, payload: bytes = b"") -> list[Row]:
    """Return the rows of the record `number`; the record `midnight` is the first of the next day."""
    seq, at_us = number * SEQ_STEP, MIDNIGHT_US + (number - midnight) * 1_000_000
    text = b'42["gameStateUpdate",{"n":%d}]' % number + payload
    rows = [Row(seq, "ws_event", at_us, GAME, ["guid/target/1", "received", 1, "gameStateUpdate", text])]
    price = 1 + number / 7
    if number % 2 == 0:
        values = [number, price, "ACTIVE", True, False, 0, number * 3, 200, "live"]
        rows.append(Row(seq + 1, "game_tick", at_us, GAME, values))
    if number % 5 == 0:
        rows.append(Row(seq + 2, "server_state", at_us, GAME, [price, 0.0, 1.5, 1.0, 2.0, -0.5, b'{"cash":1}']))
    if number % 9 == 0:
        rows.append(Row(seq + 3, "system_event", at_us, None, ["recording", '{"on":true}']))
    if number % 25 == 0:
        end = [at_us, "v3", 2, 1.5, 1, 0.02, [1.0, 1.5, 0.02], "s" * 64, "h" * 64, True, "all equal", 2, 0, "[]"]
        rows.append(Row(seq + 4, "game", at_us, GAME, end))
    return rows


class Source(Generic[B]):
    """Sends batches to one receiver, as far as it is asked to."""

    def __init__(self, runtime_dir: Path, receiver: str, batches: list[B]) -> None:
        self._bus = Bus(runtime_dir)
        stream = streams.ROWS if receiver == "writer" else streams.EVENTS
        self._outbox = self._bus.outbox(stream)
        self._positions = self._bus.inbox(streams.EVENT_POSITIONS)
        self._reports = self._bus.inbox(streams.REPORTS)
        self.outlet = Outlet(receiver)
        self.batches: list[B] = batches
        self.synced: int = batches[-1].upto
        self.have = -1
        self._known_epoch = 0
        self.skip: set[int] = set()  # ends of ranges that are lost once on the way
        self.rewinds = 0
        self.stats: dict[str, object] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._bus.close()

    @property
    def acked(self) -> int:
        """What the receiver made durable, as its current incarnation says; -1 before it spoke."""
        return self.outlet.acked if self.outlet.epoch > self._known_epoch else -1

    @property
    def last(self) -> int:
        """The end of all."""
        end: int = self.batches[-1].upto
        return end

    def expect(self) -> None:
        """Listen only to an incarnation that is not known yet."""
        self._known_epoch, self.have = self.outlet.epoch, -1

    def extend(self, batches: list[B]) -> None:
        """Go on with more."""
        self.batches = batches
        self.synced = self.last

    def pump(self, done: Callable[[], bool], cap_s: float = 60.0) -> None:
        """Send and listen until `done`."""
        until_s = monotonic() + cap_s
        while not done():
            assert monotonic() < until_s, f"not done within {cap_s} s: acked {self.acked}, stats {self.stats}"
            self._positions.socket.poll(2)
            self._hear()
            self._send()

    def tell_synced(self) -> None:
        """Send the news of `synced` alone."""
        self._send_one(self.batches[-1], after=self.outlet.at, upto=self.outlet.at)

    def _hear(self) -> None:
        while (position := self._positions.receive()) is not None:
            if position.receiver == self.outlet.receiver:
                self.rewinds += self.outlet.hear(position)
                self.have = position.have if position.epoch > self._known_epoch else -1
        while (report := self._reports.receive()) is not None:
            if isinstance(report, Progress):
                self.stats = report.stats

    def _send(self) -> None:
        if not self.outlet.known:
            return
        for batch in self.batches:
            if batch.upto <= self.outlet.at:
                continue
            if batch.upto in self.skip:
                self.skip.discard(batch.upto)
            elif not self._send_one(batch, after=self.outlet.at, upto=batch.upto):
                return
            self.outlet.at = batch.upto
        if self.have >= self.last:
            self.tell_synced()

    def _send_one(self, batch: B, after: int, upto: int) -> bool:
        mark = {"epoch": self.outlet.epoch, "nack": self.outlet.nack, "after": after, "upto": upto}
        if isinstance(batch, Rows):
            rows = [row for row in batch.rows if after < upto and frame_of(row.seq) > after]
            return self._outbox.send(Rows(**mark, synced=self.synced, rows=rows))
        events = [event for event in batch.events if after < upto and frame_of(event.seq) > after]
        return self._outbox.send(Events(**mark, synced=self.synced, events=events))


def row_batches(numbers: range, size: int = 7, payload: bytes = b"", midnight: int = 30) -> list[Rows]:
    """Return the records `numbers` as batches of rows."""
    batches = []
    after = (numbers.start - 1) * SEQ_STEP
    for first in range(numbers.start, numbers.stop, size):
        part = range(first, min(first + size, numbers.stop))
        rows = [row for number in part for row in rows_of(number, midnight, payload)]
        upto = (part.stop - 1) * SEQ_STEP
        batches.append(Rows(epoch=0, nack=0, after=after, upto=upto, synced=0, rows=rows))
        after = upto
    return batches


def event_batches(events: list[Event]) -> list[Events]:
    """Return each event as a batch of its own."""
    after, batches = 0, []
    for event in events:
        batches.append(Events(epoch=0, nack=0, after=after, upto=event.seq, synced=0, events=[event]))
        after = event.seq
    return batches


def stored(data_dir: Path, doc_type: str) -> list[tuple[object, ...]]:
    """Return all rows on disk of a doc_type, in file order, after checking what every file must keep to."""
    rows: list[tuple[object, ...]] = []
    reached = -1
    for file in files_of(events_dir(data_dir), doc_type):
        table = pq.read_table(file.path, partitioning=None)
        seqs: list[Any] = table["seq"].to_pylist()
        times: list[Any] = table["ts"].cast(pa.int64()).to_pylist()
        assert (file.first, file.last) == (min(seqs), max(seqs)), file.path
        assert file.first > reached, f"{file.path} overlaps the file before it"
        assert {f"date={date_of(at_us)}" for at_us in times} == {file.path.parent.name}
        reached = file.last
        columns = [times if name == "ts" else table[name].to_pylist() for name in table.column_names]
        rows += list(zip(*columns, strict=True))
    return rows


def expected(batches: list[Rows], doc_type: str, upto: int = 1 << 62) -> list[tuple[object, ...]]:
    """Return what must be on disk of a doc_type."""
    rows = [row for batch in batches if batch.upto <= upto for row in batch.rows if row.doc_type == doc_type]
    return [(row.seq, row.at_us, row.game_id, *map(_as_read, _typed(row))) for row in rows]


def assert_exact(data_dir: Path, batches: list[Rows], upto: int = 1 << 62) -> None:
    """Compare all that is on disk with the truth, by number, order and content."""
    for doc_type in DOC_TYPES:
        assert stored(data_dir, doc_type) == expected(batches, doc_type, upto), doc_type


def _typed(row: Row) -> list[object]:
    kinds = [column.type for column in columns_of(row.doc_type)[3:]]
    return [_time(value) if kind.startswith("time") else value for value, kind in zip(row.values, kinds, strict=True)]


def _time(at_us: int) -> object:
    from datetime import UTC, datetime, timedelta

    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)


def _as_read(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value
