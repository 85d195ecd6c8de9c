"""The round on the chart: its prices by tick, what was done in it, how it ended and whether that was fair. Pure.

Ticks, snapshots and finished rounds in; for each page, only what it does not have yet out. A finished round stays until
the next one begins. Never goes back to an older round.
"""

from typing import Any, NamedTuple

from web.rounds import PricedRound

RUNNING = ("ACTIVE", "RUGGED")


class Cursor(NamedTuple):
    """What one page has of the chart."""

    edition: int = -1
    points: int = 0
    notes: int = -1


class Chart:
    """One round, growing."""

    def __init__(self) -> None:
        self.game_id: str | None = None
        self.first_tick = 0
        self.prices: list[float | None] = []
        self.rugged = False
        self._notes: dict[str, Any] = {"trades": [], "sidebets": [], "verdict": None}
        self._edition = 0  # raised when earlier points changed: pages then take all of it again
        self._noted = 0

    def tick(self, game_id: str, tick: int, price: float, phase: str) -> bool:
        """Add a price; return True where earlier ones are missing and a snapshot should be asked for."""
        if phase not in RUNNING or (game_id == self.game_id and self.rugged):
            return False
        missed = False
        if game_id != self.game_id:
            self._begin(game_id, tick, [])
            missed = tick > 0
        index = tick - self.first_tick
        if phase == "RUGGED":
            index = max(index, len(self.prices))
            self.rugged = True
        if index < 0 or (index < len(self.prices) and self.prices[index] is not None):
            return missed
        if index < len(self.prices):
            self._edition += 1
            self.prices[index] = price
            return missed
        missed = missed or index > len(self.prices)
        self.prices += [None] * (index - len(self.prices)) + [price]
        return missed

    def adopt(self, game_id: str | None, phase: str | None, first_tick: int, prices: list[float]) -> None:
        """Take a snapshot's prices where they say more than what is here."""
        if game_id is None or phase not in RUNNING or not prices:
            return
        known = self.prices if game_id == self.game_id else []
        if first_tick + len(prices) < self.first_tick + len(known):
            return
        complete = len(known) - known.count(None)
        if game_id != self.game_id or len(prices) > complete or first_tick < self.first_tick:
            rugged = phase == "RUGGED"
            notes = self._notes if game_id == self.game_id else None
            self._begin(game_id, first_tick, list(prices))
            self.rugged = rugged
            self._notes = notes or self._notes

    def finish(self, round_: PricedRound) -> None:
        """Take the finished round: its whole price series, and the verdict. Begins it where nothing is shown yet."""
        if self.game_id not in (None, round_.game_id):
            return
        if round_.prices and (round_.prices != self.prices or self.game_id is None):
            notes = self._notes
            self._begin(round_.game_id, 0, list(round_.prices))
            self._notes = notes
        if self.game_id is None:
            return
        self.rugged = True
        self.note("verdict", {"verified": round_.verified, "reason": round_.verify_reason, "peak": round_.peak})

    def note(self, name: str, value: Any) -> None:
        """Set `trades`, `sidebets` or `verdict`."""
        if self._notes[name] != value:
            self._notes = {**self._notes, name: value}
            self._noted += 1

    def add_sidebet(self, bet: dict[str, Any]) -> None:
        """Keep a side-bet window by its first tick."""
        others = [known for known in self._notes["sidebets"] if known["start"] != bet["start"]]
        self.note("sidebets", sorted([*others, bet], key=lambda known: int(known["start"])))

    def since(self, cursor: Cursor) -> tuple[dict[str, Any] | None, Cursor]:
        """Return what a page with `cursor` lacks (None: nothing), and its new cursor."""
        now = Cursor(self._edition, len(self.prices), self._noted * 2 + self.rugged)
        if cursor == now or self.game_id is None:
            return None, cursor
        start = cursor.points if cursor.edition == now.edition else 0
        news: dict[str, Any] = {"gameId": self.game_id, "from": start, "prices": self.prices[start:]}
        if start == 0 or cursor.notes != now.notes:
            news |= {"firstTick": self.first_tick, "rugged": self.rugged, **self._notes}
        return news, now

    def _begin(self, game_id: str, first_tick: int, prices: list[float]) -> None:
        self.game_id = game_id
        self.first_tick = first_tick
        self.prices = [*prices]
        self.rugged = False
        self._notes = {"trades": [], "sidebets": [], "verdict": None}
        self._edition += 1
        self._noted += 1
