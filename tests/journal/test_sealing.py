"""Full segments are rewritten smaller; readers notice nothing, and damage is told before it is left out."""

from pathlib import Path

import msgspec
import pytest

from actors.core.messages import Frame
from actors.core.segment_writer import Writer
from actors.core.segments import Batch, Damage, Reader, segment_paths
from actors.journal import sealing
from actors.journal.memory import Memory
from actors.journal.sealing import Sealer

MEMORY = msgspec.msgpack.encode(Memory())


def batch(number: int) -> Batch:
    seq = 256 * number
    payload = b'42["gameStateUpdate",{"price":%d,"tick":%d,"leaderboard":[]}]' % (number, number) * 20
    return Batch(seq - 256, seq, [Frame(seq, number, "G/T/1", False, 1, payload)])


def journal(directory: Path, count: int = 300, a_segment: int = 100) -> list[int]:
    writer = Writer(directory, 1 << 30)
    for number in range(1, count + 1):
        if number % a_segment == 1:
            writer.begin_segment(256 * (number - 1) + 1, MEMORY)
        writer.append(batch(number))
    writer.sync()
    writer.close()
    return [256 * number for number in range(1, count + 1)]


def sealer(directory: Path, told: list[Damage] | None = None) -> Sealer:
    told = [] if told is None else told

    def tell(damage: Damage) -> int:
        told.append(damage)
        return 256 * len(told)

    return Sealer(directory, tell, lambda: 1 << 60)


def seal_all(one: Sealer) -> int:
    steps = 0
    while one.step():
        steps += 1
    return steps


def numbers(directory: Path, after: int = 0) -> list[int]:
    with Reader(directory) as reader:
        return [record.seq for record in reader.read(after)]


def test_all_but_the_growing_segment_are_sealed_smaller_and_read_alike(tmp_path: Path) -> None:
    wanted = journal(tmp_path)
    before = [path.stat() for path in segment_paths(tmp_path)]
    seal_all(sealer(tmp_path))
    paths = segment_paths(tmp_path)
    assert [path.suffix for path in paths] == [".sealed", ".sealed", ".seg"]
    assert len(list(tmp_path.iterdir())) == 3
    for path, old in zip(paths[:2], before, strict=False):
        assert path.stat().st_size < old.st_size / 2
        assert path.stat().st_mtime_ns == old.st_mtime_ns
        assert path.stat().st_mode & 0o077 == 0
    assert numbers(tmp_path) == wanted
    for after in (0, 1, 256 * 57, 256 * 100, 256 * 131, 256 * 299):
        assert numbers(tmp_path, after) == [seq for seq in wanted if seq > after]


def test_a_reader_that_is_within_a_segment_reads_on_while_it_is_sealed(tmp_path: Path) -> None:
    wanted = journal(tmp_path)
    for stop in (0, 50, 99, 100, 101, 250):
        directory = tmp_path / str(stop)
        journal(directory)
        with Reader(directory) as reader:
            records = reader.read(0)
            found = [next(records).seq for _ in range(stop)]
            seal_all(sealer(directory))
            found += [record.seq for record in records]
        assert found == wanted


def test_a_reader_that_leaves_off_within_a_sealed_block_goes_on_there(tmp_path: Path) -> None:
    wanted = journal(tmp_path)
    seal_all(sealer(tmp_path))
    with Reader(tmp_path) as reader:
        found: list[int] = []
        while len(found) < len(wanted):
            for one in reader.batches(found[-1] if found else 0):
                found += [record.seq for record in one.records]
                if one.records and len(found) % 7 == 0:
                    break  # the iterator is given up, as when a receiver asks anew
        assert found == wanted


def test_a_restart_after_every_step_leaves_one_form_of_each_segment(tmp_path: Path) -> None:
    for steps in range(1, 40):
        directory = tmp_path / str(steps)
        wanted = journal(directory, 120, 60)
        one = sealer(directory)
        done = not all(one.step() for _ in range(steps))
        again = Writer(directory, 1 << 30)
        again.recover()
        again.close()
        assert numbers(directory) == wanted
        assert list(directory.glob(".*.tmp")) == []
        if done:
            assert segment_paths(directory)[0].suffix == ".sealed"
            return
    pytest.fail("never done")


def test_a_segment_that_was_not_removed_after_sealing_goes_at_the_next_start(tmp_path: Path) -> None:
    wanted = journal(tmp_path)
    path = segment_paths(tmp_path)[0]
    before = path.read_bytes()
    seal_all(sealer(tmp_path))
    path.write_bytes(before)
    assert numbers(tmp_path) == wanted
    again = Writer(tmp_path, 1 << 30)
    again.recover()
    again.close()
    assert not path.exists()
    assert numbers(tmp_path) == wanted


def test_damage_is_told_and_left_out(tmp_path: Path) -> None:
    wanted = journal(tmp_path)
    path = segment_paths(tmp_path)[0]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))
    left = numbers(tmp_path)
    assert len(left) == len(wanted) - 1
    told: list[Damage] = []
    seal_all(sealer(tmp_path, told))
    assert [one.segment for one in told] == [path]
    with Reader(tmp_path) as reader:
        assert [record.seq for record in reader.read(0)] == left
        assert reader.damage == []


def test_damage_is_left_out_only_once_its_note_is_durable(tmp_path: Path) -> None:
    journal(tmp_path)
    path = segment_paths(tmp_path)[0]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))
    synced = 0
    one = Sealer(tmp_path, lambda damage: 512, lambda: synced)
    for _ in range(50):
        assert one.step()
    assert path.exists()
    synced = 512
    seal_all(one)
    assert not path.exists()


def test_no_step_takes_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal(tmp_path)
    few = seal_all(sealer(tmp_path / "none"))
    monkeypatch.setattr(sealing, "STEP_BYTES", 2000)
    assert few == 0
    assert seal_all(sealer(tmp_path)) > 150
