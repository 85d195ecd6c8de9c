"""The four phases of a round and the rules that tell them apart. Pure, and the same everywhere.

In come the fields of a state frame, completed by what earlier frames of the same round said; out comes the phase.
"""

from typing import Final, Literal

Phase = Literal["COOLDOWN", "PRESALE", "ACTIVE", "RUGGED"]

SETTLEMENT_ENDS_MS: Final = 10_000
"""The countdown runs from 15,000 ms; from here on orders for the next round are taken."""

ORDER: Final[dict[str, int]] = {"COOLDOWN": 0, "PRESALE": 1, "ACTIVE": 2, "RUGGED": 3}
"""The order in which one game id goes through its phases."""


def phase_of(*, rugged: bool, active: bool, presale: bool | None, cooldown_ms: int | None) -> Phase:
    """Return the phase; the first rule that holds decides.

    rugged stays with active, so it is asked first. presale is the game's `allowPreRoundBuys`, None where no frame has
    told it yet: then the countdown alone decides. A countdown held by the site without presale is COOLDOWN.
    """
    if rugged:
        return "RUGGED"
    if active:
        return "ACTIVE"
    if presale is None:
        return "PRESALE" if 0 < (cooldown_ms or 0) <= SETTLEMENT_ENDS_MS else "COOLDOWN"
    return "PRESALE" if presale else "COOLDOWN"
