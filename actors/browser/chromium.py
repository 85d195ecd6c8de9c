"""Chromium as a child process: started so that it dies with us, its words passed on, its end awaited.

In: a command line. Out: lines, a descriptor that tells the end. It has a session of its own, so that nothing of it can
be missed at the end; the parent-death signal covers our own sudden death (start it from the main thread).
"""

import contextlib
import fcntl
import os
import re
import select
import signal
import subprocess
from functools import partial
from pathlib import Path

from actors.core.lifeline import die_with_parent
from actors.core.runtime import Context

QUIT_S = 3.0  # Chromium writes its profile at SIGTERM; below the supervisor's limit of 5 s
NOISE = re.compile(rb":CONSOLE|:ERROR:dbus/")  # page's words are payload; a box without D-Bus is an ordinary box
KILLED_S = 1.0  # a killed process with gigabytes to give back needs up to 0.1 s
PIPE_BYTES = 1_048_576  # Chromium's stderr must never block it, even while this process is stopped


class Chromium:
    """The child process and what it says."""

    def __init__(self, context: Context, command: list[str]) -> None:
        read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
        fcntl.fcntl(write_fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        os.set_blocking(read_fd, False)
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=write_fd,
            stderr=write_fd,
            start_new_session=True,
            preexec_fn=partial(die_with_parent, os.getpid()),
        )
        os.close(write_fd)
        self.pid = self.process.pid
        self.pidfd = os.pidfd_open(self.pid)
        self.output = open(read_fd, "rb", buffering=0)  # noqa: SIM115, PTH123
        self._tail = b""
        self._log = context.log

    def lines(self) -> list[str]:
        """Return the whole lines that Chromium has written since; they go to the log as they are."""
        chunk = self.output.read(65536)
        if not chunk:
            return []
        *lines, self._tail = (self._tail + chunk).split(b"\n")
        texts = [line.decode(errors="replace") for line in lines if line and not NOISE.search(line)]
        for text in texts:
            os.write(2, f"chromium: {text}\n".encode(errors="replace"))
        return texts

    def ended(self, wait_s: float = 0.0) -> bool:
        """Whether it has ended, or does within `wait_s`."""
        return bool(select.select([self.pidfd], [], [], wait_s)[0])

    def quit(self) -> None:
        """End it: ask, wait `QUIT_S`, then kill its whole group."""
        if not self.ended():
            self.process.send_signal(signal.SIGTERM)
        if not self.ended(QUIT_S):
            self._log.warning("Chromium did not end within %s s: killed", QUIT_S)
        self.kill_group()

    def kill_group(self) -> None:
        """Leave nothing of it: its session is ours, and every process of it ends before this returns."""
        dying = []
        for pid in session_members(self.pid):
            with contextlib.suppress(ProcessLookupError):
                dying.append(os.pidfd_open(pid))
        for pidfd in dying:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        for pidfd in dying:
            select.select([pidfd], [], [], KILLED_S)
            os.close(pidfd)
        self.process.wait()
        os.close(self.pidfd)
        self.output.close()


def session_members(session: int) -> list[int]:
    """Return the processes of a session."""
    members = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(int(entry.name)) == session:
                members.append(int(entry.name))
    return members


class PidFd:
    """A process's descriptor, as the loop wants it."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._fd
