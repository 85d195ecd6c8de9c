"""The journal on a disk that is full: it says so, loses nothing that was acknowledged, and goes on by itself."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from actors.core import messages as m
from actors.core import streams
from actors.core.bus import Bus
from actors.core.config import Config, Journal
from actors.core.segments import Reader
from tests.journal.taker import Normalizer
from tests.players import Capture
from tests.processes import Process

pytestmark = pytest.mark.system


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Config]:
    """The data directory is a file system of 1 MB."""
    data = tmp_path / "data"
    data.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(data)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount a tmpfs")
    yield Config(
        data_dir=str(data), runtime_dir=str(tmp_path / "run"), journal=Journal(segment_bytes=200_000, commit_ms=10)
    )
    subprocess.run(["umount", "-l", str(data)], check=True)


class House:
    """A capture, a normalizer and the supervisor's ear around a journal."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.bus = Bus(config.runtime_path)
        self.reports = self.bus.inbox(streams.REPORTS)
        self.capture, self.normalizer = Capture(self.bus), Normalizer(self.bus)
        self.error: object = None
        self.sent = 0
        self.journal = Process("journal", "actors.journal.actor:run", config)

    def restart(self) -> None:
        self.journal.kill()
        self.journal = Process("journal", "actors.journal.actor:run", self.config)

    def turn(self, send: int = 0) -> None:
        for _ in range(send):
            self.sent += 1
            self.capture.text(b'42["n",%d,"%s"]' % (self.sent, os.urandom(1000).hex().encode()))
        self.capture.turn()
        self.normalizer.turn(0.003)
        while (report := self.reports.receive()) is not None:
            if isinstance(report, m.Progress):
                self.error = report.stats.get("error")

    def until(self, what: str, send: int = 0) -> None:
        deadline = time.monotonic() + 20
        while not self.holds(what):
            assert time.monotonic() < deadline, what
            self.turn(send if self.capture.unacknowledged < 200 else 0)

    def holds(self, what: str) -> bool:
        if what == "full":
            return self.error == "disk full"
        done = not self.capture.unacknowledged and len(self.normalizer.numbers()) >= self.sent
        return done and self.error is None

    def close(self) -> None:
        self.journal.kill()
        self.bus.close()


@pytest.mark.parametrize("killed", [False, True])
def test_a_full_disk_is_said_and_survived(config: Config, killed: bool) -> None:
    house = House(config)
    try:
        house.until("full", send=3)
        assert house.capture.unacknowledged > 0
        if killed:
            house.error = None
            house.restart()
            house.until("full")
        for _ in range(50):
            house.turn()
        subprocess.run(["mount", "-o", "remount,size=64m", str(config.data_path)], check=True)
        house.until("all", send=0)
        for _ in range(30):
            house.turn(2)
        house.until("all")
        assert house.normalizer.numbers() == list(range(1, house.sent + 1))
        with Reader(config.data_path / "journal") as reader:
            assert list(reader.read(0)) == house.normalizer.records
            assert reader.damage == []
    finally:
        house.close()


def test_what_a_capture_lost_meanwhile_is_a_gap_that_names_the_disk(config: Config) -> None:
    house = House(config)
    try:
        house.until("full", send=3)
        for _ in range(20):
            house.turn()
        now_us = time.time_ns() // 1000
        house.capture._add(m.Lost(0, now_us, time.monotonic(), 7, now_us - 1000))
        subprocess.run(["mount", "-o", "remount,size=64m", str(config.data_path)], check=True)
        house.until("all")
        notes = [one for one in house.normalizer.records if isinstance(one, m.Note) and one.event == "gap"]
        (gap,) = [msgspec.json.decode(note.data) for note in notes]
        assert (gap["cause"], gap["items"], gap["to_us"] - gap["from_us"]) == ("disk full", 7, 1000)
    finally:
        house.close()
