"""What the person who started VECTRA sees: one tidy line for each important event.

In: lines. Out: the terminal in the foreground; in the background a pipe to the waiting `start`, which ends with a mark
once everything is ready. A reader that went away is no error.
"""

import os
import time

READY_MARK = b"\x06"
"""Ends the pipe to `start`: everything is ready."""


class Console:
    """Writes lines to a descriptor, or nowhere."""

    def __init__(self, fd: int | None, *, stamps: bool) -> None:
        self.fd = fd
        self.stamps = stamps

    def line(self, text: str) -> None:
        """Write one line, with the time of day where `stamps`."""
        stamp = time.strftime("%H:%M:%S ") if self.stamps else ""
        self._write(f"{stamp}{text}\n".encode())

    def block(self, text: str) -> None:
        """Write lines as they are."""
        self._write(f"{text}\n".encode())

    def mark_ready(self) -> None:
        """Tell the waiting `start` that it can end, and be silent from now on."""
        self._write(READY_MARK)
        self.close()

    def close(self) -> None:
        """Give the descriptor back."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None

    def _write(self, data: bytes) -> None:
        if self.fd is None:
            return
        try:
            os.write(self.fd, data)
        except OSError:
            self.fd = None
