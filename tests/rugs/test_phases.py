"""The phase rules hold in their order, for whole frames and for sparse ones."""

import pytest

from actors.rugs.phases import phase_of


@pytest.mark.parametrize(
    ("rugged", "active", "presale", "cooldown_ms", "phase"),
    [
        (True, True, False, 0, "RUGGED"),
        (True, False, True, 15_000, "RUGGED"),
        (False, True, False, 0, "ACTIVE"),
        (False, True, True, 100, "ACTIVE"),
        (False, False, True, 10_000, "PRESALE"),
        (False, False, True, 100, "PRESALE"),
        (False, False, False, 15_000, "COOLDOWN"),
        (False, False, False, 10_100, "COOLDOWN"),
        (False, False, False, 5_000, "COOLDOWN"),
        (False, False, None, 10_000, "PRESALE"),
        (False, False, None, 10_100, "COOLDOWN"),
        (False, False, None, None, "COOLDOWN"),
        (False, False, None, 0, "COOLDOWN"),
    ],
)
def test_the_first_rule_that_holds_decides(
    rugged: bool, active: bool, presale: bool | None, cooldown_ms: int | None, phase: str
) -> None:
    assert phase_of(rugged=rugged, active=active, presale=presale, cooldown_ms=cooldown_ms) == phase
