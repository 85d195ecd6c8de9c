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
import time
from collections.abc import Callable, Coroutine, Sequence
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
REPORTS = 2.0  # within an actor's hang limit while nothing changes: each wakes the supervisor
READY_TIMES = 5  # said so often, with the first reports: one lost message does no harm
CHANGE_S = 0.25  # changed figures travel no more often than this
ASYNC_TURN_S = 0.5  # how often asyncio's actors look at their figures
LEAST_WAIT_S = 0.002  # of a loop that waits for a moment: a poll counts whole milliseconds
HANG_S = 1.0  # the shortest limit there is, where nobody says another


class Context:
    """What an actor is given: its settings, its sockets, its log, its loop, and a way to say how it fares."""

    def __init__(
        self, name: str, config: Config, log: logging.Logger, *, demo: bool = False, hang_s: float = HANG_S
    ) -> None:
        """hang_s: the supervisor's patience with this actor; reports come well within it."""
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
        self._ready_left = READY_TIMES
        self._in_turn = 0  # 1 while the loop runs: the turn at hand counts too
        self._report_s = hang_s / REPORTS
        self._reported_s = 0.0
        self._told: dict[str, Any] = {}

    def ready(self) -> None:
        """Say that the work is being done from now on. Repeated with the next reports."""
        if not self.is_ready:
            self.is_ready = True
            self.log.info("ready")
            self._reports.wait(CONNECT_S)  # or the first word is lost and the next comes a quarter of a second later
        self.report()

    def report(self) -> None:
        """Tell the supervisor the loop's count and `stats`."""
        if self.is_ready and self._ready_left:
            self._ready_left -= 1
            self._reports.send(Ready(actor=self.name, pid=os.getpid()))
        count = self.loop.turns + self._in_turn + self._async_turns
        self._reported_s = time.monotonic()
        self._reports.send(
            Progress(actor=self.name, pid=os.getpid(), count=count, stats=self.stats, at_s=self._reported_s)
        )
        self._told = _noticeable(self.stats)

    def run_loop(self) -> None:
        """Run the synchronous loop until SIGTERM, with progress reports."""
        self.loop.each_turn(self._report_in_time)
        self._in_turn = 1
        self.loop.again()  # whatever is done in each turn is done at once
        self.loop.run()

    def _report_in_time(self) -> None:
        """Report where it is time, and see to it that the next turn comes when it will be."""
        if (wait_s := self._until_report_s()) <= 0:
            self.report()
            wait_s = self._report_s
        self.loop.again(max(wait_s, LEAST_WAIT_S))

    def _until_report_s(self) -> float:
        """Return how long the next report can wait: changed figures travel soon, the rest is a sign of life."""
        changed = self._told != _noticeable(self.stats)
        return self._reported_s + (min(CHANGE_S, self._report_s) if changed else self._report_s) - time.monotonic()

    def run_async(self, main: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
        """Run `main(stop)` under asyncio; `stop` is set on SIGTERM; progress is reported from the same event loop."""
        asyncio.run(self._run_async(main))

    def run_task(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `work()` under asyncio until it returns, or SIGTERM cancels it; the simplest shape of an actor."""

        async def main(stop: asyncio.Event) -> None:
            told = asyncio.create_task(stop.wait())
            task = asyncio.create_task(work())
            await asyncio.wait({told, task}, return_when=asyncio.FIRST_COMPLETED)
            told.cancel()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

        self.run_async(main)

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
            if self._until_report_s() <= ASYNC_TURN_S / 2:
                self.report()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(never.wait(), min(ASYNC_TURN_S, self._report_s))

    def close(self) -> None:
        """Give everything back; unsent messages are dropped."""
        self.bus.close()
        self.loop.close()


def _noticeable(stats: dict[str, Any]) -> dict[str, Any]:
    """Return the figures whose change is news; spans of time, which grow by themselves, are not."""
    return {name: value for name, value in stats.items() if not isinstance(value, float)}


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


def _loaded(start: str) -> Actor:
    """Load an actor. ImportError: it cannot be, in words that stand alone as the last line of its log."""
    try:
        return load(start)
    except (ImportError, AttributeError) as error:
        raise ImportError(f"start is {start!r}, which cannot be imported: {error}") from error


def _show_the_way(settings: Config) -> None:
    """Tell what the user's code uses, `vectra_player` and `vectra-supervisor`, which VECTRA is meant: this one."""
    os.environ["VECTRA_RUNTIME_DIR"] = str(settings.runtime_path)
    for name in ("VECTRA_BUS_EVENTS", "VECTRA_BUS_REQUESTS"):  # the endpoint files know the real ports
        os.environ.pop(name, None)


def enter(
    name: str,
    start: str,
    config: bytes,
    demo: bool,
    parent: int | None = None,
    *,
    hang_s: float = HANG_S,
    path: Sequence[str] = (),
) -> None:
    """Be the actor `name`. Runs in the child process's main thread; ends the process.

    config: msgpack of `Config`; parent: pid that must be the parent (the fork server's), None where nobody armed it;
    path: folders where `start` is looked for too, after all others, so that nothing of ours is shadowed.
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
        sys.path += path
        if any(actor.id == name for actor in settings.actors.extra):
            _show_the_way(settings)
        context = Context(name, settings, log, demo=demo, hang_s=hang_s)
        context.loop.stop_on_sigterm()
        try:
            _loaded(start)(context)
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
