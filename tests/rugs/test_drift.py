"""What the structs do not tell is reported once for ever; what they tell never is."""

from typing import Any

import pytest

from actors.rugs import drift
from actors.rugs.drift import MAX_EVENTS, MAX_REPORTS, MISSING_IN_A_ROW
from tests.rugs.playbook import (
    TRACE,
    Play,
    broadcast_b,
    countdown,
    data,
    drifts,
    entry,
    history_entry,
    rows,
    std,
    types,
    whole_round,
)
from tests.rugs.test_bets import PLACED
from tests.rugs.test_players import PLAYER, TRADE

STATE = "gameStateUpdate"


def settled() -> Play:
    playing = Play()
    playing.frame(std(3, 4))
    return playing


def test_a_round_as_the_game_sends_it_drifts_nowhere() -> None:
    playing = Play()
    events, _ = playing.all([*whole_round(3), *whole_round(4), *whole_round(5)])
    assert drifts(events) == []
    for name, payload in (("playerUpdate", PLAYER), ("standard/newTrade", TRADE), ("currentSidebet", PLACED)):
        assert drifts(playing.received(name, TRACE, payload)) == []


def test_an_unknown_field_is_reported_behind_its_event_and_never_again() -> None:
    playing = settled()
    derived = playing.frame(std(3, 5, newThing={"a": 1}))
    assert [event.type for event in derived.events] == ["game.tick", "system.drift"]
    assert data(derived.events[1]) == {
        "event": STATE,
        "field": "newThing",
        "what": "unknown",
        "expected": None,
        "type": "object",
        "firstSeenSeq": playing.seq,
        "firstSeenAt": playing.at_us // 1000,
    }
    (row,) = rows(derived, "system_event")
    assert (row["seq"], row["event"]) == (derived.events[1].seq, "drift")
    playing.restart()
    for tick in range(6, 12):
        assert drifts(playing.frame(std(3, tick, newThing=tick))) == []
    assert drifts(playing.frame(countdown(4, 14_900).replace("{", '{"newThing":1,', 1))) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"leaderboard": [entry(1, newThing=[1])]}, ("leaderboard[].newThing", "unknown")),
        ({"leaderboard": [entry(1, pnl="much")]}, ("leaderboard[].pnl", "retyped")),
        ({"leaderboard": [entry(1, selectedCoin={"address": 5})]}, ("leaderboard[].selectedCoin.address", "retyped")),
        ({"rugpool": {"instarugCount": 1, "x": None}}, ("rugpool.x", "unknown")),
        ({"rugRoyale": {"status": True}}, ("rugRoyale.status", "retyped")),
        ({"newPrices": [1]}, ("newPrices", "unknown")),
        ({"godCandle10xMassiveJump": ["1"]}, ("godCandle10xMassiveJump[]", "retyped")),
        ({"gameHistory": [history_entry(1, rounds=1)]}, ("gameHistory[].rounds", "unknown")),
        (
            {"gameHistory": [history_entry(1, provablyFair={"serverSeed": 5, "serverSeedHash": "x"})]},
            ("gameHistory[].provablyFair.serverSeed", "retyped"),
        ),
    ],
    ids=str,
)
def test_drift_inside_a_state_frame_is_named_by_its_path(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    playing = settled()
    derived = playing.frame(std(3, 5, **changes))
    assert drifts(derived) == [(STATE, *expected)]
    assert "game.tick" in types(derived)
    assert drifts(playing.frame(std(3, 6, **changes))) == []


@pytest.mark.parametrize(("wrong", "found"), [("1.5", "text"), (True, "bool"), ([1], "array"), ({}, "object")])
def test_a_price_of_another_type_makes_the_frame_raw_and_is_reported(wrong: Any, found: str) -> None:
    derived = settled().frame(std(3, 5, price=wrong))
    assert [event.type for event in derived.events] == ["raw.gameStateUpdate", "system.drift"]
    told = data(derived.events[1])
    assert (told["field"], told["what"], told["expected"], told["type"]) == ("price", "retyped", "number", found)


def test_null_is_as_if_left_out_and_no_drift() -> None:
    playing = Play()
    playing.received("playerUpdate", PLAYER)
    assert drifts(playing.received("playerUpdate", dict.fromkeys(PLAYER))) == []
    assert drifts(playing.frame(std(3, 5, tradeCount=None, rugpool=None, leaderboard=None, provablyFair=None))) == []


@pytest.mark.parametrize(
    ("name", "payload", "expected"),
    [
        ("playerUpdate", {**PLAYER, "vip": True}, ("playerUpdate", "vip", "unknown")),
        ("playerUpdate", {**PLAYER, "role": 5}, ("playerUpdate", "role", "retyped")),
        ("playerUpdate", [PLAYER], ("playerUpdate", None, "retyped")),
        ("standard/newTrade", {**TRADE, "fee": 0.1}, ("standard/newTrade", "fee", "unknown")),
        ("newChatMessage", {"message": 5}, ("newChatMessage", "message", "retyped")),
        ("gameStatePlayerUpdate", {"rugpool": {"playerEntries": [{"entries": "5"}]}},
         ("gameStatePlayerUpdate", "rugpool.playerEntries[].entries", "retyped")),
        ("newThing", {"a": 1}, ("newThing", None, "unknown event")),
    ],
)  # fmt: skip
def test_drift_of_other_events_is_reported_once(name: str, payload: Any, expected: tuple[str, str, str]) -> None:
    playing = Play()
    assert drifts(playing.received(name, TRACE, payload)) == [expected]
    assert drifts(playing.received(name, TRACE, payload)) == []


@pytest.mark.parametrize(
    "name", ["rugpoolDrawing", "diddyPartyUpdate", "chatHistory", "rugpassQuestCompleted", "currentSideBetResult"]
)
def test_events_known_by_name_alone_and_other_spellings_are_no_drift(name: str) -> None:
    assert drifts(Play().received(name, TRACE, {})) == []


def test_an_unknown_request_is_reported_and_known_ones_are_not() -> None:
    playing = Play()
    assert drifts(playing.sent("shortOrder", TRACE, {"amount": 1}, ack_id=1)) == [("shortOrder", None, "unknown event")]
    for place, name in enumerate(drift.SENT):
        assert drifts(playing.sent(name, TRACE, {}, ack_id=place)) == []


def test_a_field_that_vanishes_is_reported_when_it_has_been_missing_for_a_while() -> None:
    playing = Play()
    playing.received("playerUpdate", PLAYER)
    lacking = {name: value for name, value in PLAYER.items() if name != "cash"}
    seen = [drifts(playing.received("playerUpdate", lacking)) for _ in range(MISSING_IN_A_ROW + 3)]
    assert seen[: MISSING_IN_A_ROW - 1] == [[]] * (MISSING_IN_A_ROW - 1)
    assert seen[MISSING_IN_A_ROW - 1] == [("playerUpdate", "cash", "vanished")]
    assert seen[MISSING_IN_A_ROW:] == [[]] * 3


def test_a_field_that_comes_and_goes_or_was_never_there_has_not_vanished() -> None:
    playing = Play()
    lacking = {name: value for name, value in PLAYER.items() if name != "cash"}
    made = [playing.received("playerUpdate", {"id": "x"}) for _ in range(9)]
    made += [playing.received("playerUpdate", lacking if place % 3 else PLAYER) for place in range(30)]
    assert [found for derived in made for found in drifts(derived)] == []


def test_a_field_of_ticks_that_vanishes_is_reported_from_tick_frames() -> None:
    playing = Play()
    tick = {"pauseMessage": "", "count2x": 47}
    playing.all([std(3, 1, **tick), countdown(4, 14_900), broadcast_b(4)])
    events, _ = playing.all([std(4, number, pauseMessage="") for number in range(1, 8)])
    assert drifts(events) == [(STATE, "count2x", "vanished")]
    lacking = [std(5, number, **tick).replace('"connectedPlayers":205,', "") for number in range(1, 8)]
    assert drifts(playing.all(lacking)[0]) == [(STATE, "connectedPlayers", "vanished")]


def test_frames_that_differ_are_counted_by_event_and_differences_by_kind() -> None:
    playing = settled()
    for number in range(1, 4):
        playing.frame(std(3, 4 + number, **{f"field{number}": 1}))
    for _ in range(2):
        playing.received("playerUpdate", PLAYER | {"cash": "much"})
        playing.received("surprise", {})
    counted = playing.memory.differed
    assert counted == {STATE.lower(): 3, "playerupdate": 2, "unknown surprise": 2}
    assert drift.kinds(playing.memory) == {"unknown event": 1, "unknown": 3, "retyped": 1, "vanished": 0}


def test_a_flood_of_names_is_bounded() -> None:
    playing = settled()
    derived = playing.frame(std(3, 5, **{f"field{number}": number for number in range(500)}))
    assert len(drifts(derived)) == MAX_REPORTS
    for number in range(MAX_EVENTS + 50):
        playing.received(f"event{number}", {"a": 1})
    assert len(playing.memory.drifts) == MAX_EVENTS
    assert len(playing.memory.differed) <= MAX_EVENTS
    assert playing.memory.failures == 0
    playing.received("playerUpdate", {"x" * 5000: 1})
    assert playing.memory.failures == 0


def test_reports_hold_no_values() -> None:
    derived = settled().frame(std(3, 5, secret="swordfish", pauseMessage={"deep": "swordfish"}))
    assert len(drifts(derived)) == 2
    told = [event.data for event in derived.events if event.type == "system.drift"]
    assert not any(b"swordfish" in text for text in told)
