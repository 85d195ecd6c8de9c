"""The two ZeroMQ sockets of a subscriber: live events, and questions with numbered answers.

In: addresses, looked up anew when nobody answers, since a restarted VECTRA may listen elsewhere. Out: sockets that are
connected, and the frames of a question. Works with a plain and with an asyncio context.
"""

import itertools
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import zmq
import zmq.auth
from msgspec import Struct

from vectra_player.addresses import resolve

HIGH_WATER = 10_000  # events that wait for a slow consumer; beyond it they are lost and fetched again
BEAT_MS = 1000  # between two signs of life; after twice as long without one the connection is made anew
REQUEST_S = 2.0  # for the first try; a question may be asked again, it changes nothing
LONGEST_REQUEST_S = 16.0
_log = logging.getLogger("vectra_player")


class Keys(Struct, frozen=True, kw_only=True):
    """CURVE keys for a VECTRA on another machine, as Z85 text."""

    server: bytes  # its public key
    public: bytes
    secret: bytes


def tries_s() -> Iterator[float]:
    """Yield how long to wait for an answer in each try: longer each time, or a slow answer would never be heard."""
    for number in itertools.count():
        yield min(REQUEST_S * 2.0**number, LONGEST_REQUEST_S)


def load_keys(server_file: str | Path, own_secret_file: str | Path) -> Keys:
    """Read keys from certificate files as `zmq.auth.create_certificates` writes them."""
    server, _ = zmq.auth.load_certificate(server_file)
    public, secret = zmq.auth.load_certificate(own_secret_file)
    if secret is None:
        raise ValueError(f"{own_secret_file} holds no secret key; it is the file that ends in .key_secret")
    return Keys(server=server, public=public, secret=secret)


class Sockets:
    """Connected to wherever VECTRA listens now."""

    def __init__(
        self, context: Any, topics: list[bytes], events: str | None, requests: str | None, keys: Keys | None
    ) -> None:
        self._context = context
        self._topics = topics
        self._given = {"events": events, "requests": requests}
        self._keys = keys
        self._ids = itertools.count(1)
        self._addresses = self._resolve()
        self._silent = False
        self._connect()

    def question(self, request: dict[str, Any]) -> tuple[bytes, list[bytes]]:
        """Return (id, frames to send); the answer's frames begin with the id."""
        number = next(self._ids).to_bytes(8, "big")
        return number, [number, b"", msgspec.msgpack.encode(request)]

    def answered(self) -> None:
        """Note that VECTRA is there."""
        self._silent = False

    def follow_moves(self) -> None:
        """Connect anew, since nobody answers: to where the endpoint files say that VECTRA listens now. Logged once."""
        if not self._silent:
            _log.warning("no answer from %s: is VECTRA running? Trying on.", self._addresses["requests"])
            self._silent = True
        self._addresses = self._resolve()
        self.close()
        self._connect()

    def connected_anew(self) -> bool:
        """Say whether the events' connection was made, or made anew, since the last call.

        libzmq reports it before the first message of the new connection can be read.
        """
        is_new = False
        while True:
            try:
                self._monitor.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return is_new
            is_new = True

    def close(self) -> None:
        """Close both."""
        self.events.disable_monitor()
        self._monitor.close(linger=0)
        self.events.close(linger=0)
        self.requests.close(linger=0)

    def _resolve(self) -> dict[str, str]:
        return {name: resolve(name, given) for name, given in self._given.items()}

    def _connect(self) -> None:
        self.events: Any = self._context.socket(zmq.SUB)
        self.requests: Any = self._context.socket(zmq.DEALER)
        watch = f"inproc://vectra-{id(self)}-{next(self._ids)}"
        self.events.monitor(watch, zmq.EVENT_HANDSHAKE_SUCCEEDED)
        self._monitor: Any = zmq.Context(self._context).socket(zmq.PAIR)  # a plain one, also beside asyncio
        self._monitor.connect(watch)
        for topic in self._topics:
            self.events.setsockopt(zmq.SUBSCRIBE, topic)
        for name, socket in (("events", self.events), ("requests", self.requests)):
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.RCVHWM, HIGH_WATER)
            socket.setsockopt(zmq.HEARTBEAT_IVL, BEAT_MS)  # a network that is gone says nothing
            socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 2 * BEAT_MS)
            if self._keys is not None:
                socket.curve_serverkey = self._keys.server
                socket.curve_publickey, socket.curve_secretkey = self._keys.public, self._keys.secret
            socket.connect(self._addresses[name])
