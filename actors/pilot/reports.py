"""Tell the journal what was done to the browser: submitted again and again until it is on disk.

In: what happened. Out: `Submit`s on the commands stream. Bounded: of more than `KEPT` unanswered ones the oldest go.
"""

import logging
import uuid
from collections import OrderedDict

import msgspec

from actors.core import streams
from actors.core.bus import Bus
from actors.core.clock import now_us
from actors.core.messages import Submit
from actors.pilot.watch import Told

KEPT = 100


class Reports:
    """What is not yet known to be in the journal."""

    def __init__(self, bus: Bus, log: logging.Logger) -> None:
        self._log = log
        self._commands = bus.outbox(streams.COMMANDS)
        self.results = bus.inbox(streams.RESULTS)
        self._open: OrderedDict[str, Submit] = OrderedDict()

    def tell(self, told: Told) -> None:
        """Submit a report."""
        data = msgspec.json.encode(
            {"what": told.what, "cause": told.cause, "url": told.url.split("?")[0], "by": "pilot"}
        )
        submit = Submit(id=uuid.uuid4().hex, event="connection", data=data, at_us=now_us())
        self._open[submit.id] = submit
        while len(self._open) > KEPT:
            self._open.popitem(last=False)
        self._commands.send(submit)

    def hear(self) -> None:
        """Take the journal's answers."""
        while (committed := self.results.receive()) is not None:
            if self._open.pop(committed.id, None) is not None and committed.error is not None:
                self._log.error("the journal refused a report: %s", committed.error)

    def resend(self) -> None:
        """Submit again what is not answered."""
        for submit in self._open.values():
            if not self._commands.send(submit):
                return
