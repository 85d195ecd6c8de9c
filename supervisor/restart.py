"""Whether, when and which children restart. Pure: told the time, owns no process, no clock, no randomness.

In: deaths. Out: `Verdict`s: who stops, who starts, in which order, after how long. OTP's restart intensity: at most
`intensity` restarts within any `period_s`. A streak: a child that dies again and again within 2 s of being ready counts
each death, so that one which dies 1.1 s after ready is caught as well, which the window alone never sees. Back-off:
past either bound each restart waits twice as long as the one before, from 1 s to 30 s (its spec may say less), and the
child is crash-looping until it was ready for a whole period. A group may have bounds of its own, over the deaths of all
its members: past them it escalates, that is, all of it goes down and comes back after the wait, as when OTP's
supervisor gives up and its own supervisor starts it anew.
"""

from collections.abc import Sequence
from typing import NamedTuple

from supervisor.spec import ChildSpec, Group, Restart, Strategy

QUICK_S = 2.0  # who was ready for longer did some work: blows that come every few seconds are no crash loop
FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 30.0
JITTER = 0.2  # of the delay, up or down: children that fell together do not come back together


class Decision(NamedTuple):
    """What to do about a death: wait `delay_s`, then start again."""

    delay_s: float
    crash_looping: bool


class Intensity:
    """OTP's restart intensity (stdlib, supervisor): arithmetic on a list of times."""

    def __init__(self, intensity: int, period_s: float) -> None:
        self._intensity = intensity
        self._period_s = period_s
        self._times: list[float] = []

    def allows(self, now_s: float) -> bool:
        """Record a restart at `now_s` and say whether it may go ahead.

        now_s: monotonic seconds, never going back. One restart exactly `period_s` old still counts.
        """
        self._times = [time_s for time_s in self._times if now_s - time_s <= self._period_s]
        self._times.append(now_s)
        return len(self._times) <= self._intensity


class History:
    """The deaths of one child; says what follows from the next one."""

    def __init__(self, intensity: int, period_s: float, longest_s: float = LONGEST_DELAY_S) -> None:
        self._intensity = intensity
        self._period_s = period_s
        self._longest_s = longest_s
        self._window = Intensity(intensity, period_s)
        self.streak = 0  # deaths in a row, each within `QUICK_S` of being ready
        self.delayed = 0  # restarts in a row that had to wait
        self.crash_looping = False

    def died(self, now_s: float, ready_since_s: float | None, luck: float) -> Decision:
        """Record a death; ready_since_s: when it became ready, None if it never did; luck: 0 to 1, for the jitter."""
        if self.stable(now_s, ready_since_s):
            self.settled()
        elif ready_since_s is not None and now_s - ready_since_s >= min(QUICK_S, self._period_s):
            self.streak = 0
        self.streak += 1
        if self._window.allows(now_s) and self.streak <= self._intensity:
            return Decision(0.0, False)
        self.crash_looping = True
        delay_s = min(self._longest_s, FIRST_DELAY_S * 2.0 ** min(self.delayed, 16))
        self.delayed += 1
        return Decision(min(self._longest_s, delay_s * (1 + JITTER * (2 * luck - 1))), True)

    def stable(self, now_s: float, ready_since_s: float | None) -> bool:
        """Say whether a child that is ready since then has proved itself."""
        return ready_since_s is not None and now_s - ready_since_s >= self._period_s

    def settled(self) -> None:
        """Forget the streak: the child proved itself, or a person asked for a restart."""
        self.streak = 0
        self.delayed = 0
        self.crash_looping = False


class Verdict(NamedTuple):
    """What follows from a death."""

    stop: tuple[str, ...] = ()  # who goes down with the dead one, in this order: the reverse of the start
    start: tuple[str, ...] = ()  # who comes, in this order, the dead one among them; nobody: it stays down
    delay_s: float = 0.0
    crash_looping: bool = False
    escalated: bool = False  # the whole group is past its bounds


class GroupHistory:
    """The deaths within one group; says what follows from the next one."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self._history = None if group.intensity is None else History(group.intensity, group.period_s)

    def died(
        self, decision: Decision, members: Sequence[ChildSpec], failed: str, now_s: float, ready_since_s: float | None,
        luck: float,
    ) -> Verdict:  # fmt: skip
        """Record the death of a child that restarts, and say what its group does.

        decision: what its own history says; members: all of the group, in start order; ready_since_s: since when the
        whole group was ready, None if it never was.
        """
        own = Decision(0.0, False) if self._history is None else self._history.died(now_s, ready_since_s, luck)
        strategy: Strategy = "one_for_all" if own.crash_looping else self.group.strategy
        names = affected([member.id for member in members], failed, strategy)
        return Verdict(
            stop=tuple(name for name in reversed(names) if name != failed),
            start=tuple(member.id for member in members if member.id in names and member.restart != "temporary"),
            delay_s=max(decision.delay_s, own.delay_s),
            crash_looping=decision.crash_looping,
            escalated=own.crash_looping,
        )

    def settled(self) -> None:
        """Forget the streak: a person asked for a restart."""
        if self._history is not None:
            self._history.settled()


def restarts(restart: Restart, code: int | None) -> bool:
    """Say whether a child with this type restarts after this exit; code: negative for a signal, None unknown."""
    return restart == "permanent" or (restart == "transient" and code != 0)


def affected(order: Sequence[str], failed: str, strategy: Strategy) -> list[str]:
    """Return whom the strategy names when `failed` dies, in start order; they stop in the reverse of it."""
    if strategy == "one_for_one":
        return [failed]
    return list(order) if strategy == "one_for_all" else list(order[order.index(failed) :])
