"""The web actor: the control room as a process of the house (start string `web.actor:run`).

In: the live streams, answers of supervisor, state and journal, Parquet files. Out: pages, the API, `/ws/live`, and the
user's commands. Never touches the data itself.
"""

import asyncio
import logging
from typing import Any

from actors.core.endpoints import publish, remembered_port
from actors.core.runtime import Context
from web.access import Door, load_token
from web.api import api_routes
from web.app import create_app
from web.archive import Archive
from web.house import House
from web.hub import Hub
from web.pages import page_routes
from web.server import address, listen, run_server
from web.socket import first_of, socket_routes


def run(context: Context) -> None:
    """Serve until SIGTERM."""

    async def main(stop: asyncio.Event) -> None:
        await _serve(context, stop)

    context.run_async(main)


async def _serve(context: Context, stop: asyncio.Event) -> None:
    settings = context.config.web
    listener = listen(settings.host, settings.port, remembered_port(context.runtime_dir, "web", settings.port))
    port = int(listener.getsockname()[1])
    door = Door(load_token(context.runtime_dir), settings.host, port, context.config.feed.allowed_origins)
    house = House(context.bus)
    hub = Hub(context.bus, house, Archive(context.data_dir), context.log)
    context.stats.update(pages=0, messages=0)
    blueprints = [page_routes(hub), api_routes(hub, house), socket_routes(hub, stop, context.stats)]
    app = create_app(door, blueprints, context.log)
    url = address(listener, settings.host)
    publish(context.runtime_dir, "web", url)
    context.log.info("serving %s", url)
    context.ready()
    server_log = context.log.getChild("server")
    server_log.setLevel(logging.WARNING)
    asyncio.get_running_loop().set_exception_handler(_tell)
    await first_of(run_server(app, listener, stop.wait, server_log), hub.run())


def _tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what went wrong in a callback; but Python 3.11 also calls a connection that we cut off at stop an error."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)
