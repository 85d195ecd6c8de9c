"""A plain program as an actor: started, listened to, stopped and reported like one of ours.

In: an entry of `actors.extra` with a `command`. Out: its words in the actor's log, readiness once it has run for
`start_s`, and its exit code as ours. It has a session of its own, which is ended with it, and dies with this process.
Whether it hangs nobody can tell from outside: only its end is noticed.
"""

import contextlib
import logging
import os
import select
import signal
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

from actors.core.clock import monotonic_s
from actors.core.config import ExtraActor
from actors.core.lifeline import die_with_parent
from actors.core.runtime import Context

ASK_SHARE = 0.8  # of the time to stop; the rest is for killing what did not
READ_BYTES = 65_536
LONGEST_LINE = 10_000  # what has no end by then is a line all the same
TURN_S = 0.1
SIGNAL_CODE = 128  # added to a signal's number, as shells do


class Program:
    """The process and what it says."""

    def __init__(self, context: Context, actor: ExtraActor) -> None:
        """OSError: it cannot be started."""
        self._context = context
        self._words = logging.getLogger(f"{context.name}.says")
        self._words.setLevel(logging.INFO)  # whatever log.level is: these are not our words
        self._output, theirs = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._output, False)
        self._tail = b""
        try:
            self._process = subprocess.Popen(
                actor.command or [],
                stdin=subprocess.DEVNULL,
                stdout=theirs,
                stderr=theirs,
                cwd=Path(actor.folder).expanduser() if actor.folder else context.data_dir,
                env={**os.environ, "VECTRA_DATA_DIR": str(context.data_dir), **actor.environment},
                start_new_session=True,
                preexec_fn=partial(_prepare, os.getpid()),
            )
        finally:
            os.close(theirs)
        self._pidfd = os.pidfd_open(self._process.pid)
        context.stats["pid"] = self._process.pid
        context.loop.read(_Fd(self._output), self.listen)
        context.loop.read(_Fd(self._pidfd), context.loop.stop)

    @property
    def ended(self) -> bool:
        """Whether it is gone."""
        return bool(select.select([self._pidfd], [], [], 0)[0])

    def listen(self) -> None:
        """Pass on what it has said since."""
        try:
            chunk = os.read(self._output, READ_BYTES)
        except BlockingIOError:
            return
        if not chunk:  # it closed both, and may go on
            self._context.loop.forget(_Fd(self._output))
        *lines, self._tail = (self._tail + chunk).split(b"\n")
        if len(self._tail) > LONGEST_LINE:
            lines, self._tail = [*lines, self._tail], b""
        self._say(lines)

    def stop(self, ask_s: float) -> None:
        """Ask its whole session to end, and kill what has not after `ask_s`; its words are heard until then."""
        self._signal(signal.SIGTERM)
        deadline_s = monotonic_s() + ask_s
        while not self.ended and monotonic_s() < deadline_s:
            self._context.loop.turn(TURN_S)
        self.finish()

    def finish(self) -> int:
        """Kill what is left of its session, hear its last words; return its exit code, negative for a signal."""
        self._signal(signal.SIGKILL)
        code = self._process.wait()
        while self._has_words():
            self.listen()
        self._say([self._tail] if self._tail else [])
        os.close(self._output)
        os.close(self._pidfd)
        return code

    def _has_words(self) -> bool:
        """Say whether there is something to read; at the end of the pipe there is not."""
        poll = select.poll()
        poll.register(self._output, select.POLLIN)
        return any(what & select.POLLIN for _, what in poll.poll(0))

    def _say(self, lines: list[bytes]) -> None:
        for line in lines:
            self._words.info("%s", line.decode(errors="backslashreplace").rstrip("\r"))

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)  # not reaped yet: the number is still its own


class _Fd:
    """A bare descriptor, for the loop."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._fd


def _prepare(parent: int) -> None:
    """In the program's process, before it begins: tie it to us, and give it back the signals that we ignore."""
    die_with_parent(parent)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def ready_after(context: Context, start_s: float) -> Callable[[], None]:
    """Return what to call each turn: it says ready once the program has run for `start_s`."""
    until_s = monotonic_s() + start_s

    def look() -> None:
        if context.is_ready:
            return
        left_s = until_s - monotonic_s()
        if left_s <= 0:
            context.ready()
        else:
            context.loop.again(left_s)

    return look


def run(context: Context) -> None:
    """Be the program until it ends or we are told to stop. SystemExit: its exit code."""
    actor = next(actor for actor in context.config.actors.extra if actor.id == context.name)
    try:
        program = Program(context, actor)
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        context.log.error("command is %s, cannot be started: %s%s", actor.command, error.strerror, where)
        raise SystemExit(1) from None
    context.log.info("started with pid %d", context.stats["pid"])
    context.loop.each_turn(ready_after(context, actor.start_s))
    context.run_loop()
    if not program.ended:
        limit_s = context.config.supervisor.stop_timeout_s if actor.shutdown_s is None else actor.shutdown_s
        program.stop(ASK_SHARE * limit_s)
        return
    code = program.finish()
    if code == 0:
        context.log.info("the program ended")
    elif code > 0:
        context.log.error("the program ended with exit code %d", code)
    else:
        context.log.error("the program was killed by %s", signal.Signals(-code).name)
    raise SystemExit(code if code >= 0 else SIGNAL_CODE - code)
