"""The connected clients, and how text reaches them: once encoded, the same bytes to each.

Events go out as ready Socket.IO packets through the Engine.IO server, over whatever transport a client has. That costs
one encoding however many clients there are, and sends a recorded frame exactly as it was. Lives in the event loop.
"""

import asyncio
import contextlib
from collections.abc import Iterable

import socketio

from actors.simulator.messages import Emit

DRAIN_LIMIT_S = 5.0


class Clients:
    """Who is connected, and who of them has logged in."""

    def __init__(self, server: socketio.AsyncServer) -> None:
        self.present = asyncio.Event()  # set while there is at least one
        self.frames_sent = 0
        self._server = server
        self._engine_ids: dict[str, str] = {}
        self._authenticated: set[str] = set()

    def __len__(self) -> int:
        return len(self._engine_ids)

    def add(self, sid: str) -> None:
        """Let the client have what is sent from now on."""
        engine_id = self._server.manager.eio_sid_from_sid(sid, "/")
        if engine_id is not None:
            self._engine_ids[sid] = engine_id
            self.present.set()

    def remove(self, sid: str) -> None:
        """Forget the client."""
        self._engine_ids.pop(sid, None)
        self._authenticated.discard(sid)
        if not self._engine_ids:
            self.present.clear()

    def authenticate(self, sid: str) -> None:
        """Let the client have the own player's events, too."""
        self._authenticated.add(sid)

    def is_authenticated(self, sid: str) -> bool:
        """Return whether the client has logged in."""
        return sid in self._authenticated

    async def send(self, emits: Iterable[Emit], sender: str | None = None) -> None:
        """Send events in order, each to its audience. sender: whose request they answer."""
        for emit in emits:
            receivers = self._receivers(emit, sender)
            if receivers:
                await self.send_packet(emit.packet(), receivers)

    async def send_packet(self, packet: str, receivers: Iterable[str] | None = None) -> None:
        """Send one Socket.IO packet's text to the given clients, by default to all."""
        for sid in list(self._engine_ids) if receivers is None else receivers:
            await self._server.eio.send(self._engine_ids[sid], packet)
            self.frames_sent += 1

    async def drain(self) -> None:
        """Wait until what was sent has left our queues; a client that takes nothing is not waited for."""
        queues = [
            socket.queue
            for engine_id in self._engine_ids.values()
            if (socket := self._server.eio.sockets.get(engine_id)) is not None
        ]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*(queue.join() for queue in queues)), DRAIN_LIMIT_S)

    async def disconnect_all(self) -> None:
        """Tell every client that the server disconnects it; socket.io-client does not come back from that by itself."""
        for sid in list(self._engine_ids):
            await self._server.disconnect(sid)

    async def disconnect(self, sid: str) -> None:
        """Tell one client that the server disconnects it."""
        await self._server.disconnect(sid)

    def engine_id(self, sid: str) -> str | None:
        """Return the client's Engine.IO session, as its requests name it; None where it has gone."""
        return self._engine_ids.get(sid)

    def _receivers(self, emit: Emit, sender: str | None) -> list[str]:
        if emit.audience == "sender":
            return [sender] if sender in self._engine_ids else []
        if emit.audience == "player":
            return [sid for sid in self._engine_ids if sid in self._authenticated]
        return list(self._engine_ids)
