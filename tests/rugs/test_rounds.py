"""Every round of every history becomes one row, proven by its seed, and heals what was not seen live."""

from typing import Any

import pytest

from actors.rugs.fairness import play
from tests.rugs.playbook import (
    START_US,
    Play,
    broadcast_b,
    data,
    game_of,
    history,
    history_entry,
    rows,
    seed_of,
    state,
    std,
    types,
    whole_round,
)

ROUND = 3
GAME = game_of(ROUND)
PRICES = play(seed_of(ROUND), GAME).prices
RUG_TICK = len(PRICES) - 1


def with_history(*entries: Any) -> str:
    return state(game_of(50), gameHistory=list(entries))


def bet(kind: str, start: int, player: str = "p1", **changes: Any) -> dict[str, Any]:
    common = {
        "playerId": player,
        "username": None,
        "gameId": GAME,
        "betAmount": 0.1,
        "type": kind,
        "id": f"{player}{kind}",
    }
    span = (
        {"startedAtTick": start, "end": start + 40} if kind == "placed" else {"startTick": start, "endTick": start + 40}
    )
    return {**common, **span, "timestamp": START_US // 1000, **changes}


def test_a_round_in_a_history_is_completed_once() -> None:
    playing = Play()
    events, _ = playing.all([with_history(*history(4)), with_history(*history(4)), with_history(*history(5))])
    completed = [event.game_id for event in events if event.type == "game.completed"]
    assert completed == [game_of(number) for number in (1, 2, 3, 4)]


def test_rounds_stay_known_across_restarts() -> None:
    playing = Play()
    playing.frame(with_history(*history(4)))
    playing.restart()
    assert rows(playing.frame(with_history(*history(4))), "game") == []


def test_a_completed_round_carries_the_history_entry_and_its_proof() -> None:
    derived = Play().frame(with_history(history_entry(ROUND, extra="kept")))
    completed = data(derived.events[0])
    assert derived.events[0].type == "game.completed"
    assert (completed["id"], completed["prices"], completed["extra"]) == (GAME, PRICES, "kept")
    assert (completed["verified"], completed["verifyReason"]) == (True, "matches the seed")


def test_a_completed_round_comes_before_the_frame_that_told_of_it() -> None:
    derived = Play().frame(broadcast_b(4))
    assert [event.type for event in derived.events] == ["game.completed"] * 3 + ["game.tick"]
    assert [event.seq for event in derived.events] == [256, 257, 258, 259]


def test_the_game_row_has_what_the_entry_says() -> None:
    derived = Play().frame(with_history(history_entry(ROUND, globalSidebets=[bet("placed", 3)])))
    (row,) = rows(derived, "game")
    assert row["seq"] == derived.events[0].seq
    assert row["ended_at"] == START_US + ROUND * 60_000_000
    assert (row["version"], row["ticks"], row["peak"]) == ("v3", RUG_TICK, max(PRICES))
    assert row["peak_tick"] == PRICES.index(max(PRICES))
    assert (row["rug_price"], row["prices"]) == (PRICES[-1], PRICES)
    assert row["server_seed"] == seed_of(ROUND)
    assert (row["verified"], row["verify_reason"]) == (True, "matches the seed")
    assert (row["live_ticks"], row["missing_ticks"]) == (0, RUG_TICK + 1)
    assert '"startedAtTick":3' in row["sidebets"]


def test_a_round_seen_from_start_to_rug_misses_nothing() -> None:
    _, made = Play().all(whole_round(ROUND))
    (row,) = [row for row in rows(made, "game") if row["game_id"] == GAME]
    assert (row["live_ticks"], row["missing_ticks"]) == (RUG_TICK + 1, 0)
    ticks = [row for row in rows(made, "game_tick") if row["game_id"] == GAME and row["phase"] in ("ACTIVE", "RUGGED")]
    assert [(row["tick"], row["price"]) for row in ticks] == list(enumerate(PRICES))
    assert {row["origin"] for row in ticks} == {"live"}


def test_ticks_that_were_not_seen_are_added_under_the_number_of_the_completion() -> None:
    playing = Play()
    frames = [frame for place, frame in enumerate(whole_round(ROUND)) if place % 7]
    events, made = playing.all([*frames, broadcast_b(4)])
    ticks = [row for row in rows(made, "game_tick") if row["game_id"] == GAME and row["phase"] in ("ACTIVE", "RUGGED")]
    assert sorted((row["tick"], row["price"]) for row in ticks) == list(enumerate(PRICES))
    (completed,) = [event for event in events if event.type == "game.completed" and event.game_id == GAME]
    repaired = [row for row in ticks if row["origin"] == "history"]
    assert {row["seq"] for row in repaired} == {completed.seq}
    (game,) = [row for row in rows(made, "game") if row["game_id"] == GAME]
    assert (game["live_ticks"], game["missing_ticks"]) == (len(ticks) - len(repaired), len(repaired))
    assert data(completed)["differingTicks"] == []


def test_a_live_price_that_the_history_denies_is_named() -> None:
    playing = Play()
    playing.frame(std(ROUND, 2, price=9.5))
    assert data(playing.frame(broadcast_b(4)).events[-2])["differingTicks"] == [2]


def test_a_tick_that_arrives_after_its_repair_is_not_typed_again() -> None:
    playing = Play()
    playing.frame(std(ROUND, 2))
    playing.frame(broadcast_b(4))
    assert playing.frame(std(ROUND, 5)).events == []
    assert playing.frame(std(ROUND, RUG_TICK)).events == []


def test_a_round_completed_long_ago_is_not_typed_again_when_it_is_read_again() -> None:
    playing = Play()
    playing.all(whole_round(ROUND))
    for number in range(20, 40):
        playing.frame(state(game_of(number), active=True, tickCount=1, price=1.1))
    again, made = playing.all(whole_round(ROUND))
    assert [event for event in again if event.game_id == GAME] == []
    assert {row.doc_type for row in made if row.game_id == GAME} == {"ws_event"}


def test_nothing_is_repaired_for_the_time_recording_was_off() -> None:
    playing = Play()
    ended_us = START_US + ROUND * 60_000_000
    playing.at_us = ended_us - 20 * 250_000
    playing.note("recording", on=False, by="ui")
    playing.at_us = ended_us - 10 * 250_000
    playing.note("recording", on=True, by="ui")
    repaired = {row["tick"] for row in rows(playing.frame(with_history(history_entry(ROUND))), "game_tick")}
    assert repaired & set(range(RUG_TICK + 1)) == set(range(RUG_TICK + 1)) - set(range(RUG_TICK - 20, RUG_TICK - 10))


def test_with_recording_off_a_round_is_stored_but_not_its_ticks() -> None:
    playing = Play(recording=False)
    derived = playing.frame(broadcast_b(4))
    assert {row.doc_type for row in derived.rows} == {"game"}
    assert len(derived.events) == 4


def test_without_prices_a_proven_seed_gives_them() -> None:
    entry = history_entry(ROUND)
    del entry["prices"]
    derived = Play().frame(with_history(entry))
    (row,) = rows(derived, "game")
    assert (row["ticks"], row["rug_price"], row["prices"]) == (RUG_TICK, PRICES[-1], PRICES)
    assert (row["verified"], row["verify_reason"]) == (True, "peak matches the seed, no prices to compare")
    assert "prices" not in data(derived.events[0])


@pytest.mark.parametrize("peak", [None, 99.5])
def test_without_prices_and_without_proof_nothing_is_made_up(peak: float | None) -> None:
    entry = history_entry(ROUND, prices=None, peakMultiplier=peak)
    (row,) = rows(Play().frame(with_history(entry)), "game")
    assert (row["ticks"], row["rug_price"], row["prices"], row["missing_ticks"]) == (None, None, None, None)
    assert row["verified"] is not True


def test_a_forged_round_is_stored_with_the_reason() -> None:
    prices = [*PRICES[:7], 99.0, *PRICES[8:]]
    (row,) = rows(Play().frame(with_history(history_entry(ROUND, prices=prices))), "game")
    assert (row["verified"], row["verify_reason"]) == (False, "price differs at tick 7")


def test_side_bets_that_were_not_seen_live_come_from_the_history() -> None:
    lost = bet("payout", 3, payout=0, tickIndex=3)
    won = bet("payout", 3, "p2", payout=0.5, tickIndex=30)
    derived = Play().frame(with_history(history_entry(ROUND, globalSidebets=[bet("placed", 3), lost, won])))
    made = rows(derived, "sidebet")
    assert [(row["player_id"], row["kind"], row["payout"], row["settled_tick"]) for row in made] == [
        ("p1", "placed", None, None),
        ("p1", "payout", 0.0, 43),
        ("p2", "payout", 0.5, 30),
    ]
    assert {row["seq"] for row in made} == {derived.events[0].seq}


@pytest.mark.parametrize("wrong", [None, 7, "x", {}, [], {"id": 5}, {"id": ""}, {"id": "a\nb"}, [[[]]]], ids=str)
def test_an_entry_that_is_none_is_counted_and_its_neighbours_are_taken(wrong: Any) -> None:
    playing = Play()
    derived = playing.frame(with_history(history_entry(2), wrong, history_entry(1)))
    assert [row["game_id"] for row in rows(derived, "game")] == [game_of(1), game_of(2)]
    assert (playing.memory.malformed, playing.memory.failures) == (1, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"prices": {"0": 1}},
        {"prices": ["1", 2]},
        {"prices": []},
        {"prices": [1, [2]]},
        {"timestamp": "now"},
        {"timestamp": -1},
        {"timestamp": 10**30},
        {"provablyFair": []},
        {"provablyFair": {"serverSeed": 7}},
        {"gameVersion": ["v3"]},
        {"gameVersion": "v9"},
        {"peakMultiplier": "high"},
        {"globalSidebets": {"a": 1}},
        {"globalSidebets": [1, {}, {"playerId": 4}]},
    ],
    ids=str,
)
def test_an_entry_with_a_strange_field_is_stored_as_far_as_it_fits(wrong: dict[str, Any]) -> None:
    playing = Play()
    derived = playing.frame(with_history(history_entry(ROUND, **wrong)))
    assert [row["game_id"] for row in rows(derived, "game")] == [GAME]
    assert playing.memory.failures == 0


@pytest.mark.parametrize("wrong", [None, 7, "x", {}, {"0": {}}], ids=str)
def test_a_history_that_is_none_does_not_cost_the_tick(wrong: Any) -> None:
    playing = Play()
    assert types(playing.frame(std(ROUND, 5, gameHistory=wrong))) == ["game.tick"]
    assert playing.memory.failures == 0


def test_a_flood_of_entries_is_cut() -> None:
    playing = Play()
    flood = [{"id": f"g{number}", "prices": [1]} for number in range(1_000)]
    assert len(playing.frame(with_history(*flood)).events) == 65
    assert playing.memory.failures == 0


def opened(made: list[Any]) -> list[dict[str, Any]]:
    return [data(event) for event in made if event.type == "system.round"]


def test_a_round_that_ended_unseen_and_is_in_no_later_history_stays_open_and_is_told_once() -> None:
    playing = Play()
    playing.all([std(3, 4), std(3, 5)])
    late = [std(30, 1), std(30, 2, gameHistory=history(30, 10)), std(30, 3, gameHistory=history(30, 10))]
    events, made = playing.all(late)
    told = {"what": "open", "gameId": GAME, "liveTicks": 2, "lastTick": 5, "rugged": False}
    assert opened(events) == [told]
    assert [row["event"] for row in rows(made, "system_event")] == ["round"]
    assert GAME not in {row["game_id"] for row in rows(made, "game")}
    playing.restart()
    assert opened(playing.all([broadcast_b(31), std(31, 1, gameHistory=history(31, 10))])[0]) == []


def test_a_round_whose_end_comes_late_is_not_open() -> None:
    playing = Play()
    events, _ = playing.all([*whole_round(3), *whole_round(4), std(5, 1), *whole_round(5)])
    assert opened(events) == []
    lagging = [std(6, 1), std(6, 2), *whole_round(5)]  # a second tab that is a round behind
    assert opened(playing.all(lagging)[0]) == []


def test_an_open_round_that_a_later_recording_shows_is_completed_then() -> None:
    playing = Play()
    playing.all([std(3, 4), std(30, 1), std(30, 2, gameHistory=history(30, 10))])
    _, made = playing.all([std(31, 1), std(31, 2, gameHistory=history(5, 3))])
    assert [row["live_ticks"] for row in rows(made, "game") if row["game_id"] == GAME] == [1]


def test_a_round_forgotten_before_any_history_came_is_told_to_be_open() -> None:
    playing = Play()
    events, _ = playing.all([state(f"g{number}", active=True, tickCount=1, price=1.1) for number in range(14)])
    assert [one["gameId"] for one in opened(events)] == ["g0", "g1"]


def test_a_row_for_every_round_of_every_history_whatever_hole_lies_between() -> None:
    playing = Play()
    made: list[Any] = []
    for number in (5, 6, 16, 27, 28, 60):
        made += playing.frame(std(number, 1, gameHistory=history(number, 10))).rows
        playing.restart()
    numbers = {one for number in (5, 6, 16, 27, 28, 60) for one in range(max(0, number - 10), number)}
    found = [row["game_id"] for row in rows(made, "game")]
    assert sorted(found) == sorted(game_of(number) for number in numbers)


def test_a_round_joined_in_its_middle_is_healed_by_the_next_history() -> None:
    playing = Play()
    frames = [frame for frame in whole_round(ROUND) if '"tickCount":4,' in frame or '"active"' not in frame][:1]
    made = playing.all([*frames, *(std(ROUND, tick) for tick in range(RUG_TICK // 2, RUG_TICK + 1)), broadcast_b(4)])[1]
    (row,) = [row for row in rows(made, "game") if row["game_id"] == GAME]
    assert (row["live_ticks"] + row["missing_ticks"], row["missing_ticks"]) == (RUG_TICK + 1, RUG_TICK // 2)
