"""The reliability campaign: numbered frames through all of VECTRA while its actors are killed, and then the count.

The simulator emits numbered frames to the page in a real Chromium and to a bare Socket.IO client beside it, which is
the control: it says what was sent. Actors are killed at random instants. At the end everything is stopped in order and
the numbers in Parquet are compared with the control's. `make campaign MINUTES=30 RATE=200` prints the result.
"""

import argparse
import asyncio
import contextlib
import os
import random
import re
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import socketio
from msgspec import Struct

from tests.house import House
from tests.processes import wait_for

KILLED = ("capture-a", "capture-b", "journal", "normalizer", "writer", "state", "broadcaster", "web", "pilot")
SLACK_US = 50_000  # of the clocks and of what is under way
_NUMBER = re.compile(r'^42\["load",(?:\{"__trace[^}]*\},)?\{"n":(\d+),')


class Outcome(Struct, kw_only=True):
    """What a campaign counted."""

    sent: int
    stored: int
    lost: list[int]
    doubled: int
    lost_outside_gaps: int
    gaps: list[tuple[int, int, str]]
    kills: int
    restarts: int
    ambiguous: int


class Control:
    """A bare Socket.IO client in a thread of its own: number -> when it was sent (Unix ms)."""

    def __init__(self, url: str) -> None:
        self.sent: dict[int, float] = {}
        self._url = url
        self._thread = threading.Thread(target=lambda: asyncio.run(self._listen()), daemon=True)
        self._stop = threading.Event()

    def __enter__(self) -> "Control":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join(10)

    async def _listen(self) -> None:
        client = socketio.AsyncClient()

        async def on_load(data: dict[str, float], *_: object) -> None:
            self.sent[int(data["n"])] = data["sentAt"]

        client.on("load", on_load)
        await client.connect(f"{self._url}?frontend-version=1.0", transports=["websocket"])
        await asyncio.to_thread(self._stop.wait)
        await client.disconnect()


class Killer:
    """Kills actors of a house: every `every_s` on average `at_once` of them, chosen by the dice."""

    def __init__(self, house: House, dice: random.Random, *, every_s: float, at_once: int, stop_s: float = 0.0) -> None:
        self.kills = 0
        self._house = house
        self._dice = dice
        self._every_s = every_s
        self._at_once = at_once
        self._stop_s = stop_s

    def run(self, seconds: float) -> None:
        """Kill for so long."""
        wait = threading.Event()
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            wait.wait(self._dice.uniform(0.5, 1.5) * self._every_s)
            victims = self._dice.sample(KILLED, self._at_once)
            if self._at_once == 1 and victims[0].startswith("capture"):
                self._wait_for_the_other(victims[0])
            pids = {actor["name"]: actor["pid"] for actor in self._house.status()["actors"]}
            for name in victims:
                if pids.get(name):
                    self._strike(pids[name])

    def _wait_for_the_other(self, victim: str) -> None:
        """One at a time: a capture dies when the other one, killed a moment ago perhaps, sees the browser again."""

        def attached() -> bool:
            actors = self._house.status()["actors"]
            others = [one for one in actors if one["name"].startswith("capture") and one["name"] != victim]
            return all(one["state"] == "ready" and one["stats"].get("attached") for one in others)

        wait_for(attached, 10)

    def _strike(self, pid: int) -> None:
        try:
            if self._stop_s:
                os.kill(pid, signal.SIGSTOP)
                self.kills += 1
                threading.Event().wait(self._stop_s)
                os.kill(pid, signal.SIGCONT)
            else:
                os.kill(pid, signal.SIGKILL)
                self.kills += 1
        except ProcessLookupError:
            pass  # died of an earlier blow


def received(data_dir: Path, outside: frozenset[str] = frozenset()) -> list[tuple[int, float]]:
    """Return (number, when the page received it, Unix ms) of every stored load frame, in the order of seq.

    outside: streams that do not count.
    """
    rows = duckdb.execute(
        "SELECT raw, epoch_us(ts) / 1000, stream FROM "
        f"read_parquet('{data_dir}/events_parquet/doc_type=ws_event/*/*.parquet') "
        "WHERE event_name = 'load' ORDER BY seq"
    ).fetchall()
    kept = ((raw, at_ms) for raw, at_ms, stream in rows if stream not in outside)
    return [(int(match.group(1)), at_ms) for raw, at_ms in kept if (match := _NUMBER.match(raw))]


def numbers(data_dir: Path) -> list[int]:
    """Return the number of every stored load frame, in the order of seq."""
    return [number for number, _ in received(data_dir)]


def system_events(data_dir: Path, event: str) -> list[dict[str, Any]]:
    """Return the data of every recorded system event of a kind."""
    import json

    rows = duckdb.execute(
        f"SELECT data FROM read_parquet('{data_dir}/events_parquet/doc_type=system_event/*/*.parquet') "
        "WHERE event = ? ORDER BY seq",
        [event],
    ).fetchall()
    return [json.loads(data) for (data,) in rows]


def campaign(
    home: Path, *, seconds: float, rate: float, every_s: float = 1.0, at_once: int = 1, seed: int = 1,
    stop_s: float = 0.0,
) -> Outcome:  # fmt: skip
    """Run a campaign and count. Raises nothing for losses: they are in the outcome."""
    house = House(home, {"VECTRA_SIMULATOR_RATE": str(rate), "VECTRA_RECORDING_FLUSH_S": "2"})
    try:
        house.start()
        house.wait_until(lambda status: status["source"].get("connected"))
        with Control(house.status()["endpoints"]["simulator"]) as control:
            threading.Event().wait(2.0)  # the page is in the middle of the stream when counting begins
            killer = Killer(house, random.Random(seed), every_s=every_s, at_once=at_once, stop_s=stop_s)
            killer.run(seconds)
            threading.Event().wait(2.0)
            sent = dict(control.sent)
        status = house.wait_ready(60)
        house.wait_until(lambda status: bool(status["source"].get("connected")))
        last = max(sent, default=0)  # a page on a busy machine lags behind: until it is there, nothing is lost
        wait_for(lambda: max(numbers(house.data_dir), default=0) > last, 60, every_s=1.0)
        code = house.interrupt(60)
        assert code == 0, house.said()
    finally:
        house.end()
    return count(house.data_dir, sent, killer.kills, status)


def count(
    data_dir: Path, sent: dict[int, float], kills: int, status: dict[str, Any], outside: frozenset[str] = frozenset()
) -> Outcome:
    """Compare what was sent with what is stored. outside: streams that do not count."""
    arrivals = received(data_dir, outside)
    stored = Counter(number for number, _ in arrivals)
    gaps = [(gap["from_us"], gap["to_us"], gap["cause"]) for gap in system_events(data_dir, "gap")]
    lost = sorted(set(sent) - set(stored))
    way_ms = {number: at_ms - sent[number] for number, at_ms in arrivals if number in sent}
    unexplained = [number for number in lost if not any(_within(number, sent, way_ms, a, b) for a, b, _ in gaps)]
    return Outcome(
        sent=len(sent),
        stored=len(set(sent) & set(stored)),
        lost=lost,
        doubled=sum(number - 1 for number in stored.values()),
        lost_outside_gaps=len(unexplained),
        gaps=gaps,
        kills=kills,
        restarts=sum(actor["restarts"] for actor in status["actors"]),
        ambiguous=len(system_events(data_dir, "merge")),
    )


def _within(number: int, sent: dict[int, float], way_ms: dict[int, float], from_us: int, to_us: int) -> bool:
    """Say whether a lost frame's arrival at the page can lie in a gap.

    It arrived after it was sent, as late as the last stored one before it did: on a busy machine a page lags behind.
    """
    before = next((way_ms[n] for n in range(number - 1, 0, -1) if n in way_ms), 0.0)
    earliest_us, latest_us = sent[number] * 1000, (sent[number] + max(0.0, before)) * 1000
    return latest_us >= from_us - SLACK_US and earliest_us <= to_us + SLACK_US


def main() -> int:
    """Run from the command line; exit code 1 where something was lost outside a gap, or stored twice."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=200, help="frames a second")
    parser.add_argument("--every", type=float, default=1.0, help="seconds between blows")
    parser.add_argument("--at-once", type=int, default=1, help="actors killed together")
    parser.add_argument("--stop", type=float, default=0.0, help="SIGSTOP for so many seconds instead of SIGKILL")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="an empty directory for data and logs, which stay there")
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        home = given.keep or stack.enter_context(tempfile.TemporaryDirectory())
        outcome = campaign(
            Path(home), seconds=given.minutes * 60, rate=given.rate, every_s=given.every, at_once=given.at_once,
            seed=given.seed, stop_s=given.stop,
        )  # fmt: skip
    print(
        f"sent {outcome.sent}  stored {outcome.stored}  lost {len(outcome.lost)}  doubled {outcome.doubled}  "
        f"kills {outcome.kills}  restarts {outcome.restarts}  ambiguous {outcome.ambiguous}"
    )
    print(f"gaps {len(outcome.gaps)}, lost outside a gap {outcome.lost_outside_gaps}")
    for from_us, to_us, cause in outcome.gaps:
        print(f"  gap of {(to_us - from_us) / 1e6:.3f} s: {cause}")
    return int(bool(outcome.doubled or outcome.lost_outside_gaps or (given.at_once == 1 and outcome.lost)))


if __name__ == "__main__":
    sys.exit(main())
