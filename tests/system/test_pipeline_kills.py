"""From the captured frame to Parquet, with every process between killed at random while it works.

The capture is played over its real socket; journal, normalizer, writer and state are the real processes.
"""

import random
import re
import time
from pathlib import Path

import duckdb
import pytest

from actors.core.bus import Bus
from actors.core.config import Config, Journal, Recording
from tests.players import Capture
from tests.processes import Process, wait_for

pytestmark = pytest.mark.system

STARTS = {
    "journal": "actors.journal.actor:run",
    "normalizer": "actors.normalizer:run",
    "writer": "actors.writer.actor:run",
    "state": "actors.state.actor:run",
}
_NUMBER = re.compile(r'^42\["n",(\d+)\]$')


def stored(settings: Config) -> list[int]:
    pattern = f"{settings.data_path}/events_parquet/doc_type=ws_event/*/*.parquet"
    if not list(settings.data_path.glob("events_parquet/doc_type=ws_event/*/*.parquet")):
        return []
    rows = duckdb.execute(f"SELECT raw FROM read_parquet('{pattern}') ORDER BY seq").fetchall()
    return [int(match.group(1)) for (raw,) in rows if (match := _NUMBER.match(raw))]


def test_forty_kills_at_random_lose_and_double_nothing(tmp_path: Path) -> None:
    settings = Config(
        data_dir=str(tmp_path / "data"), journal=Journal(segment_bytes=65_536), recording=Recording(flush_s=0.3)
    )
    dice = random.Random(20)
    bus = Bus(settings.runtime_path)
    capture, number, kills = Capture(bus), 0, 0
    running = {name: Process(name, start, settings) for name, start in STARTS.items()}
    deadline, kill_at = time.monotonic() + 240, time.monotonic() + 1.0
    try:
        while kills < 40 or capture.acked < number + 2:
            assert time.monotonic() < deadline
            if kills < 40:
                number += 1
                capture.frame(number)
            capture.turn()
            capture.wait(0.003)
            if kills < 40 and time.monotonic() > kill_at:
                name = dice.choice(list(STARTS))
                running[name].kill()
                running[name] = Process(name, STARTS[name], settings)
                kills, kill_at = kills + 1, time.monotonic() + dice.uniform(0.05, 0.5)

        def all_there() -> bool:
            capture.turn()
            return len(stored(settings)) >= number

        wait_for(all_there, 20, every_s=0.2)
        assert running["writer"].stop() == 0
    finally:
        for process in running.values():
            process.kill()
        bus.close()
    assert stored(settings) == list(range(1, number + 1))
