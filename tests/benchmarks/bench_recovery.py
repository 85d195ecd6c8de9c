"""How long the game is out of sight when the browser dies, its page crashes, or the page is loaded again.

The whole house in its demo; every blow is struck from outside, and what is printed is read from what was recorded: from
the blow to the record that tells of it (detection), to the first frame captured again, and to the first numbered frame
of the game. Controls: the page's own reload, which nobody has to notice; and in the same run, after the house is
down, a bare Chromium with the least that can load the page. Prints p50 and p90 of each, and for Chromium's death where
the time goes, step by step.

Run: python -m tests.benchmarks.bench_recovery [rounds] [--log]
"""

import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles

import msgspec

from actors.core import endpoints
from actors.core.config import Config, Simulator
from actors.core.log import log_path
from actors.core.messages import Event
from actors.pilot.watch import STEADY_S
from tests.benchmarks.bare_chromium import ROWS as BARE_ROWS
from tests.benchmarks.bare_chromium import launch
from tests.house import House, house
from tests.processes import process, wait_for
from tests.system.blows import Sight

CAP_S = 30.0
QUIET_S = 1.5  # frames flow again for so long before the next blow
LOGS = ("browser", "capture-a", "capture-b", "pilot")
ROWS = ("detected", "frames again", "game again")
STEPS = {  # of Chromium's return, as the actors' logs tell them: milliseconds after the blow
    "captures noticed": r"detached from browser",
    "actor noticed": r"browser: Chromium ended",
    "launched again": r"Chromium started with pid",
    "port published": r"answers on port",
    "first capture attached": r"attached to browser",
    "page being loaded": r"pilot: relaunched",
}

Blow = Callable[[], float]  # strikes; returns when, Unix microseconds
Tells = Callable[[dict[str, object]], bool]  # whether a connection record tells of the blow


def out_of_sight(sight: Sight, blow: Blow, tells: Tells) -> dict[str, float]:
    """Strike; return the milliseconds to each row."""
    struck_us = blow()
    found: dict[str, float] = {}

    def done(event: Event) -> bool:
        data = msgspec.json.decode(event.data) if event.type.startswith("system.") else {}
        if event.type == "system.connection" and "detected" not in found and tells(data):
            found["detected"] = event.ts - struck_us / 1000
        elif event.type == "system.gap" and data["to_us"] > struck_us:
            found["frames again"] = (data["to_us"] - struck_us) / 1000
        elif event.type == "raw.load" and "frames again" in found:
            found["game again"] = event.ts - struck_us / 1000
        return "game again" in found

    sight.watch(done, "the game again", CAP_S)
    return found


def kill_browser(sight: Sight) -> float:
    """SIGKILL Chromium's own process; the others of it end with it."""
    struck_us = time.time_ns() / 1000
    sight.signal_browser(signal.SIGKILL)
    return struck_us


def kill_renderer(sight: Sight) -> float:
    """SIGKILL the process of the site's page."""
    struck_us = time.time_ns() / 1000
    sight.signal_renderer(signal.SIGKILL)
    return struck_us


def reload_page(sight: Sight) -> float:
    """Load the page again, over a connection of our own."""
    with sight.page() as tabs:
        struck_us = time.time_ns() / 1000
        tabs.reload()
    return struck_us


def what(*names: str) -> Tells:
    """Return whether a connection record is of one of these kinds."""
    return lambda data: data.get("what") in names


def measure(home: House, sight: Sight, rounds: int, *, log: bool) -> None:
    """Strike each blow `rounds` times and print."""
    blows: dict[str, tuple[Blow, Tells]] = {
        "page reload": (lambda: reload_page(sight), what("page navigated")),
        "renderer SIGKILL": (lambda: kill_renderer(sight), what("page crashed")),
        "Chromium SIGKILL": (lambda: kill_browser(sight), what()),
    }
    print(f"{'':20}" + "".join(f"{row + ' p50':>18}{'p90':>7}" for row in ROWS) + "   ms")
    for name, (blow, tells) in blows.items():
        taken: list[dict[str, float]] = []
        steps: list[dict[str, float]] = []
        for _ in range(rounds):
            sight.flow(STEADY_S + QUIET_S if name == "renderer SIGKILL" else QUIET_S)  # or it is slowed down
            struck_s = time.time()
            times = out_of_sight(sight, blow, tells)
            lines = logged(home, struck_s)
            if noticed := [at_ms for at_ms, line in lines if "detached from browser" in line]:
                times["detected"] = noticed[0]
            taken.append(times)
            steps.append({step: at_ms for step, words in STEPS.items() if (at_ms := first(lines, words)) is not None})
            if log:
                print(*(f"  {at_ms:6.0f} {line}" for at_ms, line in lines), sep="\n")
        print(f"{name:20}" + "".join(cell([one[row] for one in taken if row in one]) for row in ROWS), flush=True)
    print("\nChromium SIGKILL, step by step" + f"{'p50':>9}{'p90':>7}   ms after the blow")
    for step in STEPS:
        print(f"  {step:28}{cell([one[step] for one in steps if step in one]).strip():>16}")


def first(lines: list[tuple[float, str]], words: str) -> float | None:
    """Return when it was logged first: of "attached" and "detached" only the whole word counts."""
    return next((at_ms for at_ms, line in lines if re.search(rf"\b{words}", line)), None)


def control(folder: Path, rounds: int) -> None:
    """Measure a bare Chromium against a simulator of its own, and print."""
    config = Config(data_dir=str(folder), simulator=Simulator(rate=100.0))
    with process("simulator", "actors.simulator.actor:run", config):
        url = wait_for(lambda: endpoints.lookup(config.runtime_path, "simulator"))
        assert url is not None
        launch(url, folder / "profile")
        taken = [launch(url, folder / "profile") for _ in range(rounds)]
    print("\nbare Chromium, from its launch" + f"{'p50':>9}{'p90':>7}   ms after the launch")
    for row in BARE_ROWS:
        print(f"  {row:28}{cell([one[row] for one in taken]).strip():>16}")


def cell(values: list[float]) -> str:
    """Return p50 and p90."""
    if len(values) < 2:
        return f"{'-':>18}{'-':>7}"
    return f"{median(values):18.0f}{quantiles(values, n=10, method='inclusive')[-1]:7.0f}"


def logged(home: House, since_s: float) -> list[tuple[float, str]]:
    """Return what the actors around the browser logged since the blow: milliseconds after it, and the line."""
    lines = []
    for actor in LOGS:
        for line in log_path(home.home / "data" / "run", actor).read_text(errors="replace").splitlines():
            try:
                at_s = datetime.fromisoformat(line[:24].strip()).timestamp()
            except ValueError:
                continue
            if at_s >= since_s - 0.001:
                lines.append(((at_s - since_s) * 1000, line[24:140]))
    return sorted(lines)


def main() -> None:
    """Measure."""
    rounds = next((int(word) for word in sys.argv[1:] if word.isdecimal()), 10)
    settings = {"VECTRA_SIMULATOR_RATE": "100", "VECTRA_SUPERVISOR_INTENSITY": "1000"}
    with tempfile.TemporaryDirectory() as folder, house(Path(folder), settings) as home:
        sight = Sight(home)
        try:
            measure(home, sight, rounds, log="--log" in sys.argv)
        finally:
            sight.close()
    with tempfile.TemporaryDirectory() as folder:
        control(Path(folder), rounds)
    print(f"\n{rounds} rounds each; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


if __name__ == "__main__":
    main()
