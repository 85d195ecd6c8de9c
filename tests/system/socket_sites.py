"""Sites whose pages speak Socket.IO: one polls first and is upgraded, one answers late; both get the planted secret."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import socketio

from tests.capture.house import Website
from tests.system.conftest import SECRET

POLLING = f"""<script src="/socket.io.min.js"></script><script>
handled = []; closed = false;
io = io({{auth: {{token: '{SECRET}'}}}});
io.on('n', n => handled.push(n));
io.on('connect', () => io.emit('authenticate', {{__trace: true}}, '{SECRET}', answer => 0));
io.on('stop', () => io.emit('handled', handled));
</script>"""
ASKING = f"""<script src="/socket.io.min.js"></script><script>
io = io({{auth: {{token: '{SECRET}'}}, transports: ['websocket']}});
io.on('connect', () => {{ io.emit('authenticate', '{SECRET}', a => 0); io.emit('order', {{amount: 1}}, a => 0) }});
io.on('go', url => location = url);
</script>"""
VENDORED = Path(__file__).parents[2] / "web/static/vendor/socket.io.min.js"


class PollingSite:
    """A Socket.IO server that numbers what it emits from the first moment on, through the upgrade."""

    def __init__(self) -> None:
        self.server = socketio.AsyncServer(async_mode="aiohttp", cors_allowed_origins="*")
        self.sid: str | None = None
        self.handled: list[int] | None = None
        self._emitting: asyncio.Task[None] | None = None
        self.server.on("connect", self._on_connect)
        self.server.on("authenticate", lambda sid, *arguments: {"session": SECRET})
        self.server.on("handled", self._on_handled)

    def attach(self, site: Website) -> None:
        self.server.attach(site.app)

    async def _on_connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        assert auth == {"token": SECRET}
        self.sid = sid
        self._emitting = asyncio.create_task(self._emit(sid))

    async def _emit(self, sid: str) -> None:
        pause = asyncio.Event()
        for number in range(100_000):
            await self.server.emit("n", number, to=sid)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(pause.wait(), 0.002)

    def upgraded(self) -> bool:
        return self.sid is not None and self.server.transport(self.sid) == "websocket"

    async def stop(self) -> None:
        assert self._emitting is not None
        self._emitting.cancel()
        await self.server.emit("stop", to=self.sid)

    def _on_handled(self, sid: str, handled: list[int]) -> None:
        self.handled = handled


class SlowSite:
    """A Socket.IO server that answers two requests when it is told to."""

    def __init__(self) -> None:
        self.server = socketio.AsyncServer(async_mode="aiohttp", cors_allowed_origins="*")
        self._go = asyncio.Event()
        self.server.on("authenticate", self._on_authenticate)
        self.server.on("order", self._on_order)

    def attach(self, site: Website) -> None:
        self.server.attach(site.app)

    async def _on_authenticate(self, sid: str, *arguments: Any) -> dict[str, str]:
        await self._go.wait()
        return {"session": SECRET}

    async def _on_order(self, sid: str, *arguments: Any) -> dict[str, bool]:
        await self._go.wait()
        return {"success": True}

    async def answer(self) -> None:
        self._go.set()
