"""Damage on disk, met by the real journal: told once as a gap, kept aside, and never in the way."""

import time
from pathlib import Path

import msgspec
import pytest

from actors.core import messages as m
from actors.core.blocks import MARK
from actors.core.bus import Bus
from actors.core.config import Config
from actors.core.segment_writer import Writer
from actors.core.segments import Batch, Reader, segment_paths
from actors.journal.memory import Memory
from tests.journal.taker import Normalizer
from tests.players import Capture
from tests.processes import process

pytestmark = pytest.mark.system

FRAMES = 100


def run(config: Config, *, send: int = 0, taker: bool = False) -> list[m.Record]:
    """Run a journal until it has what a capture sends and a normalizer has it all; return what that took."""
    bus = Bus(config.runtime_path)
    try:
        with process("journal", "actors.journal.actor:run", config) as journal:
            capture, normalizer = Capture(bus), Normalizer(bus)
            deadline = time.monotonic() + 20
            for number in range(1, send + 1):
                capture.frame(number)
                if number % 10 == 0:
                    capture.turn()
                    capture.wait(0.002)
            while capture.unacknowledged:
                assert time.monotonic() < deadline
                capture.turn()
                capture.wait(0.01)
            with Reader(config.data_path / "journal") as reader:
                head = reader.head()
            while taker and normalizer.intake.have < head:
                assert time.monotonic() < deadline
                normalizer.turn(0.005)
            assert journal.stop() == 0
    finally:
        bus.close()
    return normalizer.records


def on_disk(config: Config) -> list[m.Record]:
    with Reader(config.data_path / "journal") as reader:
        return list(reader.read(0))


def gaps(records: list[m.Record]) -> list[dict[str, object]]:
    notes = [record for record in records if isinstance(record, m.Note) and record.event == "gap"]
    found = [msgspec.json.decode(note.data) for note in notes]
    return [gap for gap in found if gap["cause"] == "damaged journal"]


def written(config: Config) -> list[Path]:
    """Write two segments of 20 batches of 5 frames."""
    writer = Writer(config.data_path / "journal", 1 << 30)
    memory = Memory(recording=True)
    for number in range(40):
        first = 1280 * number + 256
        records: list[m.Record] = [
            m.Frame(seq, seq * 1000, "G/T/1", False, 1, b'42["n",%d]' % seq) for seq in range(first, first + 1280, 256)
        ]
        if number % 20 == 0:
            writer.begin_segment(first - 255, msgspec.msgpack.encode(memory))
        batch = Batch(first - 256, records[-1].seq, records)
        writer.append(batch)
        memory.apply(batch)
    writer.sync()
    writer.close()
    return segment_paths(config.data_path / "journal")


@pytest.mark.parametrize("segment", [0, 1], ids=["older segment", "growing segment"])
@pytest.mark.parametrize("within", [6, 60], ids=["length", "payload"])
def test_a_damaged_batch_becomes_one_gap_with_its_bounds(tmp_path: Path, within: int, segment: int) -> None:
    config = Config(data_dir=str(tmp_path / "data"))
    path = written(config)[segment]
    before = on_disk(config)
    content = bytearray(path.read_bytes())
    place = content.index(MARK, len(content) // 2)
    content[place + within] ^= 0xFF
    path.write_bytes(bytes(content))
    left = on_disk(config)
    lost = [record for record in before if record not in left]
    assert len(lost) == 5
    for _ in range(3):
        taken = run(config, taker=True)
        (gap,) = gaps(on_disk(config))
        assert (gap["first_seq"], gap["last_seq"]) == (lost[0].seq - 255, lost[-1].seq)
        assert (gap["from_us"], gap["to_us"]) == (lost[0].at_us - 256_000, lost[-1].at_us + 256_000)
        assert taken[: len(left)] == left
        assert len({record.seq for record in taken + lost}) == len(taken) + len(lost)
    (kept,) = (config.data_path / "journal" / "quarantine").iterdir()
    assert kept.name == f"{path.name}-{place}"
    assert kept.read_bytes() == bytes(content[place : place + kept.stat().st_size])


def test_a_damaged_last_batch_is_a_gap_and_its_numbers_are_not_used_again(tmp_path: Path) -> None:
    config = Config(data_dir=str(tmp_path / "data"))
    run(config, send=FRAMES)
    before = on_disk(config)
    (path,) = segment_paths(config.data_path / "journal")
    content = bytearray(path.read_bytes())
    content[-2] ^= 0xFF
    path.write_bytes(bytes(content))
    taken = run(config, taker=True)
    again = run(config, taker=True)
    assert again[: len(taken)] == taken
    assert len(gaps(again)) <= 1  # none where only marks were in it
    old = {record.seq: record for record in before}
    assert all(old.get(record.seq, record) == record for record in again)
