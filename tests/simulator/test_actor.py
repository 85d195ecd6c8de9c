"""The actor publishes its address, says that it is ready, and comes back on the port it had."""

import asyncio
import logging
import urllib.request
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from actors.core.config import Config, Simulator
from actors.core.endpoints import lookup
from actors.core.runtime import Context
from actors.simulator.actor import run


def served_at(runtime_dir: Path, **settings: Any) -> str:
    """Run the actor until it is ready and its page was fetched from the published address; return that address."""
    found: list[str] = []
    stopping: list[asyncio.Event] = []

    def fetch() -> None:
        url = lookup(runtime_dir, "simulator")
        assert url is not None
        with urllib.request.urlopen(url, timeout=10) as answer:
            assert b"rugs" in answer.read()
        found.append(url)

    def ready() -> None:
        task = asyncio.get_running_loop().run_in_executor(None, fetch)
        task.add_done_callback(lambda _: stopping[0].set())

    def run_async(main: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
        async def whole() -> None:
            stopping.append(asyncio.Event())
            await main(stopping[0])

        asyncio.run(whole())

    config = Config(simulator=Simulator(seed="actor", **settings))
    log = logging.getLogger("test")
    context = SimpleNamespace(config=config, runtime_dir=runtime_dir, log=log, ready=ready, run_async=run_async)
    run(cast("Context", context))
    return found[0]


def test_the_address_is_published_and_kept_over_a_restart(tmp_path: Path) -> None:
    first = served_at(tmp_path)
    assert served_at(tmp_path) == first
