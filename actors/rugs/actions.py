"""Presses of the game's buttons, and what came of them: `player.action` events and `player_action` rows.

In: notes of presses as the captures read them from the page, and orders that were answered. Out: one row a press, one
an outcome, joined by our own trace id; each with the context of its moment. Presses without a long pause between them
are one sequence, which ends with the order that they lead to: its id and the place in it stand in `data`.
"""

import hashlib
from typing import Any, Final

from actors.core.messages import Note
from actors.rugs.buttons import MAX_TEXT, ORDER_KINDS, classify, order_kind
from actors.rugs.columns import as_bool, as_text
from actors.rugs.jsontext import encode
from actors.rugs.memory import MAX_PRESSES, Memory
from actors.rugs.output import Output
from actors.rugs.pending import Order, Press, Sequence

PAUSE_US: Final = 30_000_000
"""A longer pause begins a new sequence."""
REACH_US: Final = 5_000_000
"""An order that comes later after a press was not sent by it; a busy page sends within milliseconds."""
SKEW_US: Final = 500_000
"""An order that was told before its press, by a capture that missed the press, is no further from it."""
_MAX_AMOUNT: Final = 1e12


def take_press(memory: Memory, out: Output, note: Note, told: dict[str, Any]) -> bool:
    """Make the event and row of a press; False where the note tells of none."""
    key, text, classes = as_text(told.get("key")), as_text(told.get("text")), as_text(told.get("classes"))
    if key is None or text is None or classes is None or len(text) > MAX_TEXT:
        return False
    known = classify(text, classes, is_button=told.get("isButton") is True)
    button, category = (known.label, known.category) if known is not None else (text, "other")
    trace_id = hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=16).hexdigest()
    target = as_text(told.get("target")) or ""
    sequence = _sequence(memory, trace_id, target, note.at_us)
    share = known.percentage if known is not None else None
    if button == "SELL":
        share = _number(told.get("percent"))
    said = {
        "button": button,
        "category": category,
        "actor": "human" if as_bool(told.get("trusted")) else "bot",
        "amount": _number(told.get("amount")),
        "percentage": share,
    }
    context = context_of(memory)
    place = {"sequenceId": sequence.id, "sequencePosition": sequence.count}
    seq = out.event(
        "player.action", memory.game_id, encode({**said, **context, "traceId": trace_id, **place, "text": text})
    )
    more = encode({**place, "text": text, "cooldownMs": context["cooldownMs"]}).decode()
    out.row("player_action", seq, memory.game_id, [*said.values(), *_columns(context), None, None, trace_id, more])
    if button in ORDER_KINDS:
        memory.sequence = None
        press = Press(trace_id=trace_id, seq=seq, at_us=note.at_us, target=target, kind=ORDER_KINDS[button],
                      button=button, category=category, actor=str(said["actor"]), sequence_id=sequence.id,
                      position=sequence.count)  # fmt: skip
        await_order(memory, press)
    return True


def press_of(memory: Memory, action: str, at_us: int, stream: str) -> Press | None:
    """Return the press that sent an order, each only once: the newest of its kind, one of the same page first."""
    kind, target = order_kind(action), stream.split("/")[1] if stream.count("/") > 1 else ""
    fit = [press for press in memory.presses if not press.is_linked and press.kind == kind]
    fit = [press for press in fit if abs(at_us - press.at_us) <= REACH_US]  # known already, so pressed before
    found = max(fit, key=lambda press: (press.target == target, press.at_us), default=None)
    if found is not None:
        found.is_linked = True
    return found


def take_outcome(
    memory: Memory, out: Output, order: Order, seq: int, success: bool | None, latency_ms: float | None,
    result: dict[str, Any],
) -> None:  # fmt: skip
    """Make the row of an answered order. seq, result: of its `order.result`."""
    press, kind = order.press, order_kind(order.action)
    who: list[Any] = (
        [press.button, press.category, press.actor]
        if press is not None
        else [(kind or order.action).upper(), "sidebet" if kind == "sidebet" else "trade", None]
    )
    more: dict[str, Any] = {"action": order.action, "requestTraceId": order.trace_id, "requestSeq": order.seq}
    more |= {"message": result["message"], "effects": result["effects"]}
    if press is not None:
        more |= {"sequenceId": press.sequence_id, "sequencePosition": press.position}
        more |= {"sinceMs": (out.at_us - press.at_us) / 1000}
    values = [*who, order.amount, order.percentage, *_columns(context_of(memory))]
    joined = press.trace_id if press is not None else order.trace_id
    out.row(
        "player_action", seq, order.game_id, [*values, success, latency_ms, joined, encode(more).decode()]
    )  # fmt: skip


def context_of(memory: Memory) -> dict[str, Any]:
    """Return where the game and the player stand; None for what is not known."""
    game = memory.games.get(memory.game_id or "")
    return {
        "tick": game.core.tick if game else None,
        "price": game.core.price if game else None,
        "phase": game.phase if game else None,
        "cooldownMs": game.core.cooldown_ms if game else None,
        "balance": memory.balance,
        "positionQty": memory.position_qty,
    }


def _columns(context: dict[str, Any]) -> list[Any]:
    return [context[name] for name in ("tick", "price", "phase", "balance", "positionQty")]


def _sequence(memory: Memory, trace_id: str, target: str, at_us: int) -> Sequence:
    """Return the sequence that a press belongs to, counted up by it."""
    open_ = memory.sequence
    if open_ is None or open_.target != target or not -PAUSE_US < at_us - open_.last_us < PAUSE_US:
        open_ = Sequence(id=trace_id, target=target, count=0, last_us=at_us)
    open_.count, open_.last_us = open_.count + 1, at_us
    memory.sequence = open_
    return open_


def await_order(memory: Memory, press: Press) -> None:
    """Let the press wait for its order; where that was told first, they have found each other."""
    memory.presses = [*memory.presses, press][-MAX_PRESSES:]
    for order in memory.orders.values():
        is_near = order.press is None and abs(order.at_us - press.at_us) <= SKEW_US
        if is_near and order_kind(order.action) == press.kind:
            order.press, press.is_linked = press, True
            return


def _number(value: Any) -> float | None:
    """Return a number as a person writes it in a field: `0.030`, `0,03`, `25%`."""
    text = value.strip().removesuffix("%").strip().replace(",", ".") if isinstance(value, str) else ""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if -_MAX_AMOUNT < number < _MAX_AMOUNT else None
