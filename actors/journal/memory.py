"""What the journal must remember between two batches, and after a restart.

Made anew by folding the batches of the last segment into the memory that its first batch carries: `apply` changes it by
nothing but a batch's content, so a restarted journal knows what its predecessor knew. Bounded, and no verdict changes
because something was forgotten: a stream counts only while its address is known, and a press whose document was
forgotten counts as stored (`docs/architecture.md`, "What was forgotten never counts").
"""

from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct, field

from actors.core.intervals import Spans, add_span
from actors.core.messages import Frame, Record
from actors.core.segments import Batch
from actors.journal.presses import PressLog

COMMANDS_KEPT = 2000  # ids of submitted notes; more than all submitters together may hold unconfirmed
STREAMS_KEPT = 500  # a browser opens a handful a day
OPEN_STREAMS_KEPT = 4096  # a browser has 255 WebSockets at most; a page can make up any number of polling sessions
PLACES_KEPT = 1000  # of one session
SESSIONS_KEPT = 16  # incarnations that a newer one of the same capture followed; they are long dead
DAMAGE_KEPT = 1000  # places, as many as a reader tells of; more is a broken disk
ORDER_US = 60_000_000  # a stop or restart that was asked for explains what is lost within this
EARLY_US = 2_000_000  # what is lost counts from the last sign of life, which may lie before the order


class Session(Struct, array_like=True):
    """One capture incarnation's stay at a browser."""

    capture: str
    incarnation: int
    n: int = 0  # all up to here is written, or recognised as the other capture's
    read_until_us: int = 0
    guid: str | None = None  # the browser's, while attached
    since_us: int = 0  # when it attached
    other_n: int = 0  # the last item taken that was no frame
    places: dict[str, tuple[int, int]] = field(default_factory=dict)  # stream -> (n, seq) of its last frame taken


class SocketStream(Struct, array_like=True):
    """One socket of the page that is kept."""

    url: str | None  # None: opened before anybody looked
    open: bool = True  # frames may come; False also where nobody has looked since
    heard: bool = False  # a frame of the server's came; never for streams of journals written before this was kept


class Memory(Struct, kw_only=True):
    """The journal's memory after some batch."""

    head: int = 0  # highest number given
    sessions: dict[int, Session] = field(default_factory=dict)  # by incarnation
    streams: dict[str, SocketStream] = field(default_factory=dict)
    ignored: dict[str, None] = field(default_factory=dict)
    commands: dict[str, int] = field(default_factory=dict)  # id -> seq
    recording: bool | None = None
    recording_since_us: int | None = None
    gaps: int = 0  # separate spans
    gap_us: int = 0  # of their union
    last_frame_us: int | None = None
    source_url: str | None = None
    lost_since_us: int | None = None  # since when the game is not seen; None while it is, and before the first time
    lost_cause: str = ""
    presses: dict[str, None] = field(default_factory=dict)  # of journals written before `pressed`: read, never added to
    damage: dict[str, None] = field(default_factory=dict)  # "segment/offset" of what was found and told already
    pressed: PressLog = field(default_factory=PressLog)  # presses that are stored
    gap_spans: Spans = field(default_factory=list)  # of the last gaps, for their union
    ends: dict[str, tuple[int, str]] = field(default_factory=dict)  # capture -> when its last session ended, and why
    seen_until_us: int = 0  # end of the last gap in seeing the game: what lies before is accounted for
    ordered_us: int | None = None  # when a stop or restart was asked for that takes the captures or the browser down
    ordered_cause: str = ""
    evicted: bool = False  # an open stream was forgotten: a capture may have to name its address again

    def apply(self, batch: Batch) -> None:
        """Fold one written batch in."""
        for mark in batch.marks:
            session = self.session(mark.capture, mark.incarnation)
            session.n = max(session.n, mark.n)
            session.read_until_us = max(session.read_until_us, mark.read_until_us)
            session.other_n = max(session.other_n, mark.other_n)
            for stream, n, seq in mark.places:
                session.places[stream] = (n, seq)
            self.prune_places(session)
        for stream in batch.ignored:
            self.ignore(stream)
        for id_, seq in batch.commands:
            self.commands[id_] = seq
        for record in batch.records:
            self.apply_record(record)
        self.head = max(self.head, batch.upto)
        _keep_newest(self.commands, COMMANDS_KEPT)

    def session(self, capture: str, incarnation: int) -> Session:
        """Return the session of an incarnation, made where it is new."""
        if incarnation not in self.sessions:
            self.sessions[incarnation] = Session(capture, incarnation)
            self._forget_sessions()
        return self.sessions[incarnation]

    def _forget_sessions(self) -> None:
        """Forget the oldest sessions that another of the same capture followed: the newest of each may be alive."""
        newest = {session.capture: session.incarnation for session in self.sessions.values()}
        followed = [i for i, session in self.sessions.items() if newest[session.capture] != i]
        for incarnation in followed[: max(0, len(followed) - SESSIONS_KEPT)]:
            del self.sessions[incarnation]

    def prune_places(self, session: Session) -> None:
        """Forget places in closed streams that lie before all that the session can send again."""
        if len(session.places) > PLACES_KEPT:
            session.places = {
                name: place
                for name, place in session.places.items()
                if place[0] > session.n or (name in self.streams and self.streams[name].open)
            }

    def ignore(self, stream: str) -> None:
        """Remember that a stream is of no interest. Forgetting one is safe: it is unknown then, and does not count."""
        self.ignored[stream] = None
        _keep_newest(self.ignored, STREAMS_KEPT)

    def url_of(self, stream: str) -> str | None:
        """Return the address of a stream that counts, None where it does not: what is unknown never does."""
        known = self.streams.get(stream)
        return known.url if known is not None else None

    def cause_at(self, at_us: int, cause: str) -> str:
        """Return why the game is not seen from then on: a stop or restart that was asked for explains it."""
        if self.ordered_us is not None and -EARLY_US <= at_us - self.ordered_us <= ORDER_US:
            return self.ordered_cause
        return cause

    def apply_record(self, record: Record) -> None:
        """Fold one record in, as it is numbered or as it is read back."""
        self.head = record.seq
        if isinstance(record, Frame):
            if self.last_frame_us is None or record.at_us > self.last_frame_us:
                self.last_frame_us = record.at_us
            if not record.sent:
                stream = self.streams.get(record.stream)
                if stream is not None:
                    stream.heard = True
            return
        data = msgspec.json.decode(record.data)
        if "place" in data and record.event in ("gap", "journal"):
            self.damage[str(data["place"])] = None
        if record.event == "recording":
            if data["on"] is not self.recording:
                self.recording_since_us = record.at_us if data["on"] else None
            self.recording = data["on"]
        elif record.event == "gap":
            self._apply_gap(data)
        elif record.event == "press":
            self.pressed.add(str(data.get("key")), record.at_us)
        elif record.event == "connection":
            self._apply_connection(record.at_us, data)
        elif record.event == "actor":
            self._apply_order(record.at_us, data)

    def _apply_gap(self, data: dict[str, Any]) -> None:
        added_us, added = add_span(self.gap_spans, data["from_us"], data["to_us"])
        self.gaps += added
        self.gap_us += added_us
        if "place" not in data:  # damage is a gap in what was seen, not in seeing
            self.lost_since_us = None
            if "items" not in data:
                self.seen_until_us = max(self.seen_until_us, data["to_us"])

    def _apply_order(self, at_us: int, data: dict[str, Any]) -> None:
        """Take what the supervisor reports that it was told to do, before it does it."""
        cause = order_cause(data)
        if cause is not None:
            self.ordered_us, self.ordered_cause = at_us, cause

    def is_pressed(self, key: str, at_us: int) -> bool:
        """Return whether a press is stored."""
        return key in self.presses or self.pressed.holds(key, at_us)

    def _apply_connection(self, at_us: int, data: dict[str, Any]) -> None:
        what = data.get("what")
        if what == "detached":
            self.ends[str(data.get("capture"))] = (at_us, str(data.get("cause")))
        if what in ("attached", "detached"):
            session = self.sessions.get(data["incarnation"])
            if session is not None:
                session.guid = data["guid"] if what == "attached" else None
                if what == "attached":
                    session.since_us, self.ordered_us = at_us, None
        elif what in ("opened", "found", "resumed"):
            known = self.streams.pop(data["stream"], None)
            self.streams[data["stream"]] = SocketStream(data["url"], heard=known is not None and known.heard)
            self._forget_streams()
            self.source_url = data["url"] or self.source_url
        elif what == "closed" and data["stream"] in self.streams:
            self.streams[data["stream"]].open = False
        elif what == "continued":
            self.lost_since_us = None
        elif what == "lost":
            self.lost_since_us, self.lost_cause = at_us, data["cause"]
            for stream in self.streams.values():
                stream.open = False

    def _forget_streams(self) -> None:
        """Forget streams that were never heard before others, and closed ones first.

        An open one only where there are absurdly many, and then take note of that.
        """
        surplus = len(self.streams) - STREAMS_KEPT
        if surplus <= 0:
            return
        closed = [name for name, stream in self.streams.items() if not stream.open]
        for name in sorted(closed, key=lambda name: self.streams[name].heard)[:surplus]:
            del self.streams[name]
        while len(self.streams) > OPEN_STREAMS_KEPT:
            older = islice(self.streams.items(), len(self.streams) - 1)  # the newest had no time to be heard
            unheard = next((name for name, stream in older if not stream.heard), None)
            del self.streams[unheard or next(iter(self.streams))]
            self.evicted = True

    @property
    def attached(self) -> list[Session]:
        """The sessions that see the browser, as far as was heard."""
        return [session for session in self.sessions.values() if session.guid is not None]

    @property
    def connected(self) -> bool:
        """Whether some capture sees an open socket of the game."""
        return bool(self.attached) and any(stream.open for stream in self.streams.values())


RESTARTING = frozenset({"browser", "capture-a", "capture-b"})
_ASKED = ("asked to", "SIGINT")


def order_cause(data: dict[str, Any]) -> str | None:
    """Return why the game is about to be out of sight, from the supervisor's note; None where it is not by an order."""
    if data.get("actor") != "supervisor":
        return None
    what, reason = data.get("what"), data.get("reason")
    if what == "stopping":
        return "stopped by the user" if reason in _ASKED else f"stopped: {reason}"
    actors = data.get("actors")
    if what == "restarting" and isinstance(actors, list) and RESTARTING & set(map(str, actors)):
        return "restarted by the user" if reason in _ASKED else f"restarted: {reason}"
    return None


def _keep_newest(entries: dict[Any, Any], count: int) -> None:
    while len(entries) > count:
        del entries[next(iter(entries))]
