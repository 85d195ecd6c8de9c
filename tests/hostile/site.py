"""The server behind the hostile page, in a process of its own: pages, sockets under any name, polls, redirects.

Every path takes a WebSocket. A socket with `role=churn` gets a forged frame and is closed by its page; with `role=bulk`
an expensive frame now and then; any other one an Engine.IO opening and forged game frames, again and again. `/figures`
says how many of each there were. `python -m tests.hostile.site` prints its port and serves until its input ends.
"""

import asyncio
import contextlib
import itertools
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import msgspec
import requests
from aiohttp import WSMsgType, web

from tests.hostile.payloads import SEPARATOR, expensive, forged, handshake, poll_body
from tests.processes import ROOT

PAGE_DIR = Path(__file__).with_name("page")
FORGE_S = 4.0  # between two rounds of forged frames on one socket
BULK_S = 2.0
TINY_FRAMES = 20_000  # in one burst
TINY_S = 10.0
MANY_PACKETS = 300_000  # in the body of one poll of 0.6 MB
POLL_S = 0.5  # how long a long poll hangs
KINDS = {".js": "text/javascript", ".html": "text/html"}
ANYBODY = {"Access-Control-Allow-Origin": "*", "Service-Worker-Allowed": "/"}
CAP_S = 20.0


class ForgeryServer:
    """All of the hostile origin; counts what it did."""

    def __init__(self) -> None:
        self.figures: Counter[str] = Counter()
        self._numbers = itertools.count(1)
        self._bulk: list[web.WebSocketResponse] = []
        self._stop = asyncio.Event()

    async def serve(self) -> None:
        """Serve until standard input ends."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # its pages leave in the middle of everything
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(runner.addresses[0][1], flush=True)
        bulk = asyncio.create_task(self._send_bulk())
        await asyncio.to_thread(sys.stdin.read)
        self._stop.set()
        await bulk
        await runner.cleanup()

    async def _pause(self, seconds: float) -> bool:
        """Wait; return whether the server goes on."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
        return not self._stop.is_set()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(request)
        if "transport=polling" in request.query_string:
            return await self._poll(request)
        if request.path == "/redirect":
            raise web.HTTPFound(request.query["to"])
        if request.path == "/figures":
            figures = {**self.figures, "cpu_s": time.process_time()}
            return web.json_response(figures)
        return self._file(request.path)

    def _file(self, path: str) -> web.Response:
        name = path.lstrip("/") if path.endswith(".js") else "index.html"
        file = PAGE_DIR / name
        if file.parent != PAGE_DIR or not file.is_file():
            return web.Response(status=404)
        return web.Response(text=file.read_text(), content_type=KINDS[file.suffix], headers=ANYBODY)

    async def _poll(self, request: web.Request) -> web.Response:
        self.figures["polls"] += 1
        await self._pause(POLL_S if request.method == "GET" else 0)
        number = next(self._numbers)
        body = poll_body(number) if request.method == "GET" else "ok"
        if request.query.get("role") == "packets" and number % 4 == 0:
            self.figures["polls of many packets"] += 1
            body = f"6{SEPARATOR}" * MANY_PACKETS
        return web.Response(text=body, headers=ANYBODY)

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=0, compress=False)
        await socket.prepare(request)
        role = request.query.get("role", "forge")
        self.figures[f"sockets to {role}"] += 1
        forging = asyncio.create_task(self._forge(socket)) if role == "forge" else None
        with contextlib.suppress(ConnectionError):
            if role == "churn":
                await socket.send_str(forged(next(self._numbers))[0])
            elif role == "bulk":
                self._bulk.append(socket)
            elif role == "tiny":
                await self._send_tiny(socket)
            async for message in socket:
                self.figures["frames from the page"] += message.type in (WSMsgType.TEXT, WSMsgType.BINARY)
        if forging is not None:
            forging.cancel()
        if socket in self._bulk:
            self._bulk.remove(socket)
        return socket

    async def _forge(self, socket: web.WebSocketResponse) -> None:
        with contextlib.suppress(ConnectionError):
            for packet in handshake(next(self._numbers)):
                await socket.send_str(packet)
            while True:
                for packet in forged(next(self._numbers)):
                    await socket.send_str(packet)
                    self.figures["forged frames"] += 1
                if not await self._pause(FORGE_S):
                    return

    async def _send_bulk(self) -> None:
        """Give one expensive frame after the other to the bulk sockets, each to the next of them."""
        frames = itertools.cycle(expensive().values())
        while await self._pause(BULK_S):
            if self._bulk:
                socket, frame = self._bulk.pop(0), next(frames)
                self._bulk.append(socket)
                with contextlib.suppress(ConnectionError):
                    await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))
                    self.figures["expensive frames"] += 1

    async def _send_tiny(self, socket: web.WebSocketResponse) -> None:
        while await self._pause(TINY_S):
            for _ in range(TINY_FRAMES):
                await socket.send_str("6")
            self.figures["tiny frames"] += TINY_FRAMES


class HostileOrigin:
    """The server's process, as its starter sees it."""

    def __init__(self, process: "Popen[str]", port: int) -> None:
        self.pid = process.pid
        self.port = port

    def figures(self) -> dict[str, Any]:
        """Return what the server did so far."""
        answer = requests.get(f"http://127.0.0.1:{self.port}/figures", timeout=CAP_S)
        found: dict[str, Any] = msgspec.json.decode(answer.content)
        return found


@contextlib.contextmanager
def hostile_origin() -> Iterator[HostileOrigin]:
    """Run the server for the length of a with block."""
    command = [sys.executable, "-m", "tests.hostile.site"]
    with Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield HostileOrigin(process, int(process.stdout.readline()))
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(CAP_S)


if __name__ == "__main__":
    asyncio.run(ForgeryServer().serve())
