"""Fair queueing of requests: each ZeroMQ client has one under way, the rest waits in order, bounded. Pure.

In: requests as they arrive, and word that an answer has left. Out: the request to answer next, and those that are
refused because too much waits. Who asks much waits for himself: clients take turns.
"""

from collections import deque

from msgspec import Struct

from actors.broadcaster.peers import PeerConnection

WAITING_MAX = 200  # requests of one client
WAITING_BYTES = 200_000  # of one client
TOTAL_BYTES = 4_000_000  # of all clients
ENTRY_BYTES = 500  # what a request costs beside its bytes


class DoorRequest(Struct, frozen=True):
    """Any request of contract 4.6; which fields count depends on `request`."""

    request: str
    since: int | None = None
    until: int | None = None
    types: list[str] | None = None
    recording: str | None = None


class QueuedRequest(Struct, frozen=True):
    """A request, whose it is, and what the answer's frames begin with."""

    client: bytes
    connection: PeerConnection | None
    envelope: list[bytes]
    request: DoorRequest | str  # a text is why it is none
    size_bytes: int

    @property
    def is_large(self) -> bool:
        """Whether the answer may have megabytes."""
        return isinstance(self.request, DoorRequest) and self.request.request == "replay"


class RequestQueue:
    """Requests that wait, by client."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self._waiting: dict[bytes, deque[QueuedRequest]] = {}
        self._sizes: dict[bytes, int] = {}
        self._busy: set[bytes] = set()
        self._ready: dict[bool, dict[bytes, None]] = {False: {}, True: {}}  # by whether the client's next is large

    def add(self, one: QueuedRequest) -> list[QueuedRequest]:
        """Append a request; return those that are refused for it: its own, or the newest of whoever has most."""
        own = self._waiting.setdefault(one.client, deque())
        own.append(one)
        self._count(one, 1)
        if len(own) > WAITING_MAX or self._sizes[one.client] > WAITING_BYTES:
            return [self._take(one.client, newest=True)]
        self._offer(one.client)
        refused = []
        while self.size_bytes > TOTAL_BYTES:
            refused.append(self._take(max(self._sizes, key=self._sizes.__getitem__), newest=True))
        return refused

    def next(self, *, large: bool) -> QueuedRequest | None:
        """Return the request whose turn it is; its client is busy from then on. large: also one with a large answer."""
        for ready in (self._ready[False], *([self._ready[True]] if large else [])):
            if ready:
                client = next(iter(ready))
                self._busy.add(client)
                return self._take(client, newest=False)
        return None

    @property
    def waiting_large(self) -> int:
        """How many clients wait for their turn with a request whose answer may have megabytes."""
        return len(self._ready[True])

    def done(self, client: bytes) -> None:
        """Note that the answer has left: the client's next request has its turn."""
        self._busy.discard(client)
        self._offer(client)

    def _take(self, client: bytes, *, newest: bool) -> QueuedRequest:
        own = self._waiting[client]
        one = own.pop() if newest else own.popleft()
        self._count(one, -1)
        if not own:
            del self._waiting[client], self._sizes[client]
        if not own or client in self._busy:
            for ready in self._ready.values():
                ready.pop(client, None)
        return one

    def _offer(self, client: bytes) -> None:
        if client in self._waiting and client not in self._busy:
            self._ready[self._waiting[client][0].is_large].setdefault(client)

    def _count(self, one: QueuedRequest, step: int) -> None:
        size = step * (one.size_bytes + ENTRY_BYTES)
        self.size_bytes += size
        self._sizes[one.client] = self._sizes.get(one.client, 0) + size
