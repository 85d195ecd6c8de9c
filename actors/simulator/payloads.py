"""Trades and side bets as the game spells them, field for field and in its order.

The same bet has three spellings on the wire: `startedAtTick` and `end` where it was placed in the history, `startTick`
and `endTick` in its payout there, and again `startTick` and `endTick`, with a price, in the events about it.
"""

from typing import Any

from msgspec import Struct

from actors.simulator.amounts import plain, sol
from actors.simulator.holding import Bet, real_portion
from actors.simulator.people import Person

PAYOUT_FACTOR = 5
Payload = dict[str, Any]


class Fill(Struct, frozen=True, kw_only=True):
    """An executed trade, before it is spelled out."""

    trade_id: str
    game_id: str
    person: Person
    tick: int
    price: float
    amount: float
    quantity: float = 0.0


class Settlement(Struct, frozen=True, kw_only=True):
    """A side bet that has ended."""

    bet: Bet
    payout: float
    tick: int
    price: float

    @property
    def won(self) -> bool:
        """Whether it paid."""
        return self.payout > 0


def bought(fill: Fill) -> Payload:
    """Return the `standard/newTrade` of a buy."""
    return {
        **_head(fill),
        "price": plain(fill.price),
        "type": "buy",
        "qty": sol(fill.quantity),
        "tickIndex": fill.tick,
        "coin": _coin(fill.person),
        "amount": sol(fill.amount),
        "leverage": 1,
        **_portions(fill.person, fill.amount),
        **_tail(fill.person),
    }


def sold(fill: Fill) -> Payload:
    """Return the `standard/newTrade` of a sell, or of a liquidation, which looks the same."""
    return {
        **_head(fill),
        "type": "sell",
        "price": plain(fill.price),
        "tickIndex": fill.tick,
        "coin": _coin(fill.person),
        "amount": sol(fill.amount),
        "qty": sol(fill.quantity),
        **_portions(fill.person, fill.amount),
        **_tail(fill.person),
    }


def shorted(fill: Fill, kind: str) -> Payload:
    """Return the `standard/newTrade` of a short, which has neither quantity nor portions."""
    return {
        **_head(fill),
        "price": plain(fill.price),
        "type": kind,
        "qty": 0,
        "tickIndex": fill.tick,
        "coin": _coin(fill.person),
        "amount": sol(fill.amount),
        **_tail(fill.person),
    }


def placed_in_history(bet: Bet, entry_id: str, now_ms: int) -> Payload:
    """Return the entry of `globalSidebets` for a bet that was placed."""
    return {
        "playerId": bet.person.player_id,
        "username": bet.person.username,
        "gameId": bet.game_id,
        "betAmount": sol(bet.amount),
        "xPayout": PAYOUT_FACTOR,
        "coinAddress": bet.person.coin_address,
        **_portions(bet.person, bet.amount),
        "timestamp": now_ms,
        "type": "placed",
        "startedAtTick": bet.start_tick,
        "end": bet.end_tick,
        "id": entry_id,
    }


def paid_in_history(settlement: Settlement, entry_id: str, now_ms: int) -> Payload:
    """Return the entry of `globalSidebets` for a bet that ended; level and price are there for wins only."""
    bet = settlement.bet
    return {
        "playerId": bet.person.player_id,
        "gameId": bet.game_id,
        "username": bet.person.username,
        **({"level": bet.person.level} if settlement.won else {}),
        **_outcome(settlement),
        "xPayout": PAYOUT_FACTOR,
        "coinAddress": bet.person.coin_address,
        "endTick": bet.end_tick,
        "startTick": bet.start_tick,
        "tickIndex": settlement.tick if settlement.won else bet.start_tick,
        **({"price": plain(settlement.price)} if settlement.won else {}),
        "timestamp": now_ms,
        "type": "payout",
        "id": entry_id,
    }


def bet_event(bet: Bet, tick: int, price: float, now_ms: int) -> Payload:
    """Return the payload of `currentSidebet`, and of `newSideBet` for other players."""
    return {
        "playerId": bet.person.player_id,
        "gameId": bet.game_id,
        "username": bet.person.username,
        "level": bet.person.level,
        "price": plain(price),
        "betAmount": sol(bet.amount),
        "xPayout": PAYOUT_FACTOR,
        "coinAddress": bet.person.coin_address,
        "startTick": bet.start_tick,
        "endTick": bet.end_tick,
        "tickIndex": tick,
        "timestamp": now_ms,
        "type": "placed",
    }


def bet_result(settlement: Settlement, now_ms: int) -> Payload:
    """Return the payload of `currentSidebetResult`, for a loss too (payout 0)."""
    event = bet_event(settlement.bet, settlement.tick, settlement.price, now_ms)
    return {**event, **_outcome(settlement), "type": "payout"}


def _outcome(settlement: Settlement) -> Payload:
    stake = settlement.bet.amount
    return {"betAmount": sol(stake), "payout": sol(settlement.payout), "profit": sol(settlement.payout - stake)}


def _head(fill: Fill) -> Payload:
    return {"id": fill.trade_id, "gameId": fill.game_id, "playerId": fill.person.player_id}


def _tail(person: Person) -> Payload:
    return {"username": person.username, "level": person.level}


def _coin(person: Person) -> str:
    return "free" if person.practice else "solana"


def _portions(person: Person, amount: float) -> Payload:
    return {"bonusPortion": 0, "realPortion": real_portion(person, amount)}
