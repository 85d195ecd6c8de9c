"""The crowd at work: it follows its script at the table, and some of what it does is shown.

Called by the game as time goes on; returns the events that others see of it. The real site broadcasts only a sample of
trades and bets, and so do we: one trade in about eight ticks, one bet in twenty.
"""

from actors.simulator.dice import Dice
from actors.simulator.holding import Bet
from actors.simulator.live import Live
from actors.simulator.messages import Emit
from actors.simulator.payloads import Payload, bet_event
from actors.simulator.people import Person
from actors.simulator.script import Move, Moves, write_script
from actors.simulator.table import Table

TICKS_PER_TRADE_SHOWN = 8
BET_SHOWN = 0.05
TRADES_KEPT = 6


class Crowd:
    """Everyone but the own player. Mutable; owned by the game."""

    def __init__(self, live: Live, people: list[Person], dice: Dice, wire: Dice, ids: Dice) -> None:
        self._live = live
        self._people = people
        self._dice = dice
        self._wire = wire  # traces and choices of what is shown
        self._ids = ids
        self._script: Moves = {}
        self._shown: list[Payload] = []  # recent trades, one of which is shown now and then

    def open_table(self) -> None:
        """Clear the table for a new round and decide what everyone will do in it."""
        live = self._live
        live.table = Table(live.game_id, self._ids)
        self._script = write_script(self._dice, self._people, live.secret.round.rug_tick)
        self._shown = []

    def presale(self, frames_left: int, now_ms: int) -> None:
        """Make the presale's moves little by little, all that remain with no frame left."""
        waiting = self._script.get(0, [])
        for _ in range(-(-len(waiting) // (frames_left + 1))):
            self._make(waiting.pop(), now_ms)

    def tick(self, now_ms: int) -> list[Emit]:
        """Make the moves of the current tick; return what is shown of them."""
        emits = []
        for move in self._script.get(self._live.tick, ()):
            made = self._make(move, now_ms)
            if isinstance(made, Bet) and self._wire.chance(BET_SHOWN):
                event = bet_event(made, self._live.tick, self._live.price, now_ms)
                emits.append(Emit(name="newSideBet", args=(self._wire.trace(), event)))
        if self._live.tick % TICKS_PER_TRADE_SHOWN == 1:
            emits += self.show_trade()
        return emits

    def liquidated(self, trades: list[Payload]) -> None:
        """Let one of the rug's forced sales be the next trade shown."""
        self._shown = [trade for trade in trades if trade["coin"] == "solana"]

    def show_trade(self) -> list[Emit]:
        """Return one of the recent trades as an event; nothing where there was none."""
        if not self._shown:
            return []
        trade = self._wire.one_of(self._shown)
        self._shown.remove(trade)
        return [Emit(name="standard/newTrade", args=(self._wire.trace(), trade))]

    def _make(self, move: Move, now_ms: int) -> Payload | Bet | None:
        made = self._live.table.make(move, self._live.price, now_ms)
        if isinstance(made, dict) and made["coin"] == "solana":  # practice trades are not broadcast
            self._shown = [*self._shown[1 - TRADES_KEPT :], made]
        return made
