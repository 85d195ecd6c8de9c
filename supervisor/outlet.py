"""Output that nobody has to wait for: a terminal stopped with Ctrl-S, or a full pipe, must not stop the supervisor.

In: bytes, from the control loop. Out: the same bytes, in order, written by a thread of its own, the only one that may
wait. What a reader that does not read leaves waiting is bounded: past it new output is dropped, and that is said.
"""

import os
import threading
from collections import deque

LIMIT_BYTES = 1_000_000
LAST_S = 2.0  # for the last words at the end, where nobody reads any more


class Outlet:
    """Writes to one descriptor, which it owns."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self.dropped = 0
        self._news = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="outlet", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Have it written; returns at once."""
        with self._news:
            if self._closing:
                return
            if self._bytes + len(data) > LIMIT_BYTES:
                self.dropped += 1
                return
            self._waiting.append(data)
            self._bytes += len(data)
            self._news.notify()

    def close(self) -> None:
        """Write what waits, `LAST_S` at most, and give the descriptor back."""
        with self._news:
            self._closing = True
            self._news.notify()
        self._thread.join(LAST_S)
        if not self._thread.is_alive():  # else it is in the middle of a write, and ends with the process
            os.close(self._fd)

    def _work(self) -> None:
        while (data := self._next()) is not None:
            try:
                while data:
                    data = data[os.write(self._fd, data) :]
            except OSError:
                return  # the reader went away: that is no error

    def _next(self) -> bytes | None:
        with self._news:
            while not self._waiting:
                if self.dropped:
                    count, self.dropped = self.dropped, 0
                    return b"(%d lines were not shown: nobody read)\n" % count
                if self._closing:
                    return None
                self._news.wait()
            data = self._waiting.popleft()
            self._bytes -= len(data)
            return data
