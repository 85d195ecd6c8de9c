"""The work loop of a synchronous actor: sockets in, handlers called, timers kept, progress counted.

One thread. A handler takes what is there and returns; it never waits. The count of turns is the actor's progress: a
handler that does not return stops the count, and the supervisor sees it. Ends when the process is told to stop.
"""

import heapq
import itertools
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import zmq

Handler = Callable[[], None]

LONGEST_WAIT_S = 1.0


class Loop:
    """Polls sockets and file descriptors, and calls timers, until stopped."""

    def __init__(self) -> None:
        self.turns = 0
        self._poller = zmq.Poller()
        self._handlers: dict[Any, Handler] = {}
        self._timers: list[tuple[float, int, float, Handler]] = []
        self._order = itertools.count()
        self._each_turn: list[Handler] = []
        self._stopping = False
        self._again_s = LONGEST_WAIT_S
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self.read(self._wake_read, self._drain_wake)

    def read(self, source: Any, handler: Handler) -> None:
        """Call `handler` while `source` has something to read: a bus socket, or anything with fileno()."""
        polled = getattr(source, "socket", source)
        if not isinstance(polled, zmq.Socket):
            polled = polled.fileno()
        self._handlers[polled] = handler
        self._poller.register(polled, zmq.POLLIN)

    def forget(self, source: Any) -> None:
        """Stop reading `source`."""
        polled = getattr(source, "socket", source)
        if not isinstance(polled, zmq.Socket):
            polled = polled.fileno()
        if self._handlers.pop(polled, None) is not None:
            self._poller.unregister(polled)

    def every(self, interval_s: float, handler: Handler) -> None:
        """Call `handler` each `interval_s`, first after one interval; late calls are not made up for."""
        heapq.heappush(self._timers, (time.monotonic() + interval_s, next(self._order), interval_s, handler))

    def each_turn(self, handler: Handler) -> None:
        """Call `handler` at the end of every turn, after what was ready has been read."""
        self._each_turn.append(handler)

    def again(self, within_s: float = 0.0) -> None:
        """Make the next wait end within `within_s`: there is work left that no socket will announce."""
        self._again_s = min(self._again_s, within_s)

    def stop(self) -> None:
        """End `run` after the current turn; safe in a signal handler."""
        self._stopping = True

    def stop_on_sigterm(self) -> None:
        """Make SIGTERM end `run`; main thread only."""

        def on_signal(number: int, frame: FrameType | None) -> None:
            self.stop()

        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, on_signal)

    @property
    def stopping(self) -> bool:
        """Whether the loop was told to stop."""
        return self._stopping

    def run(self) -> None:
        """Work until stopped."""
        while not self._stopping:
            self.turn(self._wait_s())

    def turn(self, wait_s: float) -> None:
        """Wait at most `wait_s`, then call what is due."""
        ready = self._poller.poll(max(0, round(wait_s * 1000)))
        for polled, _ in ready:
            handler = self._handlers.get(polled)
            if handler is not None:
                handler()
        for handler in self._each_turn:
            handler()
        self._call_timers()
        self.turns += 1

    def close(self) -> None:
        """Give back the wake-up sockets."""
        self._wake_read.close()
        self._wake_write.close()

    def _wait_s(self) -> float:
        again_s, self._again_s = self._again_s, LONGEST_WAIT_S
        if not self._timers:
            return again_s
        return min(again_s, max(0.0, self._timers[0][0] - time.monotonic()))

    def _call_timers(self) -> None:
        now_s = time.monotonic()
        while self._timers and self._timers[0][0] <= now_s:
            due_s, order, interval_s, handler = heapq.heappop(self._timers)
            heapq.heappush(self._timers, (max(due_s + interval_s, now_s), order, interval_s, handler))
            handler()

    def _drain_wake(self) -> None:
        try:
            while self._wake_read.recv(64):
                pass
        except BlockingIOError:
            pass
