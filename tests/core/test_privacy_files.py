"""The key of pseudonyms appears once, private; the own player's names are kept together."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from actors.core.privacy_files import KEY_BYTES, keep_own, pseudonym_key, read_own


def test_whoever_asks_first_or_at_the_same_time_gets_the_same_private_key(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with ThreadPoolExecutor(1) as pool:
        keys = {pseudonym_key(data_dir), *pool.map(pseudonym_key, [data_dir] * 3)}
    (key,) = keys
    assert len(key) == KEY_BYTES
    path = data_dir / "privacy.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in data_dir.iterdir()] == ["privacy.key"]
    path.write_bytes(b"short")
    with pytest.raises(ValueError, match=r"has 5 bytes, must be 32\. Move it away"):
        pseudonym_key(data_dir)


def test_the_own_player_is_the_one_that_logged_in_last(tmp_path: Path) -> None:
    assert read_own(tmp_path) == set()
    keep_own(tmp_path, ["did:privy:a", "first"])
    keep_own(tmp_path, ["did:privy:b", "second"])
    assert read_own(tmp_path) == {"did:privy:b", "second"}
    assert (tmp_path / "privacy_own.json").stat().st_mode & 0o777 == 0o600
    (tmp_path / "privacy_own.json").unlink()
    assert read_own(tmp_path) == set()
