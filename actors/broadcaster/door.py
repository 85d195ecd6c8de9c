"""The ZeroMQ door of contract 4.6: events to subscribers, answers to those who ask.

In: new events; requests of any client in any language. Out: `[type, msgpack envelope]` to whoever subscribed to a
beginning of the type, and snapshots and replays. Malformed requests get an error, never a crash. Sends never wait: a
subscriber that is too slow loses events beyond the high-water mark and sees it in `prev`.
"""

import asyncio
import contextlib
import ctypes
import logging
from pathlib import Path
from typing import Any

import zmq
import zmq.asyncio
from zmq.auth.asyncio import AsyncioAuthenticator

from actors.broadcaster import addresses
from actors.broadcaster.archive import Archive
from actors.broadcaster.event_server import HIGH_WATER, EventServer
from actors.broadcaster.peers import Peers
from actors.broadcaster.request_answers import RequestAnswers
from actors.broadcaster.request_server import LARGEST_REQUEST, RequestServer
from actors.broadcaster.snapshots import Snapshots
from actors.broadcaster.timeline import Timeline
from actors.core.bus_rules import server_keys
from actors.core.config import BusSection
from actors.core.curve_keys import ServerKeys
from actors.core.endpoints import publish
from actors.core.log_rate import RateLimitedLog
from actors.core.messages import Event

ANSWERS_HIGH_WATER = 8  # a client has one answer under way; the rest are errors
REQUESTS_HIGH_WATER = 8  # requests of one client that libzmq keeps for us
SUBSCRIPTIONS_HIGH_WATER = 20  # where it is 1,000, libzmq reads a flood of them in one go of a second
CONNECTS_WAITING = 512  # for libzmq to accept them
LARGEST_SUBSCRIPTION = 2048  # bytes; the handshake with CURVE keys needs some 1,000
SUBSCRIPTIONS_BYTES = 8192  # of the kernel's, for each subscriber: what is there when it is cut is still read
REQUESTS_BYTES = 65_536  # the same, for each client of requests
SEND_BYTES = 262_144  # left alone, Linux keeps up to 4 MB for a peer that does not read
HIDDEN_EVENTS_BYTES = 300_000  # that a peer may have sent and we have not seen whole
HIDDEN_REQUESTS_BYTES = 1_000_000
TRIM_S = 1.0  # after a peer was cut: libzmq has freed by then what it kept for it
CHECK_S = 0.05  # a peer on this machine sends some 15 MB in that time


class Door:
    """The PUB and ROUTER sockets."""

    def __init__(
        self, bus: BusSection, timeline: Timeline, snapshots: Snapshots, archive: Archive, log: logging.Logger
    ) -> None:
        addresses.check(bus)
        self._bus = bus
        self._timeline = timeline
        self._log = log
        self._limited_log = RateLimitedLog(log)
        self._trim_at_s: float | None = None
        self._context = zmq.asyncio.Context()
        self._authenticator: AsyncioAuthenticator | None = None
        plain = zmq.Context(self._context)
        self._events = plain.socket(zmq.XPUB)
        self._requests = plain.socket(zmq.ROUTER)
        self._subscribers = Peers(self._events, plain, HIDDEN_EVENTS_BYTES, self._tell_cut, keeps=True)
        self._clients = Peers(self._requests, plain, HIDDEN_REQUESTS_BYTES, self._tell_cut, keeps=False)
        self._event_server = EventServer(self._events, self._subscribers)
        answers = RequestAnswers(timeline, snapshots, archive)
        self._request_server = RequestServer(self._requests, self._clients, answers, log)

    def figures(self) -> dict[str, int]:
        """Return the figures for status and metrics."""
        return {
            "zmq_sent": self._event_server.sent,
            "zmq_requests": self._request_server.requests,
            "zmq_refused": self._request_server.refused,
            "zmq_subscriptions": self._event_server.subscriptions,
            "zmq_peers": len(self._subscribers) + len(self._clients),
            "zmq_cut": self._subscribers.cut_count + self._clients.cut_count,
        }

    def open(self, runtime_dir: Path) -> None:
        """Bind and publish both endpoints. zmq.ZMQError: the address is taken."""
        if (keys := server_keys(self._bus)) is not None:
            self._lock(keys)
        for socket, sending, receiving, largest, kernel in (
            (self._events, HIGH_WATER, SUBSCRIPTIONS_HIGH_WATER, LARGEST_SUBSCRIPTION, SUBSCRIPTIONS_BYTES),
            (self._requests, ANSWERS_HIGH_WATER, REQUESTS_HIGH_WATER, LARGEST_REQUEST, REQUESTS_BYTES),
        ):
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.SNDHWM, sending)
            socket.setsockopt(zmq.RCVHWM, receiving)
            socket.setsockopt(zmq.MAXMSGSIZE, largest)
            socket.setsockopt(zmq.BACKLOG, CONNECTS_WAITING)
            socket.setsockopt(zmq.RCVBUF, kernel)
            socket.setsockopt(zmq.SNDBUF, SEND_BYTES)
        for name, key, socket, address in (
            ("events", "bus.events", self._events, self._bus.events),
            ("requests", "bus.requests", self._requests, self._bus.requests),
        ):
            self._bind(socket, addresses.candidates(runtime_dir, name, key, address))
            publish(runtime_dir, name, addresses.reachable(socket.getsockopt_string(zmq.LAST_ENDPOINT)))
        self._event_server.start(self._timeline.last)

    def publish(self, events: list[Event]) -> None:
        """Send events to subscribers of their types."""
        self._event_server.publish(events)

    async def serve(self) -> None:
        """Answer requests until cancelled."""
        watching = asyncio.create_task(self._watch())
        try:
            await self._request_server.serve()
        finally:
            watching.cancel()

    def close(self) -> None:
        """Close both sockets; what is unsent is dropped."""
        self._event_server.close()
        self._request_server.close()
        self._subscribers.close()
        self._clients.close()
        if self._authenticator is not None:
            self._authenticator.stop()
        self._events.close(linger=0)
        self._requests.close(linger=0)
        self._context.destroy(linger=0)

    async def _watch(self) -> None:
        loop, never = asyncio.get_running_loop(), asyncio.Event()
        while True:
            self._event_server.check()  # first: who has just said something is not taken for silent
            self._request_server.read()
            self._clients.check(loop.time())
            self._subscribers.check(loop.time())
            if self._trim_at_s is not None and loop.time() > self._trim_at_s:
                self._trim_at_s = None
                await asyncio.to_thread(give_back_memory)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(never.wait(), CHECK_S)

    def _tell_cut(self, reason: str) -> None:
        now_s = asyncio.get_running_loop().time()
        self._trim_at_s = self._trim_at_s or now_s + TRIM_S
        self._limited_log.write(reason, now_s, logging.WARNING, "a ZeroMQ peer was disconnected: %s", reason)

    def _bind(self, socket: Any, choices: list[str]) -> None:
        for choice in choices[:-1]:
            try:
                socket.bind(choice)
                return
            except zmq.ZMQError:
                self._log.info("%s is taken now; taking another port", choice)
        socket.bind(choices[-1])

    def _lock(self, keys: ServerKeys) -> None:
        self._authenticator = AsyncioAuthenticator(self._context)
        self._authenticator.start()
        self._authenticator.configure_curve(domain="*", location=str(keys.clients_dir))
        for socket in (self._events, self._requests):
            socket.curve_publickey, socket.curve_secretkey, socket.curve_server = keys.public, keys.secret, True


def give_back_memory() -> None:
    """Return to the system what malloc keeps free: of a flood's 100 MB it else keeps most. Not every libc can."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
