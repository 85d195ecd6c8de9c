"""A warm parent for actors under test, as the supervisor's fork server is: forks an actor in milliseconds.

As a program: reads one JSON order a line, forks, and prints the pid, later the pid's exit status. As a module:
`Nursery` drives it. All actors die with it, and it dies when its standard input is closed.
"""

import base64
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import msgspec

from actors.core.config import Config

REPO = Path(__file__).parents[2]


class Nursery:
    """Starts actors and tells how they ended."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.writer.nursery"], cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._unread = b""
        self._codes: dict[int, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)

    def start(self, name: str, start: str, config: Config, *, fault: str = "", file_bytes: int = -1) -> int:
        """Start an actor; return its pid. file_bytes: no file of it may grow larger (RLIMIT_FSIZE)."""
        packed = base64.b64encode(msgspec.msgpack.encode(config)).decode()
        order = {"name": name, "start": start, "config": packed, "fault": fault, "file_bytes": file_bytes}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        while True:
            told = self._next(10)
            if "pid" in told:
                return int(told["pid"])

    def exit_code(self, pid: int, cap_s: float = 0.0) -> int | None:
        """Return the exit code (negative: the signal), None while it lives; waits at most `cap_s`."""
        until_s = time.monotonic() + cap_s
        while pid not in self._codes and self._readable(max(0.0, until_s - time.monotonic())):
            self._next(1)
        return self._codes.get(pid)

    def end(self, pid: int, how: signal.Signals = signal.SIGTERM) -> int:
        """End an actor and return its exit code."""
        os.kill(pid, how)
        code = self.exit_code(pid, 15)
        assert code is not None, f"{pid} did not end within 15 s of {how.name}"
        return code

    def _readable(self, wait_s: float) -> bool:
        assert self._process.stdout is not None
        return b"\n" in self._unread or bool(select.select([self._process.stdout], [], [], wait_s)[0])

    def _next(self, cap_s: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        while b"\n" not in self._unread:
            assert self._readable(cap_s), "the nursery says nothing"
            more = os.read(self._process.stdout.fileno(), 65536)
            assert more, "the nursery died"
            self._unread += more
        line, _, self._unread = self._unread.partition(b"\n")
        told: dict[str, Any] = json.loads(line)
        if "exit" in told:
            self._codes[told["exit"]] = told["code"]
        return told


def _serve() -> None:
    poller = select.poll()
    poller.register(0, select.POLLIN | select.POLLHUP)
    children: dict[int, int] = {}
    unread = b""
    while True:
        for fd, _ in poller.poll():
            if fd == 0:
                unread += (more := os.read(0, 65536))
                if not more:
                    _end_all(children)
                    return
                while b"\n" in unread:
                    line, _, unread = unread.partition(b"\n")
                    pid = _fork(json.loads(line))
                    children[watched := os.pidfd_open(pid)] = pid
                    poller.register(watched, select.POLLIN)
                    _tell({"pid": pid})
            else:
                poller.unregister(fd)
                os.close(fd)
                pid, status = os.waitpid(children.pop(fd), 0)
                _tell({"exit": pid, "code": os.waitstatus_to_exitcode(status)})


def _end_all(children: dict[int, int]) -> None:
    for pid in children.values():
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _tell(what: dict[str, int]) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


def _fork(order: dict[str, Any]) -> int:
    parent = os.getpid()
    if (pid := os.fork()) != 0:
        return pid
    import resource

    from actors.core.runtime import enter

    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ["VECTRA_FAULT"] = order["fault"]
    if order["file_bytes"] >= 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_bytes"], resource.RLIM_INFINITY))
    enter(order["name"], order["start"], base64.b64decode(order["config"]), demo=False, parent=parent)
    raise AssertionError("enter ends the process")


if __name__ == "__main__":
    import actors.journal.actor
    import actors.normalizer
    import actors.state.actor
    import actors.writer.actor  # noqa: F401 (warm: the children import nothing)

    _serve()
