"""The outward forms of everything the door says, as bytes. Pure.

Events (contract 4.4) as JSON text and as msgpack; the feed's own messages (contract 4.5) as JSON; and the WebSocket
framing: a server's frames bear no mask, so that one framed message serves every client.
"""

import struct
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from actors.core.messages import Event

SNAPSHOT_KEYS = (
    "gameId",
    "tick",
    "price",
    "phase",
    "cooldownMs",
    "connected",
    "lastFrameAt",
    "cash",
    "bonusBalance",
    "positionQty",
    "avgCost",
    "entryTick",
    "timeInPosition",
    "unrealizedPnl",
    "cumulativePnl",
    "sidebet",
    "sidebetTicksLeft",
    "shortPosition",
    "rugpool",
    "leaderboard",
)

json = msgspec.json.Encoder()
msgpack = msgspec.msgpack.Encoder()

NOTHING_KNOWN = json.encode(dict.fromkeys(SNAPSHOT_KEYS))
"""The snapshot's data while the state is away: what is not known is null."""

_TEXT = 0x81
_CLOSE = 0x88


def envelope(event: Event, prev: int | None) -> bytes:
    """Return the event as JSON; prev: the number before it in the same subscription."""
    return b'{"type":%b,"ts":%d,"gameId":%b,"seq":%d,"prev":%b,"data":%b}' % (
        json.encode(event.type),
        event.ts,
        json.encode(event.game_id),
        event.seq,
        b"null" if prev is None else b"%d" % prev,
        event.data,
    )


def envelope_map(event: Event, prev: int | None) -> dict[str, Any]:
    """Return the event with its data decoded, ready for `pack`."""
    return {
        "type": event.type,
        "ts": event.ts,
        "gameId": event.game_id,
        "seq": event.seq,
        "prev": prev,
        "data": msgspec.json.decode(event.data),
    }


def pack(value: Any) -> bytes:
    """Return msgpack; whole numbers beyond its 64 bits become floats."""
    try:
        return msgpack.encode(value)
    except OverflowError:
        return msgpack.encode(_within_64_bits(value))


def _within_64_bits(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _within_64_bits(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_within_64_bits(item) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return float(value) if value.bit_length() < 1024 else str(value)
    return value


def hello(seq: int, version: str, types: Iterable[str], recording: str) -> bytes:
    """Return the first message on a connection."""
    return json.encode(
        {"type": "hello", "seq": seq, "version": version, "types": sorted(types), "recording": recording}
    )


def snapshot(seq: int, data: bytes, last: Mapping[str, int], recording: str) -> bytes:
    """Return the current state; data: a JSON object."""
    return b'{"type":"snapshot","seq":%d,"data":%b,"last":%b,"recording":%b}' % (
        seq,
        data,
        json.encode(last),
        json.encode(recording),
    )


def subscribed(seq: int, types: list[str] | None, unknown: list[str], recording: str) -> bytes:
    """Return the answer to `subscribe`: events after `seq` follow; unknown: those of `types` that can never come."""
    return json.encode({"type": "subscribed", "seq": seq, "types": types, "unknown": unknown, "recording": recording})


def dropped(count: int | None, first: int, last: int) -> bytes:
    """Return the word that numbers `first` to `last`, inclusive, were lost; count: None where nobody can tell."""
    return json.encode({"type": "dropped", "count": count, "from": first, "to": last})


def pong(ts: msgspec.Raw) -> bytes:
    """Return the answer to `ping`, with its `ts` as it came."""
    return b'{"type":"pong","ts":%b}' % bytes(ts)


def error(message: str, recording: str | None = None) -> bytes:
    """Return the answer to what was not understood; recording: ours, where another one was asked for."""
    more = {} if recording is None else {"recording": recording}
    return json.encode({"type": "error", "message": message, **more})


def text_frame(payload: bytes) -> bytes:
    """Return the payload as one unmasked WebSocket text message."""
    size = len(payload)
    if size < 126:
        return bytes((_TEXT, size)) + payload
    if size < 65_536:
        return struct.pack("!BBH", _TEXT, 126, size) + payload
    return struct.pack("!BBQ", _TEXT, 127, size) + payload


def close_frame(code: int, reason: str) -> bytes:
    """Return a WebSocket close message; reason: at most 123 bytes."""
    body = struct.pack("!H", code) + reason.encode()
    return bytes((_CLOSE, len(body))) + body
