"""The own player's orders: buy, sell, side bet; and what the rug makes of them.

An order's name and arguments go in, a `Reply` comes out: events in the game's order, then the acknowledgement. Orders
are executed at once, at the price of the current tick. Whatever a client sends, it gets an answer and nothing breaks;
an order that cannot be done is refused with `{"success": false, "message": …}`.
"""

from collections.abc import Sequence
from typing import Any, Final

from actors.simulator.account import Account
from actors.simulator.dice import Dice
from actors.simulator.live import Live
from actors.simulator.messages import Emit, Reply
from actors.simulator.payloads import PAYOUT_FACTOR, Payload, Settlement, bet_event, bet_result
from actors.simulator.people import SOL_ADDRESS

ORDER_NAMES: Final = frozenset({"buyOrder", "sellOrder", "requestSidebet"})
MIN_STAKE: Final = 0.001
MAX_SIDEBET: Final = 5.0


class OrderRefusedError(ValueError):
    """The order cannot be done; the text is for the player. Caught in `Orders.handle`, becomes the acknowledgement."""


class Orders:
    """Executes orders against the account and the table of the live round; owns the fills of the presale."""

    def __init__(self, live: Live, account: Account, dice: Dice) -> None:
        self._live = live
        self._account = account
        self._dice = dice
        self._presale_fills: list[Emit] = []

    def handle(
        self, name: str, args: Sequence[Any], trace_id: str | None, now_ms: int, *, authenticated: bool
    ) -> Reply:
        """Execute one of `ORDER_NAMES`. args: without the leading trace."""
        payload = args[0] if args and isinstance(args[0], dict) else {}
        try:
            if not authenticated:
                raise OrderRefusedError("Log in first")
            if name == "buyOrder":
                return self._buy(payload, trace_id)
            if name == "sellOrder":
                return self._sell(payload, trace_id)
            return self._sidebet(payload, trace_id, now_ms)
        except OrderRefusedError as refusal:
            return Reply(ack={"success": False, "message": str(refusal)})

    def take_presale_fills(self) -> list[Emit]:
        """Return the trades of the presale, which the game broadcasts only once the round runs."""
        fills, self._presale_fills = self._presale_fills, []
        return fills

    def settle(self, settled: list[Settlement], now_ms: int) -> list[Emit]:
        """Pay out those of the settled side bets that are the own player's, and tell it."""
        emits = []
        for settlement in settled:
            if settlement.bet.person != self._account.person:
                continue
            self._account.receive(settlement.payout)
            trace, result = self._dice.trace(settlement.bet.trace_id), bet_result(settlement, now_ms)
            emits.append(Emit(name="currentSidebetResult", args=(trace, result), audience="player"))
            emits.append(self.player_update())
        return emits

    def liquidated(self, trades: list[Payload]) -> list[Emit]:
        """Pay out what the rug left of the own position, and tell the player. trades: only its own."""
        for trade in trades:
            self._account.receive(trade["amount"])
        sales = [self._trade(trade, None) for trade in trades]
        return [*sales, self.player_update()] if trades else []

    def player_update(self) -> Emit:
        """Return `playerUpdate`."""
        return Emit(name="playerUpdate", args=(self._account.update(self._live),), audience="player")

    def _buy(self, payload: Payload, trace_id: str | None) -> Reply:
        amount = self._stake(payload)
        self._check_open()
        live = self._live
        self._account.pay(amount)
        emit = self._trade(live.table.buy(self._account.person, amount, live.tick, live.price), trace_id)
        if live.presale:
            self._presale_fills.append(emit)
            return self._done()
        return self._done(emit)

    def _sell(self, payload: Payload, trace_id: str | None) -> Reply:
        live = self._live
        if live.phase != "ACTIVE":
            raise OrderRefusedError("Presale orders are irrevocable" if live.presale else "The round is over")
        percentage = _number(payload.get("percentage", 100))
        if not 0 < percentage <= 100:
            raise OrderRefusedError("Percentage must be above 0 and at most 100")
        trade = live.table.sell(self._account.person, percentage / 100, live.tick, live.price)
        if trade is None:
            raise OrderRefusedError("No position to sell")
        self._account.receive(trade["amount"])
        return self._done(self._trade(trade, trace_id))

    def _sidebet(self, payload: Payload, trace_id: str | None, now_ms: int) -> Reply:
        live, amount = self._live, self._stake(payload)
        if amount > MAX_SIDEBET:
            raise OrderRefusedError(f"A side bet is at most {MAX_SIDEBET:g} SOL")
        if payload.get("xPayout", PAYOUT_FACTOR) != PAYOUT_FACTOR:
            raise OrderRefusedError(f"A side bet pays {PAYOUT_FACTOR} times")
        if payload.get("coinAddress", SOL_ADDRESS) != SOL_ADDRESS:
            raise OrderRefusedError("Only SOL is played here")
        self._check_open()
        bet = live.table.place_bet(self._account.person, amount, live.tick, now_ms, trace_id)
        if bet is None:
            raise OrderRefusedError("A side bet is running already")
        self._account.pay(amount)
        event = bet_event(bet, live.tick, live.price, now_ms)
        placed = Emit(name="currentSidebet", args=(self._dice.trace(trace_id), event), audience="player")
        return self._done(placed, message="Side bet placed", sidebet=event)

    def _done(self, *emits: Emit, **details: Any) -> Reply:
        frame = Emit(name="gameStatePlayerUpdate", args=(self._account.frame(self._live),), audience="player")
        return Reply(emits=[*emits, self.player_update(), frame], ack={"success": True, **details})

    def _stake(self, payload: Payload) -> float:
        amount = round(_number(payload.get("amount")), 9)
        if amount < MIN_STAKE:
            raise OrderRefusedError(f"The least amount is {MIN_STAKE:g} SOL")
        if amount > self._account.cash:
            raise OrderRefusedError("Insufficient balance")
        return amount

    def _check_open(self) -> None:
        if not (self._live.presale or self._live.phase == "ACTIVE"):
            raise OrderRefusedError("Closed until the presale opens")

    def _trade(self, trade: Payload, trace_id: str | None) -> Emit:
        return Emit(name="standard/newTrade", args=(self._dice.trace(trace_id), trade))


def split_trace(args: Sequence[Any]) -> tuple[str | None, Sequence[Any]]:
    """Take a leading trace object off a request's arguments; return its 32-digit trace id, None where there is none."""
    if not args or not isinstance(args[0], dict) or not args[0].get("__trace"):
        return None, args
    parts = str(args[0].get("traceparent", "")).split("-")
    trace_id = parts[1] if len(parts) == 4 and len(parts[1]) == 32 and parts[1].isalnum() else None
    return trace_id, args[1:]


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e9 < value < 1e9:
        raise OrderRefusedError("The amount must be a number")
    return float(value)
