"""Whether the site's socket is open, for the pilot: a server may close it, and the page may never open another. Pure.

In: items as they are read. Out: the number of open streams that count, and since when there is none. A document that
went away takes its sockets with it and brings new ones: that is no closed socket. A capture that attached late did not
see them open: it is told by who did, believes it when it hears one of them, and until something tells it is blind. A
socket of the game that another site's page opened is never among the items (`traffic.py`).
"""

import re
from collections.abc import Iterable

from actors.core.messages import Captured, FrameSeen, PageChanged, StreamClosed, StreamOpened

STREAMS_TOLD = 300  # a page can make up any number of polling sessions


class Presence:
    """Items in; open streams of the site, and when the last one was closed."""

    def __init__(self, socket_pattern: str, known: Iterable[str] = ()) -> None:
        """known: streams of the site that were open when somebody looked last."""
        self._pattern = re.compile(socket_pattern)
        self._open: set[str] = set()
        self._unheard = set(known)  # they may have been closed while nobody looked
        self._told = False
        self.closed_us: int | None = None

    @property
    def open(self) -> int:
        """Streams of the site that were seen to open, or heard, and not seen to close."""
        return len(self._open)

    @property
    def streams(self) -> list[str]:
        """Their names, and of those not heard yet; WebSockets first, of which a browser has 255 at most."""
        return sorted(self._open | self._unheard, key=lambda stream: ("/poll-" in stream, stream))[:STREAMS_TOLD]

    @property
    def blind(self) -> bool:
        """Whether nothing has told yet if the site has a socket."""
        return not self._told

    def take(self, item: Captured) -> bool:
        """Take an item; return whether something changed."""
        if isinstance(item, FrameSeen) and item.stream not in self._unheard:
            return False
        before = (self.open, self.closed_us, self.blind)
        if isinstance(item, FrameSeen):
            self._unheard.discard(item.stream)
            self._opened(item.stream)
        elif isinstance(item, StreamOpened):
            if self._pattern.search(re.sub("^http", "ws", item.url)):
                self._opened(item.stream)
        elif isinstance(item, StreamClosed) and item.stream in self._open | self._unheard:
            self._closed(item)
        elif isinstance(item, PageChanged):
            self._told = self._told or item.what != "opened"
        return (self.open, self.closed_us, self.blind) != before

    def _opened(self, stream: str) -> None:
        self._open.add(stream)
        self._told, self.closed_us = True, None

    def _closed(self, item: StreamClosed) -> None:
        self._open.discard(item.stream)
        self._unheard.discard(item.stream)
        ended = item.cause == "closed" or item.cause.startswith("error")
        self.closed_us = item.at_us if ended and not self._open | self._unheard else None
        self._told = True
