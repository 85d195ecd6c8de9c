"""What the site tells about players comes out typed: own state, identity, rank, trades."""

from typing import Any

import pytest

from tests.rugs.playbook import TRACE, Play, doc_types, game_of, only, rows, std, types

GAME = game_of(3)
PLAYER: dict[str, Any] = {
    "id": "did:privy:me",
    "role": None,
    "authenticated": True,
    "cash": 0.017619831,
    "bonusBalance": 1,
    "positionQty": 0.5,
    "avgCost": 1.25,
    "totalInvested": 0.625,
    "cumulativePnL": -0.01,
    "levelInfo": {"level": 3, "xp": 10},
    "sideBet": None,
    "leveragedPositions": [],
}
TRADE: dict[str, Any] = {
    "id": "35b49232-5d50-4283-8bab-be0aab8129ef",
    "gameId": GAME,
    "playerId": "did:privy:1",
    "username": "player_1",
    "level": 17,
    "type": "buy",
    "price": 1.25,
    "tickIndex": 7,
    "coin": "solana",
    "amount": 0.1,
    "qty": 0.08,
    "bonusPortion": 0,
    "realPortion": 0.1,
    "leverage": 1,
}


def test_a_player_update_is_the_players_state_with_all_its_fields() -> None:
    playing = Play()
    playing.frame(std(3, 5))
    derived = playing.received("playerUpdate", PLAYER)
    assert only(derived, "player.state") == PLAYER
    assert derived.events[0].game_id == GAME
    (row,) = rows(derived, "server_state")
    assert (row["game_id"], row["cash"], row["bonus_balance"], row["position_qty"]) == (GAME, 0.017619831, 1.0, 0.5)
    assert (row["avg_cost"], row["total_invested"], row["cumulative_pnl"]) == (1.25, 0.625, -0.01)
    assert '"leveragedPositions":[]' in row["data"]


def test_a_state_that_leaves_fields_out_has_nulls_in_its_row() -> None:
    (row,) = rows(Play().received("playerUpdate", {"id": "x", "cash": 1}), "server_state")
    assert (row["cash"], row["position_qty"], row["game_id"]) == (1.0, None, None)


def test_every_state_counts_even_when_it_repeats_the_last() -> None:
    playing = Play()
    assert [types(playing.received("playerUpdate", PLAYER)) for _ in range(2)] == [["player.state"]] * 2


def test_a_username_status_says_whose_session_it_is() -> None:
    playing = Play()
    derived = playing.received("usernameStatus", TRACE, {"id": "did:privy:me", "hasUsername": True, "username": "me"})
    assert only(derived, "connection.authenticated") == {
        "player_id": "did:privy:me",
        "username": "me",
        "hasUsername": True,
    }
    assert playing.memory.player_id == "did:privy:me"


def test_a_leaderboard_position_is_passed_on_whole() -> None:
    position = {"success": True, "period": "7d", "playerFound": True, "rank": 12, "playerEntry": {"pnl": 1.5}}
    assert only(Play().received("playerLeaderboardPosition", TRACE, position), "player.leaderboard") == position


def test_a_trade_is_passed_on_whole_and_stored() -> None:
    derived = Play().received("standard/newTrade", TRACE, TRADE)
    assert only(derived, "player.trade") == TRADE
    assert derived.events[0].game_id == GAME
    (row,) = rows(derived, "trade")
    assert row == {
        "seq": derived.events[0].seq,
        "game_id": GAME,
        "trade_id": TRADE["id"],
        "player_id": "did:privy:1",
        "username": "player_1",
        "side": "buy",
        "price": 1.25,
        "tick": 7,
        "qty": 0.08,
        "amount": 0.1,
        "coin": "solana",
        "leverage": 1.0,
        "level": 17,
    }


def test_a_short_without_leverage_and_portions_is_a_trade_too() -> None:
    short = {name: value for name, value in TRADE.items() if name not in ("leverage", "bonusPortion", "realPortion")}
    derived = Play().received("standard/newTrade", {**short, "type": "short_open", "qty": 0})
    (row,) = rows(derived, "trade")
    assert (row["side"], row["qty"], row["leverage"]) == ("short_open", 0.0, None)


def test_a_trade_is_typed_once_by_its_id() -> None:
    playing = Play()
    playing.received("standard/newTrade", TRACE, TRADE)
    playing.restart()
    copy = playing.received("standard/newTrade", {**TRACE, "traceparent": "other"}, TRADE)
    assert types(copy) == []
    assert [row.doc_type for row in copy.rows] == ["ws_event"]
    assert types(playing.received("standard/newTrade", TRACE, {**TRADE, "id": "another"})) == ["player.trade"]


def test_the_small_ids_of_2025_08_tell_trades_of_one_round_apart_only() -> None:
    playing = Play()
    first = playing.received("standard/newTrade", {**TRADE, "id": "17"})
    other_round = playing.received("standard/newTrade", {**TRADE, "id": "17", "gameId": game_of(4)})
    assert types(first) == types(other_round) == ["player.trade"]


def test_trades_without_an_id_are_told_apart_by_their_content() -> None:
    playing = Play()
    nameless = {name: value for name, value in TRADE.items() if name != "id"}
    made = [types(playing.received("standard/newTrade", {**nameless, "tickIndex": tick})) for tick in (7, 7, 8)]
    assert made == [["player.trade"], [], ["player.trade"]]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("playerUpdate", []),
        ("playerUpdate", [None]),
        ("playerUpdate", [[1, 2]]),
        ("playerUpdate", [{}]),
        ("playerUpdate", [{"cash": "much"}]),
        ("usernameStatus", [{"id": 7}]),
        ("usernameStatus", ["me"]),
        ("standard/newTrade", [{**TRADE, "price": "1"}]),
        ("standard/newTrade", [{**TRADE, "tickIndex": None}]),
        ("standard/newTrade", [{**TRADE, "type": ["buy"]}]),
        ("standard/newTrade", [TRADE["id"]]),
        ("playerLeaderboardPosition", [3]),
    ],
)
def test_what_does_not_fit_its_name_becomes_a_raw_event_and_is_counted(name: str, args: list[Any]) -> None:
    playing = Play()
    derived = playing.received(name, TRACE, *args)
    assert only(derived, f"raw.{name}") == {"args": args}
    assert doc_types(derived) == ["ws_event"]
    assert (playing.memory.malformed, playing.memory.failures) == (1, 0)
