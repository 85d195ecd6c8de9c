"""The journal's process between a capture and a normalizer, both played with real sockets; killed while it works."""

import random
import time
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
from tests.processes import Process, process

pytestmark = pytest.mark.system

KILLS = 12


def config(tmp_path: Path, segment_bytes: int = 65_536) -> Config:
    return Config(data_dir=str(tmp_path / "data"), journal=Journal(segment_bytes=segment_bytes))


def start(settings: Config) -> Process:
    return Process("journal", "actors.journal.actor:run", settings)


def test_killed_again_and_again_it_loses_and_doubles_nothing(tmp_path: Path) -> None:
    settings, dice = config(tmp_path), random.Random(7)
    bus = Bus(settings.runtime_path)
    capture, normalizer = Capture(bus), Normalizer(bus)
    journal, kills, number = start(settings), 0, 0
    kill_at = time.monotonic() + 0.8
    deadline = time.monotonic() + 180
    try:
        while kills < KILLS or capture.acked < number + 2 or len(normalizer.numbers()) < number:
            assert time.monotonic() < deadline
            if kills < KILLS:
                number += 1
                capture.frame(number)
            capture.turn()
            normalizer.turn()
            normalizer._inbox.socket.poll(2)
            if kills < KILLS and time.monotonic() > kill_at:
                journal.kill()
                journal, kills = start(settings), kills + 1
                kill_at = time.monotonic() + dice.uniform(0.2, 0.6)
    finally:
        journal.kill()
        bus.close()
    assert normalizer.numbers() == list(range(1, number + 1))
    with Reader(settings.data_path / "journal") as reader:
        on_disk = list(reader.read(0))
    assert [r.seq for r in on_disk] == [256 * (i + 1) for i in range(len(on_disk))]
    assert on_disk == normalizer.records


def test_a_stopped_normalizer_is_served_from_disk_when_it_comes_back(tmp_path: Path) -> None:
    settings = config(tmp_path)
    bus = Bus(settings.runtime_path)
    with process("journal", "actors.journal.actor:run", settings):
        capture = Capture(bus)
        for number in range(1, 3001):
            capture.frame(number)
        deadline = time.monotonic() + 180
        while capture.acked < 3002:
            assert time.monotonic() < deadline
            capture.turn()
            capture.wait(0.005)
        late = Normalizer(bus)
        while len(late.numbers()) < 3000:
            assert time.monotonic() < deadline
            late.turn()
            late._inbox.socket.poll(5)
        assert late.numbers() == list(range(1, 3001))
    bus.close()


def test_a_command_is_answered_when_it_is_on_disk_and_only_once_written(tmp_path: Path) -> None:
    settings = config(tmp_path)
    bus = Bus(settings.runtime_path)
    commands, results = bus.outbox(streams.COMMANDS), bus.inbox(streams.RESULTS)
    note = m.Submit(id="switch", event="recording", data=b'{"on": false, "by": "test"}', at_us=1)
    answers: list[m.Committed] = []
    with process("journal", "actors.journal.actor:run", settings) as journal:
        deadline = time.monotonic() + 180
        while len(answers) < 2:
            assert time.monotonic() < deadline
            commands.send(note)
            if results.socket.poll(50) and (answer := results.receive()) is not None:
                answers.append(answer)
        assert journal.stop() == 0
    bus.close()
    assert {answer.seq for answer in answers} == {answers[0].seq}
    with Reader(settings.data_path / "journal") as reader:
        notes = [
            msgspec.json.decode(r.data) for r in reader.read(0) if isinstance(r, m.Note) and r.event == "recording"
        ]
    assert notes == [{"on": True, "by": "autostart"}, {"on": False, "by": "test"}]
