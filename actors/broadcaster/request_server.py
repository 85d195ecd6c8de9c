"""The request/reply server over ZeroMQ (a ROUTER socket), bounded in bytes however many ask and however few read.

In: requests of REQ and DEALER clients. Out: answers. A client has one answer under way, and the next request is looked
at when libzmq has written that one to the kernel; all answers under way have a bound in bytes, and where it is reached
the client that has left its answer unread for longest is cut. Requests beside it wait in a bounded queue. What comes
is read in portions, part by part, with the rest of the event loop's work in between.
"""

import asyncio
import logging
from typing import Any

import zmq
from msgspec import Struct

from actors.broadcaster.envelope import pack
from actors.broadcaster.peers import PeerConnection, Peers, connection_of
from actors.broadcaster.request_answers import RequestAnswers, decode_request
from actors.broadcaster.request_queue import QueuedRequest, RequestQueue
from actors.core.log_rate import RateLimitedLog

LARGEST_REQUEST = 65_536  # bytes, of all its parts
PARTS_MAX = 16  # before the body; a proxy on the way adds one or two
PORTION_PARTS = 50  # some 1 ms of work before everything else has a turn
ANSWERS_BYTES = 12_000_000  # of all answers that are not written to the kernel yet
ROOM_FOR_SMALL = 2_000_000  # of these, which replays leave alone
LEAST_BATCH_BYTES = 64_000  # where many clients wait: a turn is some 5 ms then
SHARE = 4  # a replay may take this part of the room that is left, at first 2.5 MB: unread, it leaves enough for others
SLOW_S = 0.25  # a reader on this machine takes an answer of 4 MB in 5 ms; looked at only where room is short
UNREAD_S = 30.0  # without taking a byte; as for a client of the feed that reads nothing
CHECK_S = (0.001, 0.02)  # between two looks at what was written: at first, and at most
TOO_MANY = "too many requests wait for an answer: read the answers before you ask on"
TOO_LONG = f"the request has more than {LARGEST_REQUEST} bytes, or more than {PARTS_MAX} parts before its body"
FAILED = "the request could not be answered; the log of the broadcaster says why"


class Unread(Struct):
    """An answer on its way to a client."""

    tracker: zmq.MessageTracker
    size_bytes: int
    since_s: float
    connection: PeerConnection | None
    taken_bytes: int = 0  # by the peer, of all that was ever sent to it, when it was looked at last
    is_cut: bool = False


class RequestServer:
    """Serves one ROUTER socket."""

    def __init__(self, socket: Any, peers: Peers, answers: RequestAnswers, log: logging.Logger) -> None:
        """socket: a plain one, not of asyncio."""
        self.requests = 0
        self.refused = 0
        self._socket = socket
        self._peers = peers
        self._answers = answers
        self._log = RateLimitedLog(log)
        self._loop = asyncio.get_running_loop()
        self._queue = RequestQueue()
        self._parts: list[zmq.Frame] = []
        self._size = 0  # of the message that is being read
        self._count = 0
        self._unread: dict[bytes, Unread] = {}
        self._under_way_bytes = 0  # answers that are being made or are unread
        self._answering: set[asyncio.Task[None]] = set()
        self._check_timer: asyncio.TimerHandle | None = None
        self._check_s = CHECK_S[0]
        self._failed: asyncio.Future[None] = self._loop.create_future()
        socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        socket.copy_threshold = 0  # libzmq tells of each answer when it is written

    async def serve(self) -> None:
        """Answer requests until cancelled, or until reading fails, which is raised here."""
        fd = self._socket.getsockopt(zmq.FD)
        self._loop.add_reader(fd, self.read)
        try:
            self.read()
            await self._failed
        finally:
            self._loop.remove_reader(fd)

    def read(self) -> None:
        """Read what is there, a portion at a time; harmless at any time."""
        if self._failed.done():
            return
        try:
            for _ in range(PORTION_PARTS):
                self._take_part(self._socket.recv(zmq.NOBLOCK, copy=False))
        except zmq.Again:
            self._pump()
            return
        except Exception as error:  # a callback of the event loop would only log it: pass it on to whoever runs us
            self._failed.set_exception(error)
            return
        self._pump()
        self._loop.call_soon(self.read)

    def close(self) -> None:
        """Stop answering."""
        if self._check_timer is not None:
            self._check_timer.cancel()
        for task in self._answering:
            task.cancel()

    def _take_part(self, frame: zmq.Frame) -> None:
        self._size += len(frame)
        self._count += 1
        if self._size <= LARGEST_REQUEST and self._count <= PARTS_MAX + 2:
            self._parts.append(frame)
        if frame.more:
            return
        client, *rest = self._parts
        size, count, self._parts, self._size, self._count = self._size, self._count, [], 0, 0
        connection = connection_of(frame)
        if connection is not None:
            self._peers.count(connection, size, count)
        self._arrived(client.bytes, [part.bytes for part in rest], connection, size if count > len(rest) + 1 else 0)

    def _arrived(self, client: bytes, rest: list[bytes], connection: PeerConnection | None, dropped_bytes: int) -> None:
        """Queue a request. dropped_bytes: not 0 where parts of it were too many or too large to be kept."""
        self.requests += 1
        if client in self._unread:
            self._settle(client)
        begin = rest.index(b"") + 1 if b"" in rest[:-1] else 0  # REQ, and some DEALERs, put words before an empty frame
        envelope, body = rest[:begin], rest[begin:]
        request = TOO_LONG if dropped_bytes else decode_request(body[0] if len(body) == 1 else b"")
        size = sum(map(len, envelope)) + (len(body[0]) if len(body) == 1 else 0)
        for refused in self._queue.add(QueuedRequest(client, connection, envelope, request, size)):
            self.refused += 1
            self._send(refused, pack({"error": TOO_MANY}))

    def _pump(self) -> None:
        """Begin to answer all whose turn it is, as far as there is room."""
        while self._under_way_bytes < ANSWERS_BYTES:
            large = self._under_way_bytes < ANSWERS_BYTES - ROOM_FOR_SMALL
            one = self._queue.next(large=large)
            if one is None:
                return
            if one.connection is not None and not one.connection.is_open:
                self._queue.done(one.client)
                continue
            left = (ANSWERS_BYTES - ROOM_FOR_SMALL - self._under_way_bytes) // (SHARE + self._queue.waiting_large)
            reserved = max(LEAST_BATCH_BYTES, left) if one.is_large else LEAST_BATCH_BYTES
            self._under_way_bytes += reserved
            task = self._loop.create_task(self._respond(one, reserved))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _respond(self, one: QueuedRequest, reserved: int) -> None:
        try:
            answer = await self._answers.answer(one.request, reserved)
        except Exception:  # a request must not go without an answer, whatever it met
            self._log.write("failed", self._loop.time(), logging.ERROR, "a request failed", exc_info=True)
            answer = pack({"error": FAILED})
        finally:
            self._under_way_bytes -= reserved
        self._send_tracked(one, answer)

    def _send_tracked(self, one: QueuedRequest, answer: bytes) -> None:
        tracker = self._send(one, answer)
        if tracker is None or tracker.done:
            self._queue.done(one.client)
        else:
            self._under_way_bytes += len(answer)
            self._unread[one.client] = Unread(tracker, len(answer), self._loop.time(), one.connection)
            self._check_s = CHECK_S[0]
            if self._check_timer is not None:  # another's answer is looked at rarely by now
                self._check_timer.cancel()
                self._check_timer = None
            self._check_soon()
        self._loop.call_soon(self.read)  # a send may have taken the word that there is something to read

    def _send(self, one: QueuedRequest, answer: bytes) -> zmq.MessageTracker | None:
        """Send; None where the client is gone, or leaves so much unread that libzmq takes no more for it."""
        try:
            for part in (one.client, *one.envelope):
                self._socket.send(part, zmq.NOBLOCK | zmq.SNDMORE)
            tracker: zmq.MessageTracker = self._socket.send(answer, zmq.NOBLOCK, copy=False, track=True)
        except zmq.ZMQError:
            return None
        return tracker

    def _check_soon(self) -> None:
        if self._check_timer is None and self._unread:
            self._check_timer = self._loop.call_later(self._check_s, self._check)
            self._check_s = min(2 * self._check_s, CHECK_S[1])

    def _check(self) -> None:
        """Find out which answers were written; cut clients that leave theirs unread."""
        self._check_timer = None
        for client in list(self._unread):
            self._settle(client)
        self._cut_unread(self._loop.time())
        self._pump()
        self._check_soon()

    def _settle(self, client: bytes) -> None:
        """Let the client go on where its answer was written."""
        if self._unread[client].tracker.done:
            self._under_way_bytes -= self._unread.pop(client).size_bytes
            self._queue.done(client)

    def _cut_unread(self, now_s: float) -> None:
        freed = 0
        for client, unread in list(self._unread.items()):  # the oldest first
            short = self._under_way_bytes - freed >= ANSWERS_BYTES - ROOM_FOR_SMALL
            if now_s - unread.since_s < (SLOW_S if short else UNREAD_S):
                return
            if unread.is_cut or unread.connection is None:
                continue
            taken_bytes = unread.connection.byte_counts().taken
            if not short and taken_bytes > unread.taken_bytes:  # slow, but it reads
                unread.taken_bytes, unread.since_s = taken_bytes, now_s
                self._unread[client] = self._unread.pop(client)
                continue
            freed += unread.size_bytes
            unread.is_cut = True
            self._peers.cut(unread.connection, "it leaves its answers unread", now_s)
