"""The WebSocket feed of contract 4.5: hello, snapshot, then events as subscribed.

In: clients' connections and their messages. Out: answers, and clients joined to the hub. A message that cannot be
understood is answered with an error, and the connection stays.
"""

import asyncio
import contextlib
import logging

import msgspec
from aiohttp import WSMsgType, web
from msgspec import Struct

from actors.broadcaster import envelope
from actors.broadcaster.archive import Archive
from actors.broadcaster.catchup import CatchUp
from actors.broadcaster.connection import Connection
from actors.broadcaster.entrance import STAYS
from actors.broadcaster.hub import Hub
from actors.broadcaster.position_check import refusal
from actors.broadcaster.snapshots import Snapshots
from actors.broadcaster.subscription import TYPES_MAX, Subscription
from actors.core.config import Feed
from actors.core.turn import turn
from actors.rugs.catalogue import TYPES as TYPES
from actors.rugs.catalogue import unknown_types

LARGEST_MESSAGE = 65_536  # what a client says
GOING_AWAY = 1001
SHOWN = 200  # characters of a client's own words in an error


class Order(Struct, frozen=True):
    """Any message of a client; which fields count depends on `action`."""

    action: str
    types: list[str] | None = None
    since: int | None = None
    recording: str | None = None
    ts: msgspec.Raw = msgspec.Raw(b"null")


class FeedClient:
    """One client: what it wants, and where it is."""

    def __init__(self, hub: Hub, archive: Archive, connection: Connection, snapshots: Snapshots) -> None:
        self.connection = connection
        self._hub = hub
        self._snapshots = snapshots
        self._archive = archive
        self._subscription = Subscription(None)
        self._catching_up: asyncio.Task[None] | None = None

    def follow(self, subscription: Subscription, since: int) -> None:
        """Send what matches from `since` on, in place of what was sent before."""
        self.leave()
        self._subscription = subscription
        catch_up = CatchUp(self._hub, self._archive, self.connection, subscription)
        if not catch_up.at_once(since):
            self._catching_up = asyncio.create_task(self._catch_up(catch_up, since))

    def leave(self) -> None:
        """Send no more events."""
        if self._catching_up is not None:
            self._catching_up.cancel()
            self._catching_up = None
        self._hub.leave(self.connection, self._subscription)

    def handle(self, text: str) -> None:
        """Do what the client says."""
        try:
            order = msgspec.json.decode(text, type=Order)
            "".join(order.types or ()).encode()  # half a surrogate pair is JSON, but no text
        except (msgspec.DecodeError, UnicodeError, RecursionError) as problem:
            self.connection.say(envelope.error(f"not understood: {_shown(str(problem))}"))
            return
        if order.action == "subscribe":
            self._subscribe(order)
        elif order.action == "ping":
            self.connection.say(envelope.pong(order.ts))
        else:
            self.connection.say(
                envelope.error(f"action is {_shown(repr(order.action))}, must be 'subscribe' or 'ping'")
            )

    def _subscribe(self, order: Order) -> None:
        timeline = self._hub.timeline
        refused = refusal(order.since, order.recording, self._snapshots.head, timeline.recording)
        if refused is not None:
            self.connection.say(envelope.error(refused, timeline.recording))
            return
        if order.types is not None and len(order.types) > TYPES_MAX:
            self.connection.say(envelope.error(f"types has {len(order.types)} names, must be at most {TYPES_MAX}"))
            return
        since = timeline.seq if order.since is None else order.since
        subscription = Subscription(order.types)
        unknown = unknown_types(order.types or (), timeline.last)
        self.leave()
        self.connection.say(
            envelope.subscribed(min(since, self._snapshots.head), order.types, unknown, timeline.recording)
        )
        self.follow(subscription, since)

    async def _catch_up(self, catch_up: CatchUp, since: int) -> None:
        with contextlib.suppress(ConnectionError):  # the reading side sees it too, and ends the client
            await catch_up.run(since)


def _shown(text: str) -> str:
    """Return what a client said, short enough to be said back."""
    text = text.encode(errors="replace").decode()
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


class FeedServer:
    """Serves `/feed`."""

    def __init__(
        self, settings: Feed, hub: Hub, snapshots: Snapshots, archive: Archive, version: str, log: logging.Logger
    ) -> None:
        self.clients: set[FeedClient] = set()
        self.sent = 0  # to clients that are gone
        self.dropped = 0
        self._settings = settings
        self._hub = hub
        self._snapshots = snapshots
        self._archive = archive
        self._version = version
        self._log = log

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Be one client's connection, from the first word to the last."""
        size_max = LARGEST_MESSAGE + 1  # at which aiohttp closes
        socket = web.WebSocketResponse(compress=False, max_msg_size=size_max, autoping=False)
        try:
            writer = await socket.prepare(request)
        except ValueError:  # the key is no base64; aiohttp would call it our fault, and fill the log
            raise web.HTTPBadRequest from None
        transport = request.transport
        if writer is None or transport is None:
            return socket
        connection = Connection(transport, writer, self._settings.client_bytes, self._settings.client_age_s)
        client = FeedClient(self._hub, self._archive, connection, self._snapshots)
        self.clients.add(client)
        request[STAYS]()
        try:
            await self._welcome(client)
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    client.handle(message.data)
                elif message.type == WSMsgType.BINARY:
                    connection.say(envelope.error("not understood: messages are JSON text"))
                elif message.type == WSMsgType.PING:
                    await socket.pong(message.data)
                await turn()  # else whoever says much at once has all of it handled before anybody else's turn
        finally:
            client.leave()
            self.clients.discard(client)
            self.sent += connection.sent
            self.dropped += connection.backlog.lost
        return socket

    async def _welcome(self, client: FeedClient) -> None:
        timeline = self._hub.timeline
        client.connection.say(envelope.hello(timeline.seq, self._version, {*TYPES, *timeline.last}, timeline.recording))
        seq, message = await self._snapshots.message()
        client.connection.say(message)
        floor = timeline.ring.below_oldest if seq < timeline.ring.floor else seq
        if seq < floor:  # state is far behind: what lies between is history, which is not sent unasked
            client.connection.say(envelope.dropped(None, seq + 1, floor))
        client.follow(Subscription(None), floor)

    def check(self, now_s: float) -> None:
        """Look after clients that do not read. To be called each second or so."""
        for client in self.clients:
            client.connection.check(now_s)

    def tell_lost(self, first: int, last: int) -> None:
        """Say to everybody that events were lost on our side; how many is not known."""
        for client in self.clients:
            client.connection.say(envelope.dropped(None, first, last))

    def totals(self) -> tuple[int, int]:
        """Return (messages sent, events dropped) since the start."""
        sent = self.sent + sum(client.connection.sent for client in self.clients)
        return sent, self.dropped + sum(client.connection.backlog.lost for client in self.clients)

    def close(self) -> None:
        """Say goodbye to everybody."""
        for client in list(self.clients):
            client.leave()
            client.connection.close(GOING_AWAY, "the broadcaster stops; come back with since")
