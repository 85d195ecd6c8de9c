"""What an order causes finds it by its trace id; an order that nobody answers gets a result all the same."""

from typing import Any

import pytest

from actors.rugs.normalize import Derived
from actors.rugs.orders import NO_ACK, PATIENCE_US
from tests.rugs.playbook import TRACE, TRACE_ID, Play, data, game_of, only, rows, std, types

OTHERS = {"__trace": True, "traceparent": f"00-{'1' * 32}-7365549278738270-01"}
UPDATE = {"id": "did:privy:me", "cash": 4.9, "positionQty": 0.05}


def trade(**changes: Any) -> dict[str, Any]:
    return {
        "id": "t1", "gameId": game_of(3), "playerId": "did:privy:me", "type": "buy", "price": 2.0, "tickIndex": 5,
        "qty": 0.05, "amount": 0.1, "coin": "solana",
    } | changes  # fmt: skip


def playing() -> Play:
    play = Play()
    play.frame(std(3, 5))
    return play


def result(derived: Derived) -> Any:
    (event,) = (event for event in derived.events if event.type == "order.result")
    return data(event)


def test_the_own_trade_and_the_update_are_told_with_the_result() -> None:
    play = playing()
    request = play.sent("buyOrder", TRACE, {"amount": 0.1}, ack_id=1)
    traded = play.received("standard/newTrade", TRACE, trade())
    updated = play.received("playerUpdate", UPDATE)
    answer = result(play.frame('431[{"success":true,"message":"Bought"}]'))
    assert answer["effects"] == [
        {"type": "player.trade", "seq": traded.events[0].seq, "latencyMs": 100.0, "price": 2.0, "tickIndex": 5,
         "qty": 0.05, "amount": 0.1},
        {"type": "player.state", "seq": updated.events[0].seq, "latencyMs": 200.0, "cash": 4.9},
    ]  # fmt: skip
    assert (answer["success"], answer["latencyMs"], answer["message"]) == (True, 300.0, "Bought")
    assert only(traded, "player.trade")["requestSeq"] == request.events[0].seq


def test_a_placed_side_bet_is_told_and_its_settlement_knows_the_request() -> None:
    play = playing()
    request = play.sent("requestSidebet", TRACE, {"amount": 0.02, "xPayout": 5}, ack_id=2)
    bet = {"playerId": "me", "gameId": game_of(3), "betAmount": 0.02, "xPayout": 5, "startTick": 5, "endTick": 45}
    play.received("currentSidebet", TRACE, {**bet, "type": "placed"})
    (effect,) = result(play.frame('432[{"success":true}]'))["effects"]
    assert (effect["type"], effect["betAmount"], effect["endTick"]) == ("sidebet.placed", 0.02, 45)
    settled = play.received("currentSidebetResult", TRACE, {**bet, "type": "payout", "payout": 0, "profit": -0.02})
    assert only(settled, "sidebet.result")["requestSeq"] == request.events[0].seq


def test_others_trades_and_a_second_update_are_none_of_the_orders() -> None:
    play = playing()
    play.sent("buyOrder", TRACE, {"amount": 0.1}, ack_id=1)
    other = play.received("standard/newTrade", OTHERS, trade(id="t2"))
    play.received("playerUpdate", UPDATE)
    play.received("playerUpdate", UPDATE)
    assert "requestSeq" not in only(other, "player.trade")
    assert [effect["type"] for effect in result(play.frame("431[]"))["effects"]] == ["player.state"]


def test_an_event_without_a_type_is_an_effect_too() -> None:
    play = playing()
    play.sent("shortOrder", TRACE, {"amount": 0.1}, ack_id=1)
    play.received("shortOpened", TRACE, {"amount": 0.1, "entryPrice": 2})
    (effect,) = result(play.frame('431[{"success":true}]'))["effects"]
    assert (effect["type"], effect["amount"]) == ("raw.shortOpened", 0.1)


def test_a_presale_fill_long_after_the_ack_knows_its_request() -> None:
    play = playing()
    request = play.sent("buyOrder", TRACE, {"amount": 0.1}, ack_id=1)
    play.frame('431[{"success":true}]')
    play.restart()
    fill = play.received("standard/newTrade", TRACE, trade(tickIndex=0, price=1))
    assert only(fill, "player.trade")["requestSeq"] == request.events[0].seq


def test_an_empty_ack_after_the_own_trade_is_a_success() -> None:
    play = playing()
    play.sent("buyOrder", TRACE, {"amount": 0.1}, ack_id=1)
    play.received("standard/newTrade", TRACE, trade())
    assert result(play.frame("431[]"))["success"] is True


@pytest.mark.parametrize(("has_traded", "success"), [(True, True), (False, None)])
@pytest.mark.parametrize("ack_id", [1, None])
def test_an_order_without_an_answer_gets_a_result_once(has_traded: bool, success: bool | None, ack_id: int) -> None:
    play = playing()
    play.sent("buyOrder", TRACE, {"amount": 0.1}, ack_id=ack_id)
    if has_traded:
        play.received("standard/newTrade", TRACE, trade())
    play.at_us += PATIENCE_US
    play.restart()
    late = play.frame("2")
    assert types(late) == ["order.result"]
    answer = result(late)
    assert (answer["success"], answer["latencyMs"], answer["message"]) == (success, None, NO_ACK)
    assert types(play.frame('431[{"success":true}]')) == []
    (row,) = rows(late, "player_action")
    assert (row["success"], row["latency_ms"], row["trace_id"]) == (success, None, TRACE_ID)


def test_the_frame_that_comes_when_patience_ends_keeps_its_number_for_itself() -> None:
    play = playing()
    play.sent("buyOrder", {"amount": 0.1}, ack_id=1)
    play.at_us += PATIENCE_US
    late = play.received("chatHistory", 1)
    told = [(event.type, event.seq - play.seq) for event in late.events]
    assert told == [("raw.chatHistory", 0), ("order.result", 1)]
    assert late.rows[0].seq == play.seq
