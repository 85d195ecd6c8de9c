"""What the journal sends to its receiver: ranges without a hole, in messages of a sensible size."""

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from actors.core import streams
from actors.core.bus import Bus, Inbox
from actors.core.messages import SEQ_STEP, Frame, Position, Records
from actors.core.segment_writer import Writer
from actors.core.segments import Batch, Reader
from actors.journal.server import MESSAGE_BYTES, RecordServer

FRAMES = 300
CAP_S = 10.0


def batch(first: int, count: int, size: int = 100) -> Batch:
    """Return the records `first` to `first + count - 1`."""
    numbers = range(first, first + count)
    records = [Frame(n * SEQ_STEP, n, "G/T/1", False, 1, b"x" * size) for n in numbers]
    return Batch((first - 1) * SEQ_STEP, numbers[-1] * SEQ_STEP, list(records))


def marks(at: int) -> Batch:
    """Return a batch without a record behind the record `at`."""
    return Batch(at * SEQ_STEP, at * SEQ_STEP, [])


class House:
    """A journal on disk, its server, and the other end of its stream."""

    def __init__(self, home: Path, batches: list[Batch]) -> None:
        writer = Writer(home / "journal", 1_000_000_000)
        writer.begin_segment(1, b"memory")
        for one in batches:
            writer.append(one)
        writer.close()
        self.head = max(one.upto for one in batches)
        self.bus = Bus(home / "run")
        self.reader = Reader(home / "journal")
        self.server = RecordServer(self.bus.outbox(streams.RECORDS), self.reader, "normalizer")
        self.inbox: Inbox[Records] = self.bus.inbox(streams.RECORDS)

    def serve(self, nack: int = 0, have: int = 0) -> list[Records]:
        """Serve a receiver that has everything up to `have`; return what it gets."""
        self.server.hear(Position(receiver="normalizer", epoch=1, nack=nack, have=have, acked=0))
        got: list[Records] = []
        until_s = time.monotonic() + CAP_S
        while not got or got[-1].upto < self.head:
            self.server.pump(self.head, 10)
            assert self.inbox.socket.poll(10) or time.monotonic() < until_s, "nothing more comes"
            while (message := self.inbox.receive()) is not None:
                if message.nack == nack and message.after < message.upto:
                    got.append(message)
        return got


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[list[House]]:
    """Collect houses, to close them all."""
    houses: list[House] = []
    yield houses
    for house in houses:
        house.bus.close()
        house.reader.close()


def numbers(got: list[Records]) -> list[int]:
    """Return the numbers of all records, after checking that each range continues the one before."""
    for before, following in pairwise(got):
        assert following.after == before.upto
    assert all(message.after < record.seq <= message.upto for message in got for record in message.records)
    return [record.seq for message in got for record in message.records]


def every(first: int = 1) -> list[int]:
    return [n * SEQ_STEP for n in range(first, FRAMES + 1)]


def test_frames_that_were_written_one_by_one_are_sent_together(tmp_path: Path, opened: list[House]) -> None:
    single = [one for n in range(1, FRAMES + 1) for one in (batch(n, 1), marks(n))]
    opened.append(house := House(tmp_path, single))
    got = house.serve()
    assert numbers(got) == every()
    assert len(got) <= 4


def test_a_message_holds_no_more_than_its_bytes_however_large_the_batch(tmp_path: Path, opened: list[House]) -> None:
    opened.append(house := House(tmp_path, [batch(1, 7, 20_000), batch(8, FRAMES - 7, 20_000)]))
    got = house.serve()
    assert numbers(got) == every()
    assert max(sum(len(r.payload) for r in message.records if isinstance(r, Frame)) for message in got) < MESSAGE_BYTES


def test_a_frame_larger_than_a_message_travels_alone(tmp_path: Path, opened: list[House]) -> None:
    large = [batch(n, 1, 3 * MESSAGE_BYTES if n % 50 == 0 else 10) for n in range(1, FRAMES + 1)]
    opened.append(house := House(tmp_path, large))
    got = house.serve()
    assert numbers(got) == every()
    assert [len(message.records) for message in got if len(message.records) == 1] == [1] * (FRAMES // 50)


def test_a_receiver_that_goes_back_is_served_from_there(tmp_path: Path, opened: list[House]) -> None:
    opened.append(house := House(tmp_path, [batch(1, 100, 3000), batch(101, 100, 3000), batch(201, 100, 3000)]))
    house.serve()
    got = house.serve(nack=1, have=150 * SEQ_STEP)
    assert got[0].after == 150 * SEQ_STEP
    assert numbers(got) == every(151)


def test_what_is_still_in_memory_follows_what_is_on_disk(tmp_path: Path, opened: list[House]) -> None:
    opened.append(house := House(tmp_path, [batch(n, 10) for n in range(1, FRAMES + 1, 10)]))
    for n in range(201, FRAMES + 1, 10):
        house.server.wrote(batch(n, 10))
    assert numbers(house.serve()) == every()
