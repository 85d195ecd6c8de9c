"""What a rebuild tells the normalizer's core besides frames: stored rows whose own records are not stored. Pure.

In: rows of `system_event`, `player_action` and `game` as they lie on disk. The core's memory is brought to where the
live system's was after them, so that the frames which follow are derived as they were. The rows themselves stay as they
are; nothing comes out.
"""

from typing import Any, Final

import msgspec

from actors.core.messages import Note, Row
from actors.rugs import orders
from actors.rugs.actions import await_order
from actors.rugs.bets import is_first_copy, read_bet
from actors.rugs.buttons import ORDER_KINDS
from actors.rugs.memory import MAX_ROUNDS, Memory, is_new, key_of
from actors.rugs.normalize import derive
from actors.rugs.output import Output
from actors.rugs.pending import Press
from actors.rugs.schema import DOC_TYPES

FED: Final = ("system_event", "player_action", "game")
"""The doc_types whose rows `follow` takes."""
MADE_OF_FRAMES: Final = frozenset({"drift", "round", "import"})
"""System events that no note of the journal stands behind."""

_PLACES: Final = {
    doc_type: {column.name: place for place, column in enumerate(DOC_TYPES[doc_type])} for doc_type in FED
}


def follow(memory: Memory, row: Row) -> None:
    """Bring the memory up to a row whose record is no stored frame."""
    {"system_event": _follow_system, "player_action": _follow_action, "game": _follow_round}[row.doc_type](memory, row)


def is_of_note(row: Row) -> bool:
    """Say whether a note of the journal stands behind a row that is made of no stored frame."""
    return row.doc_type == "player_action" or (row.doc_type == "system_event" and row.values[0] not in MADE_OF_FRAMES)


def preload(memory: Memory, row: Row) -> None:
    """Give a fresh memory what it must know of rows from before its beginning: rounds, drift, the recording switch."""
    if row.doc_type == "game" and row.game_id is not None:
        is_new(memory.rounds, key_of(row.game_id), MAX_ROUNDS)
    elif row.doc_type == "system_event" and row.values[0] in ("recording", "drift"):
        _follow_system(memory, row)


def span_us(row: Row) -> tuple[int, int]:
    """Return when the round of a `game` row began and ended, roughly and rather too wide; Unix microseconds."""
    ended_us = _value(row, "ended_at") or row.at_us
    return ended_us - ((_value(row, "ticks") or 0) * 250_000 + 30_000_000), max(ended_us, row.at_us)


def _follow_system(memory: Memory, row: Row) -> None:
    event, data = row.values[0], row.values[1] or "{}"
    if event == "drift":
        _follow_drift(memory, data)
    elif event not in MADE_OF_FRAMES:
        derive(memory, Note(row.seq, row.at_us, event or "", data.encode()))


def _follow_drift(memory: Memory, data: str) -> None:
    told = _object(data)
    reported = memory.drifts.setdefault(str(told.get("event")), {})
    reported[f"{told.get('what')} {told.get('field')}"] = int(told.get("firstSeenSeq") or 0)


def _follow_action(memory: Memory, row: Row) -> None:
    """Let a press wait for its order, as it did; the outcome of an order is none."""
    more = _object(_value(row, "data"))
    if "action" in more:
        return
    out = Output(memory, Note(row.seq, row.at_us, "press", b"{}"))
    button = _value(row, "button")
    if button in ORDER_KINDS:
        press = Press(
            trace_id=_value(row, "trace_id") or "", seq=row.seq, at_us=row.at_us, target="", kind=ORDER_KINDS[button],
            button=button, category=_value(row, "category") or "", actor=_value(row, "actor") or "",
            sequence_id=str(more.get("sequenceId")), position=int(more.get("sequencePosition") or 0),
        )  # fmt: skip
        await_order(memory, press)
    orders.expire(memory, out)


def _follow_round(memory: Memory, row: Row) -> None:
    """Know a round that a frame told of which is not stored: recording was off."""
    if row.game_id is None or not is_new(memory.rounds, key_of(row.game_id), MAX_ROUNDS):
        return
    game = memory.games.get(row.game_id)
    if game is not None:
        game.prices, game.ended = [*(_value(row, "prices") or [])] or game.prices, True
    for entry in _list(_value(row, "sidebets")):
        bet = read_bet(entry, row.game_id) if isinstance(entry, dict) else None
        if bet is not None:
            is_first_copy(memory, bet)


def _value(row: Row, column: str) -> Any:
    return row.values[_PLACES[row.doc_type][column]]


def _object(text: str | None) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(text or "{}")
    except (msgspec.DecodeError, UnicodeDecodeError):
        value = {}
    return value if isinstance(value, dict) else {}


def _list(text: str | None) -> list[Any]:
    try:
        value = msgspec.json.decode(text or "[]")
    except (msgspec.DecodeError, UnicodeDecodeError):
        value = []
    return value if isinstance(value, list) else []
