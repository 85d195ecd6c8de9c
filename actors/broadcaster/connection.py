"""One client's WebSocket: writes what it can take, keeps the rest in its backlog, and gives up one that never reads.

In: framed messages. Out: bytes on the transport, at once where nothing waits, else by a task that lives only while
something does. A slow client costs the others nothing: nobody waits here for it. One that took nothing for a long time
is closed with 1013 (try again later).
"""

import asyncio
import socket
from collections.abc import Iterable, Sequence

from aiohttp.abc import AbstractStreamWriter

from actors.broadcaster.backlog import Backlog, Item
from actors.broadcaster.envelope import close_frame, text_frame
from actors.core.turn import turn

CHUNK_BYTES = 65_536  # asyncio's own high-water mark: above it a write does not go straight to the socket
KERNEL_BYTES = 262_144  # what waits in the kernel is not ours to drop; left alone, Linux lets it grow to 4 MB
STUCK_AGES = 3  # ages of the oldest message after which a client that took nothing is given up
GOODBYE_S = 2.0  # for a client that is given up to read why
TRY_AGAIN_LATER = 1013


class Connection:
    """The sending side of one client."""

    def __init__(
        self, transport: asyncio.Transport, writer: AbstractStreamWriter, bytes_max: int, age_max_s: float
    ) -> None:
        self.sent = 0
        self.backlog = Backlog(bytes_max, age_max_s)
        self._transport = transport
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._sender: asyncio.Task[None] | None = None
        self._draining: asyncio.Task[None] | None = None
        self._stuck_max_s = STUCK_AGES * age_max_s
        kernel: socket.socket = transport.get_extra_info("socket")
        kernel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        self._waits_since_s: float | None = None  # for the client to read anything
        self.closing = False

    def say(self, payload: bytes) -> None:
        """Send an answer of the feed; never dropped."""
        frame = text_frame(payload)
        self.send([Item(0, frame)], frame)

    def send(self, items: Sequence[Item], block: bytes) -> None:
        """Send messages; block: the same, joined."""
        transport = self._transport
        if self.closing or transport.is_closing():
            return
        self.sent += len(items)
        if self._sender is None and transport.get_write_buffer_size() < CHUNK_BYTES and not self.backlog:
            transport.write(block)
            return
        self.backlog.add(items, self._loop.time())
        if self.backlog.overfull:
            self.give_up("the answers to your messages are not read")
        elif self._sender is None:
            self._sender = self._loop.create_task(self._send_backlog())

    async def send_paced(self, items: Iterable[Item]) -> None:
        """Send history no faster than the client reads it; none of it is dropped. ConnectionError: it is gone."""
        for item in items:
            await self._room()
            if self.closing or self._transport.is_closing():
                raise ConnectionResetError("the client is gone")
            self._transport.write(item.frame)
            self.sent += 1
        await turn()

    def check(self, now_s: float) -> None:
        """Keep the bounds in silence too; give up a client that takes nothing. To be called each second or so."""
        if self.closing:
            return
        self.backlog.trim(now_s)
        if self._waits_since_s is not None and now_s - self._waits_since_s > self._stuck_max_s:
            self.give_up("nothing was read for too long")

    def give_up(self, reason: str) -> None:
        """Close with 1013 after telling what was lost; abort where even that is not read."""
        self.backlog.forget()
        self._end(self.backlog.take(CHUNK_BYTES) + close_frame(TRY_AGAIN_LATER, reason))

    def close(self, code: int, reason: str) -> None:
        """Close with what waits unsent."""
        if not self.closing:
            self._end(close_frame(code, reason))

    def _end(self, words: bytes) -> None:
        self.closing = True
        if self._sender is not None:
            self._sender.cancel()
        if not self._transport.is_closing():
            self._transport.write(words)
            self._transport.close()
            self._loop.call_later(GOODBYE_S, self._transport.abort)

    async def _room(self) -> None:
        """Wait until the transport takes more. Shielded: aiohttp's waiter is one for all, and must not be cancelled."""
        if self._transport.get_write_buffer_size() < CHUNK_BYTES:
            return
        if self._draining is None:
            self._draining = self._loop.create_task(self._drain())
        await asyncio.shield(self._draining)

    async def _drain(self) -> None:
        self._waits_since_s = self._loop.time()
        try:
            await self._writer.drain()
        except ConnectionError:
            pass  # the reading side sees it too, and ends the client
        finally:
            self._draining = self._waits_since_s = None

    async def _send_backlog(self) -> None:
        try:
            while self.backlog and not self._transport.is_closing():
                await self._room()
                if self.backlog:  # a look at its age may have emptied it
                    self._transport.write(self.backlog.take(CHUNK_BYTES))
                await turn()
        finally:
            self._sender = None
