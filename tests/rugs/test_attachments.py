"""Binary packets come out whole, with the last of their attachments."""

from typing import Any

import msgspec
import pytest

from actors.rugs.attachments import MAX_BYTES, MAX_PARTS, MAX_WAITING
from tests.rugs.playbook import TRACE, Play, only, types

HOLE = {"_placeholder": True, "num": 0}


def binary(head: str, *args: Any) -> str:
    return head + msgspec.json.encode(list(args)).decode()


def test_an_event_comes_with_its_last_attachment() -> None:
    play = Play()
    waiting = play.frame(binary("452-", "pic", HOLE, {"deep": [{"_placeholder": True, "num": 1}], "n": 1}))
    assert types(waiting) == []
    assert waiting.rows[0].values[3] == "pic", "the frame's row has the name all the same"
    assert types(play.frame(b"\x00\x01", opcode=2)) == []
    play.restart()
    whole = play.frame(b"\xff", opcode=2)
    assert only(whole, "raw.pic") == {"args": [{"base64": "AAE="}, {"deep": [{"base64": "/w=="}], "n": 1}]}
    assert whole.events[0].seq == play.seq


def test_a_typed_event_and_a_traced_order_may_be_binary() -> None:
    play = Play()
    play.frame(binary("451-7", "buyOrder", TRACE, {"amount": 1, "proof": HOLE}), sent=True)
    request = play.frame(b"x", opcode=2, sent=True)
    assert only(request, "order.request")["args"] == [{"amount": 1, "proof": {"base64": "eA=="}}]
    play.frame(binary("461-7", {"success": True, "proof": HOLE}))
    result = play.frame(b"y", opcode=2)
    assert only(result, "order.result")["success"] is True


def test_the_two_directions_and_two_sockets_do_not_mix() -> None:
    play = Play()
    play.frame(binary("451-", "in", HOLE))
    play.frame(binary("451-", "out", HOLE), sent=True)
    play.frame(binary("451-", "other", HOLE), stream="browser/page/2")
    assert only(play.frame(b"1", opcode=2, sent=True), "raw.out")["args"] == [{"base64": "MQ=="}]
    assert types(play.frame(b"2", opcode=2, stream="browser/page/3")) == []
    assert only(play.frame(b"3", opcode=2, stream="browser/page/2"), "raw.other")["args"] == [{"base64": "Mw=="}]
    assert only(play.frame(b"4", opcode=2), "raw.in")["args"] == [{"base64": "NA=="}]


def test_a_heartbeat_between_disturbs_nothing_and_another_packet_ends_the_waiting() -> None:
    play = Play()
    play.frame(binary("452-", "pic", HOLE, {"_placeholder": True, "num": 1}))
    play.frame(b"a", opcode=2)
    assert types(play.frame("2")) == []
    broken = play.received("next", 1)
    assert types(broken) == ["raw.pic", "raw.next"]
    assert msgspec.json.decode(broken.events[0].data)["args"] == [{"base64": "YQ=="}, {"_placeholder": True, "num": 1}]
    assert types(play.frame(b"b", opcode=2)) == []


def test_what_is_too_large_to_wait_stays_in_the_frames_row() -> None:
    play = Play()
    play.frame(binary("452-", "pic", HOLE, {"_placeholder": True, "num": 1}))
    play.frame(b"x" * MAX_BYTES, opcode=2)
    assert only(play.frame(b"y" * 9, opcode=2), "raw.pic")["args"][1] == {"bytes": 9}
    long = binary("451-", "long", HOLE, "z" * MAX_BYTES)
    assert only(play.frame(long), "raw.long")["args"][0] == HOLE
    assert only(play.frame(binary(f"45{MAX_PARTS + 1}-", "many", HOLE)), "raw.many")["args"] == [HOLE]


def test_packets_whose_attachments_never_come_do_not_pile_up() -> None:
    play = Play()
    for number in range(100):
        play.frame(binary("451-", "pic", HOLE), stream=f"browser/page/{number}")
    assert len(play.memory.unfinished) == MAX_WAITING


@pytest.mark.parametrize("number", [-1, 1, 9, True, 0.0, "0", None])
def test_a_placeholder_that_names_no_attachment_stays(number: Any) -> None:
    play = Play()
    hole = {"_placeholder": True, "num": number}
    play.frame(binary("451-", "pic", hole))
    assert only(play.frame(b"a", opcode=2), "raw.pic")["args"] == [hole]
    assert play.memory.failures == 0
