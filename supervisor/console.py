"""What the person who started VECTRA sees: one tidy line for each important event.

In: lines. Out: the terminal in the foreground; in the background a pipe to the waiting `start`, which ends with a mark
once everything is ready. A reader that went away is no error, one that does not read holds nobody up.
"""

import time
from datetime import UTC, datetime

from supervisor.outlet import Outlet
from supervisor.relay import Entry, Format, shown

READY_MARK = b"\x06"
"""Ends the pipe to `start`: everything is ready."""


class Console:
    """Writes lines to a descriptor, which it owns, or nowhere."""

    def __init__(self, fd: int | None, *, stamps: bool, form: Format | None = None) -> None:
        """stamps: begin lines with the local time of day; form: write log entries instead, as a relay does."""
        self._outlet = Outlet(fd) if fd is not None else None
        self._form = form
        self.stamps = stamps

    def line(self, text: str) -> None:
        """Write one line."""
        if self._form is not None:
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:23] + "Z"
            self._write(shown(Entry(time=now, level="info", actor="supervisor", message=text), self._form))
            return
        stamp = time.strftime("%H:%M:%S ") if self.stamps else ""
        self._write(f"{stamp}{text}\n".encode())

    def block(self, text: str) -> None:
        """Write lines as they are: for people only."""
        if self._form is not None:
            return
        self._write(f"{text}\n".encode())

    def mark_ready(self) -> None:
        """Tell the waiting `start` that it can end, and be silent from now on."""
        self._write(READY_MARK)
        self.close()

    def close(self) -> None:
        """Write what waits and give the descriptor back."""
        outlet, self._outlet = self._outlet, None
        if outlet is not None:
            outlet.close()

    def _write(self, data: bytes) -> None:
        if self._outlet is not None:
            self._outlet.write(data)
