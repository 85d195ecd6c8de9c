"""Orders of the page and their acknowledgements: sent request and received ack in, `order.*` events out.

An ack bears nothing but the id of its request: the two meet by stream, namespace and id. Requests without an answer
stay open until newer ones push them out.
"""

from typing import Any

from actors.core.messages import Frame
from actors.rugs.jsontext import encode
from actors.rugs.memory import MAX_ORDERS, Memory, Order, put
from actors.rugs.output import Output
from actors.rugs.packets import Ack, Event, without_trace


def take_request(memory: Memory, out: Output, frame: Frame, event: Event) -> None:
    """Make `order.request` of a sent order and wait for its ack."""
    args, trace_id = without_trace(event.args)
    data = {"action": event.name, "ackId": event.ack_id, "args": args, "traceId": trace_id}
    seq = out.event("order.request", memory.game_id, encode(data))
    if event.ack_id is not None:
        key = _key(frame, event.namespace, event.ack_id)
        memory.orders.pop(key, None)
        order = Order(action=event.name, at_us=frame.at_us, seq=seq, game_id=memory.game_id, trace_id=trace_id)
        put(memory.orders, key, order, MAX_ORDERS)


def take_ack(memory: Memory, out: Output, frame: Frame, ack: Ack) -> str | None:
    """Make `order.result` if the ack answers an order; return the order's game id."""
    order = None if frame.sent else memory.orders.pop(_key(frame, ack.namespace, ack.ack_id), None)
    if order is None:
        return None
    args, _ = without_trace(ack.args)
    data = {
        "action": order.action,
        "ackId": ack.ack_id,
        "args": args,
        "success": _success(args),
        "latencyMs": (frame.at_us - order.at_us) / 1000,
        "requestSeq": order.seq,
        "traceId": order.trace_id,
    }
    out.event("order.result", order.game_id, encode(data))
    return order.game_id


def _success(args: list[Any]) -> bool | None:
    """Return what the first object says; an error without more is a failure, an empty ack says nothing."""
    answer = next((arg for arg in args if isinstance(arg, dict)), None)
    if answer is None:
        return None
    if isinstance(answer.get("success"), bool):
        return bool(answer["success"])
    return False if answer.get("error") else None


def _key(frame: Frame, namespace: str, ack_id: int) -> str:
    return f"{ack_id} {namespace[:100]} {frame.stream}"
