"""The simulator's frames have the keys of recorded ones, in their order. Skipped where no recording is at hand."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from actors.simulator.game import Game

CAPTURES = Path(__file__).parents[3] / "shared" / "captures"
NOW_MS = 1_767_225_600_000

pytestmark = pytest.mark.skipif(not CAPTURES.exists(), reason="no recorded sessions at ../shared/captures")


def recorded() -> Iterable[tuple[str, Any]]:
    for name in ("2025-12-14-anonymous.jsonl.gz", "2025-12-gameStatePlayerUpdate-samples.jsonl.gz"):
        with gzip.open(CAPTURES / name, "rt") as lines:
            for line in lines:
                event, *args = json.loads(json.loads(line)["frame"][2:])
                yield event, args[-1]


def simulated() -> Iterable[tuple[str, Any]]:
    game = Game("golden", NOW_MS)
    welcome = [*game.welcome(NOW_MS), *game.handle("authenticate", ["credential"], NOW_MS).emits]
    steps = (game.step(NOW_MS) for _ in range(2000))
    for emit in [*welcome, *(emit for step in steps for emit in step.emits)]:
        event, *args = json.loads(emit.packet()[1:])
        yield event, args[-1]


def kinds(events: Iterable[tuple[str, Any]]) -> dict[tuple[str, str], list[str]]:
    """Return the key order of each kind of event: frames by shape, trades by type, everything else by name."""
    found: dict[tuple[str, str], list[str]] = {}
    for event, payload in events:
        if event == "gameStateUpdate":
            shape = "full" if "gameHistory" in payload else "minimal" if "price" not in payload else "standard"
            shape = "start" if "gameVersion" in payload and shape == "standard" else shape
            if shape == "full" and "prices" in payload:
                shape = "connect"
            found[event, shape] = list(payload)
            for row in payload["leaderboard"]:
                found["leaderboard", "whole" if "regularPnl" in row else "short"] = list(row)
            for entry in payload.get("gameHistory", []):
                found["gameHistory", ""] = list(entry)
                for bet in entry["globalSidebets"]:
                    found["globalSidebets", bet["type"] + str(bet.get("payout", 0) > 0)] = list(bet)
        elif event == "standard/newTrade":
            found[event, payload["type"]] = list(payload)
        elif event == "gameStatePlayerUpdate" and "leaderboardEntry" not in payload:
            found[event, "first" if "trades" in payload else ""] = [*payload, *payload["rugpool"]]
        elif isinstance(payload, dict):
            found[event, ""] = list(payload)
    return found


def test_keys_and_their_order_are_those_of_recorded_frames() -> None:
    real, ours = kinds(recorded()), kinds(simulated())
    compared = {kind for kind in real if kind in ours}
    assert {kind: ours[kind] for kind in compared} == {kind: real[kind] for kind in compared}
    assert {shape for name, shape in compared if name == "gameStateUpdate"} == {
        "minimal", "standard", "start", "full", "connect",
    }  # fmt: skip
    assert set(real) - compared == set()
