"""What is looked at while the hostile page attacks: age of the newest frame, live price, processor time, memory.

A thread asks the running VECTRA four times a second, as a user's program would, and keeps only extremes. It reads
`/proc` every two seconds: the looking itself must not be what starves a small machine.
"""

import contextlib
import re
import threading
import time
from typing import Any, Self

import msgspec
import psutil
import requests

from tests.hostile.payloads import MARK, PRICE
from tests.house import House

_CHROMIUM = re.compile(r"--type=([a-z-]+)|--remote-debugging-port")
EVERY_S = 0.25
WEIGH_EVERY = 8  # looks


class Watcher:
    """Looks at a running VECTRA for the length of a with block."""

    def __init__(self, house: House, game: str) -> None:
        """game: where the game's page is; its tabs are the ones whose sockets may count."""
        self.oldest_s = 0.0
        self.looks = 0
        self.unanswered = 0
        self.forged_live: list[str] = []  # live states that showed the forger's figures
        self.targets: set[str] = set()  # CDP ids of the game's tabs and frames
        self.cpu_s: dict[str, dict[int, float]] = {}  # kind of process -> pid -> processor seconds
        self.status: dict[str, Any] = {}
        self._house = house
        self._game = game
        self._stop = threading.Event()
        self._http = requests.Session()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join(20)
        self._http.close()

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            self.looks += 1
            self._look_at_status()
            self._look_at_state()
            if self.looks % WEIGH_EVERY == 1:
                self._look_at_tabs()
                self._weigh()

    def _look_at_status(self) -> None:
        status = self._house.status()
        age_s = status["source"].get("last_frame_age_s")
        if age_s is None:
            self.unanswered += 1
            return
        self.oldest_s = max(self.oldest_s, age_s)
        self.status = status

    def _look_at_state(self) -> None:
        token = (self._house.home / "data" / "run" / "web_token").read_text().strip()
        url = f"{self.status.get('endpoints', {}).get('web')}/api/state"
        with contextlib.suppress(requests.RequestException):
            answer = self._http.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=2)
            if MARK in answer.text or f'"price":{PRICE}' in answer.text.replace(" ", ""):
                self.forged_live.append(answer.text[:300])

    def _look_at_tabs(self) -> None:
        with contextlib.suppress(requests.RequestException, msgspec.DecodeError):
            tabs = msgspec.json.decode(
                self._http.get(f"{self.status['endpoints']['cdp']}/json/list", timeout=2).content
            )
            self.targets |= {tab["id"] for tab in tabs if tab["url"].startswith(self._game)}

    def _weigh(self) -> None:
        actors = {actor["pid"]: actor["name"] for actor in self.status.get("actors", []) if actor["pid"]}
        ours = self._house.processes()  # Chromium writes over its children's environment
        found = {child.pid: child for one in ours if actors.get(one.pid) == "browser" for child in _below(one)}
        for process in {**{one.pid: one for one in ours}, **found}.values():
            with contextlib.suppress(psutil.NoSuchProcess):
                times, line = process.cpu_times(), " ".join(process.cmdline())
                kind = _CHROMIUM.search(line)
                name = actors.get(process.pid) or (f"chromium {kind[1] or 'itself'}" if kind else "supervisor")
                self.cpu_s.setdefault(name, {})[process.pid] = times.user + times.system

    def renderers_s(self, game: set[int]) -> tuple[float, float]:
        """Return processor seconds of the game's renderers, and of all others. game: their pids."""
        used = self.cpu_s.get("chromium renderer", {})
        of_game = sum(cpu_s for pid, cpu_s in used.items() if pid in game)
        return of_game, sum(used.values()) - of_game


def _below(process: psutil.Process) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.children(recursive=True)
    return []


def memory_mb(house: House) -> dict[str, tuple[int, float]]:
    """Return each actor's pid and resident memory."""
    found = {}
    for actor in house.status()["actors"]:
        with contextlib.suppress(psutil.NoSuchProcess):
            found[actor["name"]] = (actor["pid"], psutil.Process(actor["pid"]).memory_info().rss / 1e6)
    return found


def share(cpu_s: float, wall_s: float) -> str:
    """Return processor time as a share of one core."""
    return f"{cpu_s / wall_s:.0%}"


def now_s() -> float:
    """Return monotonic seconds."""
    return time.monotonic()
