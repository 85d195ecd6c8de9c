"""A listening socket that keeps count of its guests, for any asyncio server above it.

In: accepted connections, and word from the server about those whose request arrived (`arrived`) or that stay for long
(`keep`, a WebSocket). Out: the connections, minus those that did not finish the head of a first request in time, and
never more than a limit: where it is reached, the oldest half-open one goes, then the one that asked longest ago, and
only where all are kept the newcomer. So connections that say nothing can lock nobody out. Time in which the event loop
was held up counts against nobody. It reads no byte itself.
"""

import asyncio
import contextlib
import socket
from collections import OrderedDict
from typing import Any

HEAD_S = 5.0  # a browser on the same machine needs milliseconds
LATE = 0.1  # of that time: where the event loop is so much behind, what a guest said may wait unread
BACKLOG = 128
PORTION_BYTES = 16_384

Peer = tuple[Any, Any]


class Guest(socket.socket):
    """One accepted connection; tells its gate when it is closed."""

    gate: "Gate"
    peer: Peer

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Read a portion: of the event loop's own, 256 KB, a flood's frames hold up everybody for 0.1 s."""
        return super().recv(min(size, PORTION_BYTES), flags)

    def close(self) -> None:
        """Close, and be forgotten."""
        self.gate.left(self)
        super().close()

    def turn_out(self) -> None:
        """End the connection; the server above reads an end of file and closes."""
        with contextlib.suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)


class Gate(socket.socket):
    """The listening socket."""

    def __init__(self, listener: socket.socket, limit: int, head_s: float = HEAD_S) -> None:
        """listener: bound; taken over. limit: connections at once. head_s: from accept to a whole first request."""
        super().__init__(listener.family, listener.type, listener.proto, fileno=listener.detach())
        self.setblocking(False)
        self.turned_out = 0  # since the start
        self._limit = limit
        self._head_s = head_s
        self._half_open: OrderedDict[Peer, tuple[Guest, asyncio.TimerHandle]] = OrderedDict()
        self._passing: OrderedDict[Peer, Guest] = OrderedDict()  # the one that asked longest ago first
        self._kept: dict[Peer, Guest] = {}

    @property
    def guests(self) -> int:
        """How many connections there are."""
        return len(self._half_open) + len(self._passing) + len(self._kept)

    @property
    def half_open(self) -> int:
        """How many connections have not finished the head of a request."""
        return len(self._half_open)

    def accept(self) -> tuple[socket.socket, Any]:
        """Return the next connection that may stay. Called by the event loop."""
        while True:
            connection, address = super().accept()
            if self.guests < self._limit or self._make_room():
                return self._receive(connection, address), address
            self.turned_out += 1
            connection.close()

    def arrived(self, peer: Any) -> None:
        """Note that a whole request head came from `peer`, the address of the other end."""
        key = _key(peer)
        if key in self._half_open:
            self._passing[key] = self._admit(key)
        elif key in self._passing:
            self._passing.move_to_end(key)

    def keep(self, peer: Any) -> None:
        """Never turn out the connection from `peer`."""
        self.arrived(peer)
        if (guest := self._passing.pop(_key(peer), None)) is not None:
            self._kept[guest.peer] = guest

    def left(self, guest: Guest) -> None:
        """Forget a connection that was closed."""
        if (found := self._half_open.get(guest.peer)) is not None and found[0] is guest:
            self._admit(guest.peer)
        for place in (self._passing, self._kept):
            if place.get(guest.peer) is guest:
                del place[guest.peer]

    def _receive(self, connection: socket.socket, address: Any) -> Guest:
        guest = Guest(connection.family, connection.type, connection.proto, fileno=connection.detach())
        guest.gate, guest.peer = self, _key(address)
        self._watch(guest)
        return guest

    def _watch(self, guest: Guest) -> None:
        loop = asyncio.get_running_loop()
        due_s = loop.time() + self._head_s
        self._half_open[guest.peer] = (guest, loop.call_at(due_s, self._too_late, guest, due_s))

    def _admit(self, key: Peer) -> Guest:
        guest, timer = self._half_open.pop(key)
        timer.cancel()
        return guest

    def _too_late(self, guest: Guest, due_s: float) -> None:
        if asyncio.get_running_loop().time() - due_s > LATE * self._head_s:
            self._watch(guest)
        else:
            self._end(guest)

    def _end(self, guest: Guest) -> None:
        self.turned_out += 1
        guest.turn_out()

    def _make_room(self) -> bool:
        if self._half_open:
            guest = self._admit(next(iter(self._half_open)))
        elif self._passing:
            _, guest = self._passing.popitem(last=False)
        else:
            return False
        self._end(guest)
        return True


def listen(host: str, port: int) -> socket.socket:
    """Return a bound TCP socket on `host`. OSError: the port is taken, or the address is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, or asyncio leaves Nagle on: 40 ms
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _key(peer: Any) -> Peer:
    return tuple(peer[:2])  # of IPv6, less flow and scope
