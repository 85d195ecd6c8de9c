"""What the journal must remember between two batches, and after a restart.

Made anew by folding the batches of the last segment into the memory that its first batch carries: `apply` changes it by
nothing but a batch's content, so a restarted journal knows what its predecessor knew. Bounded.
"""

from typing import Any

import msgspec
from msgspec import Struct, field

from actors.core.messages import Frame, Record
from actors.core.segments import Batch

COMMANDS_KEPT = 2000  # ids of submitted notes: a caller resends for seconds, not for days
STREAMS_KEPT = 500  # a browser opens a handful a day
SESSIONS_KEPT = 16  # older incarnations are long dead
PRESSES_KEPT = 500  # keys; the two captures tell of a press within milliseconds, one that was away within seconds
DAMAGE_KEPT = 500  # places; more at once is a broken disk


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


class Memory(Struct, kw_only=True):
    """The journal's memory after some batch."""

    head: int = 0  # highest number given
    sessions: dict[int, Session] = field(default_factory=dict)  # by incarnation
    streams: dict[str, SocketStream] = field(default_factory=dict)
    ignored: dict[str, None] = field(default_factory=dict)
    commands: dict[str, int] = field(default_factory=dict)  # id -> seq
    recording: bool | None = None
    recording_since_us: int | None = None
    gaps: int = 0
    gap_us: int = 0
    last_frame_us: int | None = None
    source_url: str | None = None
    lost_since_us: int | None = None  # since when the game is not seen; None while it is, and before the first time
    lost_cause: str = ""
    presses: dict[str, None] = field(default_factory=dict)  # keys of presses that are stored
    damage: dict[str, None] = field(default_factory=dict)  # "segment/offset" of what was found and told already

    def apply(self, batch: Batch) -> None:
        """Fold one written batch in."""
        for mark in batch.marks:
            session = self.session(mark.capture, mark.incarnation)
            session.n = max(session.n, mark.n)
            session.read_until_us = max(session.read_until_us, mark.read_until_us)
            session.other_n = max(session.other_n, mark.other_n)
            for stream, n, seq in mark.places:
                session.places[stream] = (n, seq)
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
            _keep_newest(self.sessions, SESSIONS_KEPT)
        return self.sessions[incarnation]

    def ignore(self, stream: str) -> None:
        """Remember that a stream is of no interest."""
        self.ignored[stream] = None
        _keep_newest(self.ignored, STREAMS_KEPT)

    def apply_record(self, record: Record) -> None:
        """Fold one record in, as it is numbered or as it is read back."""
        self.head = record.seq
        if isinstance(record, Frame):
            if self.last_frame_us is None or record.at_us > self.last_frame_us:
                self.last_frame_us = record.at_us
            return
        data = msgspec.json.decode(record.data)
        if "place" in data and record.event in ("gap", "journal"):
            self.damage[str(data["place"])] = None
            _keep_newest(self.damage, DAMAGE_KEPT)
        if record.event == "recording":
            if data["on"] is not self.recording:
                self.recording_since_us = record.at_us if data["on"] else None
            self.recording = data["on"]
        elif record.event == "gap":
            self.gaps += 1
            self.gap_us += max(0, data["to_us"] - data["from_us"])
            if "place" not in data:  # damage is a gap in what was seen, not in seeing
                self.lost_since_us = None
        elif record.event == "press":
            self.presses[str(data.get("key"))] = None
            _keep_newest(self.presses, PRESSES_KEPT)
        elif record.event == "connection":
            self._apply_connection(record.at_us, data)

    def _apply_connection(self, at_us: int, data: dict[str, Any]) -> None:
        what = data.get("what")
        if what in ("attached", "detached"):
            session = self.sessions.get(data["incarnation"])
            if session is not None:
                session.guid = data["guid"] if what == "attached" else None
                if what == "attached":
                    session.since_us = at_us
        elif what in ("opened", "found", "resumed"):
            self.streams[data["stream"]] = SocketStream(data["url"])
            _keep_newest(self.streams, STREAMS_KEPT)
            self.source_url = data["url"] or self.source_url
        elif what == "closed" and data["stream"] in self.streams:
            self.streams[data["stream"]].open = False
        elif what == "continued":
            self.lost_since_us = None
        elif what == "lost":
            self.lost_since_us, self.lost_cause = at_us, data["cause"]
            for stream in self.streams.values():
                stream.open = False

    @property
    def attached(self) -> list[Session]:
        """The sessions that see the browser, as far as was heard."""
        return [session for session in self.sessions.values() if session.guid is not None]

    @property
    def connected(self) -> bool:
        """Whether some capture sees an open socket of the game."""
        return bool(self.attached) and any(stream.open for stream in self.streams.values())


def _keep_newest(entries: dict[Any, Any], count: int) -> None:
    while len(entries) > count:
        del entries[next(iter(entries))]
