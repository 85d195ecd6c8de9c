"""Follow the events without missing one or seeing one twice. Pure: asks its driver for everything it needs.

A generator: yields `Event` for the caller, `Ask` for an answer of the request door, `Listen` for the next live message.
A hole shows in `prev`, or in the numbers that a snapshot names; it is filled by a replay before anything newer of that
type is given out. What is not kept any more is reported to `on_hole`. Where another recording runs now (its id differs,
or its numbers end before ours), it goes on at the present of that one, and what went before is reported as a hole too:
its past is never given out. That is looked at with each new connection, before the first message that came over it.
"""

from collections.abc import Callable, Generator
from typing import Any

import msgspec
from msgspec import Struct

from vectra_player.event import Event, Hole, Snapshot

CHECK_S = 2.0  # after that long, ask what the newest numbers are: the last event before a silence may have been lost

STALE = 100  # known events in a row, after which to ask again whether the numbers began anew


class Ask(Struct, frozen=True):
    """Send this to the request door and give me its answer, however long it takes."""

    request: dict[str, Any]


class Listen(Struct, frozen=True):
    """Give me the next live message, None after `wait_s`, `CONNECTED` first where there is a new connection."""

    wait_s: float


class Connected(Struct, frozen=True):
    """Messages come over a new connection from here on: another recording may run at its other end."""


CONNECTED = Connected()


class Unanswerable(Exception):
    """The door refused a request; the text is its own."""


class Lost(Struct, frozen=True):
    """Part of a replay's answer: older than everything kept."""

    from_: int = msgspec.field(name="from")
    to: int


class Answer(Struct, frozen=True, kw_only=True):
    """The door's answer to any request; which fields are there depends on it."""

    error: str | None = None
    events: list[Event] = []
    next: int | None = None
    dropped: Lost | None = None
    seq: int = 0
    head: int = 0
    state: dict[str, Any] = {}
    last: dict[str, int] = {}
    recording: str | None = None


Step = Generator[Event | Ask | Listen, Any, None]

_answers = msgspec.msgpack.Decoder(Answer)
_events = msgspec.msgpack.Decoder(Event)


def decode_answer(body: bytes, request: dict[str, Any], *, may_move: bool = False) -> Answer:
    """Return the answer to a request. Unanswerable: it is an error.

    may_move: that another recording runs there than the request names is no error.
    """
    answer = _answers.decode(body)
    if answer.error is not None:
        moved = answer.recording is not None and request.get("recording") not in (None, answer.recording)
        if not (may_move and moved):
            raise Unanswerable(answer.error)
    return answer


def decode_event(body: bytes) -> Event:
    """Return the event of a live message."""
    return _events.decode(body)


def snapshot_of(answer: Answer) -> Snapshot:
    """Return the answer to a snapshot request."""
    return Snapshot(seq=answer.seq, state=answer.state, last=answer.last, recording=answer.recording)


def topics(types: tuple[str, ...]) -> list[bytes]:
    """Return the beginnings to subscribe to; no types means all."""
    return sorted({name.removesuffix("*").encode() for name in types}) or [b""]


def replay_request(since: int, until: int | None, types: tuple[str, ...], recording: str | None) -> dict[str, Any]:
    """Return the request for events after `since`, up to `until`, of this recording; None: whichever runs."""
    request = {"request": "replay", "since": since, "until": until, "types": list(types) or None}
    return request if recording is None else {**request, "recording": recording}


class Follower:
    """Knows what was given out, by type."""

    def __init__(
        self,
        types: tuple[str, ...],
        since: int | None,
        on_hole: Callable[[Hole], None] | None,
        recording: str | None = None,
    ) -> None:
        """recording: which one `since` belongs to; None: the one that runs now."""
        self._types = types
        self._since = since
        self._on_hole = on_hole
        self._recording = recording
        self._base = 0  # everything up to this was given out, or is not wanted
        self._seen: dict[str, int] = {}
        self._stale = 0  # live events in a row that were known already

    def run(self) -> Step:
        """Follow for ever."""
        if self._since is None:
            answer = yield from self._ask({"request": "snapshot"})
            self._base, self._recording = answer.head, answer.recording
        else:
            self._base = self._since
            yield from self._check()
        while True:
            found = yield Listen(CHECK_S)
            if not isinstance(found, Event) or self._is_odd(found):
                yield from self._check()
            if isinstance(found, Event) and self._wanted(found.type):
                yield from self._accept(found)

    def _known(self, name: str) -> int:
        return max(self._base, self._seen.get(name, 0))

    def _is_odd(self, event: Event) -> bool:
        """Say whether this event is one of a row of known ones: doubles of a replay, or of another recording."""
        self._stale = self._stale + 1 if event.seq <= self._known(event.type) else 0
        return self._stale % STALE == 1

    def _wanted(self, name: str) -> bool:
        return not self._types or any(
            name.startswith(wanted[:-1]) if wanted.endswith("*") else name == wanted for wanted in self._types
        )

    def _ask(self, request: dict[str, Any]) -> Generator[Ask, Any, Answer]:
        answer: Answer = yield Ask(request)
        return answer

    def _accept(self, event: Event) -> Step:
        """Give an event out, and what was missed before it."""
        if event.prev is not None and event.prev > self._known(event.type):
            yield from self._replay(self._known(event.type), event.seq - 1)
            if event.prev > (known := self._known(event.type)):
                self._tell(known + 1, event.prev)
        if event.seq > self._known(event.type):
            self._seen[event.type] = event.seq
            yield event

    def _replay(self, since: int, until: int | None) -> Step:
        at: int | None = since
        while at is not None:
            answer = yield from self._ask(replay_request(at, until, self._types, self._recording))
            if answer.error is not None:  # of another recording
                yield from self._check()
                return
            if answer.dropped is not None:
                self._base = max(self._base, answer.dropped.to)
                self._tell(answer.dropped.from_, answer.dropped.to)
            for event in answer.events:
                yield from self._accept(event)
            at = answer.next

    def _check(self) -> Step:
        """Compare with the newest numbers: an event may have been lost with none after it that would show it."""
        answer = yield from self._ask({"request": "snapshot"})
        is_other = None not in (answer.recording, self._recording) and answer.recording != self._recording
        if is_other or 0 < answer.head < max(self._base, *self._seen.values(), 0):
            self._base, self._seen = answer.head, {}
            self._tell(1, answer.head, answer.recording if is_other else None)
        self._recording = answer.recording or self._recording
        missed = [
            self._known(name) for name, seq in answer.last.items() if self._wanted(name) and seq > self._known(name)
        ]
        if missed:
            yield from self._replay(min(missed), None)

    def _tell(self, first: int, last: int, recording: str | None = None) -> None:
        if self._on_hole is not None:
            self._on_hole(Hole(first=first, last=last, recording=recording))
