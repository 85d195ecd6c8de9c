"""Every message that one of our processes sends to another.

In and out: frozen, tagged msgspec structs, encoded as msgpack. Payloads travel as `bytes`. Four rules keep old journals
readable: a new field has a default; a field is never retyped; a name is never used for something else; an unknown field
is ignored. Structs that exist by the hundred a second are `array_like`: there a new field goes to the end.

Numbers: `seq` is the journal's number (steps of 256, below 2**53);
`n` counts what one capture incarnation read, from 1.
A range is `(after, upto]`: `after` exclusive, `upto` inclusive. Times: `at_us` is Unix microseconds on this host,
`cdp_s` Chromium's monotonic seconds (the host's CLOCK_MONOTONIC).
"""

from typing import Any

from msgspec import Struct

SEQ_STEP = 256
"""A journal record's numbers are this far apart; the events made of it take the numbers in between."""


class Message(Struct, frozen=True, kw_only=True):
    """Base of what travels once per batch: named fields."""


class Item(Struct, frozen=True, array_like=True):
    """Base of what travels by the hundred inside a batch: fields by position."""


# What a capture reads. Made by capture-a and capture-b, read by the journal.


class Attached(Item, frozen=True, tag="attached"):
    """The capture's CDP session to a browser began; from `cdp_s` on it sees every frame."""

    n: int
    at_us: int
    cdp_s: float
    guid: str  # the browser's GUID


class Detached(Item, frozen=True, tag="detached"):
    """The session ended; what the browser received after `cdp_s` was not seen by this capture."""

    n: int
    at_us: int
    cdp_s: float
    guid: str
    cause: str  # plain words: "connection lost", "stopped"


class StreamOpened(Item, frozen=True, tag="opened"):
    """A WebSocket, or an Engine.IO polling session, came to be."""

    n: int
    at_us: int
    cdp_s: float
    stream: str  # "<browser GUID>/<target id>/<request id>"
    url: str  # tokens redacted
    transport: str  # "websocket" or "polling"


class StreamClosed(Item, frozen=True, tag="closed"):
    """A stream ended, or the page under it went away."""

    n: int
    at_us: int
    cdp_s: float
    stream: str
    cause: str  # "closed", "page navigated", "page crashed", "target gone", "error: ..."


class FrameSeen(Item, frozen=True, tag="frame"):
    """One WebSocket message or one polling packet, exact but for redactions."""

    n: int
    at_us: int
    cdp_s: float
    stream: str
    sent: bool  # by the page; else received by it
    opcode: int  # 1 text, 2 binary (payload is the raw bytes)
    payload: bytes
    redacted: bool = False


class PageChanged(Item, frozen=True, tag="page"):
    """A page crashed, was reloaded or navigated: frames may have been missed by the browser itself."""

    n: int
    at_us: int
    cdp_s: float
    target: str
    what: str  # "crashed", "navigated", "opened", "gone"
    url: str


class Lost(Item, frozen=True, tag="lost"):
    """The capture had to forget the items up to `n`: its ring was full while the journal was away."""

    n: int
    at_us: int
    cdp_s: float
    count: int
    since_us: int


class Pressed(Item, frozen=True, tag="pressed"):
    """A press of one of the game's buttons in a page, as the listener in the page told it."""

    n: int
    at_us: int
    cdp_s: float
    key: str  # made in the page: the same from both captures
    data: bytes  # JSON object; the key is in it too


Captured = Attached | Detached | StreamOpened | StreamClosed | FrameSeen | PageChanged | Lost | Pressed


class CaptureBatch(Message, frozen=True, kw_only=True, tag="capture"):
    """Items `(after, upto]` of one capture incarnation. Empty batches are read marks, every 100 ms."""

    capture: str
    incarnation: int  # unique per start of a capture process: Unix nanoseconds
    epoch: int  # the journal's, as in its last position; 0 before the first
    nack: int
    after: int
    upto: int
    read_until_s: float  # CDP seconds: all that Chromium sent before this was read
    attached: str | None  # the browser's GUID while attached
    items: list[Captured]
    streams: dict[str, str] = {}  # stream -> URL of those that count; in the first batch under each (epoch, nack)
    asks: list[str] = []  # streams whose opening this capture did not see; repeated until it knows
    predecessor: str = ""  # what its predecessor was working on when it was killed; until something is acknowledged


class CapturePosition(Item, frozen=True):
    """How far the journal is with one capture incarnation."""

    incarnation: int
    nack: int
    have: int  # written
    acked: int  # synced to disk


class CapturePositions(Message, frozen=True, kw_only=True, tag="capture-positions"):
    """Published by the journal on change and every 100 ms."""

    epoch: int
    positions: list[CapturePosition]
    answers: dict[str, str | None] = {}  # asked stream -> its URL where it counts, None where it is not known to


# What the journal keeps. The same structs stand on disk and on the records stream.


class Frame(Item, frozen=True, tag="frame"):
    """One numbered frame."""

    seq: int
    at_us: int
    stream: str
    sent: bool
    opcode: int
    payload: bytes
    redacted: bool = False
    cdp_s: float = 0.0  # Chromium's time, by which two captures' copies are aligned


class Note(Item, frozen=True, tag="note"):
    """Something that is no frame: a gap, a connection, a press, a recording switch, an actor's restart, a command."""

    seq: int
    at_us: int
    event: str  # "gap", "connection", "recording", "actor", ...
    data: bytes  # JSON object


Record = Frame | Note


class Records(Message, frozen=True, kw_only=True, tag="records"):
    """Journal records of the range `(after, upto]`, for the receiver whose `(epoch, nack)` it bears."""

    epoch: int
    nack: int
    after: int
    upto: int
    synced: int  # highest seq known to be on disk
    records: list[Record]


class Position(Message, frozen=True, kw_only=True, tag="position"):
    """Where a receiver stands. Published on change and again and again; cumulative."""

    receiver: str
    epoch: int  # new at each start
    nack: int  # raised once per hole, or to ask for a rewind
    have: int  # everything up to here was taken; the next range must continue here
    acked: int  # everything up to here is durable


# What the normalizer makes of the records.


class Event(Item, frozen=True):
    """One event of contract 4.4 without `prev`, which depends on who listens."""

    seq: int
    type: str
    ts: int  # Unix milliseconds at capture
    game_id: str | None
    data: bytes  # JSON object


class Row(Item, frozen=True):
    """One Parquet row; `values` in the order of the doc_type's own columns (`actors.rugs.schema`)."""

    seq: int
    doc_type: str
    at_us: int
    game_id: str | None
    values: list[Any]


class Events(Message, frozen=True, kw_only=True, tag="events"):
    """Events of `(after, upto]`: to state (acknowledged), and live to whoever subscribes."""

    epoch: int
    nack: int
    after: int
    upto: int
    synced: int
    events: list[Event]


class Rows(Message, frozen=True, kw_only=True, tag="rows"):
    """Parquet rows of `(after, upto]`, to the writer. Rows that recording off leaves out are not in it."""

    epoch: int
    nack: int
    after: int
    upto: int
    synced: int
    rows: list[Row]


class LiveState(Message, frozen=True, kw_only=True, tag="live-state"):
    """The live state after `seq`, published by state after each batch; also the answer to a snapshot query."""

    id: str = ""  # of the query it answers
    seq: int
    last: dict[str, int]  # event type -> its last seq
    state: bytes  # JSON object: the snapshot's data of contract 4.5
    prices: list[float] = []  # of the round in progress, by tick; only in answers to queries
    first_tick: int = 0  # tick of prices[0]; ticks before it were not seen


class SnapshotQuery(Message, frozen=True, kw_only=True, tag="snapshot-query"):
    """Ask state for its live state."""

    id: str


# Commands and what became of them.


class Submit(Message, frozen=True, kw_only=True, tag="submit"):
    """Append a note to the journal: a command, or a report. Resent until committed; `id` tells doubles."""

    id: str
    event: str
    data: bytes  # JSON object
    at_us: int


class Committed(Message, frozen=True, kw_only=True, tag="committed"):
    """The submitted note is on disk under `seq`, or was refused for the reason in `error`."""

    id: str
    seq: int
    error: str | None = None


# Reports to the supervisor, and the control channel.


class Ready(Message, frozen=True, kw_only=True, tag="ready"):
    """The actor does its work from now on."""

    actor: str
    pid: int


class Progress(Message, frozen=True, kw_only=True, tag="progress"):
    """The work loop's own count, and figures for status and metrics."""

    actor: str
    pid: int
    count: int
    stats: dict[str, Any]
    at_s: float = 0.0  # monotonic, the machine's; 0 where it was not told


class Ask(Message, frozen=True, kw_only=True, tag="ask"):
    """A request to the supervisor. `op`: status, restart, stop, reload."""

    id: str
    op: str
    args: dict[str, Any] = {}


class Answer(Message, frozen=True, kw_only=True, tag="answer"):
    """The supervisor's answer; `data` is a JSON value."""

    id: str
    data: bytes = b"null"
    error: str | None = None
