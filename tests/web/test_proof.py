"""The proof on a round's page: the same numbers as the verification's."""

import msgspec
import pytest

from actors.rugs.fairness import play, seed_hash
from web.proof import proof
from web.rounds import PricedRound

SEED = "e9cdaf558aada61213b2ef434ec4e811dac7af7ccde29a2f66b50df0f07b2a0b"


def finished(version: str = "v3", **changes: object) -> PricedRound:
    computed = play(SEED, "20251215-abc", version)
    whole = PricedRound(
        seq=256, ts=1, game_id="20251215-abc", version=version, peak=computed.peak, prices=computed.prices,
        server_seed=SEED, server_seed_hash=seed_hash(SEED), verified=True, ticks=computed.rug_tick,
    )  # fmt: skip
    return msgspec.structs.replace(whole, **changes)


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
def test_the_draws_lead_to_the_round_that_was_played(version: str) -> None:
    made = proof(finished(version))
    assert [one.price for one in made.ticks] == finished(version).prices
    assert [one.decision for one in made.ticks][-1] == "rug"
    assert "rug" not in [one.decision for one in made.ticks][:-1]
    assert made.ticks[-1].draws[0] < made.rug_probability
    wanted = {"v3": 5, "v2": 4, "v1": 4}[version]
    assert {len(one.draws) for one in made.ticks[1:-1]} == {wanted}
    assert [check.same for check in made.checks] == [True] * 4


def test_a_changed_price_is_found_at_its_tick() -> None:
    prices = [*(finished().prices or [])]
    prices[3] += 1e-12
    made = proof(finished(prices=prices))
    assert [one.tick for one in made.ticks if one.same is False] == [3]
    assert made.checks[-1].found == "first difference at tick 3"
    assert made.checks[-1].same is False


def test_a_wrong_commitment_shows() -> None:
    assert proof(finished(server_seed_hash="00" * 32)).checks[0].same is False


def test_what_cannot_be_computed_says_why() -> None:
    assert "has not shown" in str(proof(finished(server_seed=None)).why)
    assert "v9 is not known" in str(proof(msgspec.structs.replace(finished(), version="v9")).why)
    assert proof(finished(prices=None)).checks[-1].same is None
