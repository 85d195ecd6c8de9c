"""Engine.IO v4 and Socket.IO v4 packets: a frame's payload in, one frozen struct out.

Grammar: an Engine.IO digit; after 4, a Socket.IO digit, then `[<attachments>-][/namespace,][ack id][JSON]`. `parse`
never raises, whatever comes in: what is no packet, or larger than `MAX_BYTES`, becomes `Unknown` with the reason.
Linear in the payload's size.
"""

import re
from typing import Any, Final

from msgspec import Struct

from actors.rugs.jsontext import Unreadable, read

TEXT: Final = 1
BINARY: Final = 2

MAX_BYTES: Final = 8_000_000
"""A longer text is not read: 8 MB of nothing but brackets become 220 MB of objects. The game's longest has 0.5 MB."""


class Packet(Struct, frozen=True, kw_only=True):
    """Base of all packets."""


class Open(Packet, frozen=True, kw_only=True):
    """Engine.IO 0: the handshake. `data` has sid, upgrades, pingInterval, pingTimeout (ms), maxPayload (bytes)."""

    data: dict[str, Any]


class Close(Packet, frozen=True, kw_only=True):
    """Engine.IO 1: the transport is to be closed."""


class Ping(Packet, frozen=True, kw_only=True):
    """Engine.IO 2: the server's heartbeat, or, with `probe`, the client's test of an upgrade."""

    probe: bool


class Pong(Packet, frozen=True, kw_only=True):
    """Engine.IO 3: the answer to a ping."""

    probe: bool


class Upgrade(Packet, frozen=True, kw_only=True):
    """Engine.IO 5: the client goes over to the tested transport."""


class Noop(Packet, frozen=True, kw_only=True):
    """Engine.IO 6: ends a pending poll during an upgrade."""


class Connect(Packet, frozen=True, kw_only=True):
    """Socket.IO 0: a namespace is joined; from the client `data` may hold its credentials, redacted by the capture."""

    namespace: str
    data: Any


class Disconnect(Packet, frozen=True, kw_only=True):
    """Socket.IO 1: a namespace is left."""

    namespace: str


class Event(Packet, frozen=True, kw_only=True):
    """Socket.IO 2, and 5 with its attachments still to come: an emit. All arguments, a trace object included."""

    name: str
    args: list[Any]
    ack_id: int | None
    namespace: str
    attachments: int = 0  # binary frames that follow; `{"_placeholder": true, "num": i}` stands for each in args


class Ack(Packet, frozen=True, kw_only=True):
    """Socket.IO 3, and 6 with attachments: the answer to the emit with this id."""

    ack_id: int
    args: list[Any]
    namespace: str
    attachments: int = 0


class ConnectError(Packet, frozen=True, kw_only=True):
    """Socket.IO 4: a namespace refused the client."""

    namespace: str
    data: Any


class Attachment(Packet, frozen=True, kw_only=True):
    """A binary frame: the next attachment of the event or ack before it."""

    size_bytes: int


class Unknown(Packet, frozen=True, kw_only=True):
    """No packet of these protocols, or none that is read."""

    reason: str
    name: str | None = None  # of an event that is too large to be read


_ENGINE: Final[dict[bytes, Packet]] = {
    b"1": Close(),
    b"2": Ping(probe=False),
    b"2probe": Ping(probe=True),
    b"3": Pong(probe=False),
    b"3probe": Pong(probe=True),
    b"5": Upgrade(),
    b"6": Noop(),
}
# Possessive: a head is read once, never again from a later place. 15 digits are enough for any counter.
_HEAD: Final = re.compile(rb"4([0-6])(?:([0-9]{1,6}+)-)?(?:(/[^,]*+),?)?+([0-9]{0,15}+)")
_NAME: Final = re.compile(rb'\s*\[\s*"([^"\\]{1,100})"\s*[,\]]')
_TRACE_FIELDS: Final = frozenset({"__trace", "traceparent", "tracestate", "baggage"})
_TRACE_PARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


def parse(payload: bytes, opcode: int = TEXT) -> Packet:
    """Return the packet of one WebSocket message or polling packet; never raises."""
    if opcode != TEXT:
        return Attachment(size_bytes=len(payload))
    engine = _ENGINE.get(payload)
    if engine is not None:
        return engine
    if len(payload) > MAX_BYTES:
        return Unknown(reason=f"larger than {MAX_BYTES} bytes", name=_name_of(payload))
    try:
        if payload[:1] == b"0":
            data = read(payload[1:])
            return Open(data=data) if isinstance(data, dict) else Unknown(reason="the handshake is no object")
        return _parse_message(payload)
    except Unreadable as error:
        return Unknown(reason=str(error))


def _name_of(payload: bytes) -> str | None:
    """Return the event's name, None where it is no event or its name cannot be told at a glance."""
    head = _HEAD.match(payload[:1000])
    if head is None or head[1] not in b"25":
        return None
    name = _NAME.match(payload, head.end())
    return name[1].decode("utf-8", "replace") if name is not None else None


def _parse_message(payload: bytes) -> Packet:
    head = _HEAD.match(payload)
    if head is None:
        return Unknown(reason="neither an Engine.IO nor a Socket.IO packet" if payload else "empty")
    kind, attachments, path, ack_digits = head.groups()
    namespace = path.decode("utf-8", "replace") if path else "/"
    ack_id = int(ack_digits) if ack_digits else None
    text = payload[head.end() :]
    if attachments and kind in b"01234":
        return Unknown(reason="attachments belong to binary packets only")
    if kind in b"25":
        return _event(text, ack_id, namespace, int(attachments or 0))
    if kind in b"36":
        return _ack(text, ack_id, namespace, int(attachments or 0))
    if kind == b"1":
        return Unknown(reason="a disconnect with data") if text else Disconnect(namespace=namespace)
    data = read(text) if text else None
    return Connect(namespace=namespace, data=data) if kind == b"0" else ConnectError(namespace=namespace, data=data)


def _event(text: bytes, ack_id: int | None, namespace: str, attachments: int) -> Packet:
    array = read(text)
    if not isinstance(array, list) or not array or not isinstance(array[0], str):
        return Unknown(reason="an event is an array that begins with its name")
    return Event(name=array[0], args=array[1:], ack_id=ack_id, namespace=namespace, attachments=attachments)


def _ack(text: bytes, ack_id: int | None, namespace: str, attachments: int) -> Packet:
    array = read(text)
    if ack_id is None or not isinstance(array, list):
        return Unknown(reason="an ack has an id and an array")
    return Ack(ack_id=ack_id, args=array, namespace=namespace, attachments=attachments)


def without_trace(args: list[Any]) -> tuple[list[Any], str | None]:
    """Return the arguments without the site's trace object, wherever it stands, and its 32-digit trace id.

    An object with further fields keeps those. The id of the first well-formed one counts.
    """
    kept: list[Any] = []
    trace_id: str | None = None
    for arg in args:
        if not isinstance(arg, dict) or arg.get("__trace") is not True:
            kept.append(arg)
            continue
        trace_id = trace_id or _trace_id(arg.get("traceparent"))
        rest = {name: value for name, value in arg.items() if name not in _TRACE_FIELDS}
        if rest:
            kept.append(rest)
    return kept, trace_id


def _trace_id(parent: Any) -> str | None:
    found = _TRACE_PARENT.fullmatch(parent) if isinstance(parent, str) else None
    return found[1] if found else None
