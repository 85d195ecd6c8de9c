"""Presses become actions with the context of their moment, and are joined with what came of them."""

from typing import Any

import msgspec
import pytest

from actors.rugs.actions import PAUSE_US, REACH_US
from actors.rugs.memory import MAX_PRESSES, Memory
from actors.rugs.normalize import Derived
from tests.rugs.playbook import TRACE, TRACE_ID, Play, countdown, data, fits, game_of, only, rows, std, types

AMOUNT = "_controlBtn_x1 _controlButtons_x1 _buySection_x1"
SHARE = "_percentageBtn_x1 _sellControlButtonsContainer_x1"


class Hand(Play):
    """A player at the page of the playbook's stream."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.count = 0

    def press(self, text: str, classes: str = "", **changes: Any) -> Derived:
        self.count += 1
        self.at_us += 1000
        told = {
            "key": f"guid/page/abc/{self.count}", "target": "page", "trusted": True, "text": text, "classes": classes,
            "isButton": True, "amount": "0.030", "percent": "100%",
        }  # fmt: skip
        return self.note("press", **(told | changes))


def ready() -> Hand:
    hand = Hand()
    hand.frame(std(3, 5))
    hand.received("playerUpdate", {"id": "me", "cash": 4.5, "positionQty": 0.25})
    return hand


def test_a_press_is_an_action_with_the_context_of_its_moment() -> None:
    hand = ready()
    core = hand.memory.games[game_of(3)].core
    pressed = hand.press("BUY+0.030 SOL")
    action = only(pressed, "player.action")
    assert action == {
        "button": "BUY", "category": "trade", "actor": "human", "amount": 0.03, "percentage": None,
        "tick": 5, "price": core.price, "phase": "ACTIVE", "cooldownMs": core.cooldown_ms, "balance": 4.5,
        "positionQty": 0.25, "traceId": action["traceId"], "sequenceId": action["traceId"], "sequencePosition": 1,
        "text": "BUY+0.030 SOL",
    }  # fmt: skip
    (row,) = rows(pressed, "player_action")
    assert {name: row[name] for name in ("button", "amount", "tick", "price", "phase", "balance", "position_qty")} == {
        "button": "BUY", "amount": 0.03, "tick": 5, "price": core.price, "phase": "ACTIVE", "balance": 4.5,
        "position_qty": 0.25,
    }  # fmt: skip
    assert (row["success"], row["latency_ms"], row["trace_id"]) == (None, None, action["traceId"])
    assert (row["game_id"], pressed.events[0].game_id) == (game_of(3), game_of(3))
    assert all(map(fits, pressed.rows))
    assert [row.doc_type for row in pressed.rows] == ["player_action"]


def test_what_is_not_known_is_null() -> None:
    action = only(Hand().press("BUY"), "player.action")
    assert {action[name] for name in ("tick", "price", "phase", "balance", "positionQty")} == {None}


def test_a_press_by_a_script_is_a_bots() -> None:
    assert only(ready().press("SELL", trusted=False), "player.action")["actor"] == "bot"


@pytest.mark.parametrize(
    ("text", "classes", "percent", "percentage"),
    [("25%", SHARE, "100%", 25.0), ("SELL", "", "50%", 50.0), ("SELL", "", None, None), ("BUY", "", "50%", None)],
)
def test_the_share_to_sell_is_told_where_it_counts(
    text: str, classes: str, percent: str | None, percentage: float | None
) -> None:
    assert only(ready().press(text, classes, percent=percent), "player.action")["percentage"] == percentage


@pytest.mark.parametrize(
    ("field", "amount"),
    [
        ("0.030", 0.03),
        ("0,03", 0.03),
        (" 1 ", 1.0),
        ("", None),
        (None, None),
        ("1e999", None),
        ("nan", None),
        (3, None),
    ],
)
def test_the_amount_is_the_fields(field: Any, amount: float | None) -> None:
    assert only(ready().press("BUY", amount=field), "player.action")["amount"] == amount


def test_an_outcome_is_a_row_of_its_own_joined_with_the_press() -> None:
    hand = ready()
    pressed = hand.press("BUY+0.030 SOL")
    request = hand.sent("buyOrder", TRACE, {"amount": 0.03}, ack_id=7)
    hand.received("playerUpdate", {"id": "me", "cash": 4.47, "positionQty": 0.28})
    answered = hand.frame('437[{"success":true}]')
    press, (outcome,) = rows(pressed, "player_action")[0], rows(answered, "player_action")
    assert press["trace_id"] == outcome["trace_id"] == only(request, "order.request")["pressTraceId"]
    assert (outcome["button"], outcome["category"], outcome["actor"]) == ("BUY", "trade", "human")
    assert (outcome["success"], outcome["latency_ms"], outcome["amount"]) == (True, 200.0, 0.03)
    assert (outcome["balance"], outcome["position_qty"]) == (4.47, 0.28)
    result = data(answered.events[0])
    assert (result["pressSeq"], result["pressTraceId"]) == (press["seq"], press["trace_id"])
    more = msgspec.json.decode(outcome["data"])
    assert (more["action"], more["requestTraceId"], more["sequencePosition"]) == ("buyOrder", TRACE_ID, 1)
    assert [effect["type"] for effect in more["effects"]] == ["player.state"]
    assert all(map(fits, answered.rows))


def test_an_order_without_a_press_has_an_outcome_of_nobody() -> None:
    hand = ready()
    hand.sent("sellOrder", TRACE, {"percentage": 50}, ack_id=7)
    (outcome,) = rows(hand.frame('437[{"success":false,"message":"No position"}]'), "player_action")
    assert (outcome["button"], outcome["actor"], outcome["percentage"]) == ("SELL", None, 50.0)
    assert (outcome["success"], outcome["trace_id"]) == (False, TRACE_ID)
    assert msgspec.json.decode(outcome["data"])["message"] == "No position"


def test_presses_and_orders_find_their_own_kind() -> None:
    hand = ready()
    buy, bet, sell = (data(hand.press(text).events[0]) for text in ("BUY", "SIDEBET", "SELL"))
    for name, press in (("requestSidebet", bet), ("sellOrder", sell), ("buyOrder", buy)):
        assert only(hand.sent(name, {}, ack_id=1), "order.request")["pressTraceId"] == press["traceId"]
    assert "pressTraceId" not in only(hand.sent("buyOrder", {}, ack_id=2), "order.request"), "each press sends one"


def test_two_quick_presses_send_two_orders() -> None:
    hand = ready()
    first = data(hand.press("BUY").events[0])
    one = only(hand.sent("buyOrder", {}, ack_id=1), "order.request")
    second = data(hand.press("BUY").events[0])
    two = only(hand.sent("buyOrder", {}, ack_id=2), "order.request")
    assert [one["pressTraceId"], two["pressTraceId"]] == [first["traceId"], second["traceId"]]


def test_a_press_that_the_page_ignored_does_not_claim_a_later_order() -> None:
    hand = ready()
    hand.press("BUY")
    hand.at_us += REACH_US
    assert "pressTraceId" not in only(hand.sent("buyOrder", {}, ack_id=1), "order.request")


def test_a_press_that_was_heard_late_seems_later_than_its_order_and_finds_it() -> None:
    hand = ready()
    press = data(hand.press("BUY").events[0])
    hand.at_us -= 2_000_000
    assert only(hand.sent("buyOrder", {}, ack_id=1), "order.request")["pressTraceId"] == press["traceId"]


def test_the_press_on_the_same_page_comes_first() -> None:
    hand = ready()
    here = data(hand.press("BUY").events[0])
    hand.press("BUY", target="another")
    assert only(hand.sent("buyOrder", {}, ack_id=1), "order.request")["pressTraceId"] == here["traceId"]


def test_a_press_told_after_its_order_still_finds_it() -> None:
    hand = ready()
    hand.sent("buyOrder", {"amount": 1}, ack_id=1)
    hand.at_us -= 2000
    press = data(hand.press("BUY").events[0])
    (outcome,) = rows(hand.frame('431[{"success":true}]'), "player_action")
    assert outcome["trace_id"] == press["traceId"]


def test_adjustments_and_the_order_after_them_are_one_sequence() -> None:
    hand = ready()
    presses = [("X", AMOUNT), ("+0.01", AMOUNT), ("X2", AMOUNT), ("BUY", ""), ("25%", SHARE), ("SELL", "")]
    told = [data(hand.press(*press).events[0]) for press in presses]
    assert [one["sequencePosition"] for one in told] == [1, 2, 3, 4, 1, 2]
    assert {one["sequenceId"] for one in told[:4]} == {told[0]["traceId"]}
    assert {one["sequenceId"] for one in told[4:]} == {told[4]["traceId"]}
    assert len({one["traceId"] for one in told}) == len(told)


def test_a_pause_another_page_and_no_restart_begin_a_new_sequence() -> None:
    hand = ready()
    hand.press("+1", AMOUNT)
    hand.restart()
    assert data(hand.press("+1", AMOUNT).events[0])["sequencePosition"] == 2
    assert data(hand.press("+1", AMOUNT, target="other").events[0])["sequencePosition"] == 1
    hand.at_us += PAUSE_US
    assert data(hand.press("+1", AMOUNT, target="other").events[0])["sequencePosition"] == 1


def test_the_context_is_that_of_the_newest_round() -> None:
    hand = ready()
    hand.frame(countdown(4, 9000))
    pressed = hand.press("BUY")
    action = only(pressed, "player.action")
    assert (action["phase"], action["tick"], action["cooldownMs"]) == ("PRESALE", 0, 9000)
    assert pressed.events[0].game_id == game_of(4)


def test_with_recording_off_the_action_is_told_and_not_stored() -> None:
    pressed = Hand(recording=False).press("BUY")
    assert types(pressed) == ["player.action"]
    assert pressed.rows == []


def test_a_button_that_is_known_no_more_is_kept_under_its_text() -> None:
    action = only(ready().press("BUY THE DIP NOW", "_old_"), "player.action")
    assert (action["button"], action["category"]) == ("BUY THE DIP NOW", "other")


@pytest.mark.parametrize("told", [{}, {"key": 1}, {"key": "k", "text": "BUY"}, {"key": "k", "text": "B" * 61}], ids=str)
def test_a_note_that_tells_of_no_press_is_kept_as_it_is(told: dict[str, Any]) -> None:
    hand = Hand()
    assert types(hand.note("press", **told)) == ["system.press"]
    assert hand.memory.failures == 0


def test_presses_without_orders_do_not_pile_up() -> None:
    hand = ready()
    for _ in range(1000):
        hand.press("BUY")
    assert len(hand.memory.presses) == MAX_PRESSES
    assert len(msgspec.msgpack.encode(hand.memory)) < 100_000
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(hand.memory), type=Memory).presses == hand.memory.presses
