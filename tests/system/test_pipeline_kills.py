"""From the captured frame to Parquet, with every process between killed at random while it works.

The capture is played over its real socket; journal, normalizer, writer and state are the real processes.
"""

import random
import re
import time
from contextlib import closing
from pathlib import Path

import duckdb
import msgspec
import pytest

from actors.core import streams
from actors.core.bus import Bus
from actors.core.config import Config, Journal, Recording
from actors.core.messages import Frame, Note, Submit
from actors.core.segments import Reader
from tests.players import Capture
from tests.processes import PIPELINE, Running, wait_for

pytestmark = pytest.mark.system

SWITCHES = 30
_NUMBER = re.compile(r'^42\["n",(\d+)\]$')


def stored(settings: Config) -> list[int]:
    pattern = f"{settings.data_path}/events_parquet/doc_type=ws_event/*/*.parquet"
    if not list(settings.data_path.glob("events_parquet/doc_type=ws_event/*/*.parquet")):
        return []
    rows = duckdb.execute(f"SELECT raw FROM read_parquet('{pattern}') ORDER BY seq").fetchall()
    return [int(match.group(1)) for (raw,) in rows if (match := _NUMBER.match(raw))]


def settings_at(place: Path) -> Config:
    return Config(data_dir=str(place / "data"), journal=Journal(segment_bytes=65_536), recording=Recording(flush_s=0.3))


def settle(settings: Config, capture: Capture, running: Running, count: int) -> None:
    """Wait until so many frames are stored, and stop the writer."""

    def all_there() -> bool:
        capture.turn()
        return len(stored(settings)) >= count

    wait_for(all_there, 20, every_s=0.2)
    assert running["writer"].stop() == 0


def test_forty_kills_at_random_lose_and_double_nothing(tmp_path: Path) -> None:
    settings, dice = settings_at(tmp_path), random.Random(20)
    with closing(Bus(settings.runtime_path)) as bus, Running(settings, *PIPELINE) as running:
        capture, number, kills = Capture(bus), 0, 0
        deadline, kill_at = time.monotonic() + 240, time.monotonic() + 1.0
        while kills < 40 or capture.acked < number + 2:
            assert time.monotonic() < deadline
            if kills < 40:
                number += 1
                capture.frame(number)
            capture.turn()
            capture.wait(0.003)
            if kills < 40 and time.monotonic() > kill_at:
                running.replace(dice.choice(PIPELINE))
                kills, kill_at = kills + 1, time.monotonic() + dice.uniform(0.05, 0.5)
        settle(settings, capture, running, number)
    assert stored(settings) == list(range(1, number + 1))


class Switch:
    """Submits recordings on and off, each again and again until it is committed."""

    def __init__(self, bus: Bus) -> None:
        self.done = 0
        self._commands, self._results = bus.outbox(streams.COMMANDS), bus.inbox(streams.RESULTS)
        self._asked: Submit | None = None
        self._again_s = 0.0

    def turn(self) -> None:
        """Ask for the other state, or for the last one again."""
        while (answer := self._results.receive()) is not None:
            if self._asked is not None and answer.id == self._asked.id:
                assert answer.error is None
                self.done, self._asked = self.done + 1, None
        if self._asked is None and self.done < SWITCHES:
            data = msgspec.json.encode({"on": self.done % 2 == 1, "by": "test"})
            self._asked = Submit(id=f"s{self.done}", event="recording", data=data, at_us=time.time_ns() // 1000)
            self._again_s = 0.0
        if self._asked is not None and time.monotonic() > self._again_s:
            self._commands.send(self._asked)
            self._again_s = time.monotonic() + 0.2


def between_the_switches(settings: Config) -> list[int]:
    """Return the numbers of the frames that the journal has while recording was on, by its own records."""
    wanted, on, switches = [], False, 0
    with Reader(settings.data_path / "journal") as reader:
        for record in reader.read(0):
            if isinstance(record, Note) and record.event == "recording":
                on, switches = msgspec.json.decode(record.data)["on"], switches + 1
            elif isinstance(record, Frame) and on:
                wanted.append(int(record.payload[7:-1]))
    assert switches == SWITCHES + 1, "the first is the journal's own"
    return wanted


def test_a_recording_switched_on_and_off_during_kills_holds_exactly_what_lies_between(tmp_path: Path) -> None:
    settings, dice = settings_at(tmp_path), random.Random(4)
    with closing(Bus(settings.runtime_path)) as bus, Running(settings, *PIPELINE) as running:
        capture, switch, number = Capture(bus), Switch(bus), 0
        deadline, kill_at = time.monotonic() + 120, time.monotonic() + 1.0
        while switch.done < SWITCHES or capture.acked < number + 2:
            assert time.monotonic() < deadline
            if switch.done < SWITCHES:
                number += 1
                capture.frame(number)
                switch.turn()
            capture.turn()
            capture.wait(0.003)
            if time.monotonic() > kill_at and switch.done < SWITCHES:
                running.replace(dice.choice(["journal", "normalizer", "writer"]))
                kill_at = time.monotonic() + dice.uniform(0.1, 0.6)
        wanted = between_the_switches(settings)
        settle(settings, capture, running, len(wanted))
    assert stored(settings) == wanted
    assert 0 < len(wanted) < number
