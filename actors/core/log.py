"""One log file an actor, `<runtime dir>/log/<actor>.log`, rotated by size.

Standard output and error of the process go to the same file, so that a traceback of a library, of faulthandler or of
the interpreter itself is never lost. One line per state change; never a payload.
"""

import logging
import os
import sys
import time
from pathlib import Path

from actors.core.config import Log
from actors.core.files import PRIVATE_FILE, private_dir

LINE = "%(asctime)s.%(msecs)03d %(levelname)-7s %(name)s: %(message)s"
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

    def _open(self) -> None:
        fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE_FILE)
        os.dup2(fd, 1)
        os.dup2(fd, 2)
        os.close(fd)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; rotate first where the file has grown too large."""
        try:
            if os.fstat(2).st_size > self._settings.max_bytes:
                self._rotate()
            os.write(2, (self.format(record) + "\n").encode(errors="backslashreplace"))
        except OSError:
            pass  # a full disk must not stop the work; the log resumes when there is room

    def _rotate(self) -> None:
        for number in range(self._settings.keep - 1, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            if older.exists():
                older.replace(self._path.with_name(f"{self._path.name}.{number + 1}"))
        self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        self._open()


def start_logging(actor: str, runtime_dir: Path, settings: Log) -> logging.Logger:
    """Send this process's output to its log file and return the actor's logger."""
    sys.stdout.flush()
    sys.stderr.flush()
    handler = ProcessLog(log_path(runtime_dir, actor), settings)
    formatter = logging.Formatter(LINE, TIME)
    formatter.converter = time.localtime
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logger = logging.getLogger(actor)
    logger.setLevel(settings.level.upper())
    return logger
