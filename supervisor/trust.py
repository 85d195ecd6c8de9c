"""Trusted folders: whose settings count in full though they were only found, in the folder one happens to stand in.

In: a settings file that no one named. Out: which of its keys need trust, and whether it has that. Remembered in
`~/.config/vectra/trusted.json`, by the file's whole path and the SHA-256 of its content, as direnv does: a file that
changed has to be trusted again. Keys that only tune count without: an allow list by type, so that a new key that names
a program, a place or a peer needs trust from the day it is made.
"""

import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from actors.core.files import private_dir, replace_file
from actors.core.ownership import is_ours, others_may_write
from supervisor.keys import all_keys

STORE = "~/.config/vectra/trusted.json"
STORE_MAX_BYTES = 1_000_000
DELETING = ("journal.retention_days", "journal.max_bytes")  # a small number deletes what is recorded
PROTECTING = ("privacy.pseudonymise",)  # switches that tune in one direction only
HARMLESS_TEXT = ("simulator.seed",)


def needs_trust(name: str) -> bool:
    """Return whether a key may start, redirect, open or delete something: all but numbers, switches and choices."""
    if name in HARMLESS_TEXT:
        return False
    return name in DELETING or not _only_tunes(all_keys()[name].type)


def _only_tunes(kind: Any) -> bool:
    while hasattr(kind, "__metadata__"):
        kind = get_args(kind)[0]
    return kind in (int, float, bool) or get_origin(kind) is Literal


def untrusted_keys(values: Mapping[str, Any]) -> list[str]:
    """Return the keys that need trust and differ from their default. values: by dotted name, as in the file."""
    return [name for name, key in all_keys().items() if name in values and needs_trust(name) and _differs(key, values)]


def hidden_keys(own: Mapping[str, Any], local: Mapping[str, Any]) -> list[str]:
    """Return the keys of the user's own file that place or protect something, and that a found file does not keep."""
    chosen = [name for name in PROTECTING if name in own and _differs(all_keys()[name], own)]
    return [name for name in [*untrusted_keys(own), *chosen] if local.get(name) != own[name]]


def _differs(key: Any, values: Mapping[str, Any]) -> bool:
    return bool(values[key.name] != key.default)


def is_trusted_file(path: Path, content: bytes) -> bool:
    """Return whether this very content was trusted at this very path."""
    return _read().get(_name(path)) == _digest(content)


def was_trusted(path: Path) -> bool:
    """Return whether some content was trusted at this path."""
    return _name(path) in _read()


def remember(path: Path, content: bytes) -> None:
    """Trust this content at this path. OSError: it cannot be kept."""
    with _changing() as known:
        known[_name(path)] = _digest(content)


def forget(path: Path) -> bool:
    """Trust a file no more; return whether it was trusted."""
    with _changing() as known:
        return known.pop(_name(path), None) is not None


def trusted_files() -> list[str]:
    """Return the paths of the trusted files."""
    return sorted(_read())


def _name(path: Path) -> str:
    return os.path.realpath(path)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read() -> dict[str, str]:
    """Return what was remembered; nothing where the list is not this user's alone to change, or is damaged."""
    try:
        fd = os.open(Path(STORE).expanduser(), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, RuntimeError):
        return {}
    with os.fdopen(fd, "rb") as file:
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode) or not is_ours(about) or others_may_write(about):
            return {}
        try:
            return msgspec.json.decode(file.read(STORE_MAX_BYTES), type=dict[str, str])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return {}


@contextmanager
def _changing() -> Iterator[dict[str, str]]:
    """Give the list to change, one process at a time, and write it down."""
    store = Path(STORE).expanduser()
    fd = os.open(private_dir(store.parent), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        known = _read()
        yield known
        replace_file(store, msgspec.json.format(msgspec.json.encode(known)))
    finally:
        os.close(fd)
