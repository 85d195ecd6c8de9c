"""The tap as a playbook: given these messages of the browser, expect these commands and items."""

import base64
from typing import Any

from actors.capture.tap import SETTLE_S
from actors.core.messages import Attached, FrameSeen, PageChanged, StreamClosed, StreamOpened
from actors.rugs.redact import MARK
from tests.capture.playbook import PAGE, Play, texts


def test_a_page_is_enabled_before_it_may_run() -> None:
    play = Play(settled=False)
    assert play.said() == [("Target.setAutoAttach", "")]
    play.attach("S1", PAGE)
    assert play.said() == [
        ("Network.enable", "S1"),
        ("Page.enable", "S1"),
        ("Inspector.enable", "S1"),
        ("Target.setAutoAttach", "S1"),
        ("Runtime.runIfWaitingForDebugger", "S1"),
    ]


def test_attached_is_told_when_every_first_session_is_enabled() -> None:
    play = Play(settled=False)
    play.attach("S1", PAGE)
    last = play.commands.pop()
    network = play.commands.pop(1)
    play.answer_all()
    play.answer(last, {})
    assert play.items == []
    play.now_s = 10.5
    play.answer(network, {})
    assert play.items == [
        Attached(n=0, at_us=1010_500_000, cdp_s=10.5, guid="guid"),
        PageChanged(n=0, at_us=1010_000_000, cdp_s=10.0, target=PAGE, what="opened", url="about:blank"),
    ]


def test_early_frames_of_older_streams_lie_outside_of_what_is_covered() -> None:
    play = Play(settled=False)
    play.attach("S1", PAGE)
    play.frame("old and early", request="9.1", at_s=10.1)
    play.open(request="9.2")
    play.frame("seen to begin", request="9.2", at_s=10.1)
    play.now_s = 10.2
    play.answer_all()
    play.frame("old and covered", request="9.1", at_s=10.3)
    assert texts(play.items) == [b"seen to begin", b"old and covered"]


def test_a_hung_target_does_not_hold_back_the_others_for_ever() -> None:
    play = Play(settled=False)
    play.attach("S1", PAGE)
    play.take(play.tap.tick(10.0 + SETTLE_S - 0.1))
    assert not play.tap.is_attached
    play.take(play.tap.tick(10.0 + SETTLE_S))
    assert play.tap.is_attached


def test_frames_keep_direction_opcode_text_and_both_clocks() -> None:
    play = Play()
    play.open("wss://h/socket.io/?EIO=4&token=secret")
    play.frame('42["ü😀"]', at_s=11.25)
    play.frame("3", sent=True, at_s=11.5)
    response = {"opcode": 2, "mask": True, "payloadData": base64.b64encode(b"\x00\xff").decode()}
    play.event("Network.webSocketFrameSent", requestId="9.1", timestamp=12.0, response=response)
    made: dict[str, Any] = {"stream": "guid/T1/9.1"}
    url = f"wss://h/socket.io/?EIO=4&token={MARK}"
    assert play.items == [
        StreamOpened(n=0, at_us=1010_000_000, cdp_s=10.0, url=url, transport="websocket", **made),
        FrameSeen(n=0, at_us=1011_250_000, cdp_s=11.25, sent=False, opcode=1, payload='42["ü😀"]'.encode(), **made),
        FrameSeen(n=0, at_us=1011_500_000, cdp_s=11.5, sent=True, opcode=1, payload=b"3", **made),
        FrameSeen(n=0, at_us=1012_000_000, cdp_s=12.0, sent=True, opcode=2, payload=b"\x00\xff", **made),
    ]  # fmt: skip


def test_a_wallets_target_is_resumed_and_left_as_soon_as_it_runs() -> None:
    play = Play()
    play.attach("S2", "T2", "service_worker", "chrome-extension://abc/worker.js", parent="S1")
    (resume,) = play.commands
    assert (resume.method, resume.session) == ("Runtime.runIfWaitingForDebugger", "S2")
    play.said()
    play.frame("42[secret]", session="S2")
    play.answer(resume, {})
    assert play.said() == [("Target.detachFromTarget", "S1")]
    assert play.items == []


def test_a_page_that_goes_to_an_extension_is_read_no_more() -> None:
    play = Play()
    play.navigate("chrome-extension://abc/popup.html")
    assert play.said() == [("Network.disable", "S1"), ("Target.detachFromTarget", "")]
    play.frame("42[secret]")
    assert texts(play.items) == []


def test_an_iframe_that_turns_out_to_be_an_extensions_is_left_too() -> None:
    play = Play()
    play.attach("S2", "F2", "iframe", "", parent="S1")
    play.said()
    play.navigate("chrome-extension://abc/frame.html", frame="F2", session="S2", parentId=PAGE)
    assert play.said() == [("Network.disable", "S2"), ("Target.detachFromTarget", "S1")]


def test_unknown_kinds_are_resumed_and_not_read() -> None:
    play = Play()
    play.attach("S2", "T2", "browser_ui", "chrome://x/")
    assert play.said() == [("Runtime.runIfWaitingForDebugger", "S2")]
    play.frame("x", session="S2")
    assert play.items == []


def test_a_target_attached_twice_is_read_once_and_the_spare_takes_over() -> None:
    play = Play()
    play.attach("S2", "W", "service_worker", "https://h/w.js")
    play.attach("S3", "W", "service_worker", "https://h/w.js", parent="S1")
    play.frame("once", session="S2")
    play.frame("once", session="S3")
    assert texts(play.fresh()) == [b"once"]
    play.said()
    play.event("Target.detachedFromTarget", "", sessionId="S2")
    assert ("Network.enable", "S3") in play.said()
    play.frame("twice", session="S3")
    assert texts(play.items) == [b"twice"]
    assert not [item for item in play.items if isinstance(item, StreamClosed)]


def test_what_is_no_cdp_is_counted_and_passed_over() -> None:
    play = Play()
    for message in (
        b"",
        b"{",
        b"[]",
        b'{"method":"Network.webSocketCreated","sessionId":"S1","params":{"requestId":1}}',
    ):
        play.take(play.tap.handle(message, 10.0))
    assert (play.tap.undecodable, play.items) == (4, [])
