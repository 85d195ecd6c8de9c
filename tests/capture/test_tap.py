"""The tap as a playbook: given these messages of the browser, expect these commands and items."""

import base64
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from actors.capture.tap import SETTLE_S, Out, Tap
from actors.capture.wire import Command
from actors.core.messages import Attached, Captured, Detached, FrameSeen, PageChanged, StreamClosed, StreamOpened
from actors.rugs.redact import MARK, short_hash

PAGE = "T1"


class Play:
    """A browser's side of the conversation, by hand."""

    def __init__(self, *, settled: bool = True, known: Iterable[str] = ()) -> None:
        self.tap = Tap("guid", 1000.0, known=known)
        self.commands: list[Command] = []
        self.items: list[Captured] = []
        self.now_s = 10.0
        self.take(self.tap.begin(self.now_s))
        if settled:
            self.attach("S1", PAGE)
            self.answer_all()
            self.fresh()

    def take(self, out: Iterable[Out]) -> None:
        for each in out:
            (self.commands if isinstance(each, Command) else self.items).append(each)  # type: ignore[arg-type]

    def fresh(self) -> list[Captured]:
        items, self.items = self.items, []
        return items

    def event(self, method: str, session: str = "S1", **params: Any) -> None:
        message = {"method": method, "sessionId": session, "params": params}
        self.take(self.tap.handle(msgspec.json.encode(message), self.now_s))

    def answer(self, command: Command, result: dict[str, Any] | None) -> None:
        body = {"error": {"code": -32000}} if result is None else {"result": result}
        self.take(self.tap.handle(msgspec.json.encode({"id": command.id, **body}), self.now_s))

    def answer_all(self) -> None:
        while self.commands:
            self.answer(self.commands.pop(0), {})

    def attach(self, session: str, target: str, kind: str = "page", url: str = "about:blank", parent: str = "") -> None:
        info = {"targetId": target, "type": kind, "url": url}
        self.event("Target.attachedToTarget", parent, sessionId=session, targetInfo=info, waitingForDebugger=True)

    def said(self) -> list[tuple[str, str]]:
        said = [(command.method, command.session) for command in self.commands]
        self.commands.clear()
        return said

    def frame(
        self, text: str, *, sent: bool = False, request: str = "9.1", session: str = "S1", at_s: float = 11.0
    ) -> None:
        method = "Network.webSocketFrameSent" if sent else "Network.webSocketFrameReceived"
        response = {"opcode": 1, "mask": sent, "payloadData": text}
        self.event(method, session, requestId=request, timestamp=at_s, response=response)

    def open(self, url: str = "wss://h/ws", request: str = "9.1", session: str = "S1") -> None:
        self.event("Network.webSocketCreated", session, requestId=request, url=url)

    def poll(self, request: str, sid: str = "", *, post: str | None = None, at_s: float = 11.0) -> None:
        url = "https://h/socket.io/?EIO=4&transport=polling" + (f"&sid={sid}" if sid else "")
        body: dict[str, Any] = {"url": url, "method": "GET" if post is None else "POST"}
        if post:
            body["postData"] = post
        self.event(
            "Network.requestWillBeSent",
            requestId=request,
            timestamp=at_s,
            request=body | {"hasPostData": post is not None},
        )

    def answered(self, request: str, at_s: float = 12.0, status: int = 200) -> None:
        self.event("Network.responseReceived", requestId=request, timestamp=at_s, response={"status": status})

    def loaded(self, request: str) -> None:
        self.event("Network.loadingFinished", requestId=request, timestamp=12.5)

    def navigate(self, url: str, frame: str = PAGE, session: str = "S1", **more: Any) -> None:
        self.event("Page.frameNavigated", session, frame={"id": frame, "url": url, **more})


def texts(items: list[Captured]) -> list[bytes]:
    return [item.payload for item in items if isinstance(item, FrameSeen)]


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


def test_navigation_crash_and_end_close_what_was_open() -> None:
    play = Play()
    for end, cause, what in (
        (lambda: play.navigate("http://h/2?token=s"), "page navigated", "navigated"),
        (lambda: play.event("Inspector.targetCrashed"), "page crashed", "crashed"),
        (lambda: play.event("Target.detachedFromTarget", "", sessionId="S1"), "target gone", "gone"),
    ):
        play.open()
        play.fresh()
        end()
        closed, page = play.fresh()
        assert isinstance(closed, StreamClosed)
        assert (closed.stream, closed.cause) == ("guid/T1/9.1", cause)
        assert isinstance(page, PageChanged)
        assert (page.what, page.target) == (what, PAGE)


def test_the_navigation_of_a_frame_inside_closes_nothing() -> None:
    play = Play()
    play.open()
    play.fresh()
    play.navigate("http://h/inner", frame="F", parentId=PAGE)
    assert play.items == []


def test_a_failed_socket_says_why_without_its_token() -> None:
    play = Play()
    play.open()
    play.fresh()
    play.event(
        "Network.webSocketFrameError", requestId="9.1", timestamp=11.0, errorMessage="to 'wss://h/?token=s' failed"
    )
    play.event("Network.webSocketClosed", requestId="9.1", timestamp=11.0)
    assert [item.cause for item in play.items if isinstance(item, StreamClosed)] == [
        f"error: to 'wss://h/?token={MARK}' failed"
    ]


def test_polls_and_socket_of_one_session_come_in_order_and_share_what_is_secret() -> None:
    play = Play()
    play.poll("1")
    play.answered("1")
    play.loaded("1")
    (first,) = play.commands
    play.commands.clear()
    play.open("wss://h/socket.io/?EIO=4&transport=websocket&sid=abc", request="9.2")
    play.frame("2probe", sent=True, request="9.2")
    assert play.items == []
    play.answer(first, {"body": '0{"sid":"abc"}', "base64Encoded": False})
    polling = f"guid/T1/poll-{short_hash('abc')}"
    opened, frame, socket, probe = play.fresh()
    assert isinstance(opened, StreamOpened)
    assert (opened.stream, opened.transport, opened.cdp_s) == (polling, "polling", 11.0)
    assert isinstance(frame, FrameSeen)
    assert (frame.payload, frame.cdp_s) == (b'0{"sid":"abc"}', 12.0)
    assert isinstance(socket, StreamOpened)
    assert isinstance(probe, FrameSeen)
    play.poll("2", "abc", post='40{"token":"s"}\x1e420["authenticate","s"]')
    assert texts(play.fresh()) == [f'40{{"token":"{MARK}"}}'.encode(), f'420["authenticate","{MARK}"]'.encode()]
    play.frame("5", sent=True, request="9.2")
    play.frame('430["s"]', request="9.2")
    upgrade, closed, ack = play.fresh()
    assert isinstance(closed, StreamClosed)
    assert (closed.stream, closed.cause) == (polling, "upgraded")
    assert texts([upgrade, ack]) == [b"5", f'430["{MARK}"]'.encode()]


def test_what_the_page_sends_on_a_body_comes_after_the_body_though_cdp_tells_it_before() -> None:
    play = Play()
    play.poll("1")
    play.answered("1")
    play.poll("2", "abc", post="40", at_s=12.1)
    play.loaded("1")
    play.answer(play.commands.pop(), {"body": '0{"sid":"abc"}'})
    assert texts(play.items) == [b'0{"sid":"abc"}', b"40"]
    assert [type(item) for item in play.items] == [StreamOpened, FrameSeen, FrameSeen]
    assert [item.cdp_s for item in play.items if isinstance(item, FrameSeen)] == [12.0, 12.1]
    assert len({item.stream for item in play.items if isinstance(item, FrameSeen)}) == 1


def test_a_poll_that_fails_on_its_way_holds_nothing_back() -> None:
    for end in ("Network.loadingFailed", "Page.frameNavigated"):
        play = Play()
        play.poll("1", "abc")
        play.answered("1")
        play.frame("later")
        play.event(end, requestId="1", timestamp=12.5, frame={"id": PAGE, "url": "http://h/"})
        assert texts(play.items) == [b"later"]
        assert play.tap.held_since_s() is None


def test_a_poll_without_a_body_is_counted_and_holds_nothing_back() -> None:
    play = Play()
    play.poll("1", "abc")
    play.answered("1")
    play.loaded("1")
    play.frame("later")
    play.answer(play.commands.pop(), None)
    assert texts(play.items) == [b"later"]
    assert play.tap.unread_polls == 1


def test_a_poll_whose_body_never_comes_holds_frames_for_a_second() -> None:
    play = Play()
    play.poll("1", "abc")
    play.answered("1")
    play.loaded("1")
    play.frame("later")
    assert play.tap.held_since_s() == 10.0
    play.take(play.tap.tick(11.1))
    assert texts(play.items) == [b"later"]


def test_a_post_without_its_data_is_asked_for() -> None:
    play = Play()
    play.poll("1", "abc", post="")
    (command,) = play.commands
    assert (command.method, command.params) == ("Network.getRequestPostData", {"requestId": "1"})
    play.answer(command, {"postData": "3"})
    assert texts(play.items) == [b"3"]


def test_an_error_answer_to_a_poll_is_no_packet() -> None:
    play = Play()
    play.poll("1", "abc")
    play.answered("1", status=400)
    play.loaded("1")
    assert play.commands == []


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


def test_a_lost_browser_closes_its_streams_and_a_stopped_capture_does_not() -> None:
    for browser_gone, closed in ((True, 1), (False, 0)):
        play = Play()
        play.open()
        play.fresh()
        items = list(play.tap.end("over", 14.0, browser_gone=browser_gone))
        assert len(items) == closed + 1
        seen_until_s = 10.0 if browser_gone else 14.0
        assert items[-1] == Detached(n=0, at_us=ms(seen_until_s), cdp_s=seen_until_s, guid="guid", cause="over")


def ms(cdp_s: float) -> int:
    return round((1000 + cdp_s) * 1e6)


def test_a_stream_that_ends_without_a_word_was_seen_until_the_last_sign_of_life() -> None:
    ends: tuple[Callable[[Play], Iterable[Out] | None], ...] = (
        lambda play: play.navigate("http://h/2"),
        lambda play: play.event("Inspector.targetCrashed"),
        lambda play: play.event("Target.detachedFromTarget", "", sessionId="S1"),
        lambda play: play.take(play.tap.end("connection lost", 20.0, browser_gone=True)),
    )
    for end in ends:
        play = Play()
        play.open()
        play.frame("42[1]", at_s=12.5)
        play.now_s = 20.0
        end(play)
        assert [item.cdp_s for item in play.items if isinstance(item, StreamClosed)] == [12.5]


def test_only_the_silent_are_asked_for_a_sign_of_life_and_only_where_a_stream_is_open() -> None:
    play = Play()
    play.take(play.tap.tick(10.4))
    assert play.said() == []
    play.take(play.tap.tick(11.0))
    assert play.said() == [("Browser.getVersion", "")]
    play.open()
    play.frame("42[1]", at_s=11.4)
    play.take(play.tap.tick(11.6))
    assert play.said() == []
    play.take(play.tap.tick(12.2))
    assert play.said() == [("Browser.getVersion", ""), ("Runtime.disable", "S1")]


def test_what_a_page_tells_after_it_was_busy_came_long_before() -> None:
    play = Play()
    play.open()
    play.frame("42[1]", at_s=11.0)
    for now_s in (12.0, 12.6, 13.2):  # asked, owed, owed
        play.take(play.tap.tick(now_s))
    play.now_s = 14.0
    play.frame("42[2]", at_s=14.0)
    play.event("Inspector.targetCrashed")
    assert [item.cdp_s for item in play.items if isinstance(item, StreamClosed)] == [11.0]


def test_silence_with_signs_of_life_is_seen_and_without_them_is_not() -> None:
    play = Play()
    play.open()
    play.frame("42[1]", at_s=11.0)
    play.take(play.tap.tick(12.0))
    play.answer_all()
    play.now_s = 12.6
    play.take(play.tap.tick(12.6))
    assert play.tap.silent_since_s(13.0) is None
    assert play.tap.silent_since_s(20.0) == 12.0
    play.event("Inspector.targetCrashed")
    assert [item.cdp_s for item in play.items if isinstance(item, StreamClosed)] == [12.0]


def closings(play: Play) -> list[tuple[str, str, float]]:
    return [(item.stream, item.cause, item.cdp_s) for item in play.fresh() if isinstance(item, StreamClosed)]


def test_a_stream_that_was_open_before_and_is_never_heard_ends_with_its_page_and_counts_from_the_attaching() -> None:
    play = Play(known=["guid/T1/9.1", "guid/T2/9.5"])
    play.now_s = 20.0
    play.event("Page.frameNavigated", frame={"id": PAGE, "url": "https://h/"})
    assert closings(play) == [("guid/T1/9.1", "page navigated", 10.0)]


def test_a_stream_that_was_open_before_and_is_heard_ends_when_it_is_seen_to() -> None:
    play = Play(known=["guid/T1/9.1"])
    play.frame("42[]", at_s=19.0)
    play.event("Network.webSocketClosed", requestId="9.1", timestamp=20.0)
    play.event("Page.frameNavigated", frame={"id": PAGE, "url": "https://h/"})
    assert closings(play) == [("guid/T1/9.1", "closed", 20.0)]


def test_a_polling_stream_ends_behind_its_last_poll_which_cdp_may_tell_of_after_the_upgrade() -> None:
    play = Play()
    polling = f"guid/T1/poll-{short_hash('abc')}"
    play.open("wss://h/socket.io/?EIO=4&transport=websocket&sid=abc", request="9.2")
    play.poll("2", "abc", post="40")
    play.poll("3", "abc")
    play.frame("5", sent=True, request="9.2")
    assert closings(play) == []
    play.answered("3")
    play.loaded("3")
    (body,) = play.commands
    play.answer(body, {"body": "6", "base64Encoded": False})
    kinds = [(type(item), getattr(item, "stream", "")) for item in play.fresh()]
    assert kinds[-2:] == [(FrameSeen, polling), (StreamClosed, polling)]


def test_a_poll_that_was_given_up_and_comes_all_the_same_leaves_no_stream_open() -> None:
    play = Play()
    play.open("wss://h/socket.io/?EIO=4&transport=websocket&sid=abc", request="9.2")
    play.poll("2", "abc", post="40")
    play.poll("3", "abc")
    play.answered("3")
    play.loaded("3")
    (body,) = play.commands
    play.frame("5", sent=True, request="9.2")
    play.now_s = 20.0
    play.take(play.tap.tick(play.now_s))
    assert [cause for _, cause, _ in closings(play)] == ["upgraded"]
    play.answer(body, {"body": "6", "base64Encoded": False})
    kinds = [type(item) for item in play.fresh()]
    assert kinds == [StreamOpened, FrameSeen, StreamClosed]
