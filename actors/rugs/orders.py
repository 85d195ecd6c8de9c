"""Orders of the page, their acknowledgements and what they caused: `order.*` events and `player_action` rows out.

An ack bears nothing but the id of its request: the two meet by stream, namespace and id. What an order causes bears the
trace id of its request; only `playerUpdate` has none, there the next one on the same socket counts. An order without an
answer for `PATIENCE_US` gets a result that says so.
"""

from typing import Any, Final

from actors.core.messages import Frame
from actors.rugs.actions import press_of, take_outcome
from actors.rugs.columns import as_float, as_text
from actors.rugs.jsontext import encode
from actors.rugs.memory import MAX_ORDERS, Memory, put
from actors.rugs.output import Output
from actors.rugs.packets import Ack, Event, without_trace
from actors.rugs.pending import Order

PATIENCE_US: Final = 30_000_000
MAX_EFFECTS: Final = 8
SHOWN: Final = ("price", "tickIndex", "qty", "amount", "betAmount", "startTick", "endTick", "payout", "cash")
"""What an effect shows of the event that it names."""
NO_ACK: Final = "no acknowledgement within 30 s"


def take_request(memory: Memory, out: Output, frame: Frame, event: Event) -> None:
    """Make `order.request` of a sent order and wait for its ack."""
    args, trace_id = without_trace(event.args)
    press = press_of(memory, event.name, frame.at_us, frame.stream)
    asked = {"action": event.name, "ackId": event.ack_id, "args": args, "traceId": trace_id}
    joined = {"pressSeq": press.seq, "pressTraceId": press.trace_id} if press is not None else {}
    seq = out.event("order.request", memory.game_id, encode({**asked, **joined}))
    if trace_id is not None:
        put(memory.traces, trace_id, seq, MAX_ORDERS)
    amounts = next((arg for arg in args if isinstance(arg, dict)), {})
    order = Order(
        action=event.name,
        at_us=frame.at_us,
        seq=seq,
        game_id=memory.game_id,
        trace_id=trace_id,
        ack_id=event.ack_id,
        stream=frame.stream,
        amount=as_float(amounts.get("amount")),
        percentage=as_float(amounts.get("percentage")),
        press=press,
    )
    key = f"none {seq}" if event.ack_id is None else _key(frame, event.namespace, event.ack_id)
    memory.orders.pop(key, None)
    put(memory.orders, key, order, MAX_ORDERS)


def take_ack(memory: Memory, out: Output, frame: Frame, ack: Ack) -> str | None:
    """Make `order.result` if the ack answers an order; return the order's game id."""
    order = None if frame.sent else memory.orders.pop(_key(frame, ack.namespace, ack.ack_id), None)
    if order is None:
        return None
    args, _ = without_trace(ack.args)
    success = _success(args)
    if success is None and any("tickIndex" in effect or "startTick" in effect for effect in order.effects):
        success = True
    _result(memory, out, order, args, success, _since(order, frame.at_us), _message(args))
    return order.game_id


def take_effect(memory: Memory, out: Output, frame: Frame, trace_id: str | None, payload: dict[str, Any]) -> None:
    """Note at its order what the event made last came of. payload: what the event tells."""
    if not memory.orders or not out.derived.events:
        return
    event = out.derived.events[-1]
    for order in memory.orders.values():
        if trace_id is not None:
            caused = order.trace_id == trace_id
        else:
            caused = event.type == "player.state" and order.stream == frame.stream
            caused = caused and all(effect["type"] != "player.state" for effect in order.effects)
        if caused and len(order.effects) < MAX_EFFECTS:
            shown = {name: payload[name] for name in SHOWN if as_float(payload.get(name)) is not None}
            told = {"type": event.type, "seq": event.seq, "latencyMs": _since(order, frame.at_us), **shown}
            order.effects.append(told)


def expire(memory: Memory, out: Output) -> None:
    """Give those orders a result that nobody will answer any more."""
    while memory.orders:
        key, order = next(iter(memory.orders.items()))
        if out.at_us - order.at_us <= PATIENCE_US:
            return
        del memory.orders[key]
        done = any("tickIndex" in effect or "startTick" in effect for effect in order.effects)
        _result(memory, out, order, [], True if done else None, None, NO_ACK)


def _result(
    memory: Memory, out: Output, order: Order, args: list[Any], success: bool | None, latency_ms: float | None,
    message: str | None,
) -> None:  # fmt: skip
    result = {
        "action": order.action,
        "ackId": order.ack_id,
        "args": args,
        "success": success,
        "message": message,
        "latencyMs": latency_ms,
        "requestSeq": order.seq,
        "traceId": order.trace_id,
        "effects": order.effects,
    }
    if order.press is not None:
        result |= {"pressSeq": order.press.seq, "pressTraceId": order.press.trace_id}
    seq = out.event("order.result", order.game_id, encode(result))
    take_outcome(memory, out, order, seq, success, latency_ms, result)


def _since(order: Order, at_us: int) -> float:
    return (at_us - order.at_us) / 1000


def _success(args: list[Any]) -> bool | None:
    """Return what the first object says; an error without more is a failure, an empty ack says nothing."""
    answer = next((arg for arg in args if isinstance(arg, dict)), None)
    if answer is None:
        return None
    if isinstance(answer.get("success"), bool):
        return bool(answer["success"])
    return False if answer.get("error") else None


def _message(args: list[Any]) -> str | None:
    """Return what the answer says in words."""
    answer = next((arg for arg in args if isinstance(arg, dict)), {})
    text = as_text(answer.get("message")) or as_text(answer.get("error"))
    return text[:500] if text is not None else None


def _key(frame: Frame, namespace: str, ack_id: int) -> str:
    return f"{ack_id} {namespace[:100]} {frame.stream}"
