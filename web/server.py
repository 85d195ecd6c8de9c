"""hypercorn around the app: our own listening socket, short time-outs, a quick end.

A socket of ours and not hypercorn's, so that a restarted control room gets the port it had and the address is known
before the first request. Serves plain HTTP/1.1 on the configured address; loopback unless the user says otherwise.
"""

import errno
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart

GRACE_S = 0.1
BACKLOG = 128
MESSAGE_BYTES = 65_536  # pages send nothing; more than this is no page


def listen(host: str, port: int, wished: int) -> socket.socket:
    """Return a listening socket on `port`, or for 0 on `wished` if it is free, else on any.

    OSError: the port is taken, or the address is not ours; the message says what to do.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for attempt in [port] if port else [wished, 0]:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host.strip("[]"), attempt))
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE and not port and attempt:
                continue
            way_out = "Free it, or set web.port (0 takes any free one)."
            raise OSError(error.errno, f"web.host {host}, web.port {attempt}: {error.strerror}. {way_out}") from error
        listener.listen(BACKLOG)
        listener.setblocking(False)
        return listener
    raise AssertionError("port 0 is never taken")


def address(listener: socket.socket, host: str) -> str:
    """Return the URL of what listens."""
    shown = f"[{host.strip('[]')}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}/"


async def run_server(
    app: Quart, listener: socket.socket, stop: Callable[[], Awaitable[Any]], log: logging.Logger
) -> None:
    """Serve until `stop` returns; open requests then have 100 ms. log: for hypercorn's warnings and errors."""
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.graceful_timeout = GRACE_S
    config.shutdown_timeout = GRACE_S
    config.keep_alive_timeout = 15
    config.h11_max_incomplete_size = 16_384
    config.websocket_max_message_size = MESSAGE_BYTES
    config.include_server_header = False
    config.accesslog = None
    config.errorlog = log
    await serve(app, config, shutdown_trigger=stop)
