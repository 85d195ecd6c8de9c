"""What waits for its other half: presses for their orders, orders for their acks, packets for their attachments.

Part of the memory, so it holds plain values only. An order is matched with its ack by stream, namespace and ack
id, with what it caused by its trace id, and with the press that sent it by kind and time.
"""

from typing import Any

from msgspec import Struct, field


class Press(Struct, kw_only=True):
    """A press of a button that sends an order."""

    trace_id: str  # ours, made of the press's key; joins the rows of a press and its outcome
    seq: int
    at_us: int
    target: str  # the page's target id
    kind: str  # buy, sell, short, sidebet
    button: str
    category: str
    actor: str
    sequence_id: str
    position: int
    is_linked: bool = False  # its order was seen


class Sequence(Struct, kw_only=True):
    """Presses that belong together: adjustments, and the order that they lead to."""

    id: str
    target: str
    count: int
    last_us: int


class Order(Struct, kw_only=True):
    """A request of the page that waits for its acknowledgement."""

    action: str
    at_us: int
    seq: int
    game_id: str | None
    trace_id: str | None  # the game's
    ack_id: int | None = None
    stream: str = ""
    amount: float | None = None
    percentage: float | None = None
    press: Press | None = None
    effects: list[dict[str, Any]] = field(default_factory=list)


class Unfinished(Struct, kw_only=True):
    """An event, or an ack where `name` is None, whose attachments are still to come."""

    name: str | None
    args: list[Any]
    ack_id: int | None
    namespace: str
    count: int  # attachments it has
    parts: list[bytes | int] = field(default_factory=list)  # in order; the size of one that is not kept
    size_bytes: int = 0
