"""The table of one round: everyone's holdings, the trades and side bets made, and the leaderboard.

Moves and orders go in with a tick and a price; payloads of trades and side bets come out. Knows no phases: the game
says when something may be done, the table does it.
"""

from actors.simulator.dice import Dice
from actors.simulator.holding import Bet, Holding, Short
from actors.simulator.payloads import (
    PAYOUT_FACTOR,
    Fill,
    Payload,
    Settlement,
    bought,
    paid_in_history,
    placed_in_history,
    shorted,
    sold,
)
from actors.simulator.people import Person
from actors.simulator.script import SIDEBET_TICKS, Move

LEADERBOARD_ROWS = 10


class Table:
    """Holdings, trades and side bets of the round `game_id`. Mutable; owned by the game."""

    def __init__(self, game_id: str, dice: Dice) -> None:
        self.game_id = game_id
        self.trade_count = 0
        self.sidebets: list[Payload] = []  # the history's globalSidebets, in the order of events
        self._dice = dice
        self._holdings: dict[str, Holding] = {}

    def holding(self, person: Person) -> Holding:
        """Return what the person holds, an empty holding where there is none yet."""
        return self._holdings.setdefault(person.player_id, Holding(person))

    def buy(self, person: Person, amount: float, tick: int, price: float) -> Payload:
        """Buy, and return the trade's payload."""
        quantity = self.holding(person).buy(amount, price)
        return bought(self._fill(person, tick, price, amount, quantity))

    def sell(self, person: Person, fraction: float, tick: int, price: float) -> Payload | None:
        """Sell a part of the position, and return the trade's payload; None where there is nothing to sell."""
        holding = self.holding(person)
        if not holding.quantity:
            return None
        quantity, amount = holding.sell(fraction, price)
        return sold(self._fill(person, tick, price, amount, quantity))

    def open_short(self, person: Person, amount: float, tick: int, price: float) -> Payload | None:
        """Open a short, and return the trade's payload; None where one is open."""
        holding = self.holding(person)
        if holding.short:
            return None
        holding.short = Short(amount=amount, entry_price=price, entry_tick=tick)
        holding.invested = round(holding.invested + amount, 9)
        return shorted(self._fill(person, tick, price, amount), "short_open")

    def close_short(self, person: Person, tick: int, price: float) -> Payload | None:
        """Close the short, and return the trade's payload; None where none is open."""
        holding = self.holding(person)
        if holding.short is None:
            return None
        short, holding.short = holding.short, None
        profit = short.profit(price)
        holding.short_profit = round(holding.short_profit + profit, 9)
        return shorted(self._fill(person, tick, price, short.amount + profit), "short_close")

    def place_bet(
        self, person: Person, amount: float, tick: int, now_ms: int, trace_id: str | None = None
    ) -> Bet | None:
        """Start a side bet; None where one is running."""
        holding = self.holding(person)
        if holding.bet:
            return None
        end = tick + SIDEBET_TICKS
        bet = Bet(person=person, game_id=self.game_id, amount=amount, start_tick=tick, end_tick=end, trace_id=trace_id)
        holding.bet = bet
        holding.invested = round(holding.invested + amount, 9)
        self.sidebets.append(placed_in_history(bet, self._dice.unique_id(), now_ms))
        return bet

    def settle(self, tick: int, price: float, now_ms: int, *, rugged: bool) -> list[Settlement]:
        """End the side bets that `tick` decides: a rug in a bet's window wins it, its end without a rug loses it."""
        decided = [
            holding for holding in self._holdings.values() if holding.bet and (rugged or tick >= holding.bet.end_tick)
        ]
        return [self._settle(holding, tick, price, now_ms, rugged=rugged) for holding in decided]

    def liquidate(self, tick: int, price: float) -> list[Payload]:
        """Close every position at the rug, and return the trades."""
        people = [holding.person for holding in self._holdings.values()]
        longs = [self.sell(person, 1, tick, price) for person in people]
        shorts = [self.close_short(person, tick, price) for person in people]
        return [trade for trade in longs + shorts if trade]

    def make(self, move: Move, price: float, now_ms: int) -> Payload | Bet | None:
        """Do what the script says; None where it could not be done."""
        match move.kind:
            case "buy":
                return self.buy(move.person, move.amount, move.tick, price)
            case "sell":
                return self.sell(move.person, move.fraction, move.tick, price)
            case "short_open":
                return self.open_short(move.person, move.amount, move.tick, price)
            case "short_close":
                return self.close_short(move.person, move.tick, price)
            case "sidebet":
                return self.place_bet(move.person, move.amount, move.tick, now_ms)

    def leaderboard(self, price: float, *, with_parts: bool = True) -> list[Payload]:
        """Return the rows of the best ten by profit."""
        best = self._ranking(price)[:LEADERBOARD_ROWS]
        return [holding.row(price, rank, with_parts=with_parts) for rank, holding in enumerate(best, 1)]

    def own_row(self, person: Person, price: float) -> Payload | None:
        """Return the person's row with its true rank, None for one who has staked nothing this round."""
        holding = self._holdings.get(person.player_id)
        if holding is None or not holding.invested:
            return None
        return holding.row(price, self._ranking(price).index(holding) + 1)

    def _ranking(self, price: float) -> list[Holding]:
        active = [holding for holding in self._holdings.values() if holding.invested]
        return sorted(active, key=lambda holding: -sum(holding.profits(price)))

    def _fill(self, person: Person, tick: int, price: float, amount: float, quantity: float = 0.0) -> Fill:
        self.trade_count += 1
        return Fill(
            trade_id=self._dice.unique_id(),
            game_id=self.game_id,
            person=person,
            tick=tick,
            price=price,
            amount=amount,
            quantity=quantity,
        )

    def _settle(self, holding: Holding, tick: int, price: float, now_ms: int, *, rugged: bool) -> Settlement:
        bet = holding.bet
        if bet is None:
            raise RuntimeError(f"{holding.person.player_id} has no side bet to settle")
        payout = round(bet.amount * PAYOUT_FACTOR, 9) if rugged and tick <= bet.end_tick else 0.0
        holding.bet = None
        holding.sidebet_profit = round(holding.sidebet_profit + payout - bet.amount, 9)
        settlement = Settlement(bet=bet, payout=payout, tick=tick, price=price)
        self.sidebets.append(paid_in_history(settlement, self._dice.unique_id(), now_ms))
        return settlement
