"""The state of the round that is on: what every frame is made of.

Changed by the game as time goes on, read by frames and orders. Holds no time of its own.
"""

from typing import Literal

from actors.simulator.dice import Dice
from actors.simulator.payloads import Payload
from actors.simulator.records import Records
from actors.simulator.rounds import Secret
from actors.simulator.table import Table

Phase = Literal["COOLDOWN", "PRESALE", "ACTIVE", "RUGGED"]

COOLDOWN_MS = 15_000
PRESALE_MS = 10_000


class Live:
    """The current round, its table and the site's memory. Mutable; owned by the game."""

    def __init__(self, secret: Secret, records: Records, ids: Dice) -> None:
        self.secret = secret
        self.records = records
        self.table = Table(secret.game_id, ids)
        self.timer_ms = COOLDOWN_MS
        self.tick = 0
        self.active = False
        self.rugged = False
        self.trade_count = 0  # as frames show it: the last round's until the new one runs
        self.last_price = 1.0  # at which the cooldown's leaderboard is valued
        self.connected = 200
        self.golden = False

    @property
    def phase(self) -> Phase:
        """The phase by the rules that recorders use too."""
        if self.rugged:
            return "RUGGED"
        if self.active:
            return "ACTIVE"
        return "PRESALE" if self.presale else "COOLDOWN"

    @property
    def presale(self) -> bool:
        """Whether buying before the round is open."""
        return 0 < self.timer_ms <= PRESALE_MS

    @property
    def game_id(self) -> str:
        """Id of the current round."""
        return self.secret.game_id

    @property
    def price(self) -> float:
        """The current multiplier."""
        return self.secret.round.prices[self.tick] if self.active else 1.0

    def leaderboard(self) -> list[Payload]:
        """Return the ten best: of the last round while it cools down, of the presale, of the running round."""
        if self.active:
            return self.table.leaderboard(self.price) if self.tick else []
        return self.table.leaderboard(self.last_price, with_parts=not self.presale)
