"""A plain client of the feed, for tests: an aiohttp WebSocket and what it received."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

CAP_S = 45.0  # only caps a failure

Message = dict[str, Any]


class Client:
    """One connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def next(self) -> Message:
        """Return the next message."""
        received = await asyncio.wait_for(self.socket.receive(), CAP_S)
        assert received.type == aiohttp.WSMsgType.TEXT, received
        message: Message = json.loads(received.data)
        return message

    async def take(self, count: int) -> list[Message]:
        """Return the next `count` messages."""
        return [await self.next() for _ in range(count)]

    async def until(self, seq: int) -> list[Message]:
        """Return all messages up to the event with this number."""
        messages = [await self.next()]
        while messages[-1].get("seq") != seq or "data" not in messages[-1]:
            messages.append(await self.next())
        return messages

    async def say(self, message: Any) -> None:
        """Send a message as JSON, or text as it is."""
        await self.socket.send_str(message if isinstance(message, str) else json.dumps(message))

    async def subscribe(self, types: list[str] | None, since: int | None = None) -> Message:
        """Subscribe and return the answer; what came before it is passed over."""
        await self.say({"action": "subscribe", "types": types, "since": since})
        while (message := await self.next())["type"] != "subscribed":
            pass
        return message


@asynccontextmanager
async def connect(url: str, **options: Any) -> AsyncIterator[Client]:
    """Connect to the feed."""
    async with aiohttp.ClientSession() as session, session.ws_connect(url, max_msg_size=0, **options) as socket:
        yield Client(socket)
