"""Files that appear whole or not at all, readable by their owner only.

In: a path and bytes. Never leaves a half-written file under its final name, whatever is killed when. Never changes the
mode of a directory that it did not make, and never removes what is no plain file.
"""

import os
import re
import stat
from pathlib import Path

from actors.core.faults import point
from actors.core.ownership import UnsafeDirectory, own_fault

PRIVATE_FILE = 0o600
PRIVATE_DIR = 0o700


def private_dir(path: Path) -> Path:
    """Create `path` (and parents) for the owner only, or take the one that is there as it is.

    UnsafeDirectory: the one that is there belongs to another user, or others may write to it.
    """
    try:
        path.mkdir(mode=PRIVATE_DIR)
    except FileExistsError:
        if (fault := own_fault(path)) is not None:
            raise UnsafeDirectory(path, fault) from None
    except FileNotFoundError:
        private_dir(path.parent)
        path.mkdir(mode=PRIVATE_DIR, exist_ok=True)
    return path


def is_plain_file(path: Path) -> bool:
    """Return whether there is a regular file, and not a link to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def remove_file(path: Path) -> bool:
    """Remove a plain file, and return whether there was one. What else bears the name is not ours, and stays."""
    if not is_plain_file(path):
        return False
    path.unlink(missing_ok=True)
    return True


def partial_of(name: str) -> re.Pattern[str]:
    """Return the pattern of the names under which `replace_file` writes. name: a pattern of final names."""
    return re.compile(rf"\.(?:{name})\.[0-9]+\.tmp")


def sync_dir(path: Path) -> None:
    """Make the names in a directory durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def replace_file(path: Path, data: bytes, *, durable: bool = True, fault: str = "file") -> None:
    """Put `data` at `path` in one step: written beside it, synced, renamed.

    durable: also survives a power cut when this returns. OSError: disk full, no rights; the old file is intact then.
    fault: begins the names of the places where a test may end this process (`actors.core.faults`).
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            point(f"{fault}-filled")
            if durable:
                os.fsync(file.fileno())
        point(f"{fault}-fsynced")
        partial.replace(path)
        point(f"{fault}-renamed")
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    if durable:
        sync_dir(path.parent)
