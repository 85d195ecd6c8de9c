"""The whole of VECTRA for tests and benchmarks: started by its command line, on free ports, in a fresh directory."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from supervisor.ask import CommandError, ask
from tests.processes import ROOT, wait_for

_FREE_PORTS = {
    "VECTRA_FEED_PORT": "0",
    "VECTRA_MONITOR_PORT": "0",
    "VECTRA_WEB_PORT": "0",
    "VECTRA_BUS_EVENTS": "tcp://127.0.0.1:0",
    "VECTRA_BUS_REQUESTS": "tcp://127.0.0.1:0",
    "VECTRA_BROWSER_CDP_PORT": "0",
}


class House:
    """One running VECTRA."""

    def __init__(self, home: Path, settings: dict[str, str], *, demo: bool = True) -> None:
        self.home = home
        self.data_dir = home / "data" / "demo" if demo else home / "data"
        self.env = {
            **{
                key: value
                for key, value in os.environ.items()
                if not key.startswith(("VECTRA_", "RUGS_", "FOUNDATION_"))
            },
            **_FREE_PORTS,
            "HOME": str(home),
            "RUGS_DATA_DIR": str(home / "data"),
            "VECTRA_BROWSER_HEADLESS": "true",
            **settings,
        }
        self._demo = demo
        self._daemon: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start in the foreground mode and wait until every actor is ready."""
        arguments = ["start", "--foreground", *(["--demo"] if self._demo else [])]
        with (self.home / "foreground.txt").open("ab") as output:
            self._daemon = subprocess.Popen(
                self._command(*arguments), cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True,
            )  # fmt: skip
        self.wait_ready()

    def run(self, *arguments: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """Call `vectra-supervisor ARGUMENTS` as a user would."""
        return subprocess.run(
            self._command(*arguments), cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=timeout_s, check=False,
        )  # fmt: skip

    def status(self) -> dict[str, Any]:
        """Return what `status --json` prints, asked without the command line."""
        try:
            status: dict[str, Any] = ask(self.home / "data" / "run", "status", timeout_s=5.0)
        except CommandError as error:
            return {"supervisor": {"state": str(error)}, "actors": [], "source": {}, "journal": {}, "gaps": {}}
        return status

    def actor(self, name: str) -> dict[str, Any]:
        """Return one actor's status."""
        return next(actor for actor in self.status()["actors"] if actor["name"] == name)

    def wait_ready(self, timeout_s: float = 60) -> dict[str, Any]:
        """Wait until every actor is ready; return the status."""

        def ready() -> dict[str, Any] | None:
            if self._daemon is not None and self._daemon.poll() is not None:
                raise AssertionError(f"the daemon ended: {self.said()}")
            status = self.status()
            states = {actor["state"] for actor in status["actors"]}
            return status if states == {"ready"} and status["supervisor"]["state"] == "running" else None

        return wait_for(ready, timeout_s) or {}

    def wait_until(self, condition: Callable[[dict[str, Any]], bool], timeout_s: float = 60) -> dict[str, Any]:
        """Wait until the status meets a condition; return it."""

        def met() -> dict[str, Any] | None:
            status = self.status()
            return status if condition(status) else None

        return wait_for(met, timeout_s) or {}

    def processes(self) -> list[psutil.Process]:
        """Return every live process that belongs to this house: the daemon's tree and whatever names its home."""
        found = []
        for process in psutil.process_iter(["environ"]):
            environ = process.info["environ"] or {}
            with contextlib.suppress(psutil.NoSuchProcess):
                ours = environ.get("RUGS_DATA_DIR") == str(self.home / "data")
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def said(self) -> str:
        """Return what the foreground daemon printed."""
        return (self.home / "foreground.txt").read_text(errors="replace")

    def interrupt(self, timeout_s: float = 60) -> int:
        """Ctrl-C: SIGINT to the whole process group; return the exit code."""
        assert self._daemon is not None
        os.killpg(self._daemon.pid, signal.SIGINT)
        code = self._daemon.wait(timeout_s)
        self._daemon = None
        return code

    def ended(self, timeout_s: float = 60) -> int:
        """Wait for the end of a daemon that was told to stop; return its exit code."""
        assert self._daemon is not None
        code = self._daemon.wait(timeout_s)
        self._daemon = None
        return code

    def end(self) -> None:
        """End whatever is left, by pid."""
        if self._daemon is not None and self._daemon.poll() is None:
            self._daemon.terminate()
            try:
                self._daemon.wait(20)
            except subprocess.TimeoutExpired:
                self._daemon.kill()
                self._daemon.wait(10)
        for process in self.processes():
            process.kill()

    def logs(self) -> str:
        """Return the last lines of every log, for the message of a failed test."""
        folder = self.home / "data" / "run" / "log"
        return "\n".join(f"== {path.name}\n{path.read_text(errors='replace')[-3000:]}" for path in folder.glob("*.log"))

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-P", "-c", "from vectra_player.entry import main; main()", *arguments]


@contextmanager
def house(home: Path, settings: dict[str, str] | None = None, *, demo: bool = True) -> Iterator[House]:
    """Run VECTRA for the length of a with block."""
    running = House(home, settings or {}, demo=demo)
    try:
        running.start()
        yield running
    except BaseException:
        print(running.said())
        print(running.logs())
        raise
    finally:
        running.end()
