"""Whether the site's socket is open, for the pilot: a server may close it, and the page may never open another. Pure.

In: items as they are read. Out: the number of open streams that count, and since when there is none. A document that
went away takes its sockets with it and brings new ones: that is no closed socket. A capture that attached late did not
see them open: it is told by who did.
"""

import re
from collections.abc import Iterable

from actors.core.messages import Captured, StreamClosed, StreamOpened


class Presence:
    """Items in; open streams of the site, and when the last one was closed."""

    def __init__(self, socket_pattern: str, known: Iterable[str] = ()) -> None:
        """known: streams of the site that are open already."""
        self._pattern = re.compile(socket_pattern)
        self._open = set(known)
        self.closed_us: int | None = None

    @property
    def open(self) -> int:
        """Streams of the site that were seen to open and not to close."""
        return len(self._open)

    @property
    def streams(self) -> list[str]:
        """Their names."""
        return sorted(self._open)

    def take(self, item: Captured) -> bool:
        """Take an item; return whether something changed."""
        before = (self.open, self.closed_us)
        if isinstance(item, StreamOpened):
            if self._pattern.search(re.sub("^http", "ws", item.url)):
                self._open.add(item.stream)
                self.closed_us = None
        elif isinstance(item, StreamClosed) and item.stream in self._open:
            self._open.discard(item.stream)
            ended = item.cause == "closed" or item.cause.startswith("error")
            self.closed_us = item.at_us if ended and not self._open else None
        return (self.open, self.closed_us) != before
