"""Retention by the real journal: old segments go, but never what the normalizer has not made durable."""

import os
import time
from pathlib import Path

import pytest

from actors.core.bus import Bus
from actors.core.config import Config, Journal
from actors.core.segments import first_seq, segment_paths
from tests.journal.taker import Normalizer
from tests.players import Capture
from tests.processes import process

pytestmark = pytest.mark.system


def test_what_a_consumer_has_not_made_durable_stays_whatever_its_age(tmp_path: Path) -> None:
    journal = Journal(segment_bytes=65_536, retention_days=1, commit_ms=10)
    config = Config(data_dir=str(tmp_path / "data"), journal=journal)
    directory = config.data_path / "journal"
    bus = Bus(config.runtime_path)
    capture, normalizer = Capture(bus), Normalizer(bus, makes_durable=False)
    sent = 0

    def roll(times: int) -> None:
        """Write until there were so many new segments, each as old as can be."""
        nonlocal sent
        before, deadline = first_seq(segment_paths(directory)[-1]), time.monotonic() + 20
        for _ in range(times):
            while first_seq(segment_paths(directory)[-1]) <= before or capture.unacknowledged:
                assert time.monotonic() < deadline
                if capture.unacknowledged < 50 and first_seq(segment_paths(directory)[-1]) <= before:
                    sent += 1
                    capture.text(b'42["n",%d,"%s"]' % (sent, os.urandom(1000).hex().encode()))
                capture.turn()
                normalizer.turn(0.001)
            before = first_seq(segment_paths(directory)[-1])
            for path in segment_paths(directory)[:-1]:
                os.utime(path, (0, 0))

    try:
        with process("journal", "actors.journal.actor:run", config):
            deadline = time.monotonic() + 20
            while not segment_paths(directory) or capture.unacknowledged:
                assert time.monotonic() < deadline
                capture.turn()
                normalizer.turn(0.005)
            roll(5)
            assert first_seq(segment_paths(directory)[0]) == 1
            assert normalizer.intake.have > first_seq(segment_paths(directory)[3])
            third = first_seq(segment_paths(directory)[2])
            normalizer.intake.acked = third - 1 - 256  # one record of the second segment is still needed
            for _ in range(10):
                normalizer.turn(0.01)
            roll(2)
            second = first_seq(segment_paths(directory)[0])
            assert 1 < second < third, "the first went, the second stays for the sake of one record"
            normalizer.intake.acked = third
            for _ in range(10):
                normalizer.turn(0.01)
            roll(2)
            assert first_seq(segment_paths(directory)[0]) == third
    finally:
        bus.close()
    assert normalizer.numbers() == list(range(1, sent + 1))
