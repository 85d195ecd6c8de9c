"""Whether anybody sees the game, since when not, and why: what becomes a gap. Pure.

In: captures heard of, sockets closed, captures gone, frames. Out: through `note`, a `connection` note when sight of the
game is lost, and a `gap` note with both bounds when it is back. Captures that are attached and say nothing at all see
nothing, as far as anybody knows: that is a loss too, and shown as one at once. Where they turn out to have been stopped
only, and missed nothing, sight goes on without a gap. Silence of the game is never one.
"""

from collections.abc import Callable, Iterator

from actors.journal.memory import Memory, Session

SILENT_S = 1.0  # captures send a read mark each 100 ms; the supervisor takes them for hung after as long
RECENT_US = 5_000_000  # a capture that ended longer before was not what the loss hung on
UNWATCHED_S = 0.5  # of not being asked: then it was the journal that was away, not the captures
SILENCE = "no capture says anything"

Note = Callable[..., object]  # (at_us, event, **data)


class Sight:
    """What the journal knows of being looked at."""

    def __init__(self, memory: Memory, note: Note) -> None:
        """memory: the journal's, changed only by notes; note: appends one."""
        self._memory = memory
        self._note = note
        self._heard_s: dict[int, float] = {}  # when each capture incarnation was heard last
        self._silent: set[int] = set()
        self._watched_s = float("-inf")

    def restore(self, now_s: float) -> None:
        """Wait for the captures of an earlier process as if they had spoken just now."""
        self._heard_s = {session.incarnation: now_s for session in self._memory.attached}

    def hear(self, incarnation: int, now_s: float) -> bool:
        """Note that a capture said something; return whether it had been silent."""
        self._heard_s[incarnation] = now_s
        was_silent = incarnation in self._silent
        self._silent.discard(incarnation)
        return was_silent

    def forget(self, incarnation: int) -> None:
        """Expect nothing of a capture any more."""
        self._heard_s.pop(incarnation, None)
        self._silent.discard(incarnation)

    def watch(self, now_s: float) -> Iterator[int]:
        """Yield the captures that have fallen silent; call often. Sight is lost where none is left that speaks."""
        if now_s - self._watched_s > UNWATCHED_S:
            self._heard_s = dict.fromkeys(self._heard_s, now_s)
        self._watched_s = now_s
        for incarnation, heard_s in self._heard_s.items():
            if now_s - heard_s > SILENT_S and incarnation not in self._silent:
                self._silent.add(incarnation)
                yield incarnation
        attached = self._memory.attached
        if attached and self._memory.connected and all(session.incarnation in self._silent for session in attached):
            self.lose(max(session.read_until_us for session in attached), SILENCE)

    def lose(self, at_us: int, cause: str) -> None:
        """Nobody sees the game from here on. What the user ordered explains it better than what broke by that."""
        if self._memory.lost_since_us is None:
            self._note(at_us, "connection", what="lost", cause=self._memory.cause_at(at_us, cause))

    def frame(self, at_us: int, session: Session | None) -> None:
        """A frame of the game was seen, by a capture whose session this is."""
        lost_us = self._memory.lost_since_us
        if lost_us is None:
            return
        stayed = session is not None and session.guid is not None and session.since_us <= lost_us
        if stayed and self._memory.lost_cause == SILENCE:
            self._note(at_us, "connection", what="continued", cause="the captures were stopped and missed nothing")
        else:
            self.gap(lost_us, at_us, self._causes(lost_us, self._memory.lost_cause))

    def uncovered(self, until_us: int, cause: str) -> None:
        """One capture is gone and others look now, but since when? What lies between is a gap.

        What lies before the end of the last gap is accounted for: there the game was seen, or it is in that gap.
        """
        since_us = min(session.since_us for session in self._memory.attached)
        from_us = max(until_us, self._memory.seen_until_us)
        if since_us > from_us:
            self.gap(from_us, since_us, self._causes(from_us, self._memory.cause_at(until_us, cause)))

    def _causes(self, from_us: int, cause: str) -> str:
        """Return why nobody looked from then on: one hole, with the cause at each capture that was away.

        Where a socket or page ended under captures that looked, that alone is the cause.
        """
        if cause != SILENCE and cause not in {end for _, end in self._memory.ends.values()}:
            return cause
        back_us = {session.capture: session.since_us for session in self._memory.attached}
        ends = [
            end
            for name, (at_us, end) in self._memory.ends.items()
            if at_us >= from_us - RECENT_US and back_us.get(name, from_us + 1) > from_us
        ]
        return "; ".join(dict.fromkeys([cause, *sorted(ends)]))

    def gap(self, from_us: int, to_us: int, cause: str, **more: object) -> None:
        """Record what was not seen."""
        self._note(to_us, "gap", from_us=from_us, to_us=max(from_us, to_us), cause=cause, **more)
