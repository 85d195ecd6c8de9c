"""What a subscriber gets. Data only."""

from typing import Any

from msgspec import Struct


class Event(Struct, frozen=True, kw_only=True, rename="camel"):
    """One event of the feed. `seq` rises and names it for ever; `prev` is that of the event of its type before it."""

    type: str
    ts: int  # Unix milliseconds at capture
    game_id: str | None
    seq: int
    prev: int | None
    data: dict[str, Any]


class Hole(Struct, frozen=True, kw_only=True):
    """Numbers `first` to `last`, inclusive, which are not kept any more.

    recording: where another recording runs now, its id; then the numbers are its own, up to its present.
    """

    first: int
    last: int
    recording: str | None = None


class Snapshot(Struct, frozen=True, kw_only=True):
    """The state after the event `seq`; what is not known is None."""

    seq: int
    state: dict[str, Any]
    last: dict[str, int] = {}  # type -> its last number
    recording: str | None = None  # the id of the recording that the numbers belong to
