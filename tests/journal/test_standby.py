"""Two captures at one journal, and all three killed at random: each frame that anybody saw is stored once.

The captures are played over real sockets; the journal is the real process.
"""

import random
import time
from pathlib import Path

import msgspec
import pytest

from actors.core import messages as m
from actors.core.bus import Bus
from actors.core.config import Capture as CaptureSettings
from actors.core.config import Config, Journal
from actors.core.segments import Reader
from tests.players import Capture
from tests.processes import Process, wait_for

pytestmark = pytest.mark.system

NAMES = ("capture-a", "capture-b")


def on_disk(settings: Config) -> list[m.Record]:
    with Reader(settings.data_path / "journal") as reader:
        return list(reader.read(0))


def payloads(records: list[m.Record]) -> list[bytes]:
    return [record.payload for record in records if isinstance(record, m.Frame)]


def notes(records: list[m.Record], event: str) -> list[dict[str, object]]:
    found = [record for record in records if isinstance(record, m.Note) and record.event == event]
    return [msgspec.json.decode(note.data) for note in found]


@pytest.mark.parametrize("alphabet", [1_000_000, 3], ids=["game-like payloads", "three payloads"])
def test_captures_and_journal_killed_in_turn_store_each_frame_once(tmp_path: Path, alphabet: int) -> None:
    settings = Config(
        data_dir=str(tmp_path / "data"),
        journal=Journal(segment_bytes=65_536),
        capture=CaptureSettings(standby=True),
    )
    dice, sent = random.Random(alphabet), list[bytes]()
    bus = Bus(settings.runtime_path)
    captures = {name: Capture(bus, name, jitter_s=0.0004 * i) for i, name in enumerate(NAMES)}
    journal = Process("journal", "actors.journal.actor:run", settings)
    deadline, kill_at, kills = time.monotonic() + 240, time.monotonic() + 0.5, 0
    try:
        while kills < 24 or any(capture.unacknowledged for capture in captures.values()):
            assert time.monotonic() < deadline
            if kills < 24:
                sent.append(b'42["n",%d]' % (len(sent) % alphabet))
                at_s = time.monotonic()
                for capture in captures.values():
                    capture.text(sent[-1], at_s)
            for capture in dice.sample(list(captures.values()), 2):
                if dice.random() < 0.9:
                    capture.turn()
            captures["capture-a"].wait(0.004)
            settled = all(capture.acked > 0 and capture.unacknowledged < 30 for capture in captures.values())
            if kills < 24 and time.monotonic() > kill_at and settled:  # one at a time: the last one is back
                victim = dice.choice(["journal", *NAMES])
                kills, kill_at = kills + 1, time.monotonic() + dice.uniform(0.1, 0.4)
                if victim == "journal":
                    journal.kill()
                    journal = Process("journal", "actors.journal.actor:run", settings)
                else:
                    captures[victim].close()
                    captures[victim] = Capture(bus, victim, saw_opening=False, jitter_s=captures[victim].jitter_s)
        wait_for(lambda: len(payloads(on_disk(settings))) >= len(sent), 60)
    finally:
        journal.kill()
        bus.close()
    records = on_disk(settings)
    assert payloads(records) == sent or notes(records, "merge")
    if alphabet > 1000:
        assert payloads(records) == sent
        assert notes(records, "gap") == []
