"""Finished rounds from events, and how values look on a page."""

from typing import Any

import msgspec
import pytest

from actors.core.messages import Event
from actors.rugs.schema import DOC_TYPES, LEADING
from web.rounds import COLUMNS, chip, from_event, sidebet_counts
from web.show import machine_time, moment, peak_class, times, verdict, whole


def completed(**entry: Any) -> Event:
    return Event(512, "game.completed", 1000, "g", msgspec.json.encode(entry))


def test_a_round_has_the_columns_of_the_schema_but_for_prices() -> None:
    schema = [column.name for column in (*LEADING, *DOC_TYPES["game"]) if column.name != "prices"]
    assert list(COLUMNS) == schema


def test_a_history_entry_becomes_a_round() -> None:
    fair = {"serverSeed": "s", "serverSeedHash": "h"}
    entry = {"id": "g", "timestamp": 900, "prices": [1, 1.5, 0.02], "provablyFair": fair, "verified": True}
    round_ = from_event(completed(**entry, liveTicks=3, missingTicks=0))
    assert round_ is not None
    assert (round_.peak, round_.peak_tick, round_.rug_price, round_.ticks) == (1.5, 1, 0.02, 2)
    assert (round_.server_seed, round_.ended_at, round_.missing_ticks) == ("s", 900, 0)
    assert chip(round_)["endedAt"] == 900


@pytest.mark.parametrize(
    "entry",
    [{}, {"id": 7}, {"prices": "many"}, {"prices": [None, "x"]}, {"provablyFair": []}, {"globalSidebets": 3}],
)
def test_an_entry_of_another_shape_is_a_round_of_which_less_is_known(entry: dict[str, Any]) -> None:
    round_ = from_event(completed(**entry))
    assert round_ is not None
    assert (round_.game_id, round_.peak, round_.prices) == ("g", None, None)
    assert chip(round_)["endedAt"] == 1000


def test_side_bets_are_counted() -> None:
    assert sidebet_counts('[{"type":"placed"},{"type":"payout","payout":5},{"type":"payout","payout":0},3]') == (1, 1)
    assert sidebet_counts("{}") == (0, 0)
    assert sidebet_counts(None) is None


def test_what_is_not_known_is_a_dash_and_never_zero() -> None:
    assert [times(None), whole(None), moment(None)] == ["–", "–", "–"]
    assert (peak_class(None), verdict(None), machine_time(None)) == ("unknown", "not verified", "")


def test_values_have_fixed_decimals_units_and_a_true_minus_sign() -> None:
    assert times(2.4178) == "2.42×"
    assert times(0.02, 4) == "0.0200×"
    assert whole(-1234567) == "−1\u202f234\u202f567"
    assert moment(1_765_800_000_000) == "2025-12-15 12:00:00 UTC"
    assert machine_time(1_765_800_000_000) == "2025-12-15T12:00:00Z"
    assert [peak_class(value) for value in (2.0, 1.99, 1.2, 1.19)] == ["up", "even", "even", "down"]
