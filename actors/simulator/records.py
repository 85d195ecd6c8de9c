"""What the site remembers beyond a round: ten rounds of history, averages, the day's records, the rug pool.

Finished rounds go in; the fields of full and standard frames come out. The last ten are kept encoded too, for they make
up most of a full frame's some hundred kilobytes.
"""

import itertools
from collections import deque
from typing import Any

import msgspec

from actors.simulator.amounts import plain, sol
from actors.simulator.dice import Dice
from actors.simulator.people import PRACTICE_ADDRESS
from actors.simulator.rounds import VERSION, Secret
from actors.simulator.table import Table

HISTORY_ROUNDS = 10
AVERAGED_ROUNDS = 100
INSTARUG_TICK = 6
POOL_THRESHOLD = 10
GOD_TIERS = (50, 10, 2)
_SHITCOINS = [
    {"address": PRACTICE_ADDRESS, "ticker": "FREE", "name": "Practice SOL", "max_bet": 10000, "max_win": 100000}
]


class Records:
    """The site's memory. Mutable; owned by the game."""

    def __init__(self, dice: Dice) -> None:
        # A hundred rounds before ours, drawn from the law that peaks follow closely enough: P(peak > x) = 0.97 / x.
        self._peaks = deque([max(1.0, 0.97 / dice.between(0.002, 1)) for _ in range(AVERAGED_ROUNDS)], AVERAGED_ROUNDS)
        self.history: deque[dict[str, Any]] = deque(maxlen=HISTORY_ROUNDS)
        self._encoded: deque[bytes] = deque(maxlen=HISTORY_ROUNDS)
        self._highest: dict[str, Any] = {"highestToday": 0, "highestTodayTimestamp": 0, "highestTodayPrices": []}
        self._gods = {tier: _god_fields(tier, None, None, [], None) for tier in GOD_TIERS}
        self.instarugs = dice.whole(0, POOL_THRESHOLD - 1)
        self.pool = sol(dice.between(0.5, 6))

    def add(self, secret: Secret, table: Table, now_ms: int) -> None:
        """Take in a round that is over; from here on its seed is public."""
        prices, peak = secret.wire_prices(), secret.round.peak
        entry = {
            "id": secret.game_id,
            "timestamp": now_ms,
            "prices": prices,
            "peakMultiplier": plain(peak),
            "rugged": True,
            "globalTrades": [],
            "globalSidebets": table.sidebets,
            "provablyFair": {"serverSeed": secret.server_seed, "serverSeedHash": secret.seed_hash},
            "gameVersion": VERSION,
        }
        self.history.appendleft(entry)
        self._encoded.appendleft(msgspec.json.encode(entry))
        self._peaks.append(peak)
        self._note_records(prices, peak, now_ms)
        self._note_instarug(secret.round.rug_tick)

    def averages(self) -> dict[str, Any]:
        """Return mean peak and how many rounds of the last hundred reached 2, 10, 50 and 100 times."""
        counts = {f"count{bar}x": sum(peak >= bar for peak in self._peaks) for bar in (2, 10, 50, 100)}
        return {"averageMultiplier": sum(self._peaks) / len(self._peaks), **counts}

    def full_fields(self) -> dict[str, Any]:
        """Return what only a full frame has, in its order; the history is encoded already."""
        history = msgspec.Raw(b"[" + b",".join(self._encoded) + b"]")
        gods = self._gods[2] | self._gods[10] | self._gods[50]
        return {
            "gameHistory": history,
            **self.averages(),
            **self._highest,
            **gods,
            "availableShitcoins": _SHITCOINS,
        }

    def rugpool(self) -> dict[str, Any]:
        """Return the short rug pool of standard frames."""
        return {"instarugCount": self.instarugs, "threshold": POOL_THRESHOLD, "rugpoolAmount": sol(self.pool)}

    def drain_pool(self) -> float:
        """Empty a rug pool that has reached its threshold, and return what was in it; 0 where it has not."""
        if self.instarugs < POOL_THRESHOLD:
            return 0.0
        amount, self.pool, self.instarugs = self.pool, 0.0, 0
        return amount

    def _note_records(self, prices: list[float], peak: float, now_ms: int) -> None:
        if peak > self._highest["highestToday"]:
            self._highest = {
                "highestToday": plain(peak),
                "highestTodayTimestamp": now_ms,
                "highestTodayPrices": prices,
            }
        jump = next((pair for pair in itertools.pairwise(prices) if pair[1] == pair[0] * 10), None)
        tier = next((tier for tier in GOD_TIERS if peak >= tier), None)
        if jump and tier:
            self._gods[tier] = _god_fields(tier, plain(peak), now_ms, prices, list(jump))

    def _note_instarug(self, rug_tick: int) -> None:
        if rug_tick < INSTARUG_TICK:
            self.instarugs += 1
            self.pool += 0.5


def _god_fields(
    tier: int, peak: float | None, at_ms: int | None, prices: list[float], jump: list[float] | None
) -> dict[str, Any]:
    name = f"godCandle{tier}x"
    return {name: peak, f"{name}Timestamp": at_ms, f"{name}Prices": prices, f"{name}MassiveJump": jump}
