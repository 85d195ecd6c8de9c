"""hypercorn around the app: our own listening socket, short time-outs, few connections, a quick end.

A socket of ours and not hypercorn's, so that a restarted control room gets the port it had, the address is known before
the first request, and connections that say nothing are turned out (`actors.core.gate`). Serves plain HTTP/1.1 on the
configured address, never HTTP/2; loopback unless the user says otherwise.
"""

import errno
import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

from hypercorn import protocol
from hypercorn.asyncio import serve
from hypercorn.config import Config, Sockets
from hypercorn.events import RawData
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.typing import ASGIFramework, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope
from quart import Quart

from actors.core import gate as gates
from actors.core.turn import turn

GRACE_S = 0.1
GUESTS_MAX = 256  # an open page has one WebSocket and, for moments, up to six connections
PIECE_BYTES = 2048  # 200 pings, some 15 ms
MESSAGE_BYTES = 65_536  # pages send nothing; more than this is no page


def listen(host: str, port: int, wished: int) -> socket.socket:
    """Return a listening socket on `port`, or for 0 on `wished` if it is free, else on any.

    OSError: the port is taken, or the address is not ours; the message says what to do.
    """
    for attempt in [port] if port else [wished, 0]:
        try:
            return gates.listen(host, attempt)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and not port and attempt:
                continue
            way_out = "Free it, or set web.port (0 takes any free one)."
            raise OSError(error.errno, f"web.host {host}, web.port {attempt}: {error.strerror}. {way_out}") from error
    raise AssertionError("port 0 is never taken")


def address(listener: socket.socket, host: str) -> str:
    """Return the URL of what listens."""
    shown = f"[{host.strip('[]')}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}/"


async def run_server(
    app: Quart, listener: socket.socket, stop: Callable[[], Awaitable[Any]], log: logging.Logger
) -> None:
    """Serve until `stop` returns; open requests then have 100 ms. log: for hypercorn's warnings and errors."""
    gate = gates.Gate(listener, GUESTS_MAX)
    config = _Config(gate)
    config.graceful_timeout = GRACE_S
    config.shutdown_timeout = GRACE_S
    config.keep_alive_timeout = 15
    config.h11_max_incomplete_size = 16_384
    config.websocket_max_message_size = MESSAGE_BYTES
    config.include_server_header = False
    config.accesslog = None
    config.errorlog = log
    protocol.H11Protocol = _PlainHttp  # type: ignore[attr-defined]  # made for each connection; there is no setting
    await serve(_announced(cast(ASGIFramework, app), gate), config, shutdown_trigger=stop)


class _Config(Config):
    """hypercorn's settings, with a socket of ours."""

    def __init__(self, gate: gates.Gate) -> None:
        super().__init__()
        self._gate = gate

    def create_sockets(self) -> Sockets:
        return Sockets([], [self._gate], [])


class _PlainHttp(H11Protocol):
    """hypercorn's HTTP/1.1 without what it would do for anybody who asks: go over to HTTP/2, compress a WebSocket.

    Every browser offers compression, and it costs two to three times the CPU. What comes is handled in small pieces,
    with everybody else's turn in between: 64 KB of pings, in one go, hold up the event loop for half a second.
    """

    async def handle(self, event: Any) -> None:
        """Handle what the network brought."""
        while isinstance(event, RawData) and len(event.data) > PIECE_BYTES:
            await super().handle(RawData(event.data[:PIECE_BYTES]))
            await turn()
            event = RawData(event.data[PIECE_BYTES:])
        await super().handle(event)

    async def _check_protocol(self, event: Any) -> None:
        pass

    async def _create_stream(self, request: Any) -> None:
        headers = [pair for pair in request.headers if pair[0] != b"sec-websocket-extensions"]
        await super()._create_stream(replace(request, headers=headers))


def _announced(app: ASGIFramework, gate: gates.Gate) -> ASGIFramework:
    """Return the app behind one that tells the gate who has asked, and which WebSockets were let in."""

    async def announce(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        peer = scope["client"]
        gate.arrived(peer)

        async def keep(event: ASGISendEvent) -> None:
            if event["type"] == "websocket.accept":
                gate.keep(peer)
            await send(event)

        await app(scope, receive, keep)

    return announce
