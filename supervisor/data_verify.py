"""Recorded rounds against their revealed seeds: a verdict and its reason for each, from the stored data alone.

In: the database over a data directory, a game id or all. Out: one `Verdict` a round, in the order
in which they were recorded. A round is good when its seed hashes to the commitment and reproduces every price, the
peak, the tick and the price of the rug, and when all of its live ticks have these prices too. What was found wrong when
it was recorded stays wrong.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from msgspec import Struct

from actors.rugs import fairness
from supervisor.data_query import ReadOnlyDatabase

_ROUNDS = """
SELECT game_id, ended_at, version, ticks, peak, rug_price, prices, server_seed, server_seed_hash, verified,
       verify_reason FROM game
"""
_DIFFERING = """
SELECT game.game_id, min(tick) FROM game_tick JOIN game USING (game_id)
WHERE origin = 'live' AND phase IN ('ACTIVE', 'RUGGED') AND tick < len(prices) AND price <> prices[tick + 1]
"""


class Verdict(Struct, frozen=True, kw_only=True):
    """What checking a stored round came to; `verified` is None where there was not enough to judge by."""

    game_id: str
    ended_at: datetime | None
    ticks: int | None
    peak: float | None
    verified: bool | None
    reason: str


def verdicts(database: ReadOnlyDatabase, game_id: str | None = None) -> Iterator[Verdict]:
    """Yield the verdicts on one round (none where it is not recorded) or, without an id, on all."""
    chosen = ("", ()) if game_id is None else (" {} game.game_id = ?", (game_id,))
    differing = dict(database.rows(_DIFFERING + chosen[0].format("AND") + " GROUP BY game.game_id", *chosen[1]))
    for row in database.rows(_ROUNDS + chosen[0].format("WHERE"), *chosen[1]):
        yield judge(row, differing.get(row[0]))


def judge(row: tuple[Any, ...], differing_tick: int | None) -> Verdict:
    """Return the verdict on a row of `_ROUNDS`. differing_tick: the first live tick with another price."""
    game_id, ended_at, version, ticks, peak, rug_price, prices, seed, seed_hash, verified, reason = row
    entry = {
        "id": game_id, "gameVersion": version, "prices": prices, "peakMultiplier": peak,
        "provablyFair": {"serverSeed": seed, "serverSeedHash": seed_hash},
    }  # fmt: skip
    found = fairness.verify(entry)
    if found.verified:
        if prices and (ticks, rug_price) != (len(prices) - 1, prices[-1]):
            found = fairness.Verdict(verified=False, reason="tick or price of the rug differs from the prices")
        elif differing_tick is not None:
            found = fairness.Verdict(verified=False, reason=f"live price differs at tick {differing_tick}")
        elif verified is False:
            found = fairness.Verdict(verified=False, reason=f"when it was recorded: {reason}")
    return Verdict(
        game_id=game_id, ended_at=ended_at, ticks=ticks, peak=peak, verified=found.verified, reason=found.reason
    )
