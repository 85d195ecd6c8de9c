"""A real supervisor over test children, started and ended by the tests; every wait is on a descriptor or an answer."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from supervisor.ask import ask
from supervisor.procfs import start_ticks

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
LIMIT_S = 60.0


def child(name: str, start: str = "works", **more: Any) -> dict[str, Any]:
    """Return a child spec whose function is in `children.py`."""
    return {"id": name, "start": start if ":" in start else f"children:{start}", **more}


def until(what: Callable[[], Any], limit_s: float = LIMIT_S) -> Any:
    """Return the first true result of `what`; fail after `limit_s`."""
    deadline_s = time.monotonic() + limit_s
    while time.monotonic() < deadline_s:
        if result := what():
            return result
        select.select([], [], [], 0.01)
    raise AssertionError(f"not so within {limit_s} s: {what}")


def is_gone(pid: int) -> bool:
    """Say whether a process has ended."""
    return start_ticks(pid) is None


class Running:
    """One supervisor process in a session of its own."""

    def __init__(self, home: Path, children: list[dict[str, Any]], *settings: str) -> None:
        self.home = home
        self.runtime_dir = home / "run"
        order = json.dumps({"children": children, "set": list(settings)})
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(HERE / "run_daemon.py"), str(home), order, "--foreground"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"},
            start_new_session=True,
        )
        self.said = ""

    def says(self, text: str, limit_s: float = LIMIT_S) -> str:
        """Wait until the supervisor has said `text`; return all it said."""
        assert self.process.stdout is not None
        deadline_s = time.monotonic() + limit_s
        while text not in self.said:
            left_s = deadline_s - time.monotonic()
            assert left_s > 0, f"{text!r} was not said within {limit_s} s, but:\n{self.said}"
            if select.select([self.process.stdout], [], [], left_s)[0]:
                data = os.read(self.process.stdout.fileno(), 65_536)
                assert data, f"{text!r} was not said until the end, but:\n{self.said}"
                self.said += data.decode()
        return self.said

    def hear(self) -> None:
        """Take what the supervisor has said, without waiting for more."""
        assert self.process.stdout is not None
        while select.select([self.process.stdout], [], [], 0.05)[0]:
            self.said += os.read(self.process.stdout.fileno(), 65_536).decode()

    def status(self) -> dict[str, Any]:
        """Ask for the status."""
        answer: dict[str, Any] = ask(self.runtime_dir, "status", 10)
        return answer

    def actor(self, name: str) -> dict[str, Any]:
        """Ask for one actor's status."""
        found: dict[str, Any] = next(actor for actor in self.status()["actors"] if actor["name"] == name)
        return found

    def pid(self, name: str) -> int:
        """Return an actor's pid."""
        return int(self.actor(name)["pid"])

    def noted(self) -> dict[str, int]:
        """Return the pids that the supervisor noted for the next one's sweep, the fork server among them."""
        data = json.loads((self.runtime_dir / "children.json").read_bytes())
        return {name: pid for name, (pid, _) in data["children"].items()}

    def log(self, name: str) -> str:
        """Return an actor's log."""
        return (self.runtime_dir / "log" / f"{name}.log").read_text()

    def wait(self, limit_s: float = LIMIT_S) -> int:
        """Wait for the supervisor's end; return its exit code."""
        code = self.process.wait(limit_s)
        assert self.process.stdout is not None
        self.said += self.process.stdout.read().decode()
        return code

    def stop(self) -> int:
        """Stop it as Ctrl-C would; return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.wait()


@contextmanager
def running(home: Path, children: list[dict[str, Any]], *settings: str, ready: bool = True) -> Iterator[Running]:
    """Run a supervisor for the length of a block, and end it and its children whatever happens."""
    supervisor = Running(home, children, *settings)
    try:
        if ready:
            supervisor.says("is ready:")
        yield supervisor
    finally:
        if supervisor.process.poll() is None:
            supervisor.process.send_signal(signal.SIGCONT)
            supervisor.process.kill()
        supervisor.process.wait(LIMIT_S)
        assert supervisor.process.stdout is not None
        supervisor.process.stdout.close()
