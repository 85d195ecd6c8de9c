"""Side bets in all their spellings come out typed, each bet once."""

from typing import Any

import pytest

from tests.rugs.playbook import TRACE, Play, game_of, history_entry, only, rows, state, types

GAME = game_of(3)
PLACED = {
    "playerId": "did:privy:me",
    "gameId": GAME,
    "username": "me",
    "level": 3,
    "price": 1.25,
    "betAmount": 0.01,
    "xPayout": 5,
    "coinAddress": "So11111111111111111111111111111111111111112",
    "startTick": 12,
    "endTick": 52,
    "tickIndex": 12,
    "timestamp": 1_765_000_000_000,
    "type": "placed",
}
WON = {**PLACED, "type": "payout", "payout": 0.05, "profit": 0.04, "tickIndex": 48}
LOST = {**PLACED, "type": "payout", "payout": 0, "profit": -0.01}


@pytest.mark.parametrize(
    ("name", "payload", "type_"),
    [
        ("currentSidebet", PLACED, "sidebet.placed"),
        ("currentSidebetResult", WON, "sidebet.result"),
        ("currentSideBetResult", WON, "sidebet.result"),
        ("newSideBet", PLACED, "sidebet.other"),
    ],
)
def test_a_side_bet_event_keeps_all_its_fields(name: str, payload: dict[str, Any], type_: str) -> None:
    derived = Play().received(name, TRACE, payload)
    assert only(derived, type_) == payload
    assert derived.events[0].game_id == GAME


def test_a_placed_bet_is_stored() -> None:
    derived = Play().received("currentSidebet", TRACE, PLACED)
    assert rows(derived, "sidebet") == [
        {
            "seq": derived.events[0].seq,
            "game_id": GAME,
            "bet_id": None,
            "player_id": "did:privy:me",
            "username": "me",
            "kind": "placed",
            "amount": 0.01,
            "payout": None,
            "start_tick": 12,
            "end_tick": 52,
            "settled_tick": None,
        }
    ]


@pytest.mark.parametrize(("result", "payout", "settled"), [(WON, 0.05, 48), (LOST, 0.0, 52)])
def test_a_win_is_settled_at_the_rug_and_a_loss_at_the_end_of_its_window(
    result: dict[str, Any], payout: float, settled: int
) -> None:
    (row,) = rows(Play().received("currentSidebetResult", TRACE, result), "sidebet")
    assert (row["kind"], row["payout"], row["settled_tick"]) == ("payout", payout, settled)


@pytest.mark.parametrize("start", [0, -1])
def test_a_bet_before_the_round_starts_at_0_or_as_in_2025_07_at_minus_1(start: int) -> None:
    (row,) = rows(Play().received("newSideBet", {**PLACED, "startTick": start}), "sidebet")
    assert row["start_tick"] == start


def test_the_fields_that_2025_08_lacked_may_be_missing() -> None:
    old = {name: value for name, value in PLACED.items() if name not in ("level", "price", "type")}
    (row,) = rows(Play().received("newSideBet", old), "sidebet")
    assert (row["kind"], row["start_tick"]) == ("placed", 12)


def test_copies_of_a_bet_are_typed_once() -> None:
    playing = Play()
    playing.received("newSideBet", PLACED)
    playing.restart()
    assert types(playing.received("newSideBet", TRACE, PLACED)) == []
    assert types(playing.received("newSideBet", {**PLACED, "startTick": 60})) == ["sidebet.other"]


def test_the_own_bet_among_those_of_all_is_an_event_of_each_kind_and_one_row() -> None:
    playing = Play()
    others = playing.received("newSideBet", PLACED)
    own = playing.received("currentSidebet", PLACED)
    assert (types(others), types(own)) == (["sidebet.other"], ["sidebet.placed"])
    assert len(rows(others, "sidebet") + rows(own, "sidebet")) == 1


def test_a_bet_seen_live_is_not_stored_again_from_the_history() -> None:
    playing = Play()
    playing.received("newSideBet", PLACED)
    listed = {**PLACED, "startedAtTick": 12, "end": 52, "id": "uuid-1"}
    del listed["startTick"], listed["endTick"]
    other = {**listed, "startedAtTick": 70, "end": 110, "id": "uuid-2"}
    entry = history_entry(3, globalSidebets=[listed, other])
    made = rows(playing.frame(state(game_of(4), gameHistory=[entry])), "sidebet")
    assert [(row["bet_id"], row["start_tick"], row["end_tick"]) for row in made] == [("uuid-2", 70, 110)]


@pytest.mark.parametrize("wrong", [{"playerId": 4}, {"startTick": "12"}, {"type": "lost"}, {"startTick": 1.5}], ids=str)
def test_what_is_no_bet_becomes_a_raw_event_and_is_counted(wrong: dict[str, Any]) -> None:
    playing = Play()
    payload = {**PLACED, **wrong}
    assert only(playing.received("currentSidebet", TRACE, payload), "raw.currentSidebet") == {"args": [payload]}
    assert (playing.memory.malformed, playing.memory.failures) == (1, 0)
