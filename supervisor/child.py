"""One child as the tree sees it: where it stands in its life, and what it said last. Owns no socket and no clock.

In: what happened, with the time. Out: fields that the tree and `status` read. It never starts or kills anything itself:
that is the tree's, through `process`.
"""

from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple

from supervisor.launch import Spawned
from supervisor.restart import History
from supervisor.spec import ChildSpec
from supervisor.words import duration, exit_words

Phase = Literal["starting", "ready", "hung", "waiting", "stopping", "stopped"]
State = Literal["starting", "ready", "hung", "backing-off", "crash-looping", "stopping", "stopped"]


class LastExit(NamedTuple):
    """How the last process of a child ended."""

    code: int | None  # negative for a signal
    at_ms: int
    last_lines: list[str]
    out_of_memory: bool | None = False  # killed by the kernel for want of memory; None: cannot be told from SIGKILL
    working_on: str = ""  # when it was killed, as far as it said; see `actors.core.breadcrumb`

    @property
    def words(self) -> str:
        """How it ended, for people."""
        return exit_words(self.code, self.out_of_memory, self.working_on)


class Child:
    """The mutable state of one supervised child."""

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        self.history = History(spec.intensity, spec.period_s, spec.longest_wait_s)
        self.phase: Phase = "stopped"
        self.process: Spawned | None = None
        self.leaving = False  # a job is taking it down: its death is no failure
        self.killed = False  # by us
        self.started_s = 0.0
        self.ready_s: float | None = None
        self.died_s: float | None = None
        self.restarts = 0
        self.last_exit: LastExit | None = None
        self.gone_s: float | None = None  # since when its process is gone without the fork server saying so
        self.progress = 0
        self.progress_s = 0.0
        self.hang_s = spec.hang_s
        self._waited_pid: int | None = None
        self._waited_s = 0.0
        self.waiting_noted_s = 0.0
        self.stats: dict[str, Any] = {}
        self.note = ""  # why it waits, is hung or has stopped, in words
        self.due_s: float | None = None
        self.due: Callable[[float], None] | None = None
        self._due_moves = False  # with each sign of progress

    @property
    def id(self) -> str:
        """The child's name."""
        return self.spec.id

    @property
    def pid(self) -> int | None:
        """Its process, None while there is none."""
        return self.process.pid if self.process is not None else None

    @property
    def state(self) -> State:
        """The state as contract 4.2 names it: a crash-looping child is not ready before it has proved itself."""
        if self.phase in ("starting", "ready", "waiting") and self.history.crash_looping:
            return "crash-looping"
        return "backing-off" if self.phase == "waiting" else self.phase

    @property
    def is_ready(self) -> bool:
        """Whether it does its work, and has not just crashed again and again."""
        return self.state == "ready"

    @property
    def degraded(self) -> bool:
        """Whether it is neither ready nor stopped on purpose (told to, or at its own good end)."""
        if self.phase == "stopped":
            return not self.leaving and (self.last_exit is None or self.last_exit.code != 0)
        return not self.is_ready

    def at(
        self, due_s: float | None, action: Callable[[float], None] | None, *, moves_with_progress: bool = False
    ) -> None:
        """Set the one thing that is to happen to this child next; `action` is called with the time.

        moves_with_progress: it is what to do about silence, and no matter while the child progresses.
        """
        self.due_s, self.due, self._due_moves = due_s, action, moves_with_progress

    def began(self, process: Spawned, now_s: float) -> None:
        """A process was asked for."""
        self.process = process
        self.phase = "starting"
        self.leaving = self.killed = False
        self.started_s = self.progress_s = now_s
        self.hang_s = self.spec.hang_s  # it was told, and reports as often as that asks for
        self.ready_s = self.gone_s = None
        self.progress = 0
        self.note = ""

    def said_ready(self, now_s: float) -> None:
        """The child does its work from now on."""
        self.phase = "ready"
        self.ready_s = self.progress_s = now_s

    def forgive_waiting(self, waited_s: float, now_s: float) -> None:
        """Do not count as silence what it waited for a processor since the last look: it is slow then, not hung.

        waited_s: since its start, of its main thread.
        """
        if self.pid == self._waited_pid:
            self.progress_s = min(now_s, self.progress_s + max(0.0, waited_s - self._waited_s))
        self.note_waiting(waited_s, now_s)

    def note_waiting(self, waited_s: float, now_s: float) -> None:
        """Take note of what it has waited for a processor while it worked: only what comes after can be forgiven."""
        self._waited_pid, self._waited_s, self.waiting_noted_s = self.pid, waited_s, now_s

    def said_progress(self, count: int, stats: dict[str, Any], at_s: float) -> None:
        """The child's own count of its turns, and its figures; at_s: when it said so, however late that is read."""
        self.stats = stats
        if count != self.progress:
            self.progress = count
            self.progress_s = max(self.progress_s, at_s)
            if self._due_moves:
                self.due_s = self.progress_s + self.patience_s

    @property
    def patience_s(self) -> float:
        """How long it may be silent: as is set now, but one that was told of a longer limit reports no more often."""
        return max(self.spec.hang_s, self.hang_s)

    def ended(self, exit_: LastExit, now_s: float) -> None:
        """Its process is gone."""
        self.last_exit = exit_
        self.died_s = now_s
        self.process = None
        self.stats = {}
        self.phase = "stopped"
        self.at(None, None)

    def reason(self, now_s: float) -> str | None:
        """Say in plain words why it is not ready; None when it is."""
        if self.is_ready:
            return None
        since = duration(now_s - self.started_s)
        if self.history.crash_looping and self.phase != "stopping":
            wait = f"next try in {duration(max(0.0, (self.due_s or now_s) - now_s))}"
            now = wait if self.phase == "waiting" else f"running again for {since}, not trusted yet"
            how = self.last_exit.words if self.last_exit else "could not be started"
            often = "once" if self.history.streak == 1 else f"{self.history.streak} times in a row"
            return f"died {often}, last it {how}; {now}{self._last_words()}"
        if self.phase == "starting":
            return f"started {since} ago, has not yet said that it is ready"
        if self.phase == "stopping":
            return "was told to stop and is finishing its work"
        return self.note or "is not running"

    def _last_words(self) -> str:
        lines = self.last_exit.last_lines if self.last_exit else []
        spoken = [line for line in lines if line.strip()]
        return f"; its last words: {spoken[-1].strip()}" if spoken else ""


def are_up(children: Iterable[Child], *, late: bool) -> bool:
    """Say whether all of ours are ready, and the user's own too, or known to fail, or too late to be waited for."""
    children = list(children)
    extras = [child for child in children if child.spec.extra is not None and not late]
    settled = (child.is_ready or child.history.crash_looping or child.phase == "stopped" for child in extras)
    return all(child.is_ready for child in children if child.spec.extra is None) and all(settled)
