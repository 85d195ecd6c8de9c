"""The web actor: the control room as a process of the house (start string `web.actor:run`).

In: the live streams, answers of supervisor, state and journal, Parquet files. Out: pages, the API, `/ws/live`, and the
user's commands. Never touches the data itself.
"""

import asyncio
import logging
from pathlib import Path
from typing import Any

from quart import Blueprint

from actors.core.endpoints import publish, remembered_port
from actors.core.runtime import Context
from web.access import Door, load_token
from web.api import api_routes
from web.api_recording import recording_routes
from web.api_rounds import rounds_routes
from web.api_system import system_routes
from web.app import create_app
from web.archive import Archive
from web.house import House
from web.hub import Hub
from web.jobs import Jobs
from web.ledger import Ledger
from web.openapi import describe
from web.pages import page_routes
from web.register import Register
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
    door = Door(load_token(context.runtime_dir), settings.host, port)
    house = House(context.bus)
    register = Register(context.data_dir)
    hub = Hub(context.bus, house, Archive(context.data_dir), register, context.log)
    ledger, jobs = Ledger(context.data_dir, register, hub.board, house), Jobs(context.data_dir)
    context.stats.update(pages=0, messages=0)
    blueprints = [page_routes(hub, ledger), *all_routes(hub, house, ledger, jobs, context.runtime_dir)]
    app = create_app(door, [*blueprints, socket_routes(hub, stop, context.stats)], context.log)
    describe(app)
    url = address(listener, settings.host)
    publish(context.runtime_dir, "web", url)
    context.log.info("serving %s", url)
    context.ready()
    server_log = context.log.getChild("server")
    server_log.setLevel(logging.WARNING)
    asyncio.get_running_loop().set_exception_handler(_tell)
    try:
        await first_of(run_server(app, listener, stop.wait, server_log), hub.run())
    finally:
        await jobs.close()


def all_routes(hub: Hub, house: House, ledger: Ledger, jobs: Jobs, runtime_dir: Path) -> list[Blueprint]:
    """Return the whole API."""
    return [
        api_routes(hub, house, ledger),
        rounds_routes(hub, ledger),
        recording_routes(ledger, jobs, house, runtime_dir),
        system_routes(ledger, house, runtime_dir),
    ]


def _tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what went wrong in a callback; but Python 3.11 also calls a connection that we cut off at stop an error."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)
