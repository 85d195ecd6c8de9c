"""What it costs to understand a frame, beside the bare reading of its JSON.

Run it with `python tests/benchmarks/bench_normalize.py`.

Frames are made from seeds with the sizes of the wire: ticks and countdown frames of about 4 KB, full snapshots of some
hundred KB. For each kind it prints microseconds a frame for `json.loads`, for `msgspec.json.decode` and for `derive`
(the whole way to events and rows), and the ratio of the last two; the three take turns, the fastest turn counts.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).parents[2]))

from actors.core.messages import Frame
from actors.rugs.fairness import play
from actors.rugs.normalize import Memory, derive
from tests.rugs.playbook import countdown, entry, game_of, history_entry, packet, seed_of, std

TURNS = 15
ROUND = 1
LEADERS = [
    entry(
        1000 + rank,
        id=f"did:privy:cm3x{rank:02}qk400a1l90gxv8tw5k2h",
        pnl=1.234567891 / (rank + 1),
        regularPnl=1.2345678,
        sidebetPnl=0,
        shortPnl=0,
        pnlPercent=12.3456789012,
        positionQty=0.123456789,
        avgCost=1.0123456789,
        totalInvested=0.5,
        position=rank + 1,
        sidebetActive=None,
        sideBet=None,
        shortPosition=None,
    )
    for rank in range(10)
]


def ticks() -> list[str]:
    last = min(len(play(seed_of(ROUND), game_of(ROUND)).prices) - 1, 300)
    royale: dict[str, Any] = {
        "status": "INACTIVE",
        "activeEventId": None,
        "currentEvent": None,
        "upcomingEvents": [],
        "events": [],
    }
    return [
        std(ROUND, tick, leaderboard=[{**one, "pnl": one["pnl"] * tick} for one in LEADERS], rugRoyale=royale)
        for tick in range(1, last)
    ]


def countdowns() -> list[str]:
    return [
        countdown(ROUND, timer).replace("[{", json.dumps(LEADERS)[:-1] + ",{", 1) for timer in range(14_900, 0, -100)
    ]


def snapshots() -> list[str]:
    """Full frames of one round in progress, with ten rounds of history that are known after the first."""
    bet = {"playerId": "did:privy:cm3xqk400a1l90gxv8tw5k2h", "betAmount": 0.01, "xPayout": 5, "coinAddress": "So1" * 14}
    bets = [{**bet, "type": "placed", "startedAtTick": at, "end": at + 40, "id": f"{at:032x}"} for at in range(120)]
    history = [history_entry(number, globalSidebets=bets) for number in range(20, 10, -1)]
    return [std(ROUND, tick, gameHistory=history, highestToday=tick) for tick in range(1, 30)]


def player_frames() -> list[str]:
    entries = [
        {"playerId": f"did:privy:{n}", "entries": 5000, "username": f"player_{n}", "percentage": 2.5} for n in range(20)
    ]
    return [packet("gameStatePlayerUpdate", {"gameId": game_of(ROUND), "rugpool": {"playerEntries": entries}})] * 200


def fastest(work: list[Callable[[], None]]) -> list[float]:
    """Return seconds of each one's fastest turn; they take turns, so that a noisy moment meets all."""
    best = [float("inf")] * len(work)
    for _ in range(TURNS):
        for place, one in enumerate(work):
            began = time.perf_counter()
            one()
            best[place] = min(best[place], time.perf_counter() - began)
    return best


def compare(name: str, payloads: list[str]) -> None:
    texts = [payload.encode() for payload in payloads]
    warm = msgspec.msgpack.encode(_warmed(texts[0]))
    decode = msgspec.json.Decoder().decode

    def loads() -> None:
        for text in texts:
            json.loads(text[2:])

    def bare() -> None:
        for text in texts:
            decode(text[2:])

    def whole() -> None:
        memory = msgspec.msgpack.decode(warm, type=Memory)
        for place, text in enumerate(texts):
            derive(memory, Frame(512 + 256 * place, 250_000 * place, "browser/page/1", False, 1, text))

    loads_us, bare_us, whole_us = (seconds / len(texts) * 1e6 for seconds in fastest([loads, bare, whole]))
    size = sum(map(len, texts)) / len(texts) / 1000
    print(
        f"{name:22} {size:7.1f} KB  json.loads {loads_us:8.1f} us  msgspec {bare_us:7.1f} us  derive {whole_us:7.1f} us"
        f"  = {whole_us / bare_us:4.2f} x msgspec, {1e6 / whole_us:8,.0f} frames/s"
    )


def _warmed(text: bytes) -> Memory:
    """Return the memory of a normalizer that has been running: the histories' rounds are known."""
    memory = Memory(recording=True)
    derive(memory, Frame(256, 0, "browser/page/1", False, 1, text))
    return memory


if __name__ == "__main__":
    compare("ticks", ticks())
    compare("countdown frames", countdowns())
    compare("full snapshots", snapshots())
    compare("gameStatePlayerUpdate", player_frames())
