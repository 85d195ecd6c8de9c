"""The sequence of rounds: fresh server seeds and game ids, each played out by the published algorithm.

With a fixed seed the same rounds come in the same order; their ids then bear a fixed date, since the date is part of
what determines the prices. Without one the date is the day of play, as on the real site.
"""

from datetime import UTC, datetime

from msgspec import Struct

from actors.rugs.fairness import Round, play, seed_hash
from actors.simulator.amounts import plain
from actors.simulator.dice import Dice

SEEDED_DATE = "20260101"
VERSION = "v3"


class Secret(Struct, frozen=True, kw_only=True):
    """A round and the seed it comes from; the seed is shown only once the round is over."""

    server_seed: str
    seed_hash: str
    round: Round

    @property
    def game_id(self) -> str:
        """The round's id, `YYYYMMDD-<16 hex>`."""
        return self.round.game_id

    def wire_prices(self, ticks: int | None = None) -> list[float]:
        """Return the series as the wire shows it, up to and including tick `ticks`, by default all."""
        prices = self.round.prices if ticks is None else self.round.prices[: ticks + 1]
        return [plain(price) for price in prices]


class Rounds:
    """Makes rounds one after another."""

    def __init__(self, dice: Dice, *, fixed_date: bool) -> None:
        self._dice = dice
        self._fixed_date = fixed_date

    def draw(self, now_ms: int) -> Secret:
        """Return the next round."""
        day = SEEDED_DATE if self._fixed_date else datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%d")
        server_seed = self._dice.hexadecimal(64)
        game_id = f"{day}-{self._dice.hexadecimal(16)}"
        return Secret(
            server_seed=server_seed, seed_hash=seed_hash(server_seed), round=play(server_seed, game_id, VERSION)
        )
