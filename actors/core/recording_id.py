"""The identity of a recording: a random id, made once for a data directory, with the journal's first segment.

In: the data directory. Out: 16 hexadecimal digits from `journal/recording`. Sequence numbers mean something within one
recording only; a client that sends the id beside its number is never given another recording's past as its own. The
first process that asks makes it, also in a directory of an earlier version; whoever deletes the journal gets a new one.
"""

import contextlib
import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from actors.core.files import private_dir, replace_file

NAME = "recording"
ID_BYTES = 8
_ID = re.compile(rb"[0-9a-f]{16}\n?")


def recording_id(data_dir: Path) -> str:
    """Return the id; the first process that asks makes it, whoever asks at the same time gets the same one.

    A file that holds no id (emptied, edited) is replaced: to every client that is another recording, which costs it a
    hole that is reported, where a guess could cost it foreign events. OSError: the journal's directory cannot be used.
    """
    directory = private_dir(data_dir / "journal")
    found = _read(directory / NAME)
    if found is not None:
        return found
    with _locked(directory):
        return _read(directory / NAME) or _make(directory / NAME)


def _read(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            content = file.read(64)
    except FileNotFoundError:
        return None
    return content.strip().decode() if _ID.fullmatch(content) else None


def _make(path: Path) -> str:
    made = secrets.token_hex(ID_BYTES)
    while _read(path) != made:
        with contextlib.suppress(FileNotFoundError):  # the journal, starting, removes unfinished files: ours too
            replace_file(path, made.encode() + b"\n")
    return made


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Keep other processes from making an id at the same time; the kernel releases the lock of one that dies."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
