"""Real actor processes for tests: started as the supervisor starts them, ended by pid, whatever happens."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self, TypeVar

import msgspec

from actors.core.config import Config
from supervisor.plan import plan

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[1]
STARTS = {child.id: child.start for child in plan(Config(), demo=True)}  # actor -> where it begins, as in earnest
PIPELINE = ("journal", "normalizer", "writer", "state")  # from a captured frame to Parquet

_CHILD = """
import sys, signal
from actors.core.lifeline import die_with_parent
from actors.core.runtime import enter
name, start, config, demo, parent = sys.argv[1:]
enter(name, start, bytes.fromhex(config), demo == "1", int(parent))
"""


class Process:
    """One actor's process."""

    def __init__(self, name: str, start: str, config: Config, *, demo: bool = False, env: dict[str, str] | None = None):
        encoded = msgspec.msgpack.encode(config).hex()
        arguments = [name, start, encoded, "1" if demo else "0", str(os.getpid())]
        self.name = name
        self._popen = subprocess.Popen(
            [sys.executable, "-c", _CHILD, *arguments],
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.pid = self._popen.pid

    def signal(self, number: int) -> None:
        """Send a signal; nothing where it has ended."""
        self._popen.send_signal(number)

    @property
    def exit_code(self) -> int | None:
        """How it ended (negative: by which signal), None while it lives."""
        return self._popen.poll()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGCONT)
            self._popen.kill()
        self._popen.wait(10)

    def stop(self, timeout_s: float = 10) -> int:
        """SIGTERM, and return the exit code."""
        self._popen.terminate()
        return self._popen.wait(timeout_s)

    def wait(self, timeout_s: float = 10) -> int:
        """Wait for its end and return the exit code."""
        return self._popen.wait(timeout_s)


@contextmanager
def process(name: str, start: str, config: Config, **options: object) -> Iterator[Process]:
    """Run an actor for the length of a with block."""
    running = Process(name, start, config, **options)  # type: ignore[arg-type]
    try:
        yield running
    finally:
        running.kill()


class Running(dict[str, Process]):
    """Actors for the length of a with block, by name."""

    def __init__(self, config: Config, *names: str) -> None:
        super().__init__((name, Process(name, STARTS[name], config)) for name in names)
        self._config = config

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.values():
            process.kill()

    def replace(self, name: str) -> None:
        """SIGKILL one, and start it anew."""
        self[name].kill()
        self[name] = Process(name, STARTS[name], self._config)


def wait_for(condition: Callable[[], T], timeout_s: float = 30, every_s: float = 0.01) -> T:
    """Return the first true value of `condition()`; AssertionError after `timeout_s`, which only caps a failure."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {condition}"
        select.select([], [], [], every_s)
