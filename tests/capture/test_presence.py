"""Whether the site's socket is open."""

from actors.capture.presence import Presence
from actors.core.messages import FrameSeen, PageChanged, StreamClosed, StreamOpened

GAME = "wss://backend.rugs.fun/socket.io/?EIO=4&transport=websocket"


def opened(stream: str = "g/t/1", url: str = GAME) -> StreamOpened:
    return StreamOpened(n=0, at_us=1, cdp_s=0.0, stream=stream, url=url, transport="websocket")


def closed(cause: str = "closed", stream: str = "g/t/1") -> StreamClosed:
    return StreamClosed(n=0, at_us=7, cdp_s=0.0, stream=stream, cause=cause)


def frame(stream: str) -> FrameSeen:
    return FrameSeen(n=0, at_us=1, cdp_s=0.0, stream=stream, sent=False, opcode=1, payload=b"2")


def page(what: str) -> PageChanged:
    return PageChanged(n=0, at_us=1, cdp_s=0.0, target="t", what=what, url="")


def presence() -> Presence:
    return Presence(r"^wss?://([^/]+\.)?rugs\.fun/socket\.io/")


def test_the_last_socket_that_closes_is_missed_until_the_next_one_opens() -> None:
    it = presence()
    assert it.take(opened("a"))
    assert it.take(opened("b"))
    assert it.take(closed(stream="a"))
    assert (it.open, it.closed_us) == (1, None)
    assert it.take(closed("error: net::ERR", stream="b"))
    assert (it.open, it.closed_us) == (0, 7)
    assert it.take(opened("c"))
    assert (it.open, it.closed_us) == (1, None)


def test_a_document_that_goes_away_is_no_closed_socket() -> None:
    for cause in ("page navigated", "page crashed", "target gone", "upgraded"):
        it = presence()
        it.take(opened())
        it.take(closed(cause))
        assert (it.open, it.closed_us) == (0, None)


def test_other_sites_do_not_count_and_polling_does() -> None:
    it = presence()
    assert not it.take(opened(url="wss://other.example/socket.io/"))
    assert not it.take(closed())
    assert it.take(opened(url="https://backend.rugs.fun/socket.io/?EIO=4&transport=polling"))


def test_a_capture_that_came_late_believes_in_a_socket_that_it_hears() -> None:
    it = Presence("rugs", ["a"])
    assert (it.open, it.streams, it.blind) == (0, ["a"], True)
    assert not it.take(frame("other"))
    assert it.take(frame("a"))
    assert not it.take(frame("a"))
    assert (it.open, it.streams, it.blind) == (1, ["a"], False)
    assert it.take(closed(stream="a"))
    assert (it.open, it.closed_us) == (0, 7)


def test_the_end_of_a_socket_that_was_never_heard_is_an_end_all_the_same() -> None:
    it = Presence("rugs", ["a"])
    assert it.take(closed(stream="a"))
    assert (it.open, it.closed_us, it.streams, it.blind) == (0, 7, [], False)


def test_who_came_late_is_blind_until_something_tells() -> None:
    assert presence().blind
    for item in (opened(), page("navigated"), page("crashed")):
        it = presence()
        assert it.take(item)
        assert not it.blind
    it = presence()
    assert not it.take(page("opened"))
    assert not it.take(opened(url="wss://other.example/"))
    assert it.blind
