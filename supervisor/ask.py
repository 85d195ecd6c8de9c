"""Talking to the supervisor that runs, from the command line: one question, one answer, a limit on the wait.

In: the runtime directory. Out: answers, or errors that name the way out and the exit code of contract 4.1.
"""

import os
import select
import time
import uuid
from pathlib import Path
from typing import Any

import msgspec

from actors.core import streams
from actors.core.bus import Bus
from actors.core.messages import Ask
from supervisor.locks import running_pid

ANSWER_S = 2.0  # it answers within milliseconds; this is for one that is only just starting


class CommandError(Exception):
    """A command cannot be carried out; `exit_code` is the process's."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class NotRunning(CommandError):
    """There is no supervisor to talk to."""

    def __init__(self) -> None:
        super().__init__("VECTRA is not running. `vectra-supervisor start` starts it.", 3)


def require_running(runtime_dir: Path) -> int:
    """Return the pid of the running supervisor (0: not known yet). NotRunning: there is none."""
    pid = running_pid(runtime_dir)
    if pid is None:
        raise NotRunning
    return pid


def ask(runtime_dir: Path, op: str, timeout_s: float = ANSWER_S, **args: Any) -> Any:
    """Return the answer's data. NotRunning; CommandError: refused (2), or no answer in time (1)."""
    pid = require_running(runtime_dir)
    bus = Bus(runtime_dir)
    try:
        with bus.dealer(streams.CONTROL) as dealer:
            answer = dealer.ask(Ask(id=uuid.uuid4().hex, op=op, args=args), timeout_s)
    finally:
        bus.close()
    if answer is None:
        if running_pid(runtime_dir) is None:
            raise NotRunning
        raise CommandError(
            f"The supervisor (pid {pid}) did not answer within {timeout_s:g} s. Look at "
            f"{runtime_dir / 'log' / 'supervisor.log'}; `kill {pid}` stops it in order.",
            1,
        )
    if answer.error is not None:
        raise CommandError(answer.error, 2)
    return msgspec.json.decode(answer.data)


class Watch:
    """The supervisor's process, to be waited for. Use it as a context manager."""

    def __init__(self, pid: int) -> None:
        self._fd: int | None = None
        if pid:
            try:
                self._fd = os.pidfd_open(pid)
            except OSError:
                self._fd = None

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, *error: object) -> None:
        if self._fd is not None:
            os.close(self._fd)

    def ended(self, timeout_s: float) -> bool:
        """Wait at most so long; say whether the process is gone."""
        if self._fd is None:
            return True
        return bool(select.select([self._fd], [], [], max(0.0, timeout_s))[0])


def wait_ready(runtime_dir: Path, pid: int, old_pids: dict[str, int | None], timeout_s: float) -> list[str]:
    """Wait until these actors run under new pids and are ready; return those that did not within `timeout_s`."""
    deadline_s = time.monotonic() + timeout_s
    waiting = dict(old_pids)
    with Watch(pid) as supervisor:
        while waiting and time.monotonic() < deadline_s:
            for actor in ask(runtime_dir, "status")["actors"]:
                name = actor["name"]
                if name in waiting and actor["state"] == "ready" and actor["pid"] != waiting[name]:
                    del waiting[name]
            if waiting and supervisor.ended(0.05):
                raise NotRunning
    return sorted(waiting)
