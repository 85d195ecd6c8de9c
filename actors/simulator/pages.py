"""The HTTP side of the simulator: its page, the page's files, and the door for Socket.IO.

Everything is local; nothing is loaded from elsewhere, and a strict content policy backs the page's own care with
hostile names. WebSockets are offered without compression, as the real server's are, which also keeps big frames cheap.
"""

import asyncio
import weakref
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

PAGE_DIR = Path(__file__).parent / "page"
VENDOR_DIR = Path(__file__).parents[2] / "web" / "static" / "vendor"
CLIENT_SCRIPT = "socket.io.min.js"
PAGE_FILES = {"/": "index.html", "/page.css": "page.css", "/page.js": "page.js", "/chart.js": "chart.js"}
CONTENT_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:"


class Connections:
    """The TCP connections of game sockets and polls, so that they can be cut."""

    def __init__(self) -> None:
        self._transports: weakref.WeakKeyDictionary[asyncio.Transport, str] = weakref.WeakKeyDictionary()

    def note(self, request: web.Request) -> None:
        """Remember the request's connection as long as it lives."""
        if request.transport is not None:
            self._transports[request.transport] = request.query.get("sid", "")

    def cut(self, engine_id: str | None = None) -> None:
        """Reset connections at once, without a goodbye: all, or those of one session that began by polling."""
        for transport, session in list(self._transports.items()):
            if engine_id in (None, session):
                transport.abort()


def make_app(connections: Connections) -> web.Application:
    """Return the application with all routes but Socket.IO's, which attaches itself."""

    @web.middleware
    async def game_sockets(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith("/socket.io/"):
            return await handler(request)
        connections.note(request)
        if "Sec-WebSocket-Extensions" in request.headers:
            headers = request.headers.copy()
            del headers["Sec-WebSocket-Extensions"]
            request = request.clone(headers=headers)
        return await handler(request)

    app = web.Application(middlewares=[game_sockets])
    for path, name in PAGE_FILES.items():
        app.router.add_get(path, _file(PAGE_DIR / name))
    app.router.add_get(f"/static/vendor/{CLIENT_SCRIPT}", _file(VENDOR_DIR / CLIENT_SCRIPT))
    app.router.add_get("/favicon.ico", _nothing)
    return app


def _file(path: Path) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        headers = {"Content-Security-Policy": CONTENT_POLICY, "Cache-Control": "no-cache"}
        return web.FileResponse(path, headers=headers)

    return serve


async def _nothing(request: web.Request) -> web.StreamResponse:
    return web.Response(status=204)
