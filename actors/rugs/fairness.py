"""The game's provably fair rounds: compute a round from its revealed seed, and check a recorded one against it.

In comes a server seed and a game id, or an entry of `gameHistory`; out comes the whole round, or a verdict. The
algorithm is the site's published one, versions v1 to v3, in its exact order of floating-point operations, so results
are compared with `==`. A seed is committed to by its SHA-256 before the round and revealed after it. Never raises on
what came over the wire: an entry that cannot be judged gets the verdict None and the reason.
"""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from actors.rugs.arc4 import Arc4

RUG_PROBABILITY: Final = 0.005
MAX_TICKS: Final = 5000
VERSIONS: Final = frozenset({"v1", "v2", "v3"})
_GOD_CANDLE_PROBABILITY: Final = 0.00001
_GOD_CANDLE_FACTOR: Final = 10
_GOD_CANDLE_MAX_PRICE: Final = 100
_BIG_MOVE_PROBABILITY: Final = 0.125
_BIG_MOVE_MIN: Final = 0.15
_BIG_MOVE_MAX: Final = 0.25
_DRIFT_MIN: Final = -0.02
_DRIFT_MAX: Final = 0.03
_VOLATILITY: Final = 0.005
_MAX_VOLATILITY_ROOT: Final = 10
# As literals 0.1 and 0.05 some rounds come out different in the last bit: the site subtracts at run time.
_BIG_MOVE_SPAN: Final = _BIG_MOVE_MAX - _BIG_MOVE_MIN
_DRIFT_SPAN: Final = _DRIFT_MAX - _DRIFT_MIN
_RUG_REMAINDER: Final = 1 - 0.98


class Round(Struct, frozen=True, kw_only=True):
    """One whole round as the seed determines it."""

    game_id: str
    version: str
    prices: list[float]  # from 1.0 at tick 0 to the rug price, which is the last
    peak: float  # highest price before the rug
    peak_tick: int  # the first tick with that price
    rug_tick: int  # the tick of the rug price, len(prices) - 1
    rug_price: float


class Verdict(Struct, frozen=True, kw_only=True):
    """What checking a round came to. `verified` is None where there was not enough to judge by."""

    verified: bool | None
    reason: str


def seed_hash(server_seed: str) -> str:
    """Return the commitment that the site shows for a seed: SHA-256 of the seed's text, in hex."""
    return hashlib.sha256(server_seed.encode("utf-8", "surrogatepass")).hexdigest()


def play(server_seed: str, game_id: str, version: str = "v3") -> Round:
    """Compute the round of a revealed seed.

    ValueError for a version other than v1, v2, v3. Takes about 1.3 ms for 200 ticks, at most 5000 ticks are played.
    """
    if version not in VERSIONS:
        raise ValueError(f"game version {version!r} is unknown; known are {', '.join(sorted(VERSIONS))}")
    prices = _series(Arc4(f"{server_seed}-{game_id}").random, version)
    peak = max(prices)
    rug_price = min(prices) * _RUG_REMAINDER
    return Round(
        game_id=game_id,
        version=version,
        prices=[*prices, rug_price],
        peak=peak,
        peak_tick=prices.index(peak),
        rug_tick=len(prices),
        rug_price=rug_price,
    )


def _series(draw: Callable[[], float], version: str) -> list[float]:
    """Return the prices before the rug, the opening 1.0 included."""
    price = 1.0
    prices = [price]
    has_god_candle = version == "v3"
    max_root = math.inf if version == "v1" else _MAX_VOLATILITY_ROOT
    for _ in range(MAX_TICKS):
        if draw() < RUG_PROBABILITY:
            break
        if has_god_candle and draw() < _GOD_CANDLE_PROBABILITY and price <= _GOD_CANDLE_MAX_PRICE:
            price *= _GOD_CANDLE_FACTOR
        else:
            price = max(0.0, price * (1 + _change(draw, price, max_root)))
        prices.append(price)
    return prices


def _change(draw: Callable[[], float], price: float, max_root: float) -> float:
    """Return the relative change of one ordinary tick: one in eight is a leap of 15 to 25 percent either way."""
    if draw() < _BIG_MOVE_PROBABILITY:
        size = _BIG_MOVE_MIN + draw() * _BIG_MOVE_SPAN
        return size if draw() > 0.5 else -size
    drift = _DRIFT_MIN + draw() * _DRIFT_SPAN
    volatility = _VOLATILITY * min(max_root, math.sqrt(price))
    return drift + volatility * (2 * draw() - 1)


def verify(entry: Mapping[str, Any]) -> Verdict:
    """Check one entry of `gameHistory` against its revealed seed: commitment, every price if present, and the peak."""
    fair = entry.get("provablyFair")
    seed = fair.get("serverSeed") if isinstance(fair, Mapping) else None
    game_id = entry.get("id")
    version = entry.get("gameVersion") or "v3"
    if not isinstance(seed, str) or not seed:
        return Verdict(verified=None, reason="seed missing")
    if not isinstance(game_id, str):
        return Verdict(verified=None, reason="game id missing")
    if not isinstance(version, str) or version not in VERSIONS:
        return Verdict(verified=None, reason=f"unknown game version {version}")
    expected_hash = fair.get("serverSeedHash") if isinstance(fair, Mapping) else None
    if expected_hash is not None and expected_hash != seed_hash(seed):
        return Verdict(verified=False, reason="hash differs")
    return _compare(entry, play(seed, game_id, version))


def _compare(entry: Mapping[str, Any], computed: Round) -> Verdict:
    prices, peak = entry.get("prices"), entry.get("peakMultiplier")
    has_prices = isinstance(prices, Sequence) and not isinstance(prices, str) and len(prices) > 0
    if not has_prices and peak is None:
        return Verdict(verified=None, reason="neither prices nor peak to compare")
    if has_prices:
        difference = _first_difference(prices or [], computed.prices)
        if difference is not None:
            return Verdict(verified=False, reason=difference)
    if peak is not None and peak != computed.peak:
        return Verdict(verified=False, reason="peak differs")
    return Verdict(
        verified=True, reason="matches the seed" if has_prices else "peak matches the seed, no prices to compare"
    )


def _first_difference(found: Sequence[Any], computed: Sequence[float]) -> str | None:
    for tick, (one, other) in enumerate(zip(found, computed, strict=False)):
        if one != other:
            return f"price differs at tick {tick}"
    if len(found) != len(computed):
        return f"rug tick is {len(found) - 1} instead of {len(computed) - 1}"
    return None
