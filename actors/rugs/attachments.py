"""Binary packets put together: an event or ack with its attachments, which follow as frames of their own. Pure.

In: the packets of a socket, one direction at a time. Out: the same; one with attachments comes out with the last of
them, its placeholders replaced by `{"base64": text}`. What is larger than `MAX_BYTES` stays in `ws_event` alone and
leaves `{"bytes": size}`. A packet that breaks the row (Socket.IO ends the connection then) comes out after the
unfinished one, whose missing parts keep their placeholders. The game has never sent one so far.
"""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any, Final

from actors.core.messages import Frame
from actors.rugs.memory import Memory, put
from actors.rugs.packets import Ack, Attachment, Connect, ConnectError, Disconnect, Event, Packet
from actors.rugs.pending import Unfinished

MAX_PARTS: Final = 64
MAX_BYTES: Final = 200_000
"""Of a packet's text, and of all its attachments together: they are kept in checkpoints while they wait."""
MAX_WAITING: Final = 16


def whole(memory: Memory, frame: Frame, packet: Packet) -> Iterator[Packet]:
    """Yield the packets that are complete with this one, none while attachments are missing."""
    key = f"{'sent' if frame.sent else 'received'} {frame.stream}"
    if isinstance(packet, Attachment):
        waiting = memory.unfinished.get(key)
        if waiting is None:
            yield packet
            return
        _add(waiting, frame.payload)
        if len(waiting.parts) == waiting.count:
            yield _finish(memory.unfinished.pop(key))
        return
    if isinstance(packet, Event | Ack | Connect | Disconnect | ConnectError) and key in memory.unfinished:
        yield _finish(memory.unfinished.pop(key))
    if isinstance(packet, Event | Ack) and 0 < packet.attachments <= MAX_PARTS and len(frame.payload) <= MAX_BYTES:
        put(memory.unfinished, key, _begin(packet), MAX_WAITING)
    else:
        yield packet


def _begin(packet: Event | Ack) -> Unfinished:
    name = packet.name if isinstance(packet, Event) else None
    return Unfinished(
        name=name, args=packet.args, ack_id=packet.ack_id, namespace=packet.namespace, count=packet.attachments
    )


def _add(waiting: Unfinished, payload: bytes) -> None:
    waiting.size_bytes += len(payload)
    waiting.parts.append(payload if waiting.size_bytes <= MAX_BYTES else len(payload))


def _finish(waiting: Unfinished) -> Packet:
    args = [_filled(arg, waiting.parts) for arg in waiting.args]
    missing = waiting.count - len(waiting.parts)
    if waiting.name is not None:
        return Event(
            name=waiting.name, args=args, ack_id=waiting.ack_id, namespace=waiting.namespace, attachments=missing
        )
    return Ack(ack_id=waiting.ack_id or 0, args=args, namespace=waiting.namespace, attachments=missing)


def _filled(value: Any, parts: list[bytes | int]) -> Any:
    """Return the value with its placeholders replaced; what is nested is at most `jsontext.MAX_DEPTH` deep."""
    if isinstance(value, list):
        return [_filled(inner, parts) for inner in value]
    if not isinstance(value, dict):
        return value
    number = value.get("num")
    if value.get("_placeholder") is True and type(number) is int:
        part = parts[number] if 0 <= number < len(parts) else None
        if part is None:
            return value
        return {"bytes": part} if isinstance(part, int) else {"base64": b64encode(part).decode()}
    return {name: _filled(inner, parts) for name, inner in value.items()}
