"""The normalizer's core: one journal record in, its events and Parquet rows out. Pure in (memory, record).

`derive` changes nothing but the memory it is given, and that by the record alone: from a checkpoint of the memory it
comes to the same events and rows again. It never raises on what came over the wire: each frame is kept in `ws_event`,
what fits nothing is counted, and what does not fit its name's type is emitted as a raw event.
"""

from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final

from msgspec import Raw

from actors.core.messages import Frame, Note, Record
from actors.rugs import attachments, bets, drift, events, orders, players, ticks
from actors.rugs.columns import as_game_id
from actors.rugs.jsontext import encode
from actors.rugs.memory import Memory
from actors.rugs.notes import take_note
from actors.rugs.output import Derived, Output
from actors.rugs.packets import MAX_BYTES, TEXT, Ack, Event, Packet, Unknown, parse, without_trace

__all__ = ["Derived", "Memory", "derive"]

MAX_NAMES: Final = 10_000  # in a frame beyond MAX_BYTES; each costs 150 bytes

Taker = Callable[[Memory, Output, str, dict[str, Any]], bool]

_TAKERS: Final[dict[str, Taker]] = {
    "player.state": players.take_player,
    "connection.authenticated": players.take_identity,
    "player.trade": players.take_trade,
    "player.leaderboard": players.take_rank,
    "sidebet.placed": bets.take_bet,
    "sidebet.result": bets.take_bet,
    "sidebet.other": bets.take_bet,
}


def derive(memory: Memory, record: Record) -> Derived:
    """Return the events and rows of a record and bring `memory` up to it."""
    out = Output(memory, record)
    if isinstance(record, Note):
        take_note(memory, out, record)
        orders.expire(memory, out)
        return out.derived
    try:
        name, game_id = _take_frame(memory, out, record)
        orders.expire(memory, out)
        out.finish()
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError):
        # A defect of ours must cost the meaning of one frame, not the recorder: this record would come again and
        # again after each restart. The tests demand that this count stays 0.
        memory.failures += 1
        name, game_id = None, None
    direction = "sent" if record.sent else "received"
    out.frame_row(game_id, [record.stream, direction, record.opcode, name, _raw(record)])
    return out.derived


def _raw(frame: Frame) -> bytes:
    """Return what the `raw` column holds: the exact text, or base64. Bytes that are no UTF-8 are shown as \\xNN."""
    if frame.opcode != TEXT:
        return b64encode(frame.payload)
    try:
        return frame.payload if frame.payload.isascii() else frame.payload.decode().encode()
    except UnicodeDecodeError:
        return frame.payload.decode("utf-8", "backslashreplace").encode()


def _take_frame(memory: Memory, out: Output, frame: Frame) -> tuple[str | None, str | None]:
    """Make what a frame becomes; return its event name and game id, as far as it has them."""
    fields = _state_fields(frame.payload) if frame.opcode == TEXT and not frame.sent else None
    if fields is not None:
        if (game_id := _take_state(memory, out, fields)) is not None:
            return ticks.NAME, game_id
        memory.malformed += 1
    packet = parse(frame.payload, frame.opcode)
    game_id = None
    for complete in attachments.whole(memory, frame, packet):
        game_id = _take_packet(memory, out, frame, complete, is_typed=fields is None) or game_id
    return packet.name if isinstance(packet, Event | Unknown) else None, game_id


def _state_fields(payload: bytes) -> dict[str, Raw] | None:
    """Return the slices of a state frame; of one beyond `MAX_BYTES` those that may be read, if it has few."""
    if len(payload) <= MAX_BYTES:
        return ticks.slices(payload)
    fields = ticks.slices(payload) if payload.count(b'":') < MAX_NAMES else None
    return None if fields is None else {name: text for name, text in fields.items() if len(bytes(text)) <= MAX_BYTES}


def _take_packet(memory: Memory, out: Output, frame: Frame, packet: Packet, *, is_typed: bool) -> str | None:
    """Make the events of a packet; return its game id, as far as it has one."""
    if isinstance(packet, Event):
        return _take_event(memory, out, frame, packet, is_typed=is_typed)
    if isinstance(packet, Ack):
        return orders.take_ack(memory, out, frame, packet)
    if isinstance(packet, Unknown):
        memory.malformed += 1
        if packet.name is not None:
            out.raw(packet.name, None, [], sent=frame.sent, unread_bytes=len(frame.payload))
    return None


def _take_state(memory: Memory, out: Output, fields: dict[str, Raw]) -> str | None:
    """Make what a state frame becomes; return its game id, None where it does not fit."""
    try:
        return ticks.take_state(memory, out, fields)
    except ticks.Misfit as misfit:
        if misfit.finding is not None:
            drift.differs(memory, out, ticks.NAME, [misfit.finding])
        return None


def _take_event(memory: Memory, out: Output, frame: Frame, event: Event, *, is_typed: bool) -> str | None:
    """Make the events of an emit; return its game id. is_typed: whether it is still to be tried as its name's type."""
    args, trace_id = without_trace(event.args)
    type_ = None if frame.sent else events.type_of(event.name)
    if type_ != "game.tick":
        drift.check_event(memory, out, event.name, args[0] if args else None, sent=frame.sent)
    if frame.sent and events.is_order(event.name, has_ack_id=event.ack_id is not None):
        orders.take_request(memory, out, frame, event)
        return memory.game_id
    payload = next((arg for arg in args if isinstance(arg, dict)), None)
    request_seq = None if frame.sent else memory.traces.get(trace_id or "")
    if payload is not None and request_seq is not None:
        payload = {**payload, "requestSeq": request_seq}
    game_id = (as_game_id(payload.get("gameId")) if payload else None) or memory.game_id
    if type_ is not None and is_typed:
        if payload is not None and _take_typed(memory, out, type_, payload):
            orders.take_effect(memory, out, frame, trace_id, payload)
            return game_id
        memory.malformed += 1
    out.raw(event.name, game_id, args, sent=frame.sent, ack_id=event.ack_id)
    if request_seq is not None:
        orders.take_effect(memory, out, frame, trace_id, payload or {})
    return game_id


def _take_typed(memory: Memory, out: Output, type_: str, payload: dict[str, Any]) -> bool:
    """Make the typed event of an emit; False where its payload does not fit."""
    taker = _TAKERS.get(type_)
    if taker is not None:
        return taker(memory, out, type_, payload)
    return _take_state(memory, out, {name: Raw(encode(value)) for name, value in payload.items()}) is not None
