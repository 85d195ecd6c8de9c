"""The two private files of pseudonyms, in the data directory: the key they are made with, and who the own player is.

In and out: `privacy.key`, 32 random bytes that appear once and never change, so that a player has one pseudonym for
ever; `privacy_own.json`, the id and the names of the own player, one account's. Whoever reads the key can test a guess,
not more.
"""

import contextlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

import msgspec

from actors.core.files import private_dir, replace_file, sync_dir

KEY_BYTES = 32


def pseudonym_key(data_dir: Path) -> bytes:
    """Return the key; the first process that asks makes it, whoever asks at the same time gets the same one."""
    path = private_dir(data_dir) / "privacy.key"
    if not path.exists():
        mine = path.with_name(f".privacy.key.{os.getpid()}")
        replace_file(mine, secrets.token_bytes(KEY_BYTES))
        with contextlib.suppress(FileExistsError):
            os.link(mine, path)
        mine.unlink()
        sync_dir(data_dir)
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise ValueError(f"{path} has {len(key)} bytes, must be {KEY_BYTES}. Move it away for new pseudonyms.")
    return key


def read_own(data_dir: Path) -> set[str]:
    """Return the ids and names that are known to be the own player's."""
    try:
        return set(msgspec.json.decode((data_dir / "privacy_own.json").read_bytes(), type=list[str]))
    except (FileNotFoundError, msgspec.MsgspecError):
        return set()


def keep_own(data_dir: Path, own: Iterable[str]) -> None:
    """Keep who the own player is for all sessions to come, instead of whoever was. On a full disk it is learned again.

    The file may be edited or deleted while VECTRA is stopped: the next login writes it anew.
    """
    with contextlib.suppress(OSError):
        replace_file(data_dir / "privacy_own.json", msgspec.json.encode(sorted(own)))
