"""How streams end for the tap: with a word, with their page or browser, or at the last sign of life."""

from collections.abc import Callable, Iterable

from actors.capture.tap import Out
from actors.core.messages import Detached, PageChanged, StreamClosed
from actors.rugs.redact import MARK
from tests.capture.playbook import PAGE, Play, closings


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
