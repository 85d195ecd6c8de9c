"""What one player holds in one round: a long position averaged by quantity, at most one short, at most one side bet.

Prices and stakes go in, quantities and profits come out. Amounts are SOL (or practice tokens) rounded to nine decimals
at every step, as the game rounds them, so that money is neither made nor lost by adding up.
"""

from typing import Any

from msgspec import Struct

from actors.simulator.amounts import plain, sol
from actors.simulator.people import Person


class Bet(Struct, frozen=True, kw_only=True):
    """A side bet that is running: it wins if the rug comes at a tick in (start_tick, end_tick]."""

    person: Person
    game_id: str
    amount: float
    start_tick: int
    end_tick: int
    trace_id: str | None = None  # of the request, for the own player's


class Short(Struct, frozen=True, kw_only=True):
    """An open short: gains what the price loses."""

    amount: float
    entry_price: float
    entry_tick: int

    def profit(self, price: float) -> float:
        """Return the profit at `price`, negative for a loss, never more than the stake is lost."""
        return max(-self.amount, round(self.amount * (self.entry_price - price) / self.entry_price, 9))


class Holding:
    """One player's position, bets and profits within a round. Mutable; owned by the table."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.quantity = 0.0
        self.cost = 0.0  # what the open quantity was bought for
        self.invested = 0.0  # all stakes of this round, also those already closed
        self.realised = 0.0
        self.sidebet_profit = 0.0
        self.short_profit = 0.0
        self.short: Short | None = None
        self.bet: Bet | None = None

    def buy(self, amount: float, price: float) -> float:
        """Add to the long position for `amount`; return the quantity bought."""
        quantity = round(amount / price, 9)
        self.quantity = round(self.quantity + quantity, 9)
        self.cost = round(self.cost + amount, 9)
        self.invested = round(self.invested + amount, 9)
        return quantity

    def sell(self, fraction: float, price: float) -> tuple[float, float]:
        """Sell a fraction in (0, 1] of the long position; return the quantity sold and what it brought."""
        quantity = self.quantity if fraction >= 1 else round(self.quantity * fraction, 9)
        cost = self.cost if quantity == self.quantity else round(self.cost * quantity / self.quantity, 9)
        amount = round(quantity * price, 9)
        self.quantity = round(self.quantity - quantity, 9)
        self.cost = round(self.cost - cost, 9)
        self.realised = round(self.realised + amount - cost, 9)
        return quantity, amount

    def profits(self, price: float) -> tuple[float, float, float]:
        """Return the profits of longs, side bets and shorts, open positions valued at `price`."""
        open_long = self.quantity * price - self.cost
        open_short = self.short.profit(price) if self.short else 0.0
        return sol(self.realised + open_long), sol(self.sidebet_profit), sol(self.short_profit + open_short)

    @property
    def average_cost(self) -> float:
        """Price paid per unit of the open quantity, 0 with none."""
        return sol(self.cost / self.quantity) if self.quantity else 0

    def row(self, price: float, rank: int, *, with_parts: bool = True) -> dict[str, Any]:
        """Return this player's leaderboard row; presale rows come without the three partial profits."""
        longs, bets, shorts = self.profits(price)
        profit = longs + bets + shorts
        head = {"id": self.person.player_id, "username": self.person.username, "level": self.person.level}
        parts = {"regularPnl": longs, "sidebetPnl": bets, "shortPnl": shorts} if with_parts else {}
        percent = plain(100 * profit / self.invested) if self.invested else 0
        stakes = {
            "sidebetActive": True if self.bet else None,
            "sideBet": _bet_row(self.bet) if self.bet else None,
            "shortPosition": self._short_row(price),
        }
        tail = {
            "hasActiveTrades": True,
            "positionQty": sol(self.quantity),
            "avgCost": self.average_cost,
            "totalInvested": sol(self.invested),
            "selectedCoin": self.person.coin,
            "position": rank,
        }
        if not with_parts:
            return {**head, "pnl": plain(profit), "pnlPercent": percent, **stakes, **tail}
        return {**head, "pnl": plain(profit), **parts, **stakes, "pnlPercent": percent, **tail}

    def _short_row(self, price: float) -> dict[str, Any] | None:
        if self.short is None:
            return None
        profit = self.short.profit(price)
        return {
            "amount": sol(self.short.amount),
            "entryPrice": plain(self.short.entry_price),
            "entryTick": self.short.entry_tick,
            "currentValue": sol(self.short.amount + profit),
            "pnl": sol(profit),
            "coinAddress": self.person.coin_address,
            "bonusPortion": 0,
            "realPortion": real_portion(self.person, self.short.amount),
        }


def real_portion(person: Person, amount: float) -> float:
    """Return the part of a stake that is real money: all of it in SOL, none in practice tokens."""
    return 0 if person.practice else sol(amount)


def _bet_row(bet: Bet) -> dict[str, Any]:
    return {
        "startedAtTick": bet.start_tick,
        "gameId": bet.game_id,
        "end": bet.end_tick,
        "betAmount": sol(bet.amount),
        "xPayout": 5,
        "coinAddress": bet.person.coin_address,
        "bonusPortion": 0,
        "realPortion": real_portion(bet.person, bet.amount),
    }
