"""Which beginnings of types the ZeroMQ subscribers want, bounded, and who wants too much. Pure.

In: what XPUB passes on, with the connection it came by. Out: whether an event of a type must be sent at all, and the
connections to cut. libzmq keeps each subscription of each peer in a tree of one node a byte, without any bound: so a
peer has a bound, and all together have one, past which the peer that holds the most is cut. Where there are more
different beginnings than are compared, everything is sent: libzmq's own tree still gives each peer only its own.
"""

from collections import Counter
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

C = TypeVar("C", bound=Hashable)

LONGEST_BEGINNING = 104  # bytes: the longest type, `raw.` and a name of 100 characters
PEER_MAX = 1000  # beginnings of one peer; the game has some 60 types
PEER_BYTES = 60_000  # of one peer
COMPARED_MAX = 1000  # different beginnings that an event's type is compared with
TOTAL_BYTES = 400_000  # of all peers; libzmq's tree takes some 40 bytes a byte: 16 MB
ENTRY_BYTES = 40  # what a subscription costs beside its bytes
TYPES_KEPT = 2000  # verdicts by type; the game has some 60, the rest is a hostile server's


class Subscriptions(Generic[C]):
    """Beginnings by connection; C names a connection."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self._held: dict[C, set[bytes]] = {}
        self._sizes: dict[C, int] = {}
        self._wanted: Counter[bytes] = Counter()
        self._verdicts: dict[str, bool] = {}

    def __len__(self) -> int:
        return len(self._wanted)

    def add(self, connection: C, beginning: bytes) -> C | None:
        """Note a subscription; return the connection that is to be cut, None where all is within bounds."""
        held = self._held.setdefault(connection, set())
        if len(beginning) > LONGEST_BEGINNING or len(held) >= PEER_MAX:
            return connection
        if beginning not in held:  # libzmq counts a repeated one once, too
            held.add(beginning)
            self._count(connection, beginning, 1)
        if self._sizes.get(connection, 0) > PEER_BYTES:
            return connection
        if self.size_bytes <= TOTAL_BYTES:
            return None
        return max(self._sizes, key=self._sizes.__getitem__)

    def discard(self, connection: C, beginning: bytes) -> None:
        """Note that a peer wants these no more."""
        held = self._held.get(connection, set())
        if beginning in held:
            held.discard(beginning)
            self._count(connection, beginning, -1)

    def forget(self, connection: C) -> None:
        """Forget a connection with all that it wanted."""
        for beginning in self._held.pop(connection, ()):
            self._count(connection, beginning, -1)
        self._sizes.pop(connection, None)

    def forget_closed(self, is_open: Callable[[C], bool]) -> None:
        """Forget every connection that is there no more."""
        for connection in [one for one in self._held if not is_open(one)]:
            self.forget(connection)

    def wants(self, name: str) -> bool:
        """Say whether somebody may want events of this type."""
        verdict = self._verdicts.get(name)
        if verdict is None:
            if len(self._verdicts) >= TYPES_KEPT:
                self._verdicts.clear()
            verdict = self._verdicts[name] = self._compare(name.encode())
        return verdict

    def _compare(self, topic: bytes) -> bool:
        return len(self._wanted) > COMPARED_MAX or topic.startswith(tuple(self._wanted))

    def _count(self, connection: C, beginning: bytes, step: int) -> None:
        size = step * (len(beginning) + ENTRY_BYTES)
        self.size_bytes += size
        self._sizes[connection] = self._sizes.get(connection, 0) + size
        self._wanted[beginning] += step
        if self._wanted[beginning] <= 0:
            del self._wanted[beginning]
        self._verdicts.clear()
