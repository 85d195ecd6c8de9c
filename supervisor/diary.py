"""What the supervisor did goes into the journal, after it acted: `system.actor` events for everyone who reads the data.

In: facts. Out: Submit messages, resent under the same id until the journal has them on disk. Never waits, never holds
up the tree: while the journal is away the facts queue, and past a bound the oldest are forgotten and counted.
"""

import uuid
from collections import OrderedDict
from typing import Any

import msgspec

from actors.core import streams
from actors.core.bus import Bus, Inbox, Outbox
from actors.core.clock import now_us
from actors.core.messages import Committed, Submit

LIMIT = 1000
WINDOW = 50  # resent at a time: a journal that comes back is not flooded


class Diary:
    """The queue of facts on their way to the journal."""

    def __init__(self, bus: Bus) -> None:
        self._outbox: Outbox[Submit] = bus.outbox(streams.COMMANDS)
        self.results: Inbox[Committed] = bus.inbox(streams.RESULTS)
        self._pending: OrderedDict[str, Submit] = OrderedDict()
        self.forgotten = 0

    def note(self, actor: str, what: str, **details: Any) -> None:
        """Queue one fact about an actor and try to send it."""
        data = msgspec.json.encode({"actor": actor, "what": what, **details})
        submit = Submit(id=uuid.uuid4().hex, event="actor", data=data, at_us=now_us())
        self._pending[submit.id] = submit
        if len(self._pending) > LIMIT:
            self._pending.popitem(last=False)
            self.forgotten += 1
        self._outbox.send(submit)

    def close(self) -> None:
        """Give the sockets back; what is not confirmed is forgotten."""
        self._outbox.close()
        self.results.close()

    @property
    def pending(self) -> int:
        """How many facts the journal has not confirmed."""
        return len(self._pending)

    def resend(self) -> None:
        """Send the oldest unconfirmed facts again."""
        for submit in list(self._pending.values())[:WINDOW]:
            if not self._outbox.send(submit):
                return

    def hear(self) -> None:
        """Take the journal's confirmations."""
        while (result := self.results.receive()) is not None:
            self._pending.pop(result.id, None)
