"""Drift of the game's protocol as `/api/reports` tells it, from rows that the real core made of real frames."""

import time

import pytest
from playwright.sync_api import Page, expect

from actors.writer.flush import Store
from tests.rugs.playbook import Play
from tests.web.conftest import ControlRoom
from tests.web.neighbours import Neighbours, actor_entry, good_status
from web.ledger import Reported, drift_of

pytestmark = pytest.mark.system

HOUR_US = 3_600_000_000


def test_each_difference_is_a_row_with_its_path_since_when_and_how_often(
    room: ControlRoom, neighbours: Neighbours, desktop: Page
) -> None:
    playing = Play()
    made = [playing.received("playerUpdate", {"id": "x", "cash": "much"}) for _ in range(3)]
    made += [playing.received("surprise", {"a": 1}) for _ in range(2)]
    at_us = time.time_ns() // 1000 - 300 * HOUR_US  # longer ago than the hours that are asked for
    rows = [row for derived in made for row in derived.rows if row.doc_type == "system_event"]
    told = [type(row)(row.seq, row.doc_type, at_us + row.seq, None, row.values) for row in rows]
    Store(room.config.data_path).flush(told, told[-1].seq)
    normalizer = actor_entry("normalizer", 1, stats={"drift": 2, "drift_frames": playing.memory.differed})
    neighbours.status = good_status() | {"actors": [normalizer]}
    found = room.json("/api/reports?hours=24")[1]["drift"]
    shown = [(one["what"], one["path"], one["expected"], one["found"], one["frames"]) for one in found]
    assert shown == [
        ("unknown event", "surprise", None, "object", 2),
        ("retyped", "playerUpdate.cash", "number", "text", 3),
    ]
    assert [one["since"] for one in found] == [one["data"]["firstSeenAt"] for one in found]
    desktop.goto(f"{room.url}/system")
    table = desktop.locator("#drift-table tbody tr")
    expect(table).to_contain_text(
        ["unknown eventsurprise: object2", "another typeplayerUpdate.cash: text, not number3"]
    )
    neighbours.status = None  # the supervisor is away: what is on disk is told all the same
    assert [one["frames"] for one in room.json("/api/reports")[1]["drift"]] == [None, None]
    neighbours.status = good_status()


@pytest.mark.parametrize("data", [{}, {"event": 7, "field": [], "what": None}, {"value": "no object"}])
def test_a_record_of_another_shape_is_a_row_of_which_less_is_known(data: dict[str, object]) -> None:
    drift = drift_of(Reported(seq=1, at=5, event="drift", data=data), {})
    assert (drift.what, drift.path, drift.since, drift.frames) == ("", "", 5, None)


def test_a_field_that_vanished_has_no_count_and_a_request_has_that_of_requests() -> None:
    def of(**data: object) -> int | None:
        return drift_of(Reported(seq=1, at=5, event="drift", data=data), {"sent buyorder": 4, "playerupdate": 9}).frames

    assert of(event="playerUpdate", field="cash", what="vanished") is None
    assert of(event="buyOrder", field="amount", what="retyped") == 4
