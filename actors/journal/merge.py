"""One stream of frames out of what two captures read of it, without shared numbers. Pure.

Chromium gives two clients the same frames in the same order, but neither numbers them nor gives both the same time
stamp: they differ by 44 to 81 µs at p50, by milliseconds on a loaded machine. So the captures' stays (sessions) are
aligned: a session is a contiguous run of the true stream that begins at the moment of its attach. Where it lies in the
merged stream is found by the payloads' hashes in order, with the times as a tolerance. An aligned session that stands
at the end of the merged stream appends to it without delay; one that is behind only confirms. A session that is not
aligned yet is held back.

Where several places fit when a decision cannot wait, the one with the closest times wins and the merge says
`ambiguous`: it may then store a frame twice or miss one, and never does so silently. Where no place fits (the merged
stream has a hole where the session has frames, or one of the captures was stalled), each frame of the session is looked
up by itself: what is there is confirmed, the rest is appended. Where that is a guess or disturbs the order, the merge
says `ambiguous` too.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from msgspec import Struct

from actors.journal.window import Window

TOLERANCE_S = 0.02  # of CDP time: 1.7 ms was the largest difference on a quiet machine, 3.5 ms on a loaded one
LOOSE_S = 0.25  # a payload that both sides have once, so near in time, is one frame: a stalled machine dates it late
SKEW_S = 0.05  # how much later than the other's an older attach may be heard of
WINDOW = 8192  # merged frames that a session can still be aligned with


class Seen(Struct, frozen=True):
    """A frame as one session read it."""

    digest: bytes  # of direction, opcode and payload
    at_s: float  # CDP seconds
    item: Any  # what to emit


class _Session(Struct):
    id: int
    since_s: float
    heard_s: float  # when we first heard of it, the journal's clock
    place: int | None = None  # the merged position of its next frame; None: not aligned
    floor: int = 0  # it cannot lie before this merged position
    held: list[Seen] = []
    dead: bool = False
    wary_until_s: float = float("-inf")  # the merged stream may hold its frames up to then anywhere: look each one up
    guessed: bool = False  # said so already since it is wary
    own: set[int] = set()  # merged positions that it appended since it is wary
    silent: bool = False  # nothing was heard of it for a while: it may be dead, nobody may wait for it


class Merged(Struct, frozen=True):
    """One frame of one session that found its place in the merged stream."""

    session: int
    item: Any
    place: int
    fresh: bool  # first seen here: append it; else another session's frame seen again
    ambiguous: bool = False  # its place was a guess


class StreamMerge:
    """Sessions of one stream in, the true stream out."""

    def __init__(self, tolerance_s: float = TOLERANCE_S, skew_s: float = SKEW_S, window: int = WINDOW) -> None:
        self._tolerance_s = tolerance_s
        self._skew_s = skew_s
        self._window = Window(window)
        self._sessions: dict[int, _Session] = {}
        self._begun_s: float | None = None  # when the stream began, at the latest, where somebody saw it
        self.ambiguous = 0

    @property
    def holding(self) -> bool:
        """Whether frames wait for a decision: `decide` wants to be called again."""
        for session in self._sessions.values():  # noqa: SIM110 (asked for every frame: half the time of any())
            if session.held:
                return True
        return False

    @property
    def latest_s(self) -> float:
        """CDP time of the youngest frame; minus infinity before the first."""
        return self._window.latest_s

    def attach(self, session: int, since_s: float, now_s: float, place: int | None = None) -> None:
        """A session began: it sees every frame from `since_s` (CDP) on; place: where, if that is known already."""
        self._sessions[session] = _Session(session, since_s, now_s, place, held=[])

    def meet(self, session: int, since_s: float, first_s: float, now_s: float) -> None:
        """A session tells of a stream that it did not see begin.

        since_s: its attach to the browser, 0 where it is not known. Where the stream began after that, it came to the
        stream's target late, nobody knows when: it is known to see from its first frame on, `first_s`.
        """
        from_attach = since_s > 0 and (self._begun_s is None or since_s >= self._begun_s)
        self.attach(session, min(since_s, first_s) if from_attach else first_s, now_s)

    def knows(self, session: int) -> bool:
        """Whether the session is attached to this stream."""
        return session in self._sessions

    def opened(self, session: int, at_s: float, now_s: float, *, whole: bool = False) -> None:
        """A session saw the stream begin: its first frame is the stream's first.

        whole: for certain (a WebSocket; `at_s` is then only when its reader heard of it, maybe after the first frames).
        A polling stream that is met in its middle is also said to open; frames from before `at_s` tell the difference.
        """
        from_start = self._window.base == 0 and (
            whole or not self._window or self._window.at_s(0) >= at_s - self._tolerance_s
        )
        self._begun_s = at_s if self._begun_s is None else min(self._begun_s, at_s)
        self.attach(session, at_s, now_s, 0 if from_start else None)

    def restore(self, digest: bytes, at_s: float, tag: int) -> None:
        """Put back a frame that an earlier process merged."""
        self._window.append(digest, at_s, tag)

    def place_after(self, tag: int) -> int | None:
        """Return the place behind the frame that bears `tag`, None where it is out of the window."""
        place = self._window.place_of(tag)
        return place + 1 if place is not None else None

    def tag(self, place: int, tag: int) -> None:
        """Remember the caller's number of a fresh frame."""
        self._window.tag(place, tag)

    def tag_of(self, place: int) -> int | None:
        """Return the caller's number of a frame, None where it is out of the window."""
        return self._window.tag_of(place)

    def first_held(self, session: int) -> Seen | None:
        """Return the first frame of a session that waits for its place."""
        known = self._sessions.get(session)
        return known.held[0] if known is not None and known.held else None

    def frame(self, session: int, seen: Seen, now_s: float) -> Iterable[Merged]:
        """A session read a frame. Frames of a session come in order."""
        known = self._sessions[session]
        if known.place is not None and seen.at_s >= known.wary_until_s:
            plain = self._plain(known, known.place, seen, False)  # nearly always: no generator, half the time
            if plain is not None:
                return chain((plain,), self.decide(now_s)) if self.holding else (plain,)
        return self._frame(known, seen, now_s)

    def _frame(self, known: _Session, seen: Seen, now_s: float) -> Iterator[Merged]:
        if known.place is None:
            if not known.held:
                known.since_s = min(known.since_s, seen.at_s)  # it saw this one, whenever it says that it began
            known.held.append(seen)
        else:
            yield from self._advance(known, seen, False)
        if self.holding:
            yield from self.decide(now_s)

    def silence(self, session: int, silent: bool) -> None:
        """Say whether nothing is heard of a session any more: one that is silent leads nobody."""
        known = self._sessions.get(session)
        if known is not None:
            known.silent = silent

    def detach(self, session: int, now_s: float) -> Iterator[Merged]:
        """A session ended. What it read stays until it is known to be in the merged stream."""
        known = self._sessions.get(session)
        if known is not None:
            known.dead = True
            if not known.held:
                del self._sessions[session]
        yield from self.decide(now_s)

    def decide(self, now_s: float) -> Iterator[Merged]:
        """Align what can be aligned, and let the oldest lead where nobody does."""
        progress = True
        while progress:
            progress = False
            for session in sorted(self._unaligned(), key=lambda one: (one.since_s, one.id)):
                if (fit := self._settled(session, now_s)) is not None:
                    yield from self._join(session, *fit)
                    progress = True
                    break

    def _unaligned(self) -> list[_Session]:
        return [session for session in self._sessions.values() if session.place is None and session.held]

    def _leader_lives(self) -> bool:
        return any(s.place is not None and not s.dead and not s.silent for s in self._sessions.values())

    def _settled(self, session: _Session, now_s: float) -> tuple[int | None, bool] | None:
        """Return (place, ambiguous) where the session can be placed now; place None: each frame by itself."""
        closed = self._window.latest_s > session.held[0].at_s + self._tolerance_s
        led = self._leader_lives()
        may_lead = not led and self._may_lead(session, now_s)
        if not closed and not may_lead:
            return None
        places = self._candidates(session)
        if closed and len(places) == 1 and places[0] < self._window.end:
            return places[0], self._maybe_before_all(session, places[0])
        if not led and not may_lead:
            return None
        if not places or session.held[0].at_s < session.wary_until_s:
            return None, False
        if places == [self._window.end] and self._knows_some(session):
            return None, True
        return self._closest(session, places), len(places) > 1

    def _maybe_before_all(self, session: _Session, place: int) -> bool:
        """Say whether the session's frame may be one that came before the first merged one, and looks like it."""
        begins = place == self._window.base == 0 and self._begun_s is None
        return begins and len(self._window.places(session.held[0].digest)) > 1

    def _may_lead(self, session: _Session, now_s: float) -> bool:
        """The oldest attached leads, once an older attach would have been heard of."""
        waiting = [s for s in self._sessions.values() if s.place is None and not s.dead and not s.silent]
        older = [s for s in waiting if s.since_s < session.since_s]
        return not older and now_s - session.heard_s >= self._skew_s

    def _candidates(self, session: _Session) -> list[int]:
        first = max(session.floor, self._window.base)
        places = [p for p in self._window.places(session.held[0].digest) if p >= first and self._fits(session, p)]
        if not self._late(session.held[0]) and self._fits(session, self._window.end):
            places.append(self._window.end)
        return places

    def _fits(self, session: _Session, place: int) -> bool:
        before_s = self._window.at_s(place - 1)
        if before_s > session.since_s + self._tolerance_s:
            return False
        overlap = self._window.run(place, len(session.held))
        if overlap and overlap[0][1] < session.since_s - self._tolerance_s:
            return False
        return all(
            digest == seen.digest and abs(at_s - seen.at_s) <= self._tolerance_s
            for (digest, at_s), seen in zip(overlap, session.held, strict=False)
        )

    def _closest(self, session: _Session, places: list[int]) -> int:
        def distance(place: int) -> float:
            overlap = self._window.run(place, len(session.held))
            if not overlap:  # behind the end: the same payload again within the tolerance is the rarer story
                return self._tolerance_s
            gaps = [abs(at_s - seen.at_s) for (_, at_s), seen in zip(overlap, session.held, strict=False)]
            return sum(gaps) / len(gaps)

        return min(places, key=distance)

    def _join(self, session: _Session, place: int | None, ambiguous: bool) -> Iterator[Merged]:
        if place is None:
            yield from self._graft(session, ambiguous)
        else:
            held, session.held, session.place = session.held, [], place
            self.ambiguous += ambiguous
            for index, seen in enumerate(held):
                yield from self._advance(session, seen, ambiguous and index == 0)
        if session.dead and session.place is not None:
            del self._sessions[session.id]

    def _graft(self, session: _Session, guessed: bool = False) -> Iterator[Merged]:
        """Place the held frames of a session one by one: confirmed where they are known, appended where not."""
        held, session.held = session.held, []
        places, guess = self._look_up(session, held)
        if held[0].at_s >= session.wary_until_s:
            self._beware(session)
        passed_s = self._window.latest_s - self._tolerance_s  # what is older comes behind its place
        guess |= guessed or any(
            place is None and seen.at_s < passed_s for seen, place in zip(held, places, strict=True)
        )
        ambiguous = guess and not session.guessed
        session.guessed |= guess
        self.ambiguous += ambiguous
        for seen, place in zip(held, places, strict=True):
            if place is None:
                self.restore(seen.digest, seen.at_s, 0)
                session.place = self._window.end
                session.own.add(self._window.end - 1)
            else:
                session.place = session.floor = place + 1
            yield Merged(session.id, seen.item, session.place - 1, place is None, ambiguous and seen is held[0])

    def _beware(self, session: _Session) -> None:
        session.wary_until_s, session.guessed, session.own = self._window.latest_s + LOOSE_S, False, set()

    def _knows_some(self, session: _Session) -> bool:
        """Say whether a frame that both sides have once tells that the session lies before the end."""
        times = Counter(seen.digest for seen in session.held)
        once = [seen for seen in session.held if times[seen.digest] == 1]
        known = [(seen, self._window.places(seen.digest)) for seen in once]
        return any(
            len(places) == 1 and places[0] >= session.floor and self._off_s(places[0], seen) <= LOOSE_S
            for seen, places in known
        )

    def _look_up(self, session: _Session, held: list[Seen]) -> tuple[list[int | None], bool]:
        """Return where each frame is in the merged stream, None where it is not, and whether any of that is a guess."""
        times = Counter(seen.digest for seen in held)
        floor, own = session.floor, max(session.own, default=-1)
        found: list[int | None] = []
        guess = missing = False
        for seen in held:
            places = [place for place in self._window.places(seen.digest) if place not in session.own]
            within_s = LOOSE_S if len(places) == 1 and times[seen.digest] == 1 else self._tolerance_s
            near = [place for place in places if place >= floor and self._off_s(place, seen) <= within_s]
            place = near[0] if near else None
            if place is not None:  # earlier than one that was not found: that one comes too late
                guess |= len(near) > 1 or self._off_s(place, seen) > self._tolerance_s or missing or own > place
                floor = place + 1
            missing |= place is None
            found.append(place)
        return found, guess

    def _late(self, seen: Seen) -> bool:
        return seen.at_s < self._window.latest_s - LOOSE_S

    def _off_s(self, place: int, seen: Seen) -> float:
        return abs(self._window.at_s(place) - seen.at_s)

    def _advance(self, session: _Session, seen: Seen, ambiguous: bool) -> Iterator[Merged]:
        place = session.place
        if seen.at_s < session.wary_until_s:
            session.held.append(seen)
            yield from self._graft(session)
        elif place is None:  # lost its place within its own run: held again with the rest
            session.held.append(seen)
        elif (plain := self._plain(session, place, seen, ambiguous)) is not None:
            yield plain
        elif place < self._window.end:
            self._lose_place(session, place, seen)
        else:  # too late: the end is not where it belongs, and it may be there already
            session.held.append(seen)
            yield from self._graft(session)

    def _plain(self, session: _Session, place: int, seen: Seen, ambiguous: bool) -> Merged | None:
        """Confirm the frame at its session's place, or append it there; None where neither can be."""
        window = self._window
        fresh = place >= window.end
        if fresh:
            if self._late(seen):
                return None
            window.append(seen.digest, seen.at_s, 0)
        elif window.digest(place) != seen.digest:
            return None
        elif abs(window.at_s(place) - seen.at_s) > self._tolerance_s and len(window.places(seen.digest)) > 1:
            return None  # the same content, but of another time
        session.place = place + 1
        return Merged(session.id, seen.item, place, fresh, fresh and ambiguous)

    def _lose_place(self, session: _Session, place: int, seen: Seen) -> None:
        known = self._window.digest(place)
        session.since_s = seen.at_s if known is not None else min(session.since_s, seen.at_s)
        if known is not None:  # the merged stream has frames here that the session did not see
            self._beware(session)
        session.place, session.floor = None, max(place, self._window.base)
        session.held.append(seen)
