"""Which acknowledgements were asked for, and which of them answer a secret request. Pure.

In: requests as a redactor sees them, and the notes of other captures. Out: whether an acknowledgement must be hidden:
one that answers a secret, and one whose request nobody saw. A capture that attached between a request and its answer
reads in the others' notes what it missed, so that both hide the same. Holds ids and names only, never content.
"""

from collections.abc import Callable, Iterable

from msgspec import Struct

KEPT_ACKS = 256  # of a session, the newest; a page that waits for more answers than that has them hidden
KEPT_SESSIONS = 64


class Notes(Struct, kw_only=True):
    """What one capture saw asked, of one browser."""

    guid: str
    streams: dict[str, str] = {}  # stream -> its session; one that changed its transport has two streams
    sessions: dict[str, dict[str, bool]] = {}  # session -> acknowledgement -> whether it answers a secret


class Acks:
    """Requests and others' notes in; verdicts, and notes for the others, out."""

    def __init__(self, notes: Notes | None = None, others: Callable[[], Iterable[Notes]] = tuple) -> None:
        """notes: of a predecessor. others: reads what the other captures of this browser noted; asked when needed."""
        self.notes = notes or Notes(guid="")
        self.changed = False
        self._others = others

    def asked(self, session: str, stream: str, ack: str, *, secret: bool) -> None:
        """Take note of a request that wants an answer."""
        notes = self.notes
        notes.streams[stream] = session
        acks = notes.sessions.setdefault(session, {})
        acks[ack] = secret or acks.get(ack, False)
        if len(acks) > KEPT_ACKS:
            del acks[next(iter(acks))]
        while len(notes.sessions) > KEPT_SESSIONS:
            self.forget(next(iter(notes.sessions)))
        self.changed = True

    def is_secret(self, session: str, stream: str, ack: str) -> bool:
        """Whether the answer must be hidden."""
        seen = self.notes.sessions.get(session, {}).get(ack)
        if seen is not None:
            return seen
        told = [found for notes in self._others() if (found := _told(notes, session, stream, ack)) is not None]
        return any(told) or not told

    def knows(self, session: str, stream: str, ack: str) -> bool:
        """Return whether the request was seen, by this capture or by another one."""
        seen = self.notes.sessions.get(session, {}).get(ack)
        return seen is not None or any(_told(notes, session, stream, ack) is not None for notes in self._others())

    def forget(self, session: str) -> None:
        """The session is over."""
        if self.notes.sessions.pop(session, None) is not None:
            streams = self.notes.streams
            self.notes.streams = {stream: its for stream, its in streams.items() if its != session}
            self.changed = True


def _told(notes: Notes, session: str, stream: str, ack: str) -> bool | None:
    """Return what a capture noted of an acknowledgement; it may know the stream's session by a better name."""
    return notes.sessions.get(notes.streams.get(stream, session), {}).get(ack)
