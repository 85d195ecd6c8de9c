"""A date directory's successor takes its place, in one step that no reader and no death can see half of.

In: merged files in a directory below `staging`, and which files they stand for. Done: every other file of the date
directory is linked into the successor, which is synced; `renameat2` exchanges the two; both parents are synced. What
lies in staging afterwards is the predecessor, deleted only after `GRACE_S`: a reader that is just listing it must list
it whole, or it would miss rows without an error. Before, during and after, each row is in exactly one listed file.
"""

import ctypes
import errno
import logging
import os
import re
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from actors.core.faults import point
from actors.core.files import is_plain_file, remove_file, sync_dir
from actors.writer import layout

GRACE_S = 5.0
MOST_A_STEP = 200  # deletions; a few milliseconds
_PREFIX = "successor"
_FOLDER = re.compile(rf"{_PREFIX}\.[a-z_]+\.[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}\.[0-9]+")
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_log = logging.getLogger("writer")


class Stale(Exception):
    """The date directory is no longer what the successor was made of; nothing was changed."""


def folder_for(staging: Path, doc_type: str, date: str) -> Path:
    """Return a fresh path for the successor of a date directory."""
    return staging / f"{_PREFIX}.{doc_type}.{date}.{time.time_ns()}"


def leftovers(staging: Path) -> list[Path]:
    """Return the successors and predecessors that lie in staging."""
    found = (path for path in staging.glob(f"{_PREFIX}.*") if _FOLDER.fullmatch(path.name))
    return sorted(path for path in found if path.is_dir() and not path.is_symlink())


def live_dir(root: Path, folder: Path) -> Path:
    """Return the date directory that a successor or predecessor belongs to."""
    _, doc_type, date, _ = folder.name.split(".")
    return root / f"doc_type={doc_type}" / f"date={date}"


def swap(root: Path, folder: Path, merged: set[str]) -> None:
    """Complete the successor in `folder` and exchange it with its date directory.

    merged: names of the files that the successor's own stand for. Stale: one of them is gone, or there is something
    that cannot be linked. OSError: the disk or its file system refuses. In either case nothing has changed.
    """
    live = live_dir(root, folder)
    for entry in _untouched(live, merged):
        point("compact.link.before")
        os.link(entry.path, folder / entry.name)  # link(2) of Linux links a symbolic link itself
        point("compact.link.after")
    point("compact.fsync.before")
    sync_dir(folder)
    sync_dir(folder.parent)
    point("compact.fsync.after")
    point("compact.exchange.before")
    exchange(folder, live)
    point("compact.exchange.after")
    sync_parents(root, folder)


def sync_parents(root: Path, folder: Path) -> None:
    """Make an exchange durable; before that nothing of the predecessor may be deleted."""
    for parent in (live_dir(root, folder).parent, folder.parent):
        point("compact.parent-fsync.before")
        sync_dir(parent)
        point("compact.parent-fsync.after")


def exchange(one: Path, other: Path) -> None:
    """Let two paths change places in one step. OSError: refused, ENOSYS or EINVAL where the system cannot."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        raise OSError(errno.ENOSYS, "the C library has no renameat2", str(other))
    if libc.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"renameat2 EXCHANGE: {os.strerror(code)}", str(other))


def _untouched(live: Path, merged: set[str]) -> list[os.DirEntry[str]]:
    if live.is_symlink():
        raise Stale(f"{live} is a symbolic link, must be a directory. Move the directory itself to its place.")
    with os.scandir(live) as listing:
        entries = list(listing)
    if gone := merged - {entry.name for entry in entries}:
        raise Stale(f"{live} no longer holds {min(gone)}")
    kept = [entry for entry in entries if entry.name not in merged]
    for entry in kept:
        if entry.is_dir(follow_symlinks=False):  # has no hard links
            raise Stale(f"{entry.path} is no plain file, must not be here. Move it out of events_parquet.")
    return kept


def _carry_back(path: Path, live: Path) -> None:
    """Move what is not ours into the date directory, unless the very same is there already."""
    target, count = live / path.name, 1
    while os.path.lexists(target):
        if os.path.samestat(target.lstat(), path.lstat()):
            path.unlink()
            return
        count += 1
        target = live / f"{path.name}.{count}"
    path.rename(target)


class Remover:
    """Deletes what lies in staging, a few files a step, each directory when its grace is over."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._waiting: deque[tuple[float, Path]] = deque()
        self._files: Iterator[None] | None = None

    def add(self, folder: Path, now_s: float) -> None:
        """Have a directory deleted after the grace. now_s: monotonic."""
        self._waiting.append((now_s + GRACE_S, folder))

    @property
    def waiting(self) -> set[Path]:
        """What is still to be deleted."""
        return {folder for _, folder in self._waiting}

    def step(self, now_s: float) -> None:
        """Delete a few files of what is due."""
        if not self._waiting or self._waiting[0][0] > now_s:
            return
        folder = self._waiting[0][1]
        self._files = self._files or self._delete(folder)
        try:
            for _ in range(MOST_A_STEP):
                next(self._files)
        except StopIteration:
            self._forget()
        except OSError as error:
            _log.warning("%s cannot be deleted and stays until the next start: %s", folder, error)
            self._forget()

    def _forget(self) -> None:
        self._waiting.popleft()
        self._files = None

    def _delete(self, folder: Path) -> Iterator[None]:
        live = live_dir(self._root, folder)
        if live.parent.is_dir():
            sync_parents(self._root, folder)  # a death may have come between the exchange and its syncs
        with os.scandir(folder) as listing:
            names = sorted(entry.name for entry in listing)
        for name in names:
            if layout.parse(folder / name) is None or not is_plain_file(folder / name):
                _carry_back(folder / name, live)  # somebody else's: never the last copy
            point("compact.delete.before")
            remove_file(folder / name)
            point("compact.delete.after")
            yield
        point("compact.rmdir.before")
        folder.rmdir()
        point("compact.rmdir.after")
