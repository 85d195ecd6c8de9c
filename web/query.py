"""What a page of rounds is asked for, and what it holds. Data only."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

PAGE = 50

Sort = Literal["time", "peak", "ticks", "rug_price", "missing_ticks"]
Tick = Annotated[int, Meta(ge=0, le=1_000_000)]
Moment = Annotated[int, Meta(ge=0, le=2**53)]
Price = Annotated[float, Meta(ge=0, le=1e12)]


class Query(Struct, frozen=True, kw_only=True):
    """Conditions, order and page; times are Unix milliseconds, bounds inclusive."""

    text: Annotated[
        str,
        Meta(max_length=80, pattern=r"^[\w-]*$", description="the beginning of an id, or of its part after the date"),
    ] = ""
    verdict: Literal["true", "false", "unknown"] | None = None
    peak_from: Price | None = None
    peak_to: Price | None = None
    ticks_from: Tick | None = None
    ticks_to: Tick | None = None
    since: Moment | None = None
    until: Moment | None = None
    sort: Sort = "time"
    order: Literal["up", "down"] = "down"
    page: Annotated[int, Meta(ge=1, le=10_000_000)] = 1


class Entry(Struct, frozen=True, kw_only=True):
    """One round in the list; null is not known."""

    seq: int
    game_id: str
    at: int  # when it ended
    peak: float | None
    ticks: int | None
    rug_price: float | None
    verified: bool | None
    verify_reason: str | None
    live_ticks: int | None
    missing_ticks: int | None


class Found(Struct, frozen=True, kw_only=True):
    """One page of the rounds that match."""

    rounds: list[Entry]
    total: int
    page: int
    pages: int
