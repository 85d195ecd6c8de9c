"""The own player's side of the live state: balance, position, side bet, profit. Pure.

In: playerUpdate's fields, own trades and side bets, the ticks that pass. Out: the player's keys of contract 4.5.
Balance and position are what the server says; own trades only tell the tick of entry, for they overtake its update.
"""

from typing import Any

from msgspec import Struct, field

from actors.rugs.readings import integer, mapping, number, text

SIDEBET_TICKS = 40
OWN_TRADES_KEPT = 200


class Wallet(Struct, kw_only=True):
    """The own player, as far as known."""

    player_id: str | None = None
    username: str | None = None
    cash: float | None = None
    bonus_balance: float | None = None
    position_qty: float | None = None
    avg_cost: float | None = None
    cumulative_pnl: float | None = None
    short: dict[str, Any] | None = None
    entry_tick: int | None = None
    entry_by_trade: bool = False  # entry_tick is a trade's own tick, not the one at which the update came
    bought_at: int | None = None  # tick of the first own buy while there was no position yet
    sidebet: dict[str, Any] | None = None
    sidebet_seen_placed: bool = False
    trades: list[dict[str, Any]] = field(default_factory=list)

    def data(self, tick: int | None, price: float | None) -> dict[str, Any]:
        """Return the player's part of the snapshot at this tick and price."""
        held = bool(self.position_qty) and self.entry_tick is not None and tick is not None
        return {
            "cash": self.cash,
            "bonusBalance": self.bonus_balance,
            "positionQty": self.position_qty,
            "avgCost": self.avg_cost,
            "entryTick": self.entry_tick,
            "timeInPosition": max(0, (tick or 0) - (self.entry_tick or 0)) if held else None,
            "unrealizedPnl": self._unrealized(price),
            "cumulativePnl": self.cumulative_pnl,
            "sidebet": self.sidebet,
            "sidebetTicksLeft": self._ticks_left(tick),
            "shortPosition": self.short,
            "playerId": self.player_id,
            "username": self.username,
            "ownTrades": self.trades,
        }

    def who(self, player_id: str | None, username: str | None) -> None:
        """Take who is logged in."""
        self.player_id = player_id or self.player_id
        self.username = username or self.username

    def state(self, update: dict[str, Any], tick: int | None) -> None:
        """Take a playerUpdate; what it leaves out is unchanged."""
        self.who(text(update.get("id")), None)
        self.cash = number(update.get("cash"), self.cash)
        self.bonus_balance = number(update.get("bonusBalance"), self.bonus_balance)
        self.avg_cost = number(update.get("avgCost"), self.avg_cost)
        self.cumulative_pnl = number(update.get("cumulativePnL"), self.cumulative_pnl)
        if "shortPosition" in update:
            self.short = mapping(update["shortPosition"])
        if "sideBet" in update:
            self._bet_by_update(mapping(update["sideBet"]), tick)
        if (qty := number(update.get("positionQty"))) is not None:
            self._position(qty, tick)

    def trade(self, trade: dict[str, Any], game_id: str | None) -> None:
        """Take a trade; others' are passed over."""
        if self.player_id is None or trade.get("playerId") != self.player_id:
            return
        if game_id is not None and text(trade.get("gameId"), game_id) != game_id:
            return
        tick, side = integer(trade.get("tickIndex")), text(trade.get("type"))
        mine = {"tick": tick, "side": side, "price": number(trade.get("price")), "amount": number(trade.get("amount"))}
        self.trades = [*self.trades, mine][-OWN_TRADES_KEPT:]
        if side != "buy" or tick is None:
            return
        if not self.position_qty:
            self.bought_at = tick if self.bought_at is None else self.bought_at
        elif not self.entry_by_trade and self.entry_tick is not None:
            self.entry_tick, self.entry_by_trade = min(tick, self.entry_tick), True

    def bet(self, bet: dict[str, Any], game_id: str | None, tick: int | None) -> None:
        """Take an own side bet as the server announced it."""
        if game_id is None or text(bet.get("gameId"), game_id) == game_id:
            self.sidebet, self.sidebet_seen_placed = _bet(bet, tick), True

    def settle(self) -> None:
        """The own side bet is over."""
        self.sidebet, self.sidebet_seen_placed = None, False

    def pass_tick(self, tick: int) -> None:
        """Forget a side bet whose window has passed: it lost."""
        left = self._ticks_left(tick, below_zero=True)
        if left is not None and left < 0:
            self.settle()

    def new_round(self) -> None:
        """No position, bet or profit outlives its round; what was never known stays unknown."""
        self.position_qty = None if self.position_qty is None else 0.0
        self.avg_cost = None if self.avg_cost is None else 0.0
        self.cumulative_pnl = None if self.cumulative_pnl is None else 0.0
        self.short, self.entry_tick, self.entry_by_trade, self.bought_at = None, None, False, None
        self.trades = []
        self.settle()

    def _position(self, qty: float, tick: int | None) -> None:
        if qty <= 0:
            self.entry_tick, self.entry_by_trade, self.bought_at = None, False, None
        elif self.position_qty == 0 or (self.bought_at is not None and not self.position_qty):
            self.entry_by_trade = self.bought_at is not None
            self.entry_tick = self.bought_at if self.entry_by_trade else tick
            self.bought_at = None
        self.position_qty = qty

    def _bet_by_update(self, bet: dict[str, Any] | None, tick: int | None) -> None:
        if bet is not None:
            self.sidebet = _bet(bet, tick)
        elif not self.sidebet_seen_placed:
            self.sidebet = None

    def _ticks_left(self, tick: int | None, *, below_zero: bool = False) -> int | None:
        end = None if self.sidebet is None else self.sidebet["endTick"]
        if end is None or tick is None:
            return None
        left: int = end - tick
        return left if below_zero else max(0, left)

    def _unrealized(self, price: float | None) -> float | None:
        if self.position_qty is None or price is None:
            return None
        cost = self.avg_cost or 0.0
        return self.position_qty * (price - cost) + _short_pnl(self.short, price)


def _bet(bet: dict[str, Any], tick: int | None) -> dict[str, Any]:
    """Return a side bet under one set of names: an update spells them otherwise than an announcement."""
    start = integer(bet.get("startTick"), integer(bet.get("startedAtTick"), tick))
    end = integer(bet.get("endTick"), integer(bet.get("end"), None if start is None else start + SIDEBET_TICKS))
    return {
        "betAmount": number(bet.get("betAmount")),
        "xPayout": number(bet.get("xPayout")),
        "startTick": start,
        "endTick": end,
        "coinAddress": text(bet.get("coinAddress")),
    }


def _short_pnl(short: dict[str, Any] | None, price: float) -> float:
    """Profit of a short: amount * (entry - price) / entry."""
    if short is None:
        return 0.0
    amount, entry = number(short.get("amount")), number(short.get("entryPrice"))
    if amount is None or not entry:
        return number(short.get("pnl")) or 0.0
    return amount * (entry - price) / entry
