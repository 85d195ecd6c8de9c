"""The shell around every actor: what a process of ours does before, around and after its work.

`enter` is what the supervisor starts: it arms the lifeline, sends output to the log, loads the actor named by
`"package.module:function"`, calls it with a `Context`, and is the one place that catches: an exception is logged once
with its traceback and ends the process with code 1. An actor tells when it is ready and keeps its own loop; progress is
reported from that loop, never from a thread.
"""

import asyncio
import contextlib
import faulthandler
import importlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec

from actors.core import streams
from actors.core.bus import Bus, Outbox
from actors.core.config import Config
from actors.core.lifeline import die_with_parent
from actors.core.log import start_logging
from actors.core.loop import Loop
from actors.core.messages import Progress, Ready

CONNECT_S = 0.1  # the supervisor's socket is there in a millisecond, or the supervisor is gone
REPORT_S = 0.25  # four reports within the shortest hang limit, the captures' 1 s


class Context:
    """What an actor is given: its settings, its sockets, its log, its loop, and a way to say how it fares."""

    def __init__(self, name: str, config: Config, log: logging.Logger, *, demo: bool = False) -> None:
        self.name = name
        self.config = config
        self.demo = demo
        self.log = log
        self.runtime_dir: Path = config.runtime_path
        self.data_dir: Path = config.data_path
        self.bus = Bus(self.runtime_dir)
        self.loop = Loop()
        self.stats: dict[str, Any] = {}
        self.is_ready = False
        self._reports: Outbox[Ready | Progress] = self.bus.outbox(streams.REPORTS)
        self._async_turns = 0

    def ready(self) -> None:
        """Say that the work is being done from now on. Repeated with each report, so a lost message does no harm."""
        if not self.is_ready:
            self.is_ready = True
            self.log.info("ready")
            self._reports.wait(CONNECT_S)  # or the first word is lost and the next comes a quarter of a second later
        self.report()

    def report(self) -> None:
        """Tell the supervisor the loop's count and `stats`."""
        if self.is_ready:
            self._reports.send(Ready(actor=self.name, pid=os.getpid()))
        count = self.loop.turns + self._async_turns
        self._reports.send(Progress(actor=self.name, pid=os.getpid(), count=count, stats=self.stats))

    def run_loop(self) -> None:
        """Run the synchronous loop until SIGTERM, with progress reports."""
        self.loop.every(REPORT_S, self.report)
        self.loop.run()

    def run_async(self, main: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
        """Run `main(stop)` under asyncio; `stop` is set on SIGTERM; progress is reported from the same event loop."""
        asyncio.run(self._run_async(main))

    async def _run_async(self, main: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        reporter = asyncio.create_task(self._report_for_ever())
        try:
            await main(stop)
        finally:
            reporter.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reporter

    async def _report_for_ever(self) -> None:
        never = asyncio.Event()
        while True:
            self._async_turns += 1
            self.report()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(never.wait(), REPORT_S)

    def close(self) -> None:
        """Give everything back; unsent messages are dropped."""
        self.bus.close()
        self.loop.close()


Actor = Callable[[Context], None]


def load(start: str) -> Actor:
    """Return the function that `"package.module:function"` names.

    ImportError, AttributeError, ValueError: the string names nothing; its place is the child spec.
    """
    module_name, separator, function_name = start.partition(":")
    if not separator:
        raise ValueError(f"start is {start!r}, must be 'package.module:function'")
    function: Actor = getattr(importlib.import_module(module_name), function_name)
    return function


def enter(name: str, start: str, config: bytes, demo: bool, parent: int | None = None) -> None:
    """Be the actor `name`. Runs in the child process's main thread; ends the process.

    config: msgpack of `Config`; parent: pid that must be the parent (the fork server's), None where nobody armed it.
    """
    if parent is not None:
        die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the group; the supervisor stops us in order
    settings = msgspec.msgpack.decode(config, type=Config)
    log = start_logging(name, settings.runtime_path, settings.log)
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    code = 0
    try:
        context = Context(name, settings, log, demo=demo)
        context.loop.stop_on_sigterm()
        try:
            load(start)(context)
            log.info("stopped")
        finally:
            context.close()
    except SystemExit as exit_:
        code = exit_.code if isinstance(exit_.code, int) else 1
    except BaseException:
        log.exception("died of an error")
        code = 1
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)
