"""The journal dies at each ordered place, one after the other; every frame is there once, no number is used twice."""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from actors.core import messages as m
from actors.core.bus import Bus
from actors.core.config import Config, Journal
from actors.core.faults import EXIT_CODE
from actors.core.segments import SEALED, Reader, first_seq, segment_paths
from actors.journal.numbers import Reserved, read_reserved
from tests.journal.taker import Normalizer
from tests.players import Capture
from tests.writer.nursery import Nursery

pytestmark = pytest.mark.system

JOURNAL = "actors.journal.actor:run"
WRITES = ["journal-write:2", "journal-written:2", "journal-sync:2", "journal-synced:2", "journal-write:9",
          "journal-written:9", "journal-sync:7", "journal-synced:7"]  # fmt: skip
ROLLS = [f"journal-{step}" for step in ("roll", "roll-filled", "roll-fsynced", "roll-renamed", "rolled")]
RESERVES = [f"journal-{step}" for step in ("reserve", "reserve-filled", "reserve-fsynced", "reserve-renamed")]
SEALS = [f"journal-seal-{step}" for step in
         ("write", "written", "fsync", "fsynced", "renamed", "durable", "removed")]  # fmt: skip
RETIRES = ["journal-retire", "journal-retired", "journal-retired:2"]
TORN = ["journal-write-torn", "journal-truncate", "journal-truncated"]  # on a file that may not grow further
MENDS = [f"journal-{step}" for step in
         ("quarantine-filled", "quarantine-fsynced", "quarantine-renamed", "truncate", "truncated")]  # fmt: skip


class Play:
    """A capture and a normalizer around a journal that dies on order."""

    def __init__(self, home: Path, nursery: Nursery) -> None:
        journal = Journal(segment_bytes=65_536, retention_days=1, commit_ms=10)
        self.config = Config(data_dir=str(home / "data"), runtime_dir=str(home / "run"), journal=journal)
        self.directory = self.config.data_path / "journal"
        self._nursery = nursery
        self._bus = Bus(self.config.runtime_path)
        self._capture, self.normalizer = Capture(self._bus), Normalizer(self._bus)
        self._noise = random.Random(5)
        self.sent = self.deaths = 0
        self.pids: list[int] = []

    def close(self) -> None:
        for pid in self.pids:
            if self._nursery.exit_code(pid) is None:
                self._nursery.end(pid)
        self._bus.close()

    def die(self, fault: str, file_bytes: int = -1) -> None:
        """Run a journal until it has died at the ordered place."""
        pid = self.start(fault, file_bytes)
        deadline = time.monotonic() + 20
        while (code := self._nursery.exit_code(pid)) is None:
            assert time.monotonic() < deadline, f"{fault} was never passed"
            self.turn()
        assert code == EXIT_CODE, fault
        self.deaths += 1

    def start(self, fault: str = "", file_bytes: int = -1) -> int:
        pid = self._nursery.start("journal", JOURNAL, self.config, fault=fault, file_bytes=file_bytes)
        self.pids.append(pid)
        return pid

    def turn(self, *, send: bool = True) -> None:
        if send and self._capture.unacknowledged < 100:
            for _ in range(4):
                self.sent += 1
                noise = self._noise.randbytes(1000).hex().encode()
                self._capture.text(b'42["n",%d,"%s"]' % (self.sent, noise))
        self._capture.turn()
        self.normalizer.turn(0.002)

    def settle(self) -> None:
        """Run a journal that does not die until everything has come."""
        self.start()
        deadline = time.monotonic() + 20
        while self._capture.unacknowledged or len(self.normalizer.numbers()) < self.sent:
            assert time.monotonic() < deadline
            self.turn(send=False)

    def assert_exact(self) -> None:
        assert self.normalizer.numbers() == list(range(1, self.sent + 1))
        seqs = [record.seq for record in self.normalizer.records]
        assert seqs == sorted(set(seqs))
        assert all(seq % m.SEQ_STEP == 0 for seq in seqs)
        with Reader(self.directory) as reader:
            on_disk = list(reader.read(0))
            assert on_disk == self.normalizer.records[-len(on_disk) :]
            assert reader.damage == []


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


@pytest.fixture
def play(tmp_path: Path, nursery: Nursery) -> Iterator[Play]:
    playing = Play(tmp_path, nursery)
    yield playing
    playing.close()


def test_a_death_before_and_after_each_write_and_sync(play: Play) -> None:
    for fault in WRITES * 2:
        play.die(fault)
    play.settle()
    play.assert_exact()


def test_a_death_at_each_step_of_a_new_segment(play: Play) -> None:
    for fault in ROLLS * 2:
        play.die(fault)
        play.die(f"{fault}:2")
    play.settle()
    play.assert_exact()


def test_a_death_at_each_step_of_a_reservation_also_after_another_boot(play: Play) -> None:
    for fault in RESERVES * 2:
        play.die(fault)
        play.die("journal-synced:5")
        reserved = read_reserved(play.directory / "reserved")
        assert reserved is not None
        assert reserved.upto >= play.normalizer.intake.have
        (play.directory / "reserved").write_bytes(msgspec.json.encode(Reserved("another boot", reserved.upto)))
    play.settle()
    play.assert_exact()


def test_a_death_at_each_step_of_sealing(play: Play) -> None:
    for fault in SEALS * 2:
        play.die(fault)
    play.settle()
    play.assert_exact()
    assert any(path.suffix == SEALED for path in segment_paths(play.directory))


def test_a_death_at_each_step_of_retention(play: Play) -> None:
    play.die("journal-seal-removed:3")
    for fault in RETIRES:
        for path in segment_paths(play.directory)[:-1]:
            os.utime(path, (0, 0))
        before = len(segment_paths(play.directory))
        assert before > 2
        oldest = first_seq(segment_paths(play.directory)[0])
        play.die(fault)
        assert first_seq(segment_paths(play.directory)[0]) >= oldest
        play.die("journal-roll:4")
    play.settle()
    play.assert_exact()
    assert first_seq(segment_paths(play.directory)[0]) > 1


def test_a_torn_write_and_a_death_at_each_step_of_its_mending(play: Play) -> None:
    for fault in TORN + MENDS:
        play.die("journal-rolled")  # a fresh segment: the file may grow a little
        play.die("journal-write-torn", file_bytes=40_000)
        if fault in MENDS:
            play.die(fault)
        elif fault != "journal-write-torn":
            play.die("journal-rolled")
            play.die(fault, file_bytes=40_000)
    play.settle()
    play.assert_exact()
    assert len(list((play.directory / "quarantine").iterdir())) >= len(MENDS)
