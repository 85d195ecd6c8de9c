"""Wakes a loop when files in some directories come, change or go: Linux's inotify, by ctypes.

In: directories that exist. Out: a descriptor that is readable after a change. Says only that something changed, not
what; whoever is woken looks for himself. Where the kernel gives no instance (their number is limited), it never wakes
anybody: keep a timer beside it.
"""

import contextlib
import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

IN_MOVED_TO, IN_DELETE = 0x080, 0x200
"""Of `linux/inotify.h`. Our files appear by a rename."""

_READ_BYTES = 65536


class Changes:
    """An inotify instance over directories. Descriptors are not inherited."""

    def __init__(self, directories: Iterable[Path]) -> None:
        """directories: each must exist. Without inotify there is a descriptor all the same, which never is readable."""
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._silent: int | None = None
        if self._fd < 0:
            self._fd, self._silent = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            return
        for directory in directories:
            libc.inotify_add_watch(self._fd, os.fsencode(directory), IN_MOVED_TO | IN_DELETE)

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._fd

    def drain(self) -> None:
        """Take note of all changes so far."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._fd, _READ_BYTES):
                pass

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._fd)
        if self._silent is not None:
            os.close(self._silent)
