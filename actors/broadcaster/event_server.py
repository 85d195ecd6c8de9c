"""The publish/subscribe server over ZeroMQ (an XPUB socket, to clients a PUB), bounded in what subscribers may want.

In: new events. Out: `[type, msgpack envelope]` to whoever subscribed to a beginning of the type; nothing is encoded for
nobody. Sends never wait: a subscriber that is too slow loses events beyond the high-water mark and sees it in `prev`. A
peer that subscribes to more than it may is cut.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any

import zmq

from actors.broadcaster.envelope import envelope_map, pack
from actors.broadcaster.peers import PeerConnection, Peers, connection_of
from actors.broadcaster.subscriptions import Subscriptions
from actors.core.messages import Event

HIGH_WATER = 2000  # events kept for a slow subscriber: 100 s of a busy round
UNREAD_BYTES = 12_000_000  # of these at most; libzmq keeps an event once for all subscribers
BEHIND_BYTES = 65_536  # kept by the kernel for a subscriber that does not keep up; else there is next to nothing
PORTION = 200  # subscriptions before everything else has a turn, some 1 ms
STALE_CHECKS = 3  # libzmq tells that a peer is gone a moment before it closes the descriptor
AGAIN_S = 0.002  # libzmq hands over at most its receiving high-water mark at once


class EventServer:
    """Serves one XPUB socket."""

    def __init__(self, socket: Any, peers: Peers) -> None:
        self.sent = 0
        self._socket = socket
        self._peers = peers
        self._last: dict[str, int] = {}  # type -> its last number
        self._wanted: Subscriptions[PeerConnection] = Subscriptions()
        self._cut: set[PeerConnection] = set()  # what they sent before that is still to be read
        self._again: asyncio.TimerHandle | None = None
        self._stale_checks = 0  # left to do after a peer went
        self._sent_bytes = 0
        self._sizes: deque[int] = deque(maxlen=HIGH_WATER)  # of the newest events, the most that waits for anybody
        self._kept_bytes = 0  # of these
        self._kept_up_at: dict[PeerConnection, int] = {}  # -> `_sent_bytes` when it was not behind
        socket.setsockopt(zmq.XPUB_VERBOSER, 1)  # each peer's subscriptions, not each one's first and last

    @property
    def subscriptions(self) -> int:
        """How many different beginnings somebody wants."""
        return len(self._wanted)

    def start(self, last: Mapping[str, int]) -> None:
        """Begin after these numbers, by type."""
        self._last = dict(last)

    def publish(self, events: list[Event]) -> None:
        """Send events to subscribers of their types."""
        self.read_subscriptions()
        for event in events:
            if self._wanted.wants(event.type):
                body = pack(envelope_map(event, self._last.get(event.type)))
                try:
                    self._socket.send_multipart([event.type.encode(), body], zmq.NOBLOCK)
                    self._count(len(body))
                except zmq.Again:
                    pass  # XPUB drops by itself for each slow subscriber; this is none of them
            self._last[event.type] = event.seq

    def read_subscriptions(self) -> None:
        """Read what subscribers want, a portion at a time. To be called now and then, also while nothing is sent."""
        count = 0
        for count in range(1, PORTION + 1):
            try:
                frame = self._socket.recv(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                count -= 1
                break
            self._take(frame)
        if count and self._again is None:
            self._again = asyncio.get_running_loop().call_later(AGAIN_S if count < PORTION else 0, self._read_on)

    def check(self) -> None:
        """Forget subscribers that are gone. To be called some times a second."""
        self.read_subscriptions()
        if self._stale_checks:
            self._stale_checks -= 1
            self._wanted.forget_closed(lambda one: one.is_open)
            self._cut = {one for one in self._cut if one.is_open}
        self._cut_slow()

    def close(self) -> None:
        """Stop reading."""
        if self._again is not None:
            self._again.cancel()

    def _count(self, size: int) -> None:
        self.sent += 1
        self._sent_bytes += size
        self._kept_bytes += size - (self._sizes[0] if len(self._sizes) == HIGH_WATER else 0)
        self._sizes.append(size)

    def _cut_slow(self) -> None:
        """Cut subscribers for which too many bytes may wait: they come back, and ask for what they missed."""
        unsent = self._peers.unsent()
        self._kept_up_at = {
            one: self._kept_up_at.get(one, self._sent_bytes) if size > BEHIND_BYTES else self._sent_bytes
            for one, size in unsent.items()
        }
        if self._kept_bytes > UNREAD_BYTES:
            for one, at in list(self._kept_up_at.items()):
                if self._sent_bytes - at > UNREAD_BYTES:
                    self._end(one, "it leaves its events unread")

    def _read_on(self) -> None:
        self._again = None
        self.read_subscriptions()

    def _take(self, frame: zmq.Frame) -> None:
        word = frame.bytes
        connection = connection_of(frame)
        if connection is None:
            self._stale_checks = STALE_CHECKS  # libzmq's own word about a peer that is gone
            return
        if connection in self._cut:
            return
        self._peers.count(connection, len(word))
        if word[:1] == b"\x01":
            guilty = self._wanted.add(connection, word[1:])
            if guilty is not None:
                self._end(guilty, "it subscribes to too much")
        elif word[:1] == b"\x00":
            self._wanted.discard(connection, word[1:])
        else:
            self._end(connection, "it sends what is no subscription")

    def _end(self, connection: PeerConnection, reason: str) -> None:
        self._wanted.forget(connection)
        self._cut.add(connection)
        self._stale_checks = STALE_CHECKS
        self._peers.cut(connection, reason, asyncio.get_running_loop().time())
