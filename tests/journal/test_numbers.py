"""No number is used twice, also when a machine crash took the tail that nobody had synced."""

from pathlib import Path

import msgspec

from actors.journal.numbers import BLOCK, Numbers, Reserved, derived_upto


def test_within_a_boot_numbering_goes_on_where_it_was(tmp_path: Path) -> None:
    Numbers(tmp_path).reserve(256)
    assert Numbers(tmp_path).first_free(512) == 512


def test_after_another_boot_the_whole_block_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "reserved").write_bytes(msgspec.json.encode(Reserved("another boot", 5 * BLOCK)))
    numbers = Numbers(tmp_path)
    assert numbers.first_free(256) == 5 * BLOCK
    numbers.reserve(5 * BLOCK + 256)
    assert Numbers(tmp_path).first_free(5 * BLOCK + 256) == 5 * BLOCK + 256


def test_the_block_is_written_before_its_first_number_is_given(tmp_path: Path) -> None:
    numbers = Numbers(tmp_path)
    numbers.reserve(256)
    on_disk = msgspec.json.decode((tmp_path / "reserved").read_bytes(), type=Reserved)
    assert on_disk.upto >= 256
    numbers.reserve(on_disk.upto + 256)
    later = msgspec.json.decode((tmp_path / "reserved").read_bytes(), type=Reserved)
    assert later.upto > on_disk.upto + 256


def test_numbers_that_stand_in_parquet_are_not_used_again_when_the_journal_was_removed(tmp_path: Path) -> None:
    position = tmp_path / "events_parquet" / "_position"
    position.parent.mkdir()
    position.write_bytes(b'{"upto": 25600}')
    assert derived_upto(tmp_path) == 25600
    assert Numbers(tmp_path, derived_upto(tmp_path)).first_free(0) > 25600
    position.write_bytes(b"nonsense")
    assert derived_upto(tmp_path) == 0
