"""A span of the record as a line: when it was on, and what was missed, why, and what came back. Pure.

In: system records in order, the recording's state before them, rounds with their spans. Out: spans that follow each
other without a hole, and gaps. Times: Unix microseconds in, milliseconds out, as in every answer of the API.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from web.system_rows import SystemRecord

TICK_MS = 250
PAUSE_MS = 60_000  # between two rounds: 15 s of cooldown, and as much again for a hold, thrice
WAIT_MS = 900_000  # so long a round that was under way may take until its history tells of it


class Span(Struct, frozen=True, kw_only=True):
    """A stretch of time in which the recording was on, off, or in which nothing is on disk."""

    since: int
    until: int
    kind: str  # on, off, none


class Gap(Struct, frozen=True, kw_only=True):
    """A time in which the game was not seen."""

    seq: int
    since: int
    until: int | None  # null: it is not over
    seconds: float
    cause: str
    repair: str  # filled, partly, pending, nothing
    rounds: int  # whose ticks the game's own history gave back
    ticks: int
    lost_s: float  # of the gap that no known round covers


class Played(NamedTuple):
    """A round on the line."""

    since_ms: int
    until_ms: int
    missing: int  # ticks that were not seen live, and came from history


class _Hole(NamedTuple):
    """A time that one record or several tell of."""

    record: SystemRecord  # the first
    begin_us: int
    end_us: int
    causes: list[str]


def spans(records: Iterable[SystemRecord], before: bool | None, since_us: int, until_us: int) -> list[Span]:
    """Return the recording's state over a span. before: its state at `since_us`, None where nothing was on disk."""
    state, at, found = before, since_us, []
    for record in records:
        if record.event == "recording" and isinstance(record.data.get("on"), bool):
            found.append((at, record.at_us, state))
            state, at = record.data["on"], record.at_us
        elif state is None:
            found.append((at, record.at_us, state))
            state, at = False, record.at_us
    found.append((at, until_us, state))
    words = {True: "on", False: "off", None: "none"}
    made = [Span(since=a // 1000, until=b // 1000, kind=words[kind]) for a, b, kind in found if b > a]
    return _joined(made)


def gaps(records: Iterable[SystemRecord], rounds: Sequence[Played], now_us: int) -> list[Gap]:
    """Return the gaps among the records, oldest first; the last may still be open."""
    holes: list[_Hole] = []
    lost: SystemRecord | None = None
    for record in records:
        if record.event == "connection" and record.data.get("what") == "lost":
            lost = record
        elif record.event == "connection" and record.data.get("what") == "continued":
            lost = None
        elif record.event == "gap":
            begin, end = record.data.get("from_us"), record.data.get("to_us")
            if isinstance(begin, int) and isinstance(end, int):
                _dig(holes, _Hole(record, begin, max(begin, end), [_cause(record)]))
                lost = None if lost is not None and lost.at_us <= end else lost
    found = [_gap(hole, hole.begin_us, hole.end_us, rounds, now_us) for hole in holes]
    if lost is not None:
        found.append(_gap(_Hole(lost, lost.at_us, now_us, [_cause(lost)]), lost.at_us, None, rounds, now_us))
    return found


def _dig(holes: list[_Hole], hole: _Hole) -> None:
    """Add a hole; what overlaps is one hole with all its causes. They come nearly in order."""
    while holes and holes[-1].begin_us < hole.end_us and holes[-1].end_us > hole.begin_us:
        met = holes.pop()
        causes = [*dict.fromkeys([*met.causes, *hole.causes])]
        begin_us, end_us = min(met.begin_us, hole.begin_us), max(met.end_us, hole.end_us)
        hole = _Hole(met.record, begin_us, end_us, causes)
    holes.append(hole)


def _cause(record: SystemRecord) -> str:
    return str(record.data.get("cause") or "not known")


def _gap(hole: _Hole, begin_us: int, end_us: int | None, rounds: Sequence[Played], now_us: int) -> Gap:
    since, until = begin_us // 1000, (now_us if end_us is None else end_us) // 1000
    touched = [one for one in rounds if one.until_ms >= since and one.since_ms <= until]
    lost_ms = _uncovered(touched, since, until)
    ticks = sum(_missing(one, since, until) for one in touched)
    ended = any(one.until_ms >= until for one in rounds)
    if end_us is None or (not ended and now_us // 1000 - until < WAIT_MS):
        repair = "pending"
    elif lost_ms > PAUSE_MS:
        repair = "partly" if ticks else "nothing"
    else:
        repair = "filled" if touched else "nothing"
    return Gap(
        seq=hole.record.seq,
        since=since,
        until=None if end_us is None else until,
        seconds=round((until - since) / 1000, 3),
        cause="; ".join(hole.causes),
        repair=repair,
        rounds=sum(one.missing > 0 for one in touched),
        ticks=ticks,
        lost_s=round(lost_ms / 1000, 1) if repair in ("partly", "nothing") else 0.0,
    )


def _missing(one: Played, since: int, until: int) -> int:
    """Return how many of a round's missing ticks a gap can be the reason of: the round may have had others."""
    return min(one.missing, (min(until, one.until_ms) - max(since, one.since_ms)) // TICK_MS + 1)


def _uncovered(rounds: Sequence[Played], since: int, until: int) -> int:
    """Return how many ms of a span no round explains; the usual pause between two rounds is explained."""
    at, lost = since, 0
    for one in sorted(rounds):
        lost += max(0, one.since_ms - at - PAUSE_MS)
        at = max(at, one.until_ms)
    return lost + max(0, until - at - PAUSE_MS) if rounds else until - since


def _joined(found: list[Span]) -> list[Span]:
    made: list[Span] = []
    for span in found:
        if made and made[-1].kind == span.kind:
            made[-1] = Span(since=made[-1].since, until=span.until, kind=span.kind)
        else:
            made.append(span)
    return made
