"""The groups of a tree: what a child's death means for those that stand and fall with it.

In: a death, with the children as they are. Out: a `Verdict`. Between the pure rules of `restart`, which know names and
times, and the tree, which knows processes. Starts and stops nothing.
"""

from collections.abc import Iterable, Sequence

from supervisor.child import Child
from supervisor.restart import GroupHistory, Verdict
from supervisor.spec import Group


class Groups:
    """The histories of all groups."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self._histories = {group.id: GroupHistory(group) for group in groups}

    def replan(self, groups: Iterable[Group]) -> None:
        """Take new descriptions; a group that is the same keeps its history."""
        old, self._histories = self._histories, {group.id: GroupHistory(group) for group in groups}
        self._histories |= {id_: new for id_, new in old.items() if self._histories.get(id_, new).group == new.group}

    def judge(
        self, dead: Child, children: Sequence[Child], now_s: float, ready_since_s: float | None, luck: float
    ) -> Verdict:
        """Record the death of a child that restarts; ready_since_s: of its own, None where it never was; luck: 0 to 1.

        A member that is on its way down already, as in a restart that was asked for, is left to whoever stops it.
        """
        members = [child for child in children if child.spec.group == dead.spec.group and not child.leaving]
        since_s = [ready_since_s, *(child.ready_s for child in members if child is not dead and child.process)]
        known_s = [moment_s for moment_s in since_s if moment_s is not None]
        together_s = max(known_s) if len(known_s) == len(since_s) else None
        decision = dead.history.died(now_s, ready_since_s, luck)
        specs = [child.spec for child in members]
        return self._history_of(dead).died(decision, specs, dead.id, now_s, together_s, luck)

    def settled(self, child: Child) -> None:
        """Forget what a child did and what its group did: a person asked for a restart."""
        child.history.settled()
        self._history_of(child).settled()

    def _history_of(self, child: Child) -> GroupHistory:
        """Return its group's; whoever names no group, or one that nobody described, stands alone in it."""
        return self._histories.setdefault(child.spec.group, GroupHistory(Group(id=child.spec.group)))
