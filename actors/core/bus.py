"""The only place that speaks ZeroMQ between our own processes.

A row of `streams` in, a typed socket out: `Inbox` and `Outbox` for push/pull and pub/sub, `Router` and `Dealer` for
questions and answers, each also for asyncio. Sends never wait: they return False when the stream is full. What cannot
be decoded is counted and passed over (`undecodable`). Contexts are made on first use, never before a fork.
"""

import errno
import os
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import msgspec
import zmq

from actors.core.files import private_dir
from actors.core.streams import Stream

if TYPE_CHECKING:
    import zmq.asyncio  # and asyncio with it: 30 ms that a command of the command line does without

M = TypeVar("M")

RECONNECT_MS = 10  # a rebound endpoint is found again after 10 ms at p50; at 100 ms it takes 76, up to 157
LARGEST_QUESTION = 1_000_000  # bytes; the longest of ours has some hundred
IPC_PATH_LIMIT = 107  # sun_path of Linux, less its terminating zero

_SENDERS = {"push-pull": zmq.PUSH, "pub-sub": zmq.PUB}
_RECEIVERS = {"push-pull": zmq.PULL, "pub-sub": zmq.SUB}


def ipc_path(runtime_dir: Path, stream: Stream) -> Path:
    """Return the socket file of a stream."""
    return runtime_dir / "bus" / stream.name


class _Socket(Generic[M]):
    """One ZeroMQ socket with the codec of its stream."""

    def __init__(self, socket: Any, receives: Any) -> None:
        self.socket = socket
        self.undecodable = 0
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder: msgspec.msgpack.Decoder[M] = msgspec.msgpack.Decoder(receives)

    def _decode(self, frame: bytes) -> M | None:
        try:
            return self._decoder.decode(frame)
        except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.undecodable += 1
            return None

    def close(self) -> None:
        """Close at once; what is unsent is dropped."""
        self.socket.close(linger=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Inbox(_Socket[M]):
    """The receiving end of a stream."""

    def receive(self) -> M | None:
        """Return the next message, None when there is none now (or it could not be decoded: ask again)."""
        while True:
            try:
                frame = self.socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                return None
            if (message := self._decode(frame)) is not None:
                return message


class Outbox(_Socket[M]):
    """The sending end of a stream."""

    def send(self, message: M) -> bool:
        """Send, and say whether the stream took it; False means full, or nobody is there (push only)."""
        return self.send_encoded(self._encoder.encode(message))

    @property
    def writable(self) -> bool:
        """Whether a send would be taken now."""
        return bool(self.socket.poll(0, zmq.POLLOUT))

    def send_encoded(self, frame: bytes) -> bool:
        """Send what is encoded already."""
        try:
            self.socket.send(frame, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def wait(self, timeout_s: float) -> bool:
        """Wait until the stream can take a message, as just after connecting; say whether it can."""
        return bool(self.socket.poll(int(timeout_s * 1000), zmq.POLLOUT))


class Router(_Socket[M]):
    """The answering end of a router-dealer stream."""

    def receive(self) -> tuple[bytes, M] | None:
        """Return (who asks, question), None when there is none now."""
        while True:
            try:
                client, frame = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return None
            except ValueError:
                self.undecodable += 1  # not two parts: not one of our dealers
                continue
            if (message := self._decode(frame)) is not None:
                return client, message

    def send(self, client: bytes, message: Any) -> bool:
        """Answer; False when the asker is gone or does not read."""
        try:
            self.socket.send_multipart([client, self._encoder.encode(message)], zmq.NOBLOCK)
        except (zmq.Again, zmq.ZMQError):
            return False
        return True


class Dealer(_Socket[M]):
    """The asking end of a router-dealer stream."""

    def ask(self, question: Any, timeout_s: float) -> M | None:
        """Send the question and wait for one answer; None after `timeout_s`."""
        deadline_s = time.monotonic() + timeout_s
        if not self.socket.poll(int(timeout_s * 1000), zmq.POLLOUT):  # also waits for the connection
            return None
        self.socket.send(self._encoder.encode(question), zmq.NOBLOCK)
        left_ms = max(0, round((deadline_s - time.monotonic()) * 1000))
        return self._decode(self.socket.recv()) if self.socket.poll(left_ms) else None


class AsyncInbox(_Socket[M]):
    """The receiving end, for asyncio."""

    async def receive(self) -> M:
        """Wait for the next message."""
        while True:
            frame = await self.socket.recv()
            if (message := self._decode(frame)) is not None:
                return message


class AsyncDealer(_Socket[M]):
    """The asking end, for asyncio. One question at a time."""

    def __init__(self, socket: Any, receives: Any) -> None:
        from asyncio import Lock

        super().__init__(socket, receives)
        self._turn = Lock()

    async def ask(self, question: Any, timeout_s: float) -> M | None:
        """Send the question and wait for the answer with its `id`; None after `timeout_s`."""
        from asyncio import timeout

        async with self._turn:
            try:
                async with timeout(timeout_s):
                    await self.socket.send(self._encoder.encode(question))  # waits while nobody is there
                    while True:
                        answer = self._decode(await self.socket.recv())
                        if answer is None or getattr(answer, "id", None) in (None, getattr(question, "id", None)):
                            return answer
            except TimeoutError:
                return None


class Bus:
    """Makes the sockets of one process. Not for sharing between threads."""

    def __init__(self, runtime_dir: Path) -> None:
        self._runtime_dir = runtime_dir
        self._context: zmq.Context[Any] | None = None
        self._async_context: zmq.asyncio.Context | None = None
        private_dir(runtime_dir / "bus")

    def outbox(self, stream: Stream) -> Outbox[Any]:
        """Return the sending end; push sends only to a receiver that is there (IMMEDIATE)."""
        socket = self._plain().socket(_SENDERS[stream.pattern])
        return Outbox(self._join(socket, stream, stream.binds == "sender"), stream.carries)

    def inbox(self, stream: Stream) -> Inbox[Any]:
        """Return the receiving end; sub takes every topic."""
        socket = self._plain().socket(_RECEIVERS[stream.pattern])
        return Inbox(self._join(socket, stream, stream.binds == "receiver"), stream.carries)

    def router(self, stream: Stream) -> Router[Any]:
        """Return the answering end."""
        socket = self._plain().socket(zmq.ROUTER)
        socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        socket.setsockopt(zmq.MAXMSGSIZE, LARGEST_QUESTION)
        return Router(self._join(socket, stream, True), stream.carries)

    def dealer(self, stream: Stream) -> Dealer[Any]:
        """Return the asking end."""
        return Dealer(self._join(self._plain().socket(zmq.DEALER), stream, False), stream.answers)

    def async_inbox(self, stream: Stream) -> AsyncInbox[Any]:
        """Return the receiving end for asyncio."""
        socket = self._asynchronous().socket(_RECEIVERS[stream.pattern])
        return AsyncInbox(self._join(socket, stream, stream.binds == "receiver"), stream.carries)

    def async_dealer(self, stream: Stream) -> AsyncDealer[Any]:
        """Return the asking end for asyncio."""
        return AsyncDealer(self._join(self._asynchronous().socket(zmq.DEALER), stream, False), stream.answers)

    def close(self) -> None:
        """Drop every socket of this process."""
        for context in (self._context, self._async_context):
            if context is not None:
                context.destroy(linger=0)

    def _plain(self) -> "zmq.Context[Any]":
        if self._context is None:
            self._context = zmq.Context()
        return self._context

    def _asynchronous(self) -> "zmq.asyncio.Context":
        if self._async_context is None:
            import zmq.asyncio

            self._async_context = zmq.asyncio.Context()
        return self._async_context

    def _join(self, socket: Any, stream: Stream, bind: bool) -> Any:
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.SNDHWM, stream.high_water)
        socket.setsockopt(zmq.RCVHWM, stream.high_water)
        socket.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
        if socket.type == zmq.SUB:
            socket.setsockopt(zmq.SUBSCRIBE, b"")
        if socket.type in (zmq.PUSH, zmq.DEALER):
            socket.setsockopt(zmq.IMMEDIATE, 1)
        path = ipc_path(self._runtime_dir, stream)
        address = f"ipc://{path}"
        if bind:
            if os.path.lexists(path) and not path.is_socket():  # ZeroMQ would delete whatever is there
                raise FileExistsError(errno.EEXIST, "is no socket, must be none or absent: move it away", str(path))
            socket.bind(address)
        else:
            socket.connect(address)
        return socket
