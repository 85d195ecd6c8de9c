"""State frames become ticks: typed once, completed from what the round said before, in the round's own order."""

from typing import Any

import pytest

from actors.rugs.fairness import play
from tests.rugs.playbook import (
    Play,
    broadcast_a,
    broadcast_b,
    countdown,
    data,
    doc_types,
    drifts,
    entry,
    game_of,
    only,
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


def phases(playing: Play, *payloads: str) -> list[tuple[str, int | None]]:
    events, _ = playing.all(list(payloads))
    ticks = [data(event) for event in events if event.type == "game.tick"]
    return [(tick["phase"], tick["tickCount"]) for tick in ticks]


def test_a_tick_has_all_fields_of_its_frame_and_the_phase() -> None:
    tick = only(Play().frame(std(ROUND, 5)), "game.tick")
    assert tick["phase"] == "ACTIVE"
    assert tick["price"] == PRICES[5]
    assert (tick["gameId"], tick["tickCount"], tick["active"], tick["rugged"]) == (GAME, 5, True, False)
    assert tick["leaderboard"] == [entry(ROUND)]
    assert tick["rugpool"] == {"instarugCount": 1, "threshold": 10, "rugpoolAmount": 1.5}
    assert tick["provablyFair"]["version"] == "v3"


def test_a_field_that_nobody_knows_yet_is_passed_on() -> None:
    assert only(Play().frame(std(ROUND, 5, newThing={"a": [1, "é"]})), "game.tick")["newThing"] == {"a": [1, "é"]}


@pytest.mark.parametrize("name", ["gameHistory", "prices", "partialPrices", "highestTodayPrices", "availableShitcoins"])
def test_the_bulky_fields_stay_in_the_frame(name: str) -> None:
    tick = only(Play().frame(std(ROUND, 5, **{name: []})), "game.tick")
    assert name not in tick


def test_a_tick_becomes_a_row_under_the_number_of_its_event() -> None:
    derived = Play().frame(std(ROUND, 5))
    assert rows(derived, "game_tick") == [
        {
            "seq": derived.events[0].seq,
            "game_id": GAME,
            "tick": 5,
            "price": PRICES[5],
            "phase": "ACTIVE",
            "active": True,
            "rugged": False,
            "cooldown_ms": 0,
            "trade_count": 15,
            "connected_players": 203,
            "origin": "live",
        }
    ]


def test_a_new_round_starts_at_price_1_tick_0_not_active_and_not_rugged() -> None:
    playing = Play()
    playing.frame(std(ROUND, RUG_TICK))
    tick = only(playing.frame(countdown(ROUND + 1, 14_900)), "game.tick")
    assert (tick["price"], tick["tickCount"], tick["active"], tick["rugged"]) == (1, 0, False, False)
    assert tick["phase"] == "COOLDOWN"
    assert "rugpool" not in tick


def test_a_field_left_out_keeps_its_last_value_of_the_same_round() -> None:
    playing = Play()
    playing.frame(broadcast_b(ROUND))
    tick = only(playing.frame(countdown(ROUND, 14_900)), "game.tick")
    assert tick["highestToday"] == 50.5
    assert tick["cooldownTimer"] == 14_900


def test_a_null_in_place_of_a_core_field_counts_as_left_out() -> None:
    playing = Play()
    playing.frame(std(ROUND, 5))
    tick = only(playing.frame(std(ROUND, 6, price=None, rugged=None)), "game.tick")
    assert (tick["price"], tick["rugged"], tick["tickCount"]) == (PRICES[5], False, 6)


@pytest.mark.parametrize(
    ("timer", "phase"), [(15_000, "COOLDOWN"), (10_100, "COOLDOWN"), (10_000, "PRESALE"), (100, "PRESALE")]
)
def test_the_countdown_has_two_phases(timer: int, phase: str) -> None:
    derived = Play().frame(countdown(ROUND, timer))
    assert only(derived, "game.tick")["phase"] == phase
    (row,) = rows(derived, "game_tick")
    assert (row["phase"], row["cooldown_ms"], row["trade_count"]) == (phase, timer, None)


def test_a_whole_round_goes_through_its_phases_without_a_hole() -> None:
    seen = phases(Play(), *whole_round(ROUND))
    assert [tick for phase, tick in seen if phase == "ACTIVE"] == list(range(RUG_TICK))
    assert [tick for phase, tick in seen if phase == "RUGGED"] == [RUG_TICK]
    assert [phase for phase, _ in seen[:30]] == ["COOLDOWN"] * 9 + ["PRESALE"] * 20 + ["ACTIVE"]


@pytest.mark.parametrize(
    "payload",
    [countdown(ROUND, 9_000), std(ROUND, 0), std(ROUND, 7), std(ROUND, RUG_TICK)],
    ids=["timer", "0", "7", "rug"],
)
def test_a_copy_from_a_second_tab_stays_in_ws_event_only(payload: str) -> None:
    playing = Play()
    playing.frame(payload)
    copy = playing.frame(payload, stream="browser/page/2")
    assert types(copy) == []
    assert [row.doc_type for row in copy.rows] == ["ws_event"]
    assert rows(copy, "ws_event")[0]["event_name"] == "gameStateUpdate"


def test_broadcast_a_repeats_the_rug_with_a_tick_that_ran_on() -> None:
    playing = Play()
    seen = phases(playing, std(ROUND, RUG_TICK - 1), std(ROUND, RUG_TICK), broadcast_a(ROUND))
    assert seen == [("ACTIVE", RUG_TICK - 1), ("RUGGED", RUG_TICK)]


def test_broadcast_a_as_the_first_frame_of_a_rug_gives_the_true_tick() -> None:
    (row,) = [row for row in rows(Play().frame(broadcast_a(ROUND)), "game_tick") if row["origin"] == "live"]
    assert (row["tick"], row["price"], row["phase"]) == (RUG_TICK, PRICES[-1], "RUGGED")


def test_the_next_rounds_first_countdown_may_overtake_the_old_rounds_last_frames() -> None:
    playing = Play()
    playing.all([std(ROUND, RUG_TICK - 1), countdown(ROUND + 1, 14_900)])
    rug = playing.frame(std(ROUND, RUG_TICK))
    assert only(rug, "game.tick")["gameId"] == GAME
    assert playing.memory.game_id == game_of(ROUND + 1)
    late = playing.frame(broadcast_b(ROUND + 1))
    assert data(late.events[-1])["cooldownTimer"] == 15_000
    after = only(playing.frame(countdown(ROUND + 1, 14_800)), "game.tick")
    assert (after["cooldownTimer"], after["highestToday"], after["price"]) == (14_800, 50.5, 1)


def test_a_rug_that_is_heard_of_only_after_the_next_countdown_began_does_not_become_the_current_round() -> None:
    playing = Play()
    playing.all([countdown(ROUND + 1, 14_900), broadcast_a(ROUND)])
    assert playing.memory.game_id == game_of(ROUND + 1)


def test_an_older_frame_of_a_round_is_typed_but_overwrites_nothing() -> None:
    playing = Play()
    playing.frame(std(ROUND, 9, note="new"))
    older = only(playing.frame(std(ROUND, 8, note="old", first="only here")), "game.tick")
    assert (older["tickCount"], older["note"]) == (8, "old")
    newer = only(playing.frame(state(GAME, tickCount=10, price=2)), "game.tick")
    assert (newer["note"], newer["first"], newer["active"]) == ("new", "only here", True)


def test_a_lagging_tab_delivers_a_tick_that_the_first_one_missed() -> None:
    seen = phases(Play(), std(ROUND, 1), std(ROUND, 3), std(ROUND, RUG_TICK), std(ROUND, 2), std(ROUND, 3))
    assert seen == [("ACTIVE", 1), ("ACTIVE", 3), ("RUGGED", RUG_TICK), ("ACTIVE", 2)]


def test_frames_written_in_another_way_are_read_too() -> None:
    playing = Play()
    spaced = '42[ "gameStateUpdate" , {"gameId":"g","active":true,"tickCount":1,"price":1.5} ]'
    assert only(playing.frame(spaced), "game.tick")["price"] == 1.5
    traced = '42["gameStateUpdate",{"__trace":true},{"gameId":"g","active":true,"tickCount":2,"price":1.6}]'
    assert only(playing.frame(traced), "game.tick")["price"] == 1.6
    named = '42/game,["gameStateUpdate",{"gameId":"g","active":true,"tickCount":3,"price":1.7}]'
    assert only(playing.frame(named), "game.tick")["price"] == 1.7


@pytest.mark.parametrize(
    "wrong",
    [
        {"price": "1.5"},
        {"price": True},
        {"price": []},
        {"tickCount": "5"},
        {"tickCount": 5.5},
        {"tickCount": -1},
        {"tickCount": 10**9},
        {"tickCount": 10**30},
        {"active": "true"},
        {"rugged": 0},
        {"cooldownTimer": {}},
        {"gameId": 7},
        {"gameId": ""},
        {"gameId": "x" * 100},
    ],
    ids=str,
)
def test_a_frame_that_does_not_fit_becomes_a_raw_event_and_is_counted(wrong: dict[str, Any]) -> None:
    playing = Play()
    payload = state(wrong["gameId"], price=1) if "gameId" in wrong else std(ROUND, 6, **wrong)
    derived = playing.frame(payload)
    assert types(derived) == ["raw.gameStateUpdate"]
    assert doc_types(derived) == ["ws_event"]
    assert (playing.memory.malformed, playing.memory.failures) == (1, 0)


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"leaderboard": {"0": {}}}, "leaderboard"),
        ({"leaderboard": ["x"]}, "leaderboard[]"),
        ({"rugpool": []}, "rugpool"),
        ({"provablyFair": "v3"}, "provablyFair"),
        ({"connectedPlayers": "many"}, "connectedPlayers"),
        ({"tradeCount": {}}, "tradeCount"),
        ({"pauseMessage": 7}, "pauseMessage"),
        ({"partialPrices": [1]}, "partialPrices"),
    ],
    ids=str,
)
def test_a_field_of_another_type_costs_itself_and_not_the_tick(wrong: dict[str, Any], path: str) -> None:
    playing = Play()
    (name,) = wrong
    before = only(playing.frame(std(ROUND, 5, pauseMessage="")), "game.tick")
    derived = playing.frame(std(ROUND, 6, **wrong))
    tick = only(derived, "game.tick")
    assert (tick["tickCount"], tick["price"]) == (6, PRICES[6])
    assert tick.get(name) == before.get(name)
    assert drifts(derived) == [("gameStateUpdate", path, "retyped")]
    assert (playing.memory.malformed, playing.memory.failures) == (0, 0)


def test_nothing_follows_the_rug() -> None:
    seen = phases(Play(), std(ROUND, RUG_TICK), std(ROUND, RUG_TICK, tickCount=RUG_TICK + 1, rugged=False))
    assert seen == [("RUGGED", RUG_TICK)]


def test_a_frame_that_does_not_fit_leaves_no_trace_in_later_ones() -> None:
    playing = Play()
    playing.frame(std(ROUND, 5))
    playing.frame(std(ROUND, 6, price="x", marker=1))
    tick = only(playing.frame(std(ROUND, 6)), "game.tick")
    assert "marker" not in tick
    assert tick["price"] == PRICES[6]


def test_numbers_that_no_later_actor_could_carry_are_made_to_fit() -> None:
    huge = entry(1, pnl=10**25)
    tick = only(Play().frame(std(ROUND, 5, leaderboard=[huge], other=[10**25])), "game.tick")
    assert tick["leaderboard"][0]["pnl"] == 1e25
    assert isinstance(tick["other"][0], float)


def test_a_new_field_in_the_leaderboard_is_passed_on() -> None:
    tick = only(Play().frame(std(ROUND, 5, leaderboard=[entry(1, newThing=[1])])), "game.tick")
    assert tick["leaderboard"][0]["newThing"] == [1]


def test_a_flood_of_fields_is_emitted_but_not_remembered() -> None:
    playing = Play()
    flood = {f"field{number}": number for number in range(500)} | {"big": "x" * 100_000}
    assert only(playing.frame(std(ROUND, 5, **flood)), "game.tick")["field499"] == 499
    assert len(playing.memory.games[GAME].fields) <= 128
    assert "big" not in playing.memory.games[GAME].fields


def test_a_flood_of_rounds_leaves_the_memory_bounded() -> None:
    playing = Play()
    for number in range(100):
        playing.frame(state(f"g{number}", active=True, tickCount=1, price=1.1))
    assert len(playing.memory.games) == 12
    assert playing.memory.game_id == "g99"
    assert sum(bool(game.fields) for game in playing.memory.games.values()) <= 3
