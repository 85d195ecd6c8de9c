"""The ZeroMQ door of contract 4.6: events to subscribers, answers to those who ask.

In: new events; requests of any client in any language. Out: `[type, msgpack envelope]` to whoever subscribed to a
beginning of the type, and snapshots and replays. Malformed requests get an error, never a crash. Sends never wait: a
subscriber that is too slow loses events beyond the high-water mark and sees it in `prev`.
"""

import asyncio
import logging
from pathlib import Path
from typing import Any

import msgspec
import zmq
import zmq.asyncio
from msgspec import Struct
from zmq.auth.asyncio import AsyncioAuthenticator

from actors.broadcaster import addresses
from actors.broadcaster.archive import Archive, ArchiveError
from actors.broadcaster.archivist import Wanted, replay_answer
from actors.broadcaster.envelope import envelope_map, pack
from actors.broadcaster.history import Page
from actors.broadcaster.snapshots import Snapshots
from actors.broadcaster.subscription import Subscription
from actors.broadcaster.timeline import Timeline
from actors.core.bus_rules import server_keys
from actors.core.config import BusSection
from actors.core.curve_keys import ServerKeys
from actors.core.endpoints import publish
from actors.core.messages import Event

HIGH_WATER = 2000  # messages kept for a slow subscriber: 100 s of a busy round
LARGEST_REQUEST = 65_536
BATCH_EVENTS = 1000
BATCH_BYTES = 4_000_000
RING_EVENTS = 64  # encoded here, on the event loop; more than that is the archive's work
LARGEST_SEQ = 2**53
NOT_A_REQUEST = "must be a msgpack map with 'request': 'snapshot' or 'replay'"


class Request(Struct, frozen=True):
    """Any request; which fields count depends on `request`."""

    request: str
    since: int | None = None
    until: int | None = None
    types: list[str] | None = None


class Door:
    """The PUB and ROUTER sockets."""

    def __init__(
        self, bus: BusSection, timeline: Timeline, snapshots: Snapshots, archive: Archive, log: logging.Logger
    ) -> None:
        addresses.check(bus)
        self.sent = 0
        self.requests = 0
        self._bus = bus
        self._timeline = timeline
        self._snapshots = snapshots
        self._archive = archive
        self._log = log
        self._decoder = msgspec.msgpack.Decoder(Request)
        self._context = zmq.asyncio.Context()
        self._authenticator: AsyncioAuthenticator | None = None
        self._wanted: set[bytes] = set()  # beginnings of types that somebody subscribed to
        self._last: dict[str, int] = {}
        self._answering: set[asyncio.Task[None]] = set()
        # XPUB tells what is subscribed to, so that nothing is encoded for nobody; to clients it is a PUB
        self._events = zmq.Context(self._context).socket(zmq.XPUB)
        self._requests = self._context.socket(zmq.ROUTER)

    def open(self, runtime_dir: Path) -> None:
        """Bind and publish both endpoints. zmq.ZMQError: the address is taken."""
        if (keys := server_keys(self._bus)) is not None:
            self._lock(keys)
        for name, key, socket, address in (
            ("events", "bus.events", self._events, self._bus.events),
            ("requests", "bus.requests", self._requests, self._bus.requests),
        ):
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.SNDHWM, HIGH_WATER)
            socket.setsockopt(zmq.MAXMSGSIZE, LARGEST_REQUEST)
            self._bind(socket, addresses.candidates(runtime_dir, name, key, address))
            publish(runtime_dir, name, addresses.reachable(socket.getsockopt_string(zmq.LAST_ENDPOINT)))
        self._last = dict(self._timeline.last)

    def publish(self, events: list[Event]) -> None:
        """Send events to subscribers of their types."""
        self._hear_subscriptions()
        for event in events:
            topic = event.type.encode()
            if any(topic.startswith(wanted) for wanted in self._wanted):
                body = pack(envelope_map(event, self._last.get(event.type)))
                try:
                    self._events.send_multipart([topic, body], zmq.NOBLOCK)
                    self.sent += 1
                except zmq.Again:
                    pass  # XPUB drops by itself for each slow subscriber; this is none of them
            self._last[event.type] = event.seq

    async def serve(self) -> None:
        """Answer requests until cancelled."""
        while True:
            frames = await self._requests.recv_multipart()
            task = asyncio.create_task(self._respond(frames))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    def close(self) -> None:
        """Close both sockets; what is unsent is dropped."""
        for task in self._answering:
            task.cancel()
        if self._authenticator is not None:
            self._authenticator.stop()
        self._events.close(linger=0)
        self._requests.close(linger=0)
        self._context.destroy(linger=0)

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

    def _hear_subscriptions(self) -> None:
        while True:
            try:
                word = self._events.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            if word[:1] == b"\x01":
                self._wanted.add(word[1:])
            elif word[:1] == b"\x00":
                self._wanted.discard(word[1:])

    async def _respond(self, frames: list[bytes]) -> None:
        client, *rest = frames
        begin = rest.index(b"") + 1 if b"" in rest[:-1] else 0  # REQ, and some DEALERs, put words before an empty frame
        answer = await self._answer(rest[begin:])
        await self._requests.send_multipart([client, *rest[:begin], answer])

    async def _answer(self, body: list[bytes]) -> bytes:
        self.requests += 1
        try:
            request = self._decoder.decode(body[0] if len(body) == 1 else b"")
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            return pack({"error": f"{NOT_A_REQUEST}: {problem}"})
        if request.request == "snapshot":
            state = await self._snapshots.get()
            seq = max([state.seq, *state.last.values()])
            decoded, timeline = msgspec.json.decode(state.state), self._timeline
            return pack({"seq": seq, "state": decoded, "head": timeline.seq, "last": timeline.last})
        if request.request == "replay":
            return await self._replay(request)
        return pack({"error": f"request is {request.request!r}, {NOT_A_REQUEST}"})

    async def _replay(self, request: Request) -> bytes:
        since = 0 if request.since is None else request.since
        head = self._timeline.seq
        upto = head if request.until is None else min(request.until, head)
        if not 0 <= since < LARGEST_SEQ or (request.until is not None and request.until < 0):
            return pack({"error": f"since and until must be 0 to {LARGEST_SEQ - 1}, until may be null"})
        if since >= upto:
            return pack({"events": [], "next": None, "upto": since})
        if since >= self._timeline.ring.floor:
            return self._from_ring(since, upto, Subscription(request.types))
        wanted = Wanted(
            since=since, upto=upto, types=request.types, events_max=BATCH_EVENTS, bytes_max=BATCH_BYTES, packed=True
        )
        try:
            found = await self._archive.find(wanted)
        except ArchiveError as problem:
            return pack({"error": str(problem)})
        return self._too_old(since, found.floor) if found.too_old else found.answer

    def _from_ring(self, since: int, upto: int, wanted: Subscription) -> bytes:
        ring = self._timeline.ring
        events = [event for event in ring.after(since, RING_EVENTS) if event.seq <= upto]
        at = events[-1].seq if len(events) == RING_EVENTS else upto
        chosen = [event for event in events if wanted.matches(event.type)]
        page = Page(after=since, upto=at, last=ring.last_at(since), events=chosen, done=at >= upto)
        return pack(replay_answer(page, upto))

    def _too_old(self, since: int, floor: int | None) -> bytes:
        kept = self._timeline.ring.below_oldest if floor is None else floor
        lost = {"count": None, "from": since + 1, "to": kept}
        return pack({"events": [], "next": kept, "upto": kept, "dropped": lost})
