"""The journal's files: whole batches come back, torn and damaged ones do not, at any place a death may leave."""

from pathlib import Path

import pytest

from actors.core.blocks import HEAD_BYTES, MAGIC
from actors.core.messages import Frame
from actors.core.segment_writer import Writer
from actors.core.segments import Batch, Codec, Reader, segment_paths

MEMORY = b"\x80"


def frame(seq: int) -> Frame:
    return Frame(seq, seq * 10, "guid/target/1", False, 1, b"42" + str(seq).encode())


def batch(*seqs: int) -> Batch:
    return Batch(seqs[0] - 256, seqs[-1], [frame(seq) for seq in seqs])


def written(directory: Path, *batches: Batch, segment_bytes: int = 1_000_000) -> Writer:
    writer = Writer(directory, segment_bytes)
    writer.recover()
    for one in batches:
        if writer.full:
            writer.begin_segment(one.after + 1, MEMORY)
        writer.append(one)
    writer.sync()
    return writer


def seqs(reader: Reader, after: int = 0, upto: int | None = None) -> list[int]:
    return [record.seq for record in reader.read(after, upto)]


def read_all(directory: Path, after: int = 0, upto: int | None = None) -> list[int]:
    with Reader(directory) as reader:
        return seqs(reader, after, upto)


def test_what_was_appended_is_read_back_in_order(tmp_path: Path) -> None:
    writer = written(tmp_path, batch(256, 512), batch(768))
    reader = Reader(tmp_path)
    assert seqs(reader) == [256, 512, 768]
    assert read_all(tmp_path, after=256, upto=512) == [512]
    reader.close()
    writer.close()


def test_a_reader_goes_on_where_it_was_when_more_is_written(tmp_path: Path) -> None:
    writer = written(tmp_path, batch(256))
    reader = Reader(tmp_path)
    assert seqs(reader) == [256]
    assert seqs(reader, after=256) == []
    writer.append(batch(512))
    writer.begin_segment(513, MEMORY)
    writer.append(batch(768))
    assert seqs(reader, after=256) == [512, 768]
    assert seqs(reader, after=0) == [256, 512, 768], "and goes back on demand"
    reader.close()
    writer.close()


def test_a_reader_crosses_many_segments(tmp_path: Path) -> None:
    wanted = [256 * n for n in range(1, 60)]
    writer = written(tmp_path, *[batch(seq) for seq in wanted], segment_bytes=300)
    assert len(segment_paths(tmp_path)) > 5
    reader = Reader(tmp_path)
    assert seqs(reader) == wanted
    assert read_all(tmp_path, after=256 * 30) == wanted[30:]
    assert reader.head() == wanted[-1]
    reader.close()
    writer.close()


@pytest.mark.parametrize("missing", [1, 5, 9, 20])
def test_a_torn_tail_is_cut_and_what_was_cut_is_kept_aside(tmp_path: Path, missing: int) -> None:
    written(tmp_path, batch(256), batch(512)).close()
    path = segment_paths(tmp_path)[0]
    content = path.read_bytes()
    path.write_bytes(content[:-missing])
    assert read_all(tmp_path) == [256]
    again = Writer(tmp_path, 1_000_000)
    recovered = again.recover()
    assert [one.upto for one in recovered.batches] == [256]
    (damage,) = recovered.damage
    assert damage.cut.torn
    (kept,) = (tmp_path / "quarantine").iterdir()
    assert kept.read_bytes() == content[damage.cut.offset : -missing]
    again.append(batch(512))
    assert read_all(tmp_path) == [256, 512]
    again.close()


def test_every_place_a_write_can_stop_leaves_a_journal_that_opens_and_goes_on(tmp_path: Path) -> None:
    written(tmp_path / "whole", batch(256), batch(512)).close()
    path = segment_paths(tmp_path / "whole")[0]
    content = path.read_bytes()
    for length in range(len(content)):
        directory = tmp_path / str(length)
        directory.mkdir()
        (directory / path.name).write_bytes(content[:length])
        assert read_all(directory) in ([], [256])
        again = Writer(directory, 1_000_000)
        before = [one.upto for one in again.recover().batches]
        if again.full:
            again.begin_segment(1, MEMORY)
        for one in (batch(256), batch(512))[len(before) :]:
            again.append(one)
        assert read_all(directory) == [256, 512]
        again.close()


def place_of(path: Path, one: Batch) -> int:
    return path.read_bytes().rindex(Codec().encode(one))


def damage_at(path: Path, offset: int, count: int = 1) -> None:
    content = bytearray(path.read_bytes())
    for at in range(offset, offset + count):
        content[at] ^= 0xFF
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("within", range(HEAD_BYTES + 8))
def test_any_damaged_byte_of_a_batch_in_the_middle_costs_that_batch_only(tmp_path: Path, within: int) -> None:
    written(tmp_path, batch(256), batch(512), batch(768), batch(1024)).close()
    path = segment_paths(tmp_path)[0]
    offset = place_of(path, batch(512))
    damage_at(path, offset + within)
    with Reader(tmp_path) as reader:
        assert seqs(reader) == [256, 768, 1024]
        assert seqs(reader) == [256, 768, 1024], "again"
    ((segment, cut),) = [(one.segment, one.cut) for one in reader.damage]
    assert (segment, cut.offset, cut.after, cut.upto) == (path, offset, 256, 512)
    assert offset + cut.size == place_of(path, batch(768))
    again = Writer(tmp_path, 1_000_000)
    recovered = again.recover()
    assert [one.cut for one in recovered.damage] == [cut]
    again.set_aside(recovered.damage[0])
    again.set_aside(recovered.damage[0])
    (kept,) = (tmp_path / "quarantine").iterdir()
    assert kept.stat().st_size == cut.size
    again.append(batch(1280))
    again.close()
    assert read_all(tmp_path) == [256, 768, 1024, 1280]


def test_a_whole_but_damaged_last_batch_is_told_from_a_torn_one(tmp_path: Path) -> None:
    written(tmp_path, batch(256), batch(512)).close()
    path = segment_paths(tmp_path)[0]
    damage_at(path, path.stat().st_size - 3)
    again = Writer(tmp_path, 1_000_000)
    (damage,) = again.recover().damage
    assert not damage.cut.torn
    assert (damage.cut.after, damage.cut.upto) == (256, 512)
    again.close()


def test_damage_at_the_end_of_a_segment_that_is_not_the_last_is_seen_by_readers(tmp_path: Path) -> None:
    writer = written(tmp_path, batch(256), batch(512))
    path = segment_paths(tmp_path)[0]
    damage_at(path, place_of(path, batch(512)) + 5)
    writer.begin_segment(513, MEMORY)
    writer.append(batch(768))
    writer.close()
    with Reader(tmp_path) as reader:
        assert seqs(reader) == [256, 768]
    assert [one.cut.after for one in reader.damage] == [256]


@pytest.mark.parametrize("count", [1, 200])
def test_a_damaged_beginning_costs_neither_the_rest_nor_the_memory(tmp_path: Path, count: int) -> None:
    writer = written(tmp_path, batch(256), batch(512))
    writer.begin_segment(513, b"\x81\x01\x02" + bytes(300))
    for seq in range(768, 768 + 256 * 10, 256):
        writer.append(batch(seq))
    writer.close()
    path = segment_paths(tmp_path)[1]
    damage_at(path, len(MAGIC) + 3, count)
    with Reader(tmp_path) as reader:
        found = seqs(reader)
    assert found[:2] == [256, 512]
    assert found[-1] == 768 + 256 * 9
    assert len(reader.damage) >= 1
    again = Writer(tmp_path, 1_000_000)
    recovered = again.recover()
    assert recovered.memory == MEMORY
    assert [record.seq for one in recovered.batches for record in one.records] == found
    again.close()


def test_a_file_that_cannot_be_read_at_all_is_set_aside(tmp_path: Path) -> None:
    written(tmp_path, batch(256)).close()
    (tmp_path / "0000000000000257.seg").write_bytes(b"VECTRAJ1" + b"\x01" * 100)
    again = Writer(tmp_path, 1_000_000)
    recovered = again.recover()
    assert [one.upto for one in recovered.batches] == [256]
    assert len(recovered.damage) == 1
    assert (tmp_path / "quarantine" / "0000000000000257.seg").exists()
    assert not (tmp_path / "0000000000000257.seg").exists()
    again.close()


def test_a_reader_finds_what_was_written_anew_under_the_same_name(tmp_path: Path) -> None:
    writer = written(tmp_path, batch(256))
    writer.begin_segment(257, MEMORY)
    reader = Reader(tmp_path)
    writer.append(batch(512))
    assert seqs(reader, after=256) == [512]
    writer.begin_segment(257, MEMORY, [batch(512), batch(768)])
    writer.append(batch(1024))
    assert seqs(reader, after=512) == [768, 1024]
    assert read_all(tmp_path) == [256, 512, 768, 1024]
    reader.close()
    writer.close()


def test_what_was_written_anew_into_a_new_segment_is_read_once(tmp_path: Path) -> None:
    writer = written(tmp_path, batch(256))
    writer.append(batch(512))
    before = segment_paths(tmp_path)[0].read_bytes()
    writer.begin_segment(257, MEMORY, [batch(512)])
    segment_paths(tmp_path)[0].write_bytes(before)  # as if a death had come before the cut
    writer.append(batch(768))
    writer.close()
    assert read_all(tmp_path) == [256, 512, 768]
