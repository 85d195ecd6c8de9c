"""The connections behind a ZeroMQ socket of ours: which one a message came by, how many there are, and how to end one.

libzmq routes by names that a peer chooses, has no call that disconnects one peer, no limit on how many there are, and
none on a message of many parts. But it tells the descriptor of each connection (`ZMQ_SRCFD`, and the monitor's
`ACCEPTED`), in our own process: shut down for reading, libzmq finds its end and frees whatever it kept for that peer.
A descriptor's number is used again, so a connection is named by number and inode, which the kernel gives to one only.
"""

import contextlib
import os
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import zmq
from zmq.utils.monitor import parse_monitor_message

PENALTY_S = 5.0  # for which a peer that was cut believes itself connected; libzmq's clients come back after 0.1 s
PENALISED_MAX = 32
PART_BYTES = 64  # at most, of framing beside a part: 2 or 9 bytes, 33 more with CURVE
IDLE_BYTES = 100  # granted at each check: heartbeats, which are no messages, are some 10 bytes a second
_TCP_INFO_BYTES = 232  # of Linux 4.6 and later
_COUNTS = struct.Struct("=QQIII")
_COUNTS_AT = 120  # `tcpi_bytes_acked`, `tcpi_bytes_received`, 2 counts, `tcpi_notsent_bytes`, see linux/tcp.h


class ByteCounts(NamedTuple):
    """What the kernel knows of a TCP connection; zeros where nobody counts (ipc), or it is gone."""

    taken: int = 0  # by the peer, of all that was sent to it
    received: int = 0  # from the peer
    unsent: int = 0  # waits for the peer to take more


class PeerConnection(NamedTuple):
    """One accepted connection."""

    fd: int
    inode: int

    @property
    def is_open(self) -> bool:
        """Whether libzmq still has it."""
        return _inode(self.fd) == self.inode

    def borrow(self) -> socket.socket | None:
        """Return a copy of the socket, to be closed by the caller; None where the connection is gone."""
        try:
            copy = os.dup(self.fd)  # libzmq's thread may close its own at any moment
        except OSError:
            return None
        try:
            ours = socket.socket(fileno=copy)
        except OSError:  # the number is some other file's by now
            os.close(copy)
            return None
        if _inode(copy) != self.inode:
            ours.close()
            return None
        return ours

    def byte_counts(self) -> ByteCounts:
        """Return how much went over it so far."""
        with contextlib.suppress(OSError), self.borrow() or contextlib.nullcontext() as ours:
            if ours is not None and ours.family != socket.AF_UNIX:
                info = ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
                taken, received, _, _, unsent = _COUNTS.unpack_from(info, _COUNTS_AT)
                return ByteCounts(taken, received, unsent)
        return ByteCounts()


def connection_at(fd: int) -> PeerConnection | None:
    """Return the connection with this descriptor now, None where there is none."""
    inode = _inode(fd)
    return None if inode is None else PeerConnection(fd, inode)


def connection_of(frame: zmq.Frame) -> PeerConnection | None:
    """Return the connection that a received frame came by, None where it is gone, or libzmq itself made the frame."""
    try:
        fd: Any = frame.get(zmq.SRCFD)
    except zmq.ZMQError:
        return None
    return connection_at(fd) if isinstance(fd, int) and fd >= 0 else None


class _Traffic:
    """What one peer sent."""

    def __init__(self) -> None:
        self.has_asked = False
        self.accounted = 0  # bytes, of whole messages and of what is granted
        self.unsent = 0  # bytes that the kernel keeps for it, when it was looked at last


class Peers:
    """All connections of one bound socket."""

    def __init__(self, watched: Any, context: Any, limit: int, hidden_max: int, on_cut: Callable[[str], None]) -> None:
        """Watch a socket that is not bound yet.

        limit: connections at once. hidden_max: bytes that a peer may have sent without a whole message. on_cut: called
        with why a peer was cut.
        """
        self.cut_count = 0
        self._limit = limit
        self._hidden_max = hidden_max
        self._on_cut = on_cut
        self._open: dict[PeerConnection, _Traffic] = {}  # oldest connection first
        self._penalised: deque[tuple[float, socket.socket]] = deque()
        self._watched = watched
        address = f"inproc://monitor-{id(watched):x}"
        watched.monitor(address, zmq.EVENT_ACCEPTED)
        self._monitor = context.socket(zmq.PAIR)
        self._monitor.setsockopt(zmq.RCVHWM, 0)  # libzmq's own thread waits where this is full
        self._monitor.setsockopt(zmq.LINGER, 0)
        self._monitor.connect(address)

    def __len__(self) -> int:
        return len(self._open)

    def count(self, connection: PeerConnection, size: int, parts: int = 1) -> None:
        """Note a whole message of `size` bytes."""
        traffic = self._open.get(connection)
        if traffic is not None:
            traffic.has_asked = True
            traffic.accounted += size + PART_BYTES * parts

    def cut(self, connection: PeerConnection, reason: str, now_s: float) -> None:
        """End a connection; the peer finds out only after a while, so that it does not come back at once."""
        self._open.pop(connection, None)
        ours = connection.borrow()
        if ours is None:
            return
        with contextlib.suppress(OSError):
            ours.shutdown(socket.SHUT_RD)  # libzmq reads an end; nothing goes to the peer
        self._penalised.append((now_s + PENALTY_S, ours))
        self._release(float("-inf") if len(self._penalised) <= PENALISED_MAX else self._penalised[0][0])
        self.cut_count += 1
        self._on_cut(reason)

    def check(self, now_s: float) -> None:
        """Keep the limits. To be called some times a second."""
        self._release(now_s)
        self._accept(now_s)
        for connection, traffic in list(self._open.items()):
            if not connection.is_open:
                del self._open[connection]
                continue
            _, received, traffic.unsent = connection.byte_counts()
            traffic.accounted = min(traffic.accounted + IDLE_BYTES, received)
            if received - traffic.accounted > self._hidden_max:
                self.cut(connection, "it sent a message without end", now_s)

    def unsent(self) -> dict[PeerConnection, int]:
        """Return how many bytes the kernel kept for each when `check` looked."""
        return {connection: traffic.unsent for connection, traffic in self._open.items()}

    def close(self) -> None:
        """Close what is held."""
        self._release(float("inf"))
        self._watched.disable_monitor()
        self._monitor.close(linger=0)

    def _accept(self, now_s: float) -> None:
        while True:
            try:
                event = parse_monitor_message(self._monitor.recv_multipart(zmq.NOBLOCK))
            except zmq.Again:
                return
            connection = connection_at(int(event["value"])) if event["event"] == zmq.EVENT_ACCEPTED else None
            if connection is None or connection in self._open:
                continue
            self._open[connection] = _Traffic()
            if len(self._open) > self._limit:
                silent = next((one for one, traffic in self._open.items() if not traffic.has_asked), connection)
                self.cut(silent, f"more than {self._limit} are connected", now_s)

    def _release(self, now_s: float) -> None:
        while self._penalised and self._penalised[0][0] <= now_s:
            self._penalised.popleft()[1].close()


def _inode(fd: int) -> int | None:
    try:
        return os.fstat(fd).st_ino
    except OSError:
        return None
