"""A short hostile-page campaign: what a foreign page of the recorded browser does gets nothing in and nothing out."""

from pathlib import Path

import pytest

from tests.hostile.trial import trial

pytestmark = pytest.mark.system


def test_a_foreign_page_neither_poisons_nor_blinds_the_record(tmp_path: Path) -> None:
    found = trial(tmp_path, seconds=30, rate=50)
    assert found.broken() == [], found
    assert found.sent > 1000
    assert found.figures["sockets to churn"] > 600  # more than anybody remembers
    assert found.figures["sockets to forge"] > 30
    assert found.figures["forged frames"] > 500
    assert found.figures["expensive frames"] >= 10
    assert found.figures["polls of many packets"] > 0
    assert found.pressed >= 3000
    assert found.foreign_presses > 500


def test_sockets_that_open_while_the_captures_are_dead_do_not_count(tmp_path: Path) -> None:
    found = trial(tmp_path, seconds=30, rate=50, kill=True, parts=("names", "churn", "presses"), seed=2)
    assert found.kills >= 5
    assert found.broken() == [], found
