"""Taking children down in order, and up again: one job for stop, restart, reload, a group's strategy. Pure.

In: the children and what to do with a living one. Out: calls of `stop` for one child after the other, each only when
the one before is down, then of `start`. A child that takes its time delays only what comes after it in its own job.
"""

from collections.abc import Callable, Iterable

from supervisor.child import Child


class Turnover:
    """One job. `advance` is called whenever something ended."""

    def __init__(
        self, stop: Iterable[Child], start: Iterable[Child], *, at_once: bool = False, not_before_s: float | None = None
    ) -> None:
        """stop, start: in the order wanted; at_once: do not wait for one before telling the next.

        not_before_s: when they may start, for whoever starts them; this class knows no clock.
        """
        self.not_before_s = not_before_s
        self._stop = list(stop)
        self._start = list(start)
        self._at_once = at_once
        self.done = False
        for child in self._stop:
            child.leaving = True

    @property
    def starts(self) -> list[Child]:
        """Who is to be started at the end."""
        return list(self._start)

    def holds(self, child: Child) -> bool:
        """Say whether this job still takes the child down."""
        return not self.done and child in self._stop

    def advance(self, stop: Callable[[Child], None], start: Callable[[Child, float | None], None]) -> None:
        """Do what can be done now."""
        if self.done:
            return
        for child in list(self._stop):
            if child.process is None:
                self._stop.remove(child)
                if child.phase != "stopped":  # it was waiting for a restart
                    child.phase = "stopped"
                    child.at(None, None)
                continue
            if child.phase != "stopping":
                stop(child)
            if not self._at_once:
                break
        if self._stop:
            return
        self.done = True
        for child in self._start:
            start(child, self.not_before_s)
