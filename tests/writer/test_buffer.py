"""What waits to become durable: which rows are new, what may be flushed, what is forgotten."""

from msgspec.structs import replace

from actors.core.messages import SEQ_STEP, Row, Rows
from actors.writer.buffer import ROW_BYTES, Buffer


def batch(after: int, upto: int, *seqs: int, doc_type: str = "ws_event", at_us: int = 5) -> Rows:
    rows = [Row(seq, doc_type, at_us, None, ["s", "received", 1, None, b"12345"]) for seq in seqs]
    return Rows(epoch=1, nack=0, after=after, upto=upto, synced=0, rows=rows)


def seqs(buffer: Buffer, synced: int) -> list[int]:
    return [row.seq for chunk in buffer.ready(synced) for row in chunk.rows]


def test_only_whole_ranges_that_are_synced_are_ready() -> None:
    buffer = Buffer()
    buffer.add(batch(0, 512, 256, 512, 515), 0)
    buffer.add(batch(512, 1024, 768, 1024), 512)
    assert seqs(buffer, 511) == []
    assert seqs(buffer, 512) == [256, 512, 515]
    assert seqs(buffer, 768) == [256, 512, 515]
    assert seqs(buffer, 1024) == [256, 512, 515, 768, 1024]


def test_an_end_within_a_record_is_synced_with_its_record() -> None:
    buffer = Buffer()
    buffer.add(batch(0, 515, 512, 515), 0)
    assert seqs(buffer, 511) == []
    assert seqs(buffer, 512) == [512, 515]


def test_records_that_are_there_already_are_not_taken_again() -> None:
    buffer = Buffer()
    buffer.add(batch(0, 1024, 256, 512, 513, 767, 768, 1024), 512)
    assert seqs(buffer, 1024) == [768, 1024]
    assert buffer.strays == 0


def test_what_no_file_can_hold_is_counted_and_left_out() -> None:
    buffer = Buffer()
    buffer.add(batch(0, 512, 256, 767, 768), 0)
    buffer.add(batch(512, 768, 768, doc_type="unheard_of"), 512)
    assert seqs(buffer, 9999) == [256, 767]
    assert buffer.strays == 2


def test_it_counts_what_it_holds_until_it_is_dropped() -> None:
    buffer = Buffer()
    buffer.add(batch(0, 512, 256, 512), 0)
    buffer.add(batch(512, 768, 768), 512)
    per_row = ROW_BYTES + len("s") + len("received") + len("12345")
    assert (buffer.rows, buffer.size_bytes) == (3, 3 * per_row)
    buffer.drop(512)
    assert (buffer.rows, buffer.size_bytes, seqs(buffer, 9999)) == (1, per_row, [768])
    buffer.drop(768)
    assert (buffer.rows, buffer.size_bytes, buffer.ready(9999)) == (0, 0, [])


def test_silence_takes_one_place_however_long_it_lasts() -> None:
    buffer = Buffer()
    buffer.add(batch(0, 256, 256), 0)
    for number in range(1, 1000):
        buffer.add(batch(number * SEQ_STEP, (number + 1) * SEQ_STEP), number * SEQ_STEP)
    assert [chunk.upto for chunk in buffer.ready(1 << 60)] == [256, 1000 * SEQ_STEP]


def test_a_round_ends_with_its_game_row() -> None:
    buffer = Buffer()
    buffer.add(batch(0, 256, 256), 0)
    buffer.add(batch(256, 512, 512, doc_type="game"), 256)
    assert [chunk.ends_round for chunk in buffer.ready(512)] == [False, True]


def test_a_time_without_a_date_becomes_the_first_one() -> None:
    buffer = Buffer()
    odd = batch(0, 512, 256, at_us=-1)
    buffer.add(replace(odd, rows=[*odd.rows, *batch(0, 512, 512, at_us=2**63).rows]), 0)
    assert [row.at_us for chunk in buffer.ready(512) for row in chunk.rows] == [0, 0]
