"""Orders of the page and the site's answers find each other by the ack id."""

from typing import Any

import pytest

from tests.rugs.playbook import TRACE, TRACE_ID, Play, data, game_of, only, std, types


def test_an_order_and_its_ack_become_request_and_result() -> None:
    playing = Play()
    playing.frame(std(3, 5))
    request = playing.sent("buyOrder", TRACE, {"amount": 0.1}, ack_id=12)
    assert only(request, "order.request") == {
        "action": "buyOrder",
        "ackId": 12,
        "args": [{"amount": 0.1}],
        "traceId": TRACE_ID,
    }
    playing.at_us += 119_000
    result = playing.frame('4312[{"success":true}]')
    assert only(result, "order.result") == {
        "action": "buyOrder",
        "ackId": 12,
        "args": [{"success": True}],
        "success": True,
        "latencyMs": 219.0,
        "message": None,
        "requestSeq": request.events[0].seq,
        "traceId": TRACE_ID,
        "effects": [],
    }
    assert {event.game_id for event in (*request.events, *result.events)} == {game_of(3)}


@pytest.mark.parametrize("name", ["buyOrder", "sellOrder", "requestSidebet"])
def test_the_known_orders_need_no_ack_id(name: str) -> None:
    assert only(Play().sent(name, {"amount": 1}), "order.request")["ackId"] is None


@pytest.mark.parametrize("name", ["openShort", "shortOrder", "setLeverage", "cancelSidebet"])
def test_unobserved_names_that_speak_of_orders_and_want_an_answer_are_orders(name: str) -> None:
    assert types(Play().sent(name, {}, ack_id=3)) == ["order.request"]


@pytest.mark.parametrize(
    ("name", "ack_id"),
    [("openShort", None), ("getSidebetHistory", 3), ("checkOrder", 3), ("ping", 3), ("shortcuts/get", None)],
)
def test_questions_and_other_emits_are_no_orders(name: str, ack_id: int | None) -> None:
    expected = {"args": [{}], "sent": True} | ({} if ack_id is None else {"ackId": ack_id})
    assert only(Play().sent(name, {}, ack_id=ack_id), f"raw.{name}") == expected


def test_the_pages_heartbeat_is_a_raw_event_and_its_ack_is_none() -> None:
    playing = Play()
    ping = playing.sent("ping", {"lastPing": 1.5}, ack_id=59)
    assert only(ping, "raw.ping") == {"args": [{"lastPing": 1.5}], "sent": True, "ackId": 59}
    ack = playing.frame("4359[]")
    assert types(ack) == []
    assert ack.rows[0].values[3] is None


@pytest.mark.parametrize(
    ("answer", "success"),
    [
        ('[{"success":true}]', True),
        ('[{"success":false,"message":"no"}]', False),
        ('[{"error":"insufficient"}]', False),
        ("[]", None),
        ('["ok"]', None),
        ('[{"success":"yes"}]', None),
    ],
)
def test_the_ack_says_whether_it_succeeded(answer: str, success: bool | None) -> None:
    playing = Play()
    playing.sent("sellOrder", {"percentage": 25}, ack_id=1)
    assert only(playing.frame(f"431{answer}"), "order.result")["success"] is success


def test_an_answer_survives_a_restart_and_counts_once() -> None:
    playing = Play()
    playing.sent("buyOrder", {"amount": 1}, ack_id=1)
    playing.restart()
    assert types(playing.frame('431[{"success":true}]')) == ["order.result"]
    assert types(playing.frame('431[{"success":true}]')) == []


def test_acks_are_matched_within_their_stream() -> None:
    playing = Play()
    playing.sent("buyOrder", {"amount": 1}, ack_id=1)
    assert types(playing.frame('431[{"success":true}]', stream="browser/page/2")) == []
    assert types(playing.frame('431[{"success":true}]')) == ["order.result"]


def test_an_order_received_is_no_order() -> None:
    assert types(Play().received("buyOrder", {"amount": 1})) == ["raw.buyOrder"]


@pytest.mark.parametrize("args", [[], [None], ["x", 1], [{"amount": 10**30}], [[[]]]], ids=str)
def test_an_order_with_strange_arguments_is_kept(args: list[Any]) -> None:
    playing = Play()
    derived = playing.sent("buyOrder", *args, ack_id=1)
    assert types(derived) == ["order.request"]
    assert len(data(derived.events[0])["args"]) == len(args)
    assert playing.memory.failures == 0


def test_requests_without_an_answer_do_not_pile_up() -> None:
    playing = Play()
    for number in range(1_000):
        playing.sent("buyOrder", {"amount": 1}, ack_id=number)
    assert len(playing.memory.orders) == 256
    assert types(playing.frame('43999[{"success":true}]')) == ["order.result"]
