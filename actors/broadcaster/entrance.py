"""The listening side of the feed and the monitor: aiohttp behind a gate that bounds connections and their silence.

In: an application and where it listens. Out: a running server and its endpoint file. A connection has 5 s for its first
request's head, an idle one 15 s; what a client sends beside its request is read for 1 s and dropped. What is no HTTP is
answered with 400. Neither that nor a client that leaves at the door is logged: a stranger must not fill the log.
"""

import errno
import logging
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from msgspec import Struct

from actors.broadcaster.guard import ANY_ADDRESS, bracketed
from actors.core.endpoints import publish, remembered_port
from actors.core.gate import Gate, listen

SHUTDOWN_S = 1.0
IDLE_S = 15.0
LINGER_S = 1.0  # no request of ours has a body
HEADERS_MAX = 64
STAYS: web.RequestKey[Callable[[], None]] = web.RequestKey("stays", Callable)  # type: ignore[arg-type]  # to call
THEIR_FAULT = (HttpProcessingError, ConnectionError)


class Entrance(Struct, frozen=True):
    """Where a server listens."""

    name: str
    host: str
    port: int
    url: str  # with {} for host and port
    guests_max: int


async def serve(application: web.Application, runtime_dir: Path, entrance: Entrance) -> web.AppRunner:
    """Listen, publish the endpoint, and return what runs. OSError: the port is taken."""
    gate = Gate(_bound(runtime_dir, entrance), entrance.guests_max)
    application.middlewares.insert(0, announcing(gate))
    application.on_response_prepare.append(_unnamed)
    logger = logging.getLogger(f"aiohttp.{entrance.name}")
    logger.addFilter(lambda line: not (line.exc_info and isinstance(line.exc_info[1], THEIR_FAULT)))
    logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)  # it warns of subprotocols that a client asks for
    runner = web.AppRunner(
        application,
        logger=logger,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=SHUTDOWN_S,
        keepalive_timeout=IDLE_S,
        lingering_time=LINGER_S,
        max_headers=HEADERS_MAX,
    )
    await runner.setup()
    await web.SockSite(runner, gate).start()
    shown = "127.0.0.1" if entrance.host in ANY_ADDRESS else bracketed(entrance.host)
    publish(runtime_dir, entrance.name, entrance.url.format(f"{shown}:{gate.getsockname()[1]}"))
    return runner


def announcing(gate: Gate) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Return the middleware that tells the gate who has asked, and who stays."""

    @web.middleware
    async def announce(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.transport is None:
            return await handler(request)
        peer = request.transport.get_extra_info("peername")
        gate.arrived(peer)
        request[STAYS] = lambda: gate.keep(peer)
        return await handler(request)

    return announce


async def _unnamed(request: web.Request, response: web.StreamResponse) -> None:
    """Leave out which Python and which aiohttp we are: it helps nobody but who looks for holes in them."""
    response.headers.pop("Server", None)


def _bound(runtime_dir: Path, entrance: Entrance) -> socket.socket:
    configured = entrance.port
    wished = remembered_port(runtime_dir, entrance.name, configured)
    try:
        return listen(entrance.host, wished)
    except OSError as error:
        if not configured and error.errno == errno.EADDRINUSE:
            return listen(entrance.host, 0)
        raise OSError(
            f"{entrance.name} cannot listen on {entrance.host}:{wished}: {error.strerror}. "
            f"Set {entrance.name}.port to a free one, or 0."
        ) from error
