"""The tap and long polling: packets in the order of their time, bodies asked for, and nothing held back for long."""

from actors.core.messages import FrameSeen, StreamClosed, StreamOpened
from actors.rugs.redact import MARK, short_hash
from tests.capture.playbook import PAGE, Play, closings, texts


def behind_a_body() -> Play:
    """Return the play in which a frame waits for the body of a poll."""
    play = Play()
    play.poll("1", "abc")
    play.answered("1")
    play.loaded("1")
    play.frame("later")
    return play


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
    assert (frame.payload, frame.cdp_s) == (b'0{"sid":"[redacted]"}', 12.0)
    assert isinstance(socket, StreamOpened)
    assert isinstance(probe, FrameSeen)
    play.poll("2", "abc", post='40{"token":"s"}\x1e420["authenticate","s"]')
    play.answered("2")
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
    play.answered("2", at_s=12.2)
    play.loaded("1")
    play.answer(play.commands.pop(), {"body": '0{"sid":"abc"}'})
    assert texts(play.items) == [b'0{"sid":"[redacted]"}', b"40"]
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
    play = behind_a_body()
    play.answer(play.commands.pop(), None)
    assert texts(play.items) == [b"later"]
    assert play.tap.unread_polls == 1


def test_a_poll_whose_body_never_comes_holds_frames_for_a_second() -> None:
    play = behind_a_body()
    assert play.tap.held_since_s() == 10.0
    play.take(play.tap.tick(11.1))
    assert texts(play.items) == [b"later"]


def test_a_post_without_its_data_is_asked_for() -> None:
    play = Play()
    play.poll("1", "abc", post="")
    assert play.commands == []
    play.answered("1")
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


def test_a_polling_stream_ends_behind_its_last_poll_which_cdp_may_tell_of_after_the_upgrade() -> None:
    play = Play()
    polling = f"guid/T1/poll-{short_hash('abc')}"
    play.open("wss://h/socket.io/?EIO=4&transport=websocket&sid=abc", request="9.2")
    play.poll("2", "abc", post="40")
    play.answered("2")
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
    play.answered("2")
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
