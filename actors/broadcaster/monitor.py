"""The monitor's pages of contract 4.8 on its own port: read-only, no inline scripts, nothing from elsewhere.

In: requests that passed the guard. Out: `/` and `/monitor/` (pages), `/health`, `/metrics`, `/status.json`, the
JavaScript client under `/shared/`, and files under `/artifacts/`.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from actors.broadcaster import metrics
from actors.broadcaster.artifacts import Artifacts
from actors.broadcaster.guard import Guard, bracketed
from actors.broadcaster.health import StatusSource, reasons
from actors.core.clock import now_us
from actors.core.endpoints import everything, lookup
from actors.core.runtime import Context

PAGES = Path(__file__).parent / "pages"
SCRIPT = "text/javascript"
STATIC = {
    "/static/monitor.css": ("monitor.css", "text/css"),
    "/static/favicon.svg": ("favicon.svg", "image/svg+xml"),
    "/static/panel.js": ("panel.js", SCRIPT),
    "/static/log.js": ("log.js", SCRIPT),
    "/shared/vectra-client.js": ("vectra-client.js", SCRIPT),
}


class Figures:
    """What the monitor reads from the rest of the broadcaster."""

    def __init__(
        self,
        own: Callable[[], dict[str, Any]],
        types: Callable[[], dict[str, int]],
        last_frame_ms: Callable[[], int | None],
    ) -> None:
        self.own = own
        self.types = types
        self.last_frame_ms = last_frame_ms


class Monitor:
    """Answers the monitor's requests."""

    def __init__(self, context: Context, guard: Guard, source: StatusSource, figures: Figures) -> None:
        self._runtime_dir = context.runtime_dir
        self._artifacts = Artifacts(context.data_dir / "artifacts")
        self._guard = guard
        self._source = source
        self._figures = figures
        self._files = {name: (PAGES / name).read_bytes() for name in ("panel.html", "log.html")}
        self._static = {path: ((PAGES / name).read_bytes(), kind) for path, (name, kind) in STATIC.items()}

    def application(self) -> web.Application:
        """Return the routes."""
        application = web.Application(middlewares=[self._secure, self._guard.middleware])
        application.router.add_get("/", self._page("panel.html"))
        application.router.add_get("/monitor/", self._page("log.html"))
        application.router.add_get("/health", self._health)
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/status.json", self._status)
        application.router.add_get("/artifacts/{path:.*}", self._artifacts.serve)
        for path in ("/monitor", "/artifacts"):
            application.router.add_get(path, _with_slash)
        for path in self._static:
            application.router.add_get(path, self._file)
        return application

    def _page(self, name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def serve(request: web.Request) -> web.Response:
            return web.Response(body=self._files[name], content_type="text/html", charset="utf-8")

        return serve

    async def _file(self, request: web.Request) -> web.Response:
        body, kind = self._static[request.path]
        return web.Response(body=body, content_type=kind, charset="utf-8")

    async def _reasons(self) -> tuple[list[str], dict[str, Any] | None]:
        status = await self._source.get()
        return reasons(self._figures.last_frame_ms(), now_us() // 1000, status), status

    async def _health(self, request: web.Request) -> web.Response:
        found, _ = await self._reasons()
        return web.json_response({"ok": not found, "reasons": found}, status=503 if found else 200)

    async def _metrics(self, request: web.Request) -> web.Response:
        found, status = await self._reasons()
        body = metrics.scrape(self._figures.own(), self._figures.types(), status, not found)
        return web.Response(body=body, headers={"Content-Type": metrics.CONTENT_TYPE})

    async def _status(self, request: web.Request) -> web.Response:
        found, status = await self._reasons()
        endpoints = {name: url.split("?")[0] for name, url in everything(self._runtime_dir).items()}
        return web.json_response({"ok": not found, "reasons": found, "status": status, "endpoints": endpoints})

    @web.middleware
    async def _secure(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Add what keeps a browser from doing more with our pages than we do."""
        response = await handler(request)
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; "
            f"form-action 'none'; frame-ancestors 'none'; connect-src 'self' {self._feed_origin(request)}"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Cache-Control"] = "no-cache"
        return response

    def _feed_origin(self, request: web.Request) -> str:
        """Return the feed's origin as the browser will name it: by the host it used for this page."""
        feed = lookup(self._runtime_dir, "feed")
        host = urlsplit(f"//{request.host}").hostname or "127.0.0.1"
        return f"ws://{bracketed(host)}:{urlsplit(feed).port}" if feed else ""


async def _with_slash(request: web.Request) -> web.Response:
    raise web.HTTPMovedPermanently(location=f"{request.path}/")
