"""One run of the hostile-page campaign: the game, VECTRA, the hostile page beside it; then everything is counted.

The game is the simulator's process, with numbered frames and a control client that says what was sent. It and the
hostile origin are names below `localhost`, which Chromium resolves to this machine: two sites, and the pattern has the
form of the default one.
"""

import contextlib
import json
import os
import random
import re
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from actors.core import endpoints
from actors.core.config import Config, Simulator
from tests.campaign import Control, received
from tests.cdp import Tab, open_tab
from tests.hostile.counting import HostileOutcome, verdict
from tests.hostile.site import HostileOrigin, hostile_origin
from tests.hostile.watching import Watcher, memory_mb, now_s
from tests.house import House
from tests.processes import STARTS, process, wait_for

GAME_HOST = "game.localhost"
HOSTILE_HOST = "evil.localhost"
ARGS = ["--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--mute-audio"]  # fmt: skip
SCRIPTED = "[data-add='0.001']"
BURST = 1500  # presses at once on the game's page; the journal remembers 500
HOSTILE_PRESSES = 20_000
BURSTS_S = 12.0  # between two bursts of presses on the game's page
KILL_S = 4.0
PARTS = ("names", "churn", "bulk", "tiny", "polls", "packets", "impersonate", "evict", "presses", "popups")


class Attack:
    """The hostile tab, and what the campaign itself does in the browser and to the captures."""

    def __init__(self, house: House, game: str, origin: HostileOrigin, parts: Sequence[str], seed: int) -> None:
        self.pressed = 0  # on the game's page
        self.foreign_presses = 0
        self.kills = 0
        self._house = house
        self._game = game
        self._parts = parts
        self._dice = random.Random(seed)
        self._wait = threading.Event()
        place = f"{HOSTILE_HOST}:{origin.port}"
        url = f"http://{place}/?game={urlsplit(game).netloc}&here={place}&parts={','.join(parts)}"
        self._browser = Tab(self._browser_url())
        self._target = self._browser.call("Target.createTarget", url=url, background=True)["targetId"]
        self._hostile = open_tab(house.status()["endpoints"]["cdp"], f"http://{place}/")

    def _browser_url(self) -> str:
        answer = requests.get(f"{self._house.status()['endpoints']['cdp'].rstrip('/')}/json/version", timeout=10)
        return str(answer.json()["webSocketDebuggerUrl"])

    def run(self, seconds: float, *, kill: bool) -> None:
        """Go on for so long: presses, popups of a user's hand, and captures killed where that is wanted."""
        began_s = now_s()
        next_burst_s, next_kill_s = began_s + 3, began_s + KILL_S
        each = max(1, int(HOSTILE_PRESSES / max(seconds, 20) / 2))
        while now_s() < began_s + seconds:
            self._wait.wait(0.5)
            if "presses" in self._parts:
                self.foreign_presses += int(self._hostile.value(f"presses({each})"))
            if "popups" in self._parts:
                self._hostile.call("Runtime.evaluate", expression="popup()", userGesture=True)
            if "presses" in self._parts and now_s() >= next_burst_s:
                next_burst_s += BURSTS_S
                self.burst()
            if kill and now_s() >= next_kill_s:
                next_kill_s += KILL_S
                self._kill()

    def burst(self) -> None:
        """Press a button of the game's page by script, more often than anybody remembers."""
        with contextlib.closing(open_tab(self._house.status()["endpoints"]["cdp"], self._game)) as tab:
            script = f'for (let i = 0; i < {BURST}; i++) document.querySelector("{SCRIPTED}").click(); {BURST}'
            self.pressed += int(tab.value(script))

    def _kill(self) -> None:
        """SIGKILL one capture, or both at once: then sockets are opened while nobody looks."""
        names = self._dice.choice([("capture-a",), ("capture-b",), ("capture-a", "capture-b")])
        for actor in self._house.status()["actors"]:
            if actor["name"] in names and actor["pid"]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(actor["pid"], signal.SIGKILL)
                    self.kills += 1

    def close(self) -> None:
        """Close the hostile tab and all it holds."""
        self._hostile.close()
        self._browser.call("Target.closeTarget", targetId=self._target)
        self._browser.close()


@contextlib.contextmanager
def simulated_game(home: Path, rate: float) -> Iterator[str]:
    """Run the simulator as a process beside VECTRA; yield its address on this machine."""
    home.mkdir(parents=True)
    settings = Simulator(rate=rate, seed="hostile 1")
    config = Config(data_dir=str(home / "data"), runtime_dir=str(home / "run"), simulator=settings)
    with process("simulator", STARTS["simulator"], config):
        yield wait_for(lambda: endpoints.lookup(home / "run", "simulator"), 30) or ""


def settings_for(home: Path, game: str) -> dict[str, str]:
    """Return the settings of a VECTRA that records this game as it would the real one."""
    return {
        "VECTRA_SITE_URL": game,
        "VECTRA_SITE_SOCKET_PATTERN": rf"^wss?://([^/]+\.)?{re.escape(urlsplit(game).netloc)}/socket\.io/",
        "VECTRA_BROWSER_PROFILE_DIR": str(home / "profile"),
        "VECTRA_BROWSER_ARGS": json.dumps(ARGS),
        "VECTRA_RECORDING_FLUSH_S": "2",
    }


def trial(
    home: Path, *, seconds: float, rate: float, kill: bool = False, parts: Sequence[str] = PARTS, seed: int = 1
) -> HostileOutcome:
    """Run, count and judge. Raises nothing for what the page achieved: that is in the verdict."""
    with simulated_game(home / "game", rate) as local, hostile_origin() as origin:
        game = f"http://{GAME_HOST}:{urlsplit(local).port}/"
        house = House(home, settings_for(home, game), demo=False)
        try:
            return _attacked(house, game, local, origin, parts, seconds=seconds, kill=kill, seed=seed)
        except BaseException:
            print(house.said(), house.logs())
            raise
        finally:
            house.end()


def _attacked(
    house: House, game: str, local: str, origin: HostileOrigin, parts: Sequence[str], *, seconds: float, kill: bool,
    seed: int,
) -> HostileOutcome:  # fmt: skip
    house.start()
    house.wait_until(lambda status: bool(status["source"].get("connected")))
    with Control(local) as control, Watcher(house, game) as watcher:
        wait_for(lambda: len(control.sent) > 50 and watcher.targets, 30)
        before, began_s, used_s = memory_mb(house), now_s(), origin.figures()["cpu_s"]
        attack = Attack(house, game, origin, parts, seed)
        attack.run(seconds, kill=kill)
        took_s = now_s() - began_s
        after, figures = memory_mb(house), origin.figures()
        attack.close()
        threading.Event().wait(1.0)
        sent = dict(control.sent)
    status = house.wait_ready(60)
    _catch_up(house, max(sent, default=0))
    assert house.interrupt(60) == 0, house.said()
    figures["cpu_s"] -= used_s
    return verdict(
        house.data_dir, sent, watcher, status, attack=attack, figures=figures, took_s=took_s, memory=(before, after),
        killed=kill,
    )  # fmt: skip


def _catch_up(house: House, last: int) -> None:
    """Wait until the page's frames are stored up to a number; a page on a busy machine lags behind."""
    with contextlib.suppress(AssertionError):  # then they count as lost
        wait_for(lambda: max((number for number, _ in received(house.data_dir)), default=0) > last, 60, every_s=1.0)


def figures_of(found: dict[str, Any]) -> str:
    """Return figures as text."""
    return ", ".join(f"{value:g} {name}" for name, value in found.items() if name != "cpu_s")
