"""Whether the site's socket is open."""

from actors.capture.presence import Presence
from actors.core.messages import StreamClosed, StreamOpened

GAME = "wss://backend.rugs.fun/socket.io/?EIO=4&transport=websocket"


def opened(stream: str = "g/t/1", url: str = GAME) -> StreamOpened:
    return StreamOpened(n=0, at_us=1, cdp_s=0.0, stream=stream, url=url, transport="websocket")


def closed(cause: str = "closed", stream: str = "g/t/1") -> StreamClosed:
    return StreamClosed(n=0, at_us=7, cdp_s=0.0, stream=stream, cause=cause)


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


def test_a_capture_that_came_late_knows_the_socket_from_who_saw_it_open() -> None:
    it = Presence("rugs", ["a"])
    assert (it.open, it.streams) == (1, ["a"])
    assert it.take(closed(stream="a"))
    assert (it.open, it.closed_us) == (0, 7)
