"""The journal's files: whole batches come back, torn and damaged ones do not, at any place a death may leave."""

from pathlib import Path

import pytest

from actors.core.messages import Frame
from actors.core.segments import MAGIC, Batch, Reader, Writer, segment_paths

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
    writer = written(tmp_path, batch(256), batch(512))
    path = segment_paths(tmp_path)[0]
    writer.close()
    content = path.read_bytes()
    path.write_bytes(content[:-missing])
    assert read_all(tmp_path) == [256]
    again = Writer(tmp_path, 1_000_000)
    recovered = again.recover()
    assert [one.upto for one in recovered.batches] == [256]
    assert recovered.cut is not None
    kept = list((tmp_path / "quarantine").iterdir())
    assert len(kept) == 1
    assert kept[0].read_bytes() == content[recovered.cut.offset : -missing]
    again.append(batch(512))
    assert read_all(tmp_path) == [256, 512]
    again.close()


def test_every_place_a_write_can_stop_leaves_a_journal_that_opens(tmp_path: Path) -> None:
    writer = written(tmp_path / "whole", batch(256), batch(512))
    writer.close()
    path = segment_paths(tmp_path / "whole")[0]
    content = path.read_bytes()
    for length in range(len(MAGIC), len(content)):
        directory = tmp_path / str(length)
        directory.mkdir()
        (directory / path.name).write_bytes(content[:length])
        reader = Reader(directory)
        assert seqs(reader) in ([], [256])
        reader.close()
        again = Writer(directory, 1_000_000)
        assert all(one.upto in (256, 512) for one in again.recover().batches)
        again.close()


def test_a_damaged_batch_in_the_middle_is_passed_over_and_counted(tmp_path: Path) -> None:
    writer = written(tmp_path, batch(256), batch(512), batch(768))
    writer.close()
    path = segment_paths(tmp_path)[0]
    content = bytearray(path.read_bytes())
    second = content.rindex(writer_bytes(tmp_path, batch(512)))
    content[second + 12] ^= 0xFF
    path.write_bytes(bytes(content))
    reader = Reader(tmp_path)
    assert seqs(reader) == [256, 768]
    assert len(reader.damage) == 1
    reader.close()


def writer_bytes(directory: Path, one: Batch) -> bytes:
    from actors.core.segments import Codec

    return Codec().encode(one)


def test_a_segment_without_a_whole_first_batch_does_not_hide_the_one_before(tmp_path: Path) -> None:
    writer = written(tmp_path, batch(256))
    writer.close()
    (tmp_path / "0000000000000257.seg").write_bytes(MAGIC + b"\x01")
    again = Writer(tmp_path, 1_000_000)
    assert [one.upto for one in again.recover().batches] == [256]
    again.close()
