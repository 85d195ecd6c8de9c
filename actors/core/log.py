"""One log file an actor, `<runtime dir>/log/<actor>.log`, rotated by size.

Standard output and error of the process go to the same file, so that a traceback of a library, of faulthandler or of
the interpreter itself is never lost. Several processes may write to one file: one rotates, the others follow, no line
is lost. Times are UTC, as everywhere in the data. One line per state change; never a payload.
"""

import contextlib
import fcntl
import logging
import os
import sys
import time
from pathlib import Path

from actors.core.config import Log
from actors.core.files import PRIVATE_FILE, private_dir
from actors.core.printable import printable

LINE = "%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s: %(message)s"
TIME = "%Y-%m-%d %H:%M:%S"


def log_path(runtime_dir: Path, actor: str) -> Path:
    """Return the file an actor logs to."""
    return runtime_dir / "log" / f"{actor}.log"


class ProcessLog(logging.Handler):
    """Writes to file descriptor 2, which is the log file; renames the file when it is large and opens a new one."""

    def __init__(self, path: Path, settings: Log) -> None:
        super().__init__()
        self._path = private_dir(path.parent) / path.name
        self._settings = settings
        self._open()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; rotate first where the file has grown too large."""
        line = (printable(self.format(record), lines=True) + "\n").encode()
        with contextlib.suppress(OSError):  # what cannot be set aside is written on in the file as it is
            self._look()
        with contextlib.suppress(OSError):  # a full disk must not stop the work; the log resumes when there is room
            os.write(2, line)

    def _open(self) -> None:
        fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, PRIVATE_FILE)
        os.dup2(fd, 1)
        os.dup2(fd, 2)
        os.close(fd)

    def _look(self) -> None:
        """Rotate where it is due; go over to the new file where another process has rotated, or somebody deleted it."""
        if not self._is_ours():
            self._open()
        if os.fstat(2).st_size <= self._settings.max_bytes:
            return
        locked = os.dup(2)
        try:
            fcntl.flock(locked, fcntl.LOCK_EX)  # of the file, not of its name: whoever comes second finds it renamed
            if self._is_ours():
                self._set_aside()
            self._open()
        finally:
            os.close(locked)

    def _is_ours(self) -> bool:
        try:
            return os.path.samestat(os.fstat(2), self._path.stat())
        except FileNotFoundError:
            return False

    def _set_aside(self) -> None:
        for number in range(self._settings.keep - 1, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            if older.exists():
                older.replace(self._path.with_name(f"{self._path.name}.{number + 1}"))
        self._path.replace(self._path.with_name(f"{self._path.name}.1"))


def start_logging(actor: str, runtime_dir: Path, settings: Log) -> logging.Logger:
    """Send this process's output to its log file and return the actor's logger."""
    sys.stdout.flush()
    sys.stderr.flush()
    handler = ProcessLog(log_path(runtime_dir, actor), settings)
    formatter = logging.Formatter(LINE, TIME)
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logger = logging.getLogger(actor)
    logger.setLevel(settings.level.upper())
    return logger
