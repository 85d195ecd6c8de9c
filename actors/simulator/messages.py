"""What the engine hands to the shell: packets to send, how long to wait, and answers to a client's request.

All frozen; a packet's arguments are plain JSON values, encoded once however many clients there are.
"""

from typing import Any, Literal

import msgspec
from msgspec import Struct

Audience = Literal["everyone", "player", "sender"]  # player: every authenticated client; sender: who asked


class Emit(Struct, frozen=True, kw_only=True):
    """One Socket.IO event to send."""

    name: str
    args: tuple[Any, ...]
    audience: Audience = "everyone"

    @property
    def payload(self) -> Any:
        """The last argument: what is left when the trace is taken off."""
        return self.args[-1] if self.args else None

    def packet(self) -> str:
        """Return the event as Socket.IO packet text, without the Engine.IO type in front."""
        return "2" + msgspec.json.encode([self.name, *self.args]).decode()


class Step(Struct, frozen=True, kw_only=True):
    """What happens now, and how long nothing happens after it (at speed 1)."""

    emits: list[Emit]
    delay_s: float


class Reply(Struct, frozen=True, kw_only=True):
    """The answer to one client request: events in order, then the acknowledgement if the client asked for one."""

    emits: list[Emit] = []
    ack: Any = None  # None is the empty acknowledgement, `43<id>[]`
    authenticates: bool = False
