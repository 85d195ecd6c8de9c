"""Children as forks of a preloaded server: a restart costs milliseconds, and no call here ever waits for a child.

multiprocessing's fork server does the forking; its own `Process.start` would block for ever on a stopped server, so
we speak its protocol ourselves: ask, then read the pid, later the exit code, from a pipe as they come. The server
is started from the caller's thread, which must be the main one: the parent-death signal belongs to that thread.
"""

import contextlib
import io
import json
import multiprocessing
import os
import select
import signal
import struct
import sys
from collections.abc import Iterator, Sequence
from multiprocessing import forkserver, process, reduction, spawn
from multiprocessing.context import set_spawning_popen
from multiprocessing.popen_forkserver import Popen
from pathlib import Path
from typing import Any, NamedTuple

from actors.core.bus import IPC_PATH_LIMIT
from actors.core.files import private_dir
from supervisor.preload import VARIABLE, restore_environment

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

_NUMBER = struct.Struct("q")  # how the fork server writes pids and exit codes


class Exit(NamedTuple):
    """A child ended; code: the exit code, negative for a signal, None where nobody is left to tell."""

    code: int | None


class Started(NamedTuple):
    """A child runs."""

    pid: int


class Spawned:
    """A child that was asked for. `fileno()` is readable when `news()` has something to say."""

    def __init__(self, sentinel: int, keep_open: int, server_pid: int) -> None:
        os.set_blocking(sentinel, False)
        self._sentinel = sentinel
        self._keep_open = keep_open  # the child's view of its parent being alive
        self._buffer = b""
        self._pidfd: int | None = None
        self.server_pid = server_pid
        self.pid: int | None = None
        self.ended = False
        self.orphaned = False  # the fork server is gone: only the kernel tells when this child ends

    def fileno(self) -> int:
        """Return the descriptor to poll; another one once the child is orphaned."""
        return self._pidfd if self.orphaned and self._pidfd is not None else self._sentinel

    def news(self) -> Started | Exit | None:
        """Return what happened next, None when nothing did; after an `Exit` there is no more."""
        if self.orphaned:
            return self._exit(None) if readable(self._pidfd) else None
        if len(self._buffer) < _NUMBER.size:
            try:
                data = os.read(self._sentinel, 2 * _NUMBER.size)
            except BlockingIOError:
                return None
            if not data:
                self.orphaned = self._pidfd is not None
                return None if self.orphaned else self._exit(None)
            self._buffer += data
        if len(self._buffer) < _NUMBER.size:
            return None
        number = int(_NUMBER.unpack_from(self._buffer)[0])
        self._buffer = self._buffer[_NUMBER.size :]
        if self.pid is None:
            self.pid = number
            with contextlib.suppress(OSError):  # ended already; its exit code is on its way
                self._pidfd = os.pidfd_open(number)
            return Started(number)
        return self._exit(number)

    def _exit(self, code: int | None) -> Exit:
        self.ended = True
        return Exit(code)

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
        """Give the descriptors back."""
        for fd in (self._sentinel, self._keep_open, self._pidfd):
            if fd is not None:
                os.close(fd)
        self._pidfd = None


def readable(fd: int | None) -> bool:
    """Say whether a descriptor has something to read; a pidfd does once its process is gone."""
    poll = select.poll()
    if fd is not None:
        poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))


FRUGAL = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "MALLOC_TOP_PAD_": "16384",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
"""What the C libraries read at a process's start: give memory back early. Together 10 to 20 MB of the demo's 250."""


@contextlib.contextmanager
def _frugal_with_memory() -> Iterator[None]:
    """Set `FRUGAL` for the fork server and all its children, where the user has not set it otherwise."""
    ours = [name for name in FRUGAL if name not in os.environ]
    os.environ.update({name: FRUGAL[name] for name in ours})
    try:
        yield
    finally:
        for name in ours:
            del os.environ[name]


class ForkServer:
    """The preloaded fork server, started again on the next `ensure` when it is gone."""

    def __init__(self, runtime_dir: Path, modules: Sequence[str]) -> None:
        self._server = forkserver.ForkServer()
        self._server.set_forkserver_preload(["supervisor.preload"])
        self._modules = [*LIBRARIES, *modules]
        self._context = multiprocessing.get_context("forkserver")
        self._pidfd: int | None = None
        self.pid: int | None = None
        self._sockets = private_dir(runtime_dir / "bus")
        self._report = self._sockets / "preload.json"

    def ensure(self) -> int:
        """Return the server's pid, starting it where it is not running. Main thread only."""
        if self.pid is not None and self.alive():
            return self.pid
        self.forget()
        for stale in self._sockets.glob("listener-*"):
            stale.unlink(missing_ok=True)
        self._report.unlink(missing_ok=True)
        path = os.environ.get("PYTHONPATH")
        order = {"parent": os.getpid(), "modules": self._modules, "report": str(self._report), "path": path}
        os.environ[VARIABLE] = json.dumps(order)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))  # it must find what we found
        try:
            with _frugal_with_memory(), self._listening_beside_the_bus():
                self._server.ensure_running()
        finally:
            restore_environment(path)
        self.pid = int(self._server._forkserver_pid)  # type: ignore[attr-defined]
        self._pidfd = os.pidfd_open(self.pid)
        return self.pid

    @contextlib.contextmanager
    def _listening_beside_the_bus(self) -> Iterator[None]:
        """Have multiprocessing put its socket there: its own place is a new directory in /tmp, left by a SIGKILL."""
        settings: dict[str, Any] = process.current_process()._config  # type: ignore[attr-defined]
        before = settings.get("tempdir")
        if len(str(self._sockets / "listener-00000000").encode()) <= IPC_PATH_LIMIT:
            settings["tempdir"] = str(self._sockets)
        try:
            yield
        finally:
            settings["tempdir"] = before

    def preload_failures(self) -> list[str]:
        """Return what could not be imported; known once there was a child."""
        try:
            return list(json.loads(self._report.read_bytes()))
        except (OSError, ValueError):
            return ["preload: nothing was imported, and the parent-death signal is not armed in the fork server"]

    def alive(self) -> bool:
        """Say whether the server's process exists."""
        return self._pidfd is not None and not readable(self._pidfd)

    def fileno(self) -> int:
        """Return a descriptor that is readable once the server is gone."""
        if self._pidfd is None:
            raise ValueError("the fork server was not started")
        return self._pidfd

    def spawn(self, name: str, target: Any, args: tuple[Any, ...]) -> Spawned:
        """Ask for a child that calls `target(*args)`; returns at once. OSError, EOFError: the server is gone."""
        server_pid = self.ensure()
        order = io.BytesIO()
        child = self._context.Process(target=target, args=args, name=name)
        set_spawning_popen(_Pickling())
        try:
            about = spawn.get_preparation_data(name)
            about.pop("init_main_from_name", None)  # children need nothing of our main module
            about.pop("init_main_from_path", None)
            reduction.dump(about, order)
            reduction.dump(child, order)
        finally:
            set_spawning_popen(None)
        sentinel, data = self._server.connect_to_new_process([])
        if self._server._forkserver_pid != server_pid:  # type: ignore[attr-defined]
            os.close(sentinel)  # the old one died this very moment, and multiprocessing began another on its own,
            os.close(data)  # which nobody tied to us
            os.kill(self._server._forkserver_pid, signal.SIGKILL)  # type: ignore[attr-defined]
            raise EOFError("the fork server died while it was asked for a child")
        keep_open = os.dup(data)
        with open(data, "wb", closefd=True) as pipe:  # noqa: PTH123 - a descriptor
            pipe.write(order.getbuffer())
        return Spawned(sentinel, keep_open, server_pid)

    def kill(self) -> None:
        """End the server at once, and with it all children; a stopped one too."""
        if self._pidfd is not None:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def close(self) -> None:
        """End the server and wait for it; its children must have ended before."""
        if self.pid is not None:
            self.kill()
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, 0)
            os.close(self._server._forkserver_alive_fd)  # type: ignore[attr-defined]
            self._server._forkserver_pid = None  # type: ignore[attr-defined]
        self.forget()
        for stale in self._sockets.glob("listener-*"):
            stale.unlink(missing_ok=True)

    def forget(self) -> None:
        """Take note that the server's process is gone."""
        if self._pidfd is not None:
            os.close(self._pidfd)
        self._pidfd = None
        self.pid = None


class _Pickling(Popen):
    """Stands for the spawning process while its order is pickled; starts nothing."""

    def __init__(self) -> None:
        self._fds: list[int] = []
