"""The way down of one child: asked, then killed at its limit, then waited for. Also that of a child that hangs.

In: a child and why. Out: signals, and the next thing due for the child. A child that takes its time delays only
itself: nothing here waits.
"""

import signal
import time
from collections.abc import Callable

from supervisor.child import Child
from supervisor.nursery import REAP_S
from supervisor.words import duration

DUMP_S = 0.15  # for a hung child to write its stacks


class Endings:
    """Ends children."""

    def __init__(self, say: Callable[[str], None], server_hangs: Callable[[str], None]) -> None:
        self._say = say
        self._server_hangs = server_hangs

    def stop(self, child: Child) -> None:
        """Ask it to stop; SIGKILL at its limit, or at once where the limit is 0 (OTP's brutal kill)."""
        child.phase = "stopping"
        if not child.spec.shutdown_s:
            self.kill(child, time.monotonic())
            return
        self._send(child, signal.SIGTERM)
        child.at(time.monotonic() + child.spec.shutdown_s, lambda later_s: self._kill_slow(child, later_s))

    def hung(self, child: Child, why: str, now_s: float) -> None:
        """Have it write its stacks into its log, then kill it."""
        child.phase = "hung"
        child.note = f"{why}; its stacks go to its log, then it is killed"
        self._say(f"{child.id} {why}: killing it")
        self._send(child, signal.SIGUSR1)
        self._send(child, signal.SIGCONT)  # one that was stopped does nothing else before that
        child.at(now_s + DUMP_S, lambda later_s: self.kill(child, later_s))

    def kill(self, child: Child, now_s: float) -> None:
        """SIGKILL, and come back where its end is not reported soon."""
        child.killed = True
        self._send(child, signal.SIGKILL)
        child.at(now_s + REAP_S, lambda later_s: self._still_there(child, later_s))

    def _kill_slow(self, child: Child, now_s: float) -> None:
        self._say(f"{child.id} did not stop within {duration(child.spec.shutdown_s)}: killing it")
        self.kill(child, now_s)

    def _still_there(self, child: Child, now_s: float) -> None:
        """A killed child was not reported as ended: either it cannot die yet, or the fork server is stuck."""
        if child.process is not None and child.process.runs:
            self._say(f"{child.id} was killed and is still there: the kernel holds it; waiting")
            self.kill(child, now_s)
        else:
            self._server_hangs(f"did not report the end of {child.id}")

    def _send(self, child: Child, number: signal.Signals) -> None:
        if child.process is not None:
            child.process.send_signal(number)
