"""Captures and journal killed at random, also together and before they are back: lost in gaps only, doubled never."""

import random

import msgspec
import pytest

from actors.core.messages import Note
from tests.journal.storm import Storm


def notes(storm: Storm, event: str) -> list[dict[str, int]]:
    records = [record for batch in storm.batches for record in batch.records]
    return [msgspec.json.decode(note.data) for note in records if isinstance(note, Note) and note.event == event]


@pytest.mark.parametrize("at_once", [1, 2, 3])
@pytest.mark.parametrize("seed", range(6))
def test_a_storm_doubles_nothing_and_loses_only_what_it_says(at_once: int, seed: int) -> None:
    storm = Storm(random.Random(1000 * at_once + seed), blows_s=0.7, at_once=at_once)
    storm.play(8.0, 2.0)
    stored = storm.stored
    assert len(stored) == len(set(stored))
    gaps = [(gap["from_us"] - 1000, gap["to_us"] + 1000) for gap in notes(storm, "gap")]
    missing = [(number, at_s) for number, at_s in storm.sent if number not in set(stored)]
    assert [n for n, at_s in missing if not any(a <= at_s * 1e6 <= b for a, b in gaps)] == []
    assert all(to_us - from_us < 1_000_000 for from_us, to_us in gaps), "as long as a restart takes, no longer"
    assert notes(storm, "merge") == []
    assert len(stored) > 0.6 * len(storm.sent)
