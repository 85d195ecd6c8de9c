"""The simulator as an actor: a `SimulatorServer` in the shared shell, its address published for the others.

With port 0 a restarted simulator takes the port that it had before, so that an open page finds it again.
"""

import asyncio

from actors.core.endpoints import publish, remembered_port
from actors.core.runtime import Context
from actors.simulator.server import SimulatorServer

ENDPOINT = "simulator"


def run(context: Context) -> None:
    """Serve until told to stop."""
    context.run_async(lambda stop: _serve(context, stop))


async def _serve(context: Context, stop: asyncio.Event) -> None:
    settings = context.config.simulator
    port = remembered_port(context.runtime_dir, ENDPOINT, settings.port)
    async with SimulatorServer(settings, context.log, port) as server:
        publish(context.runtime_dir, ENDPOINT, server.url)
        context.log.info("serving at %s", server.url)
        context.ready()
        await server.run_until(stop)
