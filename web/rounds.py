"""Finished rounds as the control room shows them: from Parquet rows, and fresh ones from `game.completed` events.

`Round` has the columns of `game` but for `prices` (contract 4.8); times are Unix milliseconds, null is not known. Pure.
"""

from typing import Any

import msgspec
from msgspec import Struct

from actors.core.messages import Event
from actors.rugs.readings import integer, listing, mapping, number, text


class Round(Struct, frozen=True, kw_only=True):
    """One finished round without its prices."""

    seq: int
    ts: int
    game_id: str
    ended_at: int | None = None
    version: str | None = None
    ticks: int | None = None
    peak: float | None = None
    peak_tick: int | None = None
    rug_price: float | None = None
    server_seed: str | None = None
    server_seed_hash: str | None = None
    verified: bool | None = None
    verify_reason: str | None = None
    live_ticks: int | None = None
    missing_ticks: int | None = None
    sidebets: str | None = None  # JSON text


class PricedRound(Round, frozen=True, kw_only=True):
    """One finished round whole: `prices` from tick 0, the rug price last; null where the game did not tell."""

    prices: list[float] | None = None


COLUMNS = tuple(field.name for field in msgspec.structs.fields(Round))


def chip(round_: Round) -> dict[str, Any]:
    """Return what the list of last rounds shows of a round."""
    return {
        "id": round_.game_id,
        "seq": round_.seq,
        "endedAt": round_.ended_at if round_.ended_at is not None else round_.ts,
        "peak": round_.peak,
        "ticks": round_.ticks,
        "verified": round_.verified,
        "reason": round_.verify_reason,
        "seen": round_.live_ticks,
        "missing": round_.missing_ticks,
    }


def from_event(event: Event) -> PricedRound | None:
    """Return the round of a `game.completed` event; None where the entry has no id."""
    entry: dict[str, Any] = msgspec.json.decode(event.data)
    game_id = text(entry.get("id"), event.game_id)
    if game_id is None:
        return None
    prices = [price for price in map(number, listing(entry.get("prices"), []) or []) if price is not None]
    fair = mapping(entry.get("provablyFair")) or {}
    verified = entry.get("verified")
    return PricedRound(
        seq=event.seq,
        ts=event.ts,
        game_id=game_id,
        ended_at=integer(entry.get("timestamp")),
        version=text(entry.get("gameVersion")),
        ticks=len(prices) - 1 if prices else None,
        peak=number(entry.get("peakMultiplier"), max(prices, default=None)),
        peak_tick=prices.index(max(prices)) if prices else None,
        rug_price=prices[-1] if prices else None,
        server_seed=text(fair.get("serverSeed")),
        server_seed_hash=text(fair.get("serverSeedHash")),
        verified=verified if isinstance(verified, bool) else None,
        verify_reason=text(entry.get("verifyReason")),
        live_ticks=integer(entry.get("liveTicks")),
        missing_ticks=integer(entry.get("missingTicks")),
        sidebets=msgspec.json.encode(listing(entry.get("globalSidebets"), [])).decode(),
        prices=prices or None,
    )


def sidebet_counts(sidebets: str | None) -> tuple[int, int] | None:
    """Return (placed, won) of a round's side bets, None where they are not known."""
    if sidebets is None:
        return None
    bets = [bet for bet in listing(msgspec.json.decode(sidebets), []) or [] if isinstance(bet, dict)]
    placed = sum(bet.get("type") == "placed" for bet in bets)
    won = sum(bet.get("type") == "payout" and (number(bet.get("payout")) or 0) > 0 for bet in bets)
    return placed, won
