"""What one journal record became: collects its events and rows and gives the numbers. Never does any I/O.

The first event takes the record's own number, each further one the next; a record has at most 255. Rows bear the
number of the event they belong to. With recording off only the rows that are kept always are taken.
"""

from typing import Any, Final

from msgspec import Struct, field

from actors.core.messages import SEQ_STEP, Event, Record, Row
from actors.rugs.events import MAX_NAME
from actors.rugs.jsontext import encode
from actors.rugs.memory import MAX_TYPES, Memory

MAX_EVENTS: Final = SEQ_STEP - 1
ALWAYS_KEPT: Final = frozenset({"system_event", "game"})
"""The doc_types that are stored while recording is off."""


class Derived(Struct, kw_only=True):
    """What a record became."""

    events: list[Event] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


class Output:
    """Takes the events and rows of one record."""

    def __init__(self, memory: Memory, record: Record) -> None:
        self.at_us = record.at_us
        self.derived = Derived()
        self._memory = memory
        self.seq = record.seq
        self._drifts: list[bytes] = []
        self._next_seq = record.seq
        self._end = record.seq + MAX_EVENTS

    def event(self, type_: str, game_id: str | None, data: bytes) -> int:
        """Take an event and return its number. The 256th and later are dropped and counted as malformed."""
        seq = self._next_seq
        if seq >= self._end:
            self._memory.malformed += 1
            return self._end - 1
        self._next_seq = seq + 1
        self._memory.last[type_] = seq
        self.derived.events.append(Event(seq, type_, self.at_us // 1000, game_id, data))
        return seq

    def raw(
        self, name: str, game_id: str | None, args: list[Any], *, sent: bool, ack_id: int | None = None,
        unread_bytes: int | None = None,
    ) -> int:  # fmt: skip
        """Take an event of a name we have no type for. unread_bytes: of a frame too large to be read.

        A name too long for a type, or one more than `MAX_TYPES`, becomes `raw.other` with its `name` in the data.
        """
        data: dict[str, Any] = {"args": args}
        if sent:
            data["sent"] = True
        if ack_id is not None:
            data["ackId"] = ack_id
        if unread_bytes is not None:
            data["unreadBytes"] = unread_bytes
        type_ = f"raw.{name}"
        last = self._memory.last
        is_fit = 0 < len(name) <= MAX_NAME and name.isprintable()
        if not is_fit or (len(last) >= MAX_TYPES and type_ not in last):
            type_, data["name"] = "raw.other", name
        return self.event(type_, game_id, encode(data))

    def drift(self, data: bytes) -> None:
        """Keep a report of drift until the frame's own events are made."""
        self._drifts.append(data)

    def finish(self) -> None:
        """Make the events and rows of all drift reported, behind the frame's own."""
        for data in self._drifts:
            seq = self.event("system.drift", None, data)
            self.row("system_event", seq, None, ["drift", data.decode()])
        self._drifts = []

    def row(self, doc_type: str, seq: int, game_id: str | None, values: list[Any]) -> None:
        """Take a row, if rows of its doc_type are stored now."""
        if self._memory.recording or doc_type in ALWAYS_KEPT:
            self.derived.rows.append(Row(seq, doc_type, self.at_us, game_id, values))

    def frame_row(self, game_id: str | None, values: list[Any]) -> None:
        """Take the `ws_event` row of the frame itself; it stands first and bears the frame's number."""
        if self._memory.recording:
            self.derived.rows.insert(0, Row(self.seq, "ws_event", self.at_us, game_id, values))
