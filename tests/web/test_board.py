"""The board: one document for all pages, told to each as changes."""

from typing import Any

import msgspec
import pytest

from actors.core.messages import Event, Events, LiveState
from tests.web.neighbours import good_status
from web.board import Board, Known, Sheet, window


def state(seq: int, **values: Any) -> LiveState:
    return LiveState(seq=seq, last={}, state=msgspec.json.encode(values))


def batch(after: int, *events: Event, synced: int = 0) -> Events:
    upto = events[-1].seq if events else after
    return Events(epoch=0, nack=0, after=after, upto=upto, synced=synced, events=list(events))


def tick(seq: int, number: int, price: Any, game_id: str = "g") -> Event:
    data = {"tickCount": number, "price": price, "phase": "ACTIVE"}
    return Event(seq, "game.tick", 1000, game_id, msgspec.json.encode(data))


def completed(seq: int, game_id: str, **entry: Any) -> Event:
    entry = {"id": game_id, "prices": [1.0, 1.5, 0.02], "verified": True, "timestamp": 5} | entry
    return Event(seq, "game.completed", 1000, game_id, msgspec.json.encode(entry))


def test_a_sheet_tells_only_what_changed() -> None:
    sheet = Sheet()
    sheet.put({"a": 1, "b": 2}, 1)
    sheet.put({"a": 1, "b": 3}, 2)
    assert sheet.since(0) == {"a": 1, "b": 3}
    assert sheet.since(1) == {"b": 3}
    assert sheet.since(2) == {}
    assert sheet.since(0, frozenset("a")) == {"a": 1}


def test_a_slow_page_gets_the_newest_values_and_no_queue() -> None:
    board = Board()
    _, known = board.since(Known(), "all")
    for seq in range(1, 1000):
        board.hear_state(state(seq, price=seq, tick=seq))
    news, _ = board.since(known, "all")
    assert news["state"]["price"] == 999


def test_a_state_older_than_the_known_one_is_dropped() -> None:
    board = Board()
    board.hear_state(state(20, price=2.0))
    board.settle()
    board.hear_state(state(10, price=1.0))
    news, _ = board.since(Known(), "all")
    assert news["state"]["price"] == 2.0


def test_pages_without_live_numbers_get_only_their_age() -> None:
    board = Board()
    board.hear_state(state(1, price=1.0, lastFrameAt=5, connected=True))
    board.hear_events(batch(0, tick(256, 0, 1.0)), 1000)
    news, _ = board.since(Known(), "pulse")
    assert news["state"] == {"lastFrameAt": 5, "connected": True}
    assert "chart" not in news


def test_a_hole_in_the_live_stream_asks_for_a_snapshot() -> None:
    board = Board()
    assert not board.hear_events(batch(0, tick(256, 0, 1.0)), 1000)
    assert not board.hear_events(batch(256, tick(512, 1, 1.1)), 1000)
    assert board.hear_events(batch(1024, tick(1280, 2, 1.2)), 1000)


def test_a_state_that_was_dropped_on_the_way_is_noticed() -> None:
    board = Board()
    board.hear_events(batch(0, tick(256, 0, 1.0)), 1000)
    assert not board.state_is_behind()  # it may still be on its way
    assert board.state_is_behind()
    board.hear_state(state(256, price=1.0))
    assert not board.state_is_behind()


def test_events_heard_again_are_passed_over() -> None:
    board = Board()
    board.hear_events(batch(0, completed(256, "a")), 1000)
    board.hear_events(batch(0, completed(256, "a"), completed(512, "b")), 1000)
    news, _ = board.since(Known(), "all")
    assert [one["id"] for one in news["rounds"]["list"]] == ["b", "a"]


def test_a_tick_of_nonsense_is_passed_over() -> None:
    board = Board()
    board.hear_events(batch(0, tick(256, 0, "1.0"), tick(512, 0, None)), 1000)
    assert board.chart.game_id is None


def test_a_round_known_from_disk_replaces_the_one_heard_live() -> None:
    board = Board()
    board.hear_events(batch(0, completed(256, "a", missingTicks=None)), 1000)
    stored = msgspec.structs.replace(board.fresh["a"], missing_ticks=4)
    board.load_rounds([stored], None)
    news, _ = board.since(Known(), "all")
    assert [(one["id"], one["missing"]) for one in news["rounds"]["list"]] == [("a", 4)]


def test_fresh_rounds_are_few() -> None:
    board = Board()
    for number in range(40):
        board.hear_events(batch(number * 256, completed((number + 1) * 256, f"g{number}")), 1000)
    assert len(board.fresh) == 12
    news, _ = board.since(Known(), "all")
    assert len(news["rounds"]["list"]) == 40


def test_own_trades_and_side_bets_belong_to_the_round_they_were_made_in() -> None:
    board = Board()
    board.hear_events(batch(0, tick(256, 0, 1.0)), 1000)
    bet = {"startTick": 3, "endTick": 43, "betAmount": 0.01}
    board.hear_state(state(256, gameId="g", ownTrades=[{"tick": 1}], sidebet=bet))
    board.settle()
    board.hear_state(state(512, gameId="next", ownTrades=[], sidebet=None))
    news, _ = board.since(Known(), "all")
    assert news["chart"]["trades"] == [{"tick": 1}]
    assert news["chart"]["sidebets"] == [{"start": 3, "end": 43, "amount": 0.01}]


def test_a_silent_supervisor_leaves_the_last_known_actors_but_says_so() -> None:
    board = Board()
    board.hear_status(good_status(), 10_000_000)
    board.hear_status(None, 10_001_000)
    news, _ = board.since(Known(), "pulse")
    assert news["status"]["answered"] is False
    assert news["status"]["health"]["level"] == "bad"
    assert len(news["status"]["actors"]) == 9


def test_uptime_is_told_as_a_start_time_so_that_a_steady_system_is_silent() -> None:
    board = Board()
    board.hear_status(good_status(), 10_000_000)
    _, known = board.since(Known(), "pulse")
    later = good_status()
    later["supervisor"]["uptime_s"] += 1
    board.hear_status(later, 10_001_000)
    news, _ = board.since(known, "pulse")
    assert "supervisor" not in news["status"]


@pytest.mark.parametrize(
    ("bet", "expected"),
    [
        ({"startedAtTick": 7, "end": 47, "betAmount": 1}, {"start": 7, "end": 47, "amount": 1.0}),
        ({"startTick": 7}, {"start": 7, "end": 47, "amount": None}),
        ({"startTick": "7"}, None),
        (None, None),
        ("bet", None),
    ],
)
def test_a_side_bet_is_read_in_either_spelling(bet: Any, expected: Any) -> None:
    assert window(bet) == expected
