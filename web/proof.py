"""A round's fairness, step by step: what the seed determines, and what was recorded, tick by tick. Pure.

In: a finished round with its revealed seed. Out: the commitment, the numbers drawn for each tick, what they decided,
and the price that follows, beside the recorded one. The prices are computed by `actors.rugs.fairness`, the same code
that verifies; the draws are drawn again here to show them.
"""

from collections.abc import Callable, Iterator
from typing import Literal

from msgspec import Struct

from actors.rugs.arc4 import Arc4
from actors.rugs.fairness import RUG_PROBABILITY, VERSIONS, play, seed_hash
from web.rounds import PricedRound

GOD_CANDLE = 0.00001  # v3: below it the price is multiplied by ten
BIG_MOVE = 0.125  # below it the price leaps by 15 to 25 percent, either way
HIGHEST_GOD = 100.0

Decision = Literal["begin", "rug", "god candle", "leap", "drift"]


class Tick(Struct, frozen=True, kw_only=True):
    """One tick of the computation."""

    tick: int
    draws: list[float]
    decision: Decision
    price: float
    recorded: float | None
    same: bool | None  # null where nothing was recorded to compare


class Check(Struct, frozen=True, kw_only=True):
    """One thing that was compared."""

    name: str
    expected: str
    found: str
    same: bool | None


class Proof(Struct, frozen=True, kw_only=True):
    """The whole computation; `why` says what is missing where there is none."""

    game_id: str
    verified: bool | None
    reason: str | None
    why: str | None
    version: str | None
    random_seed: str | None  # the text that the random numbers come from
    checks: list[Check]
    ticks: list[Tick]
    rug_probability: float = RUG_PROBABILITY


def proof(round_: PricedRound) -> Proof:
    """Return the computation of a round."""
    version = round_.version or "v3"
    why = _missing(round_, version)
    if why is not None:
        return Proof(
            game_id=round_.game_id, verified=round_.verified, reason=round_.verify_reason, why=why,
            version=round_.version,
            random_seed=None, checks=[], ticks=[],
        )  # fmt: skip
    seed = round_.server_seed or ""
    computed = play(seed, round_.game_id, version)
    ticks = list(_ticks(seed, round_.game_id, version, computed.prices, round_.prices or []))
    return Proof(
        game_id=round_.game_id, verified=round_.verified, reason=round_.verify_reason, why=None, version=version,
        random_seed=f"{seed}-{round_.game_id}",
        checks=_checks(round_, seed_hash(seed), computed.peak, computed.rug_tick, ticks), ticks=ticks,
    )  # fmt: skip


def _missing(round_: PricedRound, version: str) -> str | None:
    if not round_.server_seed:
        return "The game has not shown this round's seed, so nothing can be computed."
    if version not in VERSIONS:
        return f"The algorithm {version} is not known here; known are {', '.join(sorted(VERSIONS))}."
    return None


def _checks(round_: PricedRound, hashed: str, peak: float, rug_tick: int, ticks: list[Tick]) -> list[Check]:
    prices = round_.prices
    differing = [one.tick for one in ticks if one.same is False]
    recorded_tick = len(prices) - 1 if prices else None
    return [
        Check(
            name="Commitment: SHA-256 of the seed", expected=round_.server_seed_hash or "–", found=hashed,
            same=hashed == round_.server_seed_hash if round_.server_seed_hash else None,
        ),
        Check(
            name="Tick of the rug", expected="–" if recorded_tick is None else str(recorded_tick), found=str(rug_tick),
            same=None if recorded_tick is None else recorded_tick == rug_tick,
        ),
        Check(
            name="Peak", expected="–" if round_.peak is None else repr(round_.peak), found=repr(peak),
            same=None if round_.peak is None else round_.peak == peak,
        ),
        Check(
            name="Prices", expected=f"{len(prices)} recorded" if prices else "–",
            found=f"first difference at tick {differing[0]}" if differing else "all equal" if prices else "–",
            same=None if not prices else not differing and recorded_tick == rug_tick,
        ),
    ]  # fmt: skip


def _ticks(seed: str, game_id: str, version: str, prices: list[float], recorded: list[float]) -> Iterator[Tick]:
    draw = Arc4(f"{seed}-{game_id}").random
    for tick, price in enumerate(prices):
        drawn, decision = ([], "begin") if tick == 0 else _decide(draw, version, prices[tick - 1])
        seen = recorded[tick] if tick < len(recorded) else None
        yield Tick(
            tick=tick, draws=drawn, decision=decision, price=price, recorded=seen,
            same=None if seen is None else seen == price,
        )  # fmt: skip


def _decide(draw: Callable[[], float], version: str, before: float) -> tuple[list[float], Decision]:
    """Draw as the algorithm does for one tick; the order of the draws is part of it."""
    drawn = [draw()]
    if drawn[0] < RUG_PROBABILITY:
        return drawn, "rug"
    if version == "v3":
        drawn.append(draw())
        if drawn[1] < GOD_CANDLE and before <= HIGHEST_GOD:
            return drawn, "god candle"
    drawn.append(draw())
    decision: Decision = "leap" if drawn[-1] < BIG_MOVE else "drift"
    drawn += [draw(), draw()]
    return drawn, decision
