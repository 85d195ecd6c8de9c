"""A short reliability campaign: real Chromium, numbered frames, actors killed at random; the count must be exact."""

from pathlib import Path

import pytest

from tests.campaign import campaign

pytestmark = pytest.mark.system


def test_one_actor_killed_a_second_loses_and_doubles_nothing(tmp_path: Path) -> None:
    outcome = campaign(tmp_path, seconds=40, rate=200, seed=11)
    assert outcome.sent > 4000
    assert outcome.kills >= 20
    assert outcome.restarts >= outcome.kills
    assert (outcome.lost, outcome.doubled) == ([], 0), outcome


def test_two_at_a_time_double_nothing_and_lose_only_inside_recorded_gaps(tmp_path: Path) -> None:
    outcome = campaign(tmp_path, seconds=20, rate=200, at_once=2, seed=12)
    assert outcome.sent > 2000
    assert outcome.kills >= 20
    assert (outcome.lost_outside_gaps, outcome.doubled) == (0, 0), outcome
