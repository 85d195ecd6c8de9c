"""The connections behind a ZeroMQ socket of ours: which one a message came by, how many there are, and how to end one.

libzmq routes by names that a peer chooses, has no call that disconnects one peer, no limit on how many there are, and
none on a message of many parts. But it tells the descriptor of each connection (`ZMQ_SRCFD`, and the monitor's
`ACCEPTED`), in our own process: shut down for reading, libzmq finds its end and frees whatever it kept for that peer.
A descriptor's number is used again, so a connection is named by number and inode, which the kernel gives to one only.
"""

import asyncio
import contextlib
import ctypes
import heapq
import os
import resource
import socket
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import zmq
from zmq.utils.monitor import parse_monitor_message

PEERS_MAX = 256  # connections to one socket; each takes libzmq 33 KB
PENALTY_S = 5.0  # for which a peer that was cut believes itself connected; libzmq's clients come back after 0.1 s
CROWDED_S = 0.5  # the same, of one that came when all places were taken
PENALISED_SHARE = 4  # of the descriptors that this process may have
PENALISED_MAX = 1000
ASKED_LONG_AGO_S = 3.0  # where places are short, a client of requests that is idle for so long makes room
PART_BYTES = 64  # at most, of framing beside a part: 2 or 9 bytes, 33 more with CURVE
IDLE_BYTES = 100  # granted at each check: heartbeats, which are no messages, are some 10 bytes a second
_ATTACH_FILTER = 26  # SO_ATTACH_FILTER of Linux, which Python's socket has no name for
_DROP_ALL = ctypes.create_string_buffer(struct.pack("=HBBI", 6, 0, 0, 0), 8)  # one instruction: return 0
_ABORT = struct.pack("ii", 1, 0)  # as SO_LINGER: close with a reset, keep nothing
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
        self.asked_at_s = 0.0
        self.accounted = 0  # bytes, of whole messages and of what is granted
        self.unsent = 0  # bytes that the kernel keeps for it, when it was looked at last


def _silence(ours: socket.socket) -> None:
    """Let libzmq find the connection's end, and nothing more arrive: it reads what is there first, and a flood's is."""
    with contextlib.suppress(OSError):
        if ours.family != socket.AF_UNIX:
            program = struct.pack("HL", 1, ctypes.addressof(_DROP_ALL))  # struct sock_fprog, native alignment
            ours.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        ours.shutdown(socket.SHUT_RD)  # nothing of this goes to the peer


class Peers:
    """All connections of one bound socket."""

    def __init__(
        self, watched: Any, context: Any, hidden_max: int, on_cut: Callable[[str], None], *, keeps: bool
    ) -> None:
        """Watch a socket that is not bound yet.

        hidden_max: bytes that a peer may have sent without a whole message. on_cut: called with why a peer was cut.
        keeps: a peer that once said something stays, where all places are taken; else who said it longest ago makes
        room for the next.
        """
        self.cut_count = 0
        self._keeps = keeps
        self._hidden_max = hidden_max
        self._on_cut = on_cut
        self._open: dict[PeerConnection, _Traffic] = {}  # oldest connection first
        self._penalised: list[tuple[float, int, socket.socket]] = []  # a heap, by when the peer may find out
        self._penalised_max = min(PENALISED_MAX, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // PENALISED_SHARE)
        self._watched = watched
        address = f"inproc://monitor-{id(watched):x}"
        watched.monitor(address, zmq.EVENT_ACCEPTED)
        self._monitor = context.socket(zmq.PAIR)
        self._monitor.setsockopt(zmq.RCVHWM, 0)  # libzmq's own thread waits where this is full
        self._monitor.setsockopt(zmq.LINGER, 0)
        self._monitor.connect(address)
        self._monitor_fd: int = self._monitor.getsockopt(zmq.FD)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._monitor_fd, self._accept)

    def __len__(self) -> int:
        return len(self._open)

    def count(self, connection: PeerConnection, size: int, parts: int = 1) -> None:
        """Note a whole message of `size` bytes."""
        traffic = self._open.get(connection)
        if traffic is None:  # its first message is faster than the monitor's word
            traffic = self._open[connection] = _Traffic()
        elif not self._keeps:
            self._open[connection] = self._open.pop(connection)
        traffic.has_asked, traffic.asked_at_s = True, self._loop.time()
        traffic.accounted += size + PART_BYTES * parts

    def cut(self, connection: PeerConnection, reason: str, now_s: float, penalty_s: float = PENALTY_S) -> None:
        """End a connection; the peer finds out only after a while, so that it does not come back at once."""
        self._open.pop(connection, None)
        ours = connection.borrow()
        if ours is None:
            return
        _silence(ours)
        heapq.heappush(self._penalised, (now_s + penalty_s, self.cut_count, ours))
        if len(self._penalised) > self._penalised_max:
            heapq.heappop(self._penalised)[2].close()
        self.cut_count += 1
        self._on_cut(reason)

    def check(self, now_s: float) -> None:
        """Keep the limits. To be called some times a second."""
        self._release(now_s)
        self._accept()
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
        self._loop.remove_reader(self._monitor_fd)
        self._watched.disable_monitor()
        self._monitor.close(linger=0)

    def _accept(self) -> None:
        now_s = self._loop.time()
        while True:
            try:
                event = parse_monitor_message(self._monitor.recv_multipart(zmq.NOBLOCK))
            except zmq.Again:
                return
            connection = connection_at(int(event["value"])) if event["event"] == zmq.EVENT_ACCEPTED else None
            if connection is not None:
                self._open.setdefault(connection, _Traffic())
                self._make_room(connection, now_s)

    def _make_room(self, newest: PeerConnection, now_s: float) -> None:
        """Cut, where there are too many: one that never said anything; else by `keeps`."""
        if len(self._open) <= PEERS_MAX:
            return
        silent = (one for one, traffic in self._open.items() if not traffic.has_asked and one != newest)
        oldest, traffic = next(iter(self._open.items()))
        is_idle = not self._keeps and now_s - traffic.asked_at_s > ASKED_LONG_AGO_S
        one = next(silent, oldest if is_idle else newest)
        self.cut(one, f"more than {PEERS_MAX} are connected", now_s, CROWDED_S)

    def _release(self, now_s: float) -> None:
        while self._penalised and self._penalised[0][0] <= now_s:
            heapq.heappop(self._penalised)[2].close()


def _inode(fd: int) -> int | None:
    try:
        return os.fstat(fd).st_ino
    except OSError:
        return None
