"""What goes on around the rounds: chat, visitors, golden hours, drawings, and the greeting of a new client.

Called by the game with each step's length; returns events. Independent of the rounds: other dice.
"""

from typing import Any

from actors.simulator import frames, social
from actors.simulator.dice import Dice
from actors.simulator.live import Live
from actors.simulator.messages import Emit
from actors.simulator.people import Person, chat_message

CHAT_EVERY_S = 8.0
GOLDEN_EVERY_S = 15.0
BATTLE_EVERY_S = 60.0
VISITORS = (120, 320)


class Surroundings:
    """The site around the game. Mutable; owned by the game."""

    def __init__(self, live: Live, people: list[Person], dice: Dice, own: Dice) -> None:
        self._live = live
        self._people = people
        self._dice = dice
        self._own = own  # for what a client causes: its coming and going must not move the game's luck
        self._until_golden_s = GOLDEN_EVERY_S
        self._until_battle_s = BATTLE_EVERY_S

    def pass_time(self, seconds: float, now_ms: int) -> list[Emit]:
        """Return what happens in so many seconds of game time."""
        live, dice, emits = self._live, self._dice, []
        if dice.chance(0.1):
            live.connected = max(VISITORS[0], min(VISITORS[1], live.connected + dice.whole(-3, 3)))
        if dice.chance(seconds / CHAT_EVERY_S):
            emits.append(self._traced("newChatMessage", chat_message(dice, self._people, now_ms)))
        self._until_golden_s -= seconds
        self._until_battle_s -= seconds
        if self._until_golden_s <= 0:
            self._until_golden_s += GOLDEN_EVERY_S
            emits.append(self._traced("goldenHourUpdate", social.golden_hour(golden=live.golden)))
        if self._until_battle_s <= 0:
            self._until_battle_s += BATTLE_EVERY_S
            emits.append(self._traced("battleEventUpdate", social.battle()))
        return emits

    def drawings(self, now_ms: int) -> list[Emit]:
        """Return the raffle of a golden round, and that of the rug pool when it is full."""
        live, dice, emits = self._live, self._dice, []
        if live.golden:
            drawing = social.golden_drawing(dice, self._people[:80], live.game_id, now_ms)
            emits.append(self._traced("goldenHourDrawing", drawing))
        amount = live.records.drain_pool()
        if amount:
            winners = [{"playerId": person.player_id, "username": person.username} for person in self._people[:3]]
            pool = {"timestamp": now_ms, "winners": winners, "totalPoolAmount": amount}
            emits.append(self._traced("rugpoolDrawing", pool))
        return emits

    def welcome(self, now_ms: int) -> list[Emit]:
        """Return what every client gets on connecting: the full frame, then what goes on around the game."""
        frame = frames.full(self._live, on_connect=True)
        return [
            Emit(name="gameStateUpdate", args=(frame,), audience="sender"),
            *self.events(now_ms, self._own.hexadecimal(32)),
            self._traced("maintenanceUpdate", social.maintenance(), to_sender=True),
        ]

    def events(self, now_ms: int, trace_id: str | None) -> list[Emit]:
        """Return the state of all special events, in the order in which the game tells it."""
        return [
            self._traced("goldenHourUpdate", social.golden_hour(golden=self._live.golden), trace_id, to_sender=True),
            self._traced("battleEventUpdate", social.battle(), trace_id, to_sender=True),
            Emit(name="rugRoyaleUpdate", args=(social.royale(self._people, now_ms),), audience="sender"),
            self._traced("sidebetEventUpdate", social.sidebet_contest(self._people, now_ms), trace_id, to_sender=True),
            self._traced("battleEventUpdate", social.battle(), trace_id, to_sender=True),
        ]

    def _traced(self, name: str, payload: Any, trace_id: str | None = None, *, to_sender: bool = False) -> Emit:
        if to_sender:
            return Emit(name=name, args=(self._own.trace(trace_id), payload), audience="sender")
        return Emit(name=name, args=(self._dice.trace(), payload))
