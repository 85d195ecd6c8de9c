"""Stream admission: which sockets count, decided by the address with which they were seen to open. Pure.

In: URLs of openings, tables of the streams that each capture knows, streams that it asks about. Out: verdicts. A stream
whose address nobody knows does not count, whatever its frames look like: a page can open a socket while no capture
looks, and write on it what it likes. So nothing that is forgotten here can turn a no into a yes.
"""

import re

from actors.core.messages import CaptureBatch
from actors.journal.memory import Memory

ASKS_KEPT = 300  # streams that one capture asks about at a time; a browser has 255 WebSockets open


class StreamAdmission:
    """Verdicts over the journal's memory, and what the captures of this process's time know."""

    def __init__(self, memory: Memory, socket_pattern: str) -> None:
        self._memory = memory
        self._pattern = re.compile(socket_pattern)
        self._tables: dict[int, dict[str, str]] = {}  # by incarnation: the streams that it knows to count, with URLs
        self._sought: dict[int, set[str]] = {}  # by incarnation: forgotten streams for whose URL it was asked
        self._lossy: set[int] = set()  # incarnations that dropped items: an opening may have been among them
        self._asks: dict[int, list[str]] = {}  # by incarnation: streams whose verdict it wants to know

    def take(self, batch: CaptureBatch) -> None:
        """Take what a capture knows, and what it asks."""
        self._asks[batch.incarnation] = batch.asks[:ASKS_KEPT]
        if batch.streams:
            self._tables[batch.incarnation] = batch.streams

    def lost(self, incarnation: int) -> None:
        """A capture had to drop items: streams may be unknown here whose opening it saw."""
        self._lossy.add(incarnation)
        self._sought.pop(incarnation, None)

    def forget(self, incarnation: int) -> None:
        """A capture is gone."""
        self._lossy.discard(incarnation)
        self._tables.pop(incarnation, None)
        self._sought.pop(incarnation, None)
        self._asks.pop(incarnation, None)

    def counts(self, url: str) -> bool:
        """Return whether a socket, or a polling session, of this address is the game's."""
        return self._pattern.search(url.replace("http", "ws", 1) if url.startswith("http") else url) is not None

    def named(self, stream: str, incarnation: int) -> str | None:
        """Return the address of a stream that is unknown here, where its capture knows one that counts."""
        url = self._tables.get(incarnation, {}).get(stream)
        return url if url is not None and self.counts(url) else None

    def seek(self, stream: str, incarnation: int) -> bool:
        """Return whether to ask a capture for the address of a stream that may have been known; once for each."""
        sought = self._sought.setdefault(incarnation, set())
        may_be_forgotten = self._memory.evicted or incarnation in self._lossy
        if not may_be_forgotten or stream in sought or stream in self._asks.get(incarnation, ()):
            return False
        if len(sought) >= ASKS_KEPT:
            sought.clear()
        sought.add(stream)
        return True

    def answers(self) -> dict[str, str | None]:
        """Return the verdict on each stream that a capture asks about: its address, None where it does not count."""
        return {stream: self._memory.url_of(stream) for asked in self._asks.values() for stream in asked}
