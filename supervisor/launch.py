"""The supervisor's end of the fork server: starts it, orders children, hears of births and ends. Never waits.

In: what to start. Out: `Spawned`, at once, and the news as they come. The fork server is a fresh interpreter, started
from the caller's thread, which must be the main one: the parent-death signal belongs to that thread. An order to a
fork server that is stopped lies in the socket until it goes on, or until it is killed.
"""

import contextlib
import itertools
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator, Sequence

from supervisor.births import LARGEST_BYTES, News, Preloaded, Prepare, Spawn, decode_news, encode

LIBRARIES: tuple[str, ...] = (
    "actors.core.runtime",
    "zmq",
    "zmq.asyncio",
    "msgspec",
    "pyarrow",
    "pyarrow.parquet",
    "aiohttp",
    "aiohttp.web",
    "quart",
    "hypercorn.asyncio",
    "websocket",
    "google_crc32c",
    "zstandard",
)
"""What the actors import: shared by all children, a child costs 8 to 9 MB instead of 33 to 36."""

FRUGAL = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "MALLOC_TOP_PAD_": "16384",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
"""What the C libraries read at a process's start: give memory back early. Together 10 to 20 MB of the demo's 250."""

HANG_S = 1.0  # the shortest limit there is: an actor that is told no other reports often enough for each
END_MS = 1000  # a fork server that was told to end does so in a millisecond

_SERVE = "import sys; sys.path[:] = sys.argv[2:]; from supervisor.forkserver import main; main(int(sys.argv[1]))"


class Spawned:
    """A child that was asked for."""

    def __init__(self, serial: int) -> None:
        self.serial = serial
        self.pid: int | None = None
        self._pidfd: int | None = None

    def began(self, pid: int, pidfd: int | None) -> None:
        """Take note of its process."""
        self.pid, self._pidfd = pid, pidfd

    def fileno(self) -> int:
        """Return the pidfd: readable once it has ended. ValueError: it has no process yet."""
        if self._pidfd is None:
            raise ValueError("the child has no process")
        return self._pidfd

    @property
    def runs(self) -> bool:
        """Whether the process is known and has not ended, whatever the fork server says."""
        return self._pidfd is not None and not readable(self._pidfd)

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to exactly this child; nothing where it is gone or not there yet."""
        if self._pidfd is not None:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._pidfd, number)

    def close(self) -> None:
        """Give the descriptor back."""
        if self._pidfd is not None:
            os.close(self._pidfd)
        self._pidfd = None


def readable(fd: int | None, wait_ms: int = 0) -> bool:
    """Say whether a descriptor has something to read; a pidfd does once its process is gone."""
    poll = select.poll()
    if fd is not None:
        poll.register(fd, select.POLLIN)
    return bool(poll.poll(wait_ms))


class ForkServer:
    """One fork server after the other: one begins when the one before is gone."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._modules = [*LIBRARIES, *modules]
        self._serials = itertools.count(1)
        self._pidfd: int | None = None
        self.channel: socket.socket | None = None
        self.pid: int | None = None
        self.warm = False  # it has imported everything

    def begin(self) -> tuple[int, socket.socket]:
        """Start a server; return its pid and its socket. Main thread only. OSError: it cannot be started."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            theirs.set_inheritable(True)
            self.pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-P", "-c", _SERVE, str(theirs.fileno()), *filter(None, sys.path)],
                {**FRUGAL, **os.environ},
                file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)],
                setpgroup=0,  # what is sent to the supervisor's group, as by `timeout`, reaches it alone
            )
        self._pidfd = os.pidfd_open(self.pid)
        ours.setblocking(False)
        ours.send(encode(Prepare(parent=os.getpid(), modules=self._modules)))
        self.channel = ours
        self.warm = False
        return self.pid, ours

    def alive(self) -> bool:
        """Say whether the server's process exists."""
        return self._pidfd is not None and not readable(self._pidfd)

    def fileno(self) -> int:
        """Return a descriptor that is readable once the server is gone."""
        if self._pidfd is None:
            raise ValueError("the fork server was not started")
        return self._pidfd

    def spawn(
        self, name: str, start: str, config: bytes, demo: bool, *, hang_s: float = HANG_S, path: Sequence[str] = ()
    ) -> Spawned:
        """Ask for a child; returns at once. OSError: the server is gone, or has not read its orders for long."""
        if self.channel is None:
            raise ConnectionError("it was not started")
        spawned = Spawned(next(self._serials))
        order = Spawn(
            serial=spawned.serial, name=name, start=start, config=config, demo=demo, hang_s=hang_s, path=list(path)
        )
        self.channel.send(encode(order))
        return spawned

    def news(self) -> Iterator[tuple[News, int | None]]:
        """Yield what it has told since the last look, a birth with the child's pidfd, which is then the caller's.

        `channel` is None afterwards where the server is gone, or about to be.
        """
        while self.channel is not None:
            try:
                data, fds, _, _ = socket.recv_fds(self.channel, LARGEST_BYTES, 1)
            except BlockingIOError:
                return
            except ConnectionError:
                data, fds = b"", []
            if not data:
                self.channel.close()
                self.channel = None
                return
            for fd in fds:
                os.set_inheritable(fd, False)  # or the next fork server, and all its children, would hold it
            news = decode_news(data)
            self.warm = self.warm or isinstance(news, Preloaded)
            yield news, fds[0] if fds else None

    def kill(self) -> None:
        """End the server and with it, by the parent-death signal, all its children."""
        if self._pidfd is not None:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def close(self) -> None:
        """End the server and its reserve, and wait for it; its children must have ended before."""
        if self.channel is not None:
            self.channel.close()
            self.channel = None
        if self._pidfd is not None and not readable(self._pidfd, END_MS):
            self.kill()
            readable(self._pidfd, END_MS)
        self.forget()

    def forget(self) -> None:
        """Take note that the server's process is gone."""
        if self.channel is not None:
            self.channel.close()
        if self._pidfd is not None:
            os.close(self._pidfd)
        if self.pid is not None:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, os.WNOHANG)
        self.channel = self._pidfd = self.pid = None
