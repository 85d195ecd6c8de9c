"""Files that appear whole or not at all, readable by their owner only.

In: a path and bytes. Never leaves a half-written file under its final name, whatever is killed when.
"""

import os
from pathlib import Path

from actors.core.faults import point

PRIVATE_FILE = 0o600
PRIVATE_DIR = 0o700


def private_dir(path: Path) -> Path:
    """Create `path` (and parents) readable by the owner only; tighten it where it is looser."""
    path.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o077:
        path.chmod(PRIVATE_DIR)
    return path


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
    fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE_FILE)
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
