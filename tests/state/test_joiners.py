"""Late joiners: subscribe, take the snapshot, drop what is older, check `prev`; all end equal to the truth.

Frames go in at a capture's socket; journal, normalizer, state and broadcaster are the real processes, the joiners real
WebSockets that come one after another while a thousand frames a second go by.
"""

import asyncio
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from actors.broadcaster.envelope import SNAPSHOT_KEYS
from actors.core.bus import Bus
from actors.core.config import BusSection, Config, Feed, Monitor
from actors.core.endpoints import lookup
from tests.broadcaster.feed_client import CAP_S, Message, connect
from tests.broadcaster.stage import game_of, tick_frame
from tests.players import Capture
from tests.processes import Running, wait_for

pytestmark = pytest.mark.system

ACTORS = ("journal", "normalizer", "state", "broadcaster")
JOINERS, FRAMES, PER_S = 30, 4000, 1000
TICK_KEYS = {"tick": "tickCount", "price": "price", "phase": "phase", "cooldownMs": "cooldownTimer",
             "leaderboard": "leaderboard", "connectedPlayers": "connectedPlayers"}  # fmt: skip
PLAYER_KEYS = {"cash": "cash", "positionQty": "positionQty", "avgCost": "avgCost"}


def payload(number: int) -> bytes:
    """Return a tick, each tenth time an own balance."""
    if number % 10:
        return tick_frame(number)
    update = {"id": "did:privy:me", "cash": number / 100, "positionQty": 0, "avgCost": 0}
    return b'42["playerUpdate",' + json.dumps(update).encode() + b"]"


class View:
    """What a joiner makes of it: the snapshot, and every later event."""

    def __init__(self) -> None:
        self.seq = -1
        self.state: dict[str, Any] = {}
        self.applied = self.dropped = 0
        self.holes: list[Message] = []

    def take(self, message: Message) -> None:
        if message["type"] == "snapshot":
            self.seq, self.state = message["seq"], message["data"]
        elif "prev" in message:
            self._event(message)

    def _event(self, event: Message) -> None:
        if event["seq"] <= self.seq:
            self.dropped += 1
            return
        if event["prev"] is not None and event["prev"] > self.seq:
            self.holes.append(event)
        self.seq, self.applied = event["seq"], self.applied + 1
        keys = {"game.tick": TICK_KEYS, "player.state": PLAYER_KEYS}.get(event["type"], {})
        self.state |= {ours: event["data"][theirs] for ours, theirs in keys.items()}
        self.state["gameId"] = event["gameId"] if event["type"] == "game.tick" else self.state["gameId"]


async def join(url: str, after_s: float, is_last: Any) -> View:
    view = View()
    waiting = asyncio.Event()
    asyncio.get_running_loop().call_later(after_s, waiting.set)
    await waiting.wait()
    async with connect(url) as client:
        while not is_last(view):
            view.take(await asyncio.wait_for(client.next(), CAP_S))
    return view


class Sender(threading.Thread):
    """The capture: so many frames a second."""

    def __init__(self, settings: Config) -> None:
        super().__init__(daemon=True)
        self._settings = settings
        self.sent_s = 0.0
        self.stop = threading.Event()

    def run(self) -> None:
        bus = Bus(self._settings.runtime_path)
        capture, number, began_s = Capture(bus), 0, time.monotonic()
        while not self.stop.is_set():
            due = min(FRAMES, int((time.monotonic() - began_s) * PER_S) + 1)
            while number < due:
                number += 1
                capture.text(payload(number))
                self.sent_s = time.monotonic() - began_s
            capture.turn()
            capture.wait(0.005)
        capture.close()
        bus.close()


def test_thirty_late_joiners_under_a_thousand_updates_a_second_end_equal_to_the_truth(home: Path) -> None:
    settings = Config(
        data_dir=str(home / "data"), runtime_dir=str(home / "run"), feed=Feed(port=0), monitor=Monitor(port=0),
        bus=BusSection(events="tcp://127.0.0.1:*", requests="tcp://127.0.0.1:0"),
    )  # fmt: skip
    sender = Sender(settings)
    last = {"gameId": game_of(FRAMES - 1), "tick": json.loads(tick_frame(FRAMES - 1)[2:])[1]["tickCount"]}

    def is_last(view: View) -> bool:
        told = {key: view.state.get(key) for key in last}
        return told == last and view.state.get("cash") == FRAMES / 100

    async def play(url: str) -> list[View]:
        return await asyncio.gather(*(join(url, 0.1 * number, is_last) for number in range(JOINERS)))

    with Running(settings, *ACTORS):
        url = wait_for(lambda: lookup(settings.runtime_path, "feed"), 20) or ""
        sender.start()
        try:
            views = asyncio.run(play(url))
            truth = asyncio.run(join(url, 0.5, is_last)).state
        finally:
            sender.stop.set()
            sender.join()
    assert [view.holes for view in views] == [[]] * JOINERS
    names = [*TICK_KEYS, *PLAYER_KEYS, "gameId"]
    assert [{name: view.state[name] for name in names} for view in views] == [
        {name: truth[name] for name in names} for _ in views
    ]
    assert set(SNAPSHOT_KEYS) <= truth.keys()
    assert min(view.applied for view in views) > 0
    assert len({view.applied for view in views}) > JOINERS // 2  # they came at different times
