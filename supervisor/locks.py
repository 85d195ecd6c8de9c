"""One VECTRA to a directory: `flock` on the directory itself, taken before anything else is touched.

In: directories. Out: held locks, or who holds them. The kernel gives a lock back when its holder dies, however it
dies, so a pid file that was left behind never blocks and never misleads: the pid counts only while the lock is held.
"""

import fcntl
import os
import time
from pathlib import Path
from select import select

from actors.core.files import replace_file

PID_FILE = "supervisor.pid"
PATIENCE_S = 0.5  # somebody's look whether the directory is locked holds the lock for microseconds


class Locked(RuntimeError):
    """Another VECTRA holds the directory."""

    def __init__(self, directory: Path, pid: int | None) -> None:
        super().__init__(f"{directory} is in use by another VECTRA" + (f" (pid {pid})." if pid else "."))
        self.directory = directory
        self.pid = pid


def take(directory: Path) -> int:
    """Lock a directory until this process ends or the returned descriptor is closed. Locked: somebody else has it."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fd
        except BlockingIOError:
            if time.monotonic() > deadline_s:
                os.close(fd)
                raise Locked(directory, recorded_pid(directory)) from None
            select([], [], [], 0.02)


def is_locked(directory: Path) -> bool:
    """Say whether somebody holds a directory."""
    try:
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def running_pid(runtime_dir: Path) -> int | None:
    """Return the pid of the supervisor that runs here, 0 where it has not written it yet, None where none runs."""
    return (recorded_pid(runtime_dir) or 0) if is_locked(runtime_dir) else None


def record_pid(directory: Path) -> None:
    """Write this process's pid into a directory whose lock it holds."""
    replace_file(directory / PID_FILE, f"{os.getpid()}\n".encode(), durable=False)


def recorded_pid(directory: Path) -> int | None:
    """Return the pid in a directory's pid file."""
    try:
        return int((directory / PID_FILE).read_text())
    except (OSError, ValueError):
        return None
