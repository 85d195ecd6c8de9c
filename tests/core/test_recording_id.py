"""A recording has one id, made once, whoever asks first."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from actors.core.recording_id import NAME, recording_id


def test_whoever_asks_first_or_at_the_same_time_gets_the_same_private_id(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        found = set(pool.map(recording_id, [data_dir] * 8))
    (one,) = found
    assert len(one) == 16
    assert int(one, 16) >= 0
    path = data_dir / "journal" / NAME
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == [NAME]
    assert recording_id(data_dir) == one


def test_an_existing_journal_gets_one_and_a_deleted_one_another(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir(mode=0o700)
    (tmp_path / "journal" / "0000000000000001.seg").write_bytes(b"")
    first = recording_id(tmp_path)
    for file in (tmp_path / "journal").iterdir():
        file.unlink()
    assert recording_id(tmp_path) != first


@pytest.mark.parametrize("content", [b"", b"\0" * 16, b"0123456789ABCDEF", b"0123456789abcde", b"g" * 16, b"a" * 5000])
def test_what_is_no_id_is_replaced_once(tmp_path: Path, content: bytes) -> None:
    recording_id(tmp_path)
    (tmp_path / "journal" / NAME).write_bytes(content)
    made = recording_id(tmp_path)
    assert len(made) == 16
    assert made.encode() != content
    assert recording_id(tmp_path) == made
