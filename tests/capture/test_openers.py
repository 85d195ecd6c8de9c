"""Who may open what counts: documents of the site, by what the browser says of them; and whose answers count."""

from typing import Any

import pytest

from actors.capture.polling import MOST_PACKETS
from actors.capture.same_site import GameSite, is_at
from actors.capture.socket_filter import UNDECIDED_S, SocketFilter
from actors.capture.tap import Tap
from actors.core.messages import FrameSeen, PageChanged, StreamOpened
from actors.rugs.redact import short_hash
from tests.capture.playbook import PAGE, Play, texts

PATTERN = r"^wss?://api\.example/socket\.io/"
GAME = "wss://api.example/socket.io/?EIO=4&transport=websocket"
POLL = "https://api.example/socket.io/?EIO=4&transport=polling"
SITE = "https://www.game.example/play"
EVIL = "https://evil.example"
FOREIGN = [
    EVIL, "null", "http://www.game.example:8080", "https://www.game.example.evil.example", "https://game.example",
    "https://notwww.game.example", "data:text/html,x", "about:blank", "about:srcdoc", "file:///etc/passwd",
    "blob:https://evil.example/1", "https://www.game.example@evil.example", "https://api.example", "chrome://newtab",
]  # fmt: skip
OWN = [
    "https://www.game.example", "https://www.game.example/", "https://m.www.game.example", "https://WWW.GAME.example",
    "https://www.game.example:443", "blob:https://www.game.example/1-2", "https://www.game.example./x?y#z",
]  # fmt: skip


class Judged(Play):
    """A browser whose sockets count by address and by opener."""

    def __init__(self, url: str = "https://www.game.example/play") -> None:
        super().__init__(settled=False)
        self.sockets = SocketFilter(PATTERN)
        self.site = GameSite(lambda: SITE)
        self.tap = Tap("guid", 1000.0, sockets=self.sockets, site=self.site)
        self.take(self.tap.begin(self.now_s))
        self.attach("S1", PAGE, url=url)
        self.answer_all()
        self.fresh()

    def handshake(self, origin: str | None, request: str = "9.1", session: str = "S1") -> None:
        headers = {"Host": "api.example"} | ({"Origin": origin} if origin is not None else {})
        self.event(
            "Network.webSocketWillSendHandshakeRequest", session, requestId=request, request={"headers": headers}
        )

    def request(self, id_: str, document: str | None, *, url: str = POLL, post: str | None = None, **more: Any) -> None:
        request = {"url": url, "method": "GET" if post is None else "POST", "hasPostData": post is not None}
        given = {"documentURL": document} if document is not None else {}
        body = request | ({"postData": post} if post else {})
        self.event("Network.requestWillBeSent", requestId=id_, timestamp=11.0, request=body, **given, **more)

    def response(self, id_: str, status: int = 200, **more: bool) -> None:
        given = {"status": status, **more}
        self.event("Network.responseReceived", requestId=id_, timestamp=12.0, response=given)

    def body(self, text: str) -> None:
        self.answer(self.commands.pop(), {"body": text})


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_socket_of_the_game_that_another_site_opened_does_not_count(origin: str) -> None:
    play = Judged()
    play.open(GAME)
    play.handshake(origin)
    play.frame('420["authenticate","somebody"]', sent=True)
    play.frame('42["gameStateUpdate",{}]')
    assert (play.items, play.sockets.table, play.sockets.refused_openers) == ([], {}, 1)
    assert play.sockets.stranger
    play.event("Network.webSocketClosed", requestId="9.1", timestamp=12.0)
    assert (play.items, play.sockets.stranger) == ([], "")


@pytest.mark.parametrize("origin", OWN)
@pytest.mark.parametrize("page", [SITE, EVIL])
def test_a_socket_of_the_game_that_the_site_opened_counts_wherever_its_target_is(origin: str, page: str) -> None:
    play = Judged(page)
    play.open(GAME)
    play.handshake(origin)
    play.frame("2")
    assert [type(item) for item in play.items] == [StreamOpened, FrameSeen]


def test_where_the_browser_does_not_tell_the_opener_the_target_decides() -> None:
    for page, kinds in ((SITE, [StreamOpened, FrameSeen]), (EVIL, [])):
        play = Judged(page)
        play.open(GAME)
        play.handshake(None)
        play.frame("2")
        assert [type(item) for item in play.items] == kinds


def test_a_frame_before_the_handshake_is_the_sites_or_the_journal_decides() -> None:
    play = Judged()
    play.open(GAME)
    play.frame("2")
    assert [type(item) for item in play.fresh()] == [StreamOpened, FrameSeen]
    play = Judged(EVIL)
    play.open(GAME)
    play.frame("2")
    assert [type(item) for item in play.fresh()] == [FrameSeen]
    assert play.sockets.asks == ["guid/T1/9.1"]
    play.sockets.answer({"guid/T1/9.1": None}, play.now_s + 2 * UNDECIDED_S)
    play.frame("2")
    assert (play.fresh(), play.sockets.suspects) == ([], 0)


def test_a_socket_that_ends_before_its_handshake_leaves_nothing() -> None:
    play = Judged()
    play.open(GAME)
    play.event("Network.webSocketClosed", requestId="9.1", timestamp=12.0)
    play.handshake(SITE)
    assert play.items == []


@pytest.mark.parametrize("document", FOREIGN)
def test_polls_of_another_sites_document_are_neither_asked_for_nor_stored(document: str) -> None:
    play = Judged()
    play.request("1", document)
    play.request("2", document, post='42["buyOrder",{}]')
    play.response("1")
    play.response("2")
    play.event("Network.loadingFinished", requestId="1", timestamp=12.5)
    assert (play.items, play.commands, play.tap.held_since_s()) == ([], [], None)
    assert play.sockets.stranger
    play.navigate(SITE)
    assert play.sockets.stranger == ""


@pytest.mark.parametrize("document", [*OWN, None])
def test_polls_of_the_sites_documents_and_workers_count(document: str | None) -> None:
    play = Judged()
    play.request("1", document, type="XHR")
    play.response("1")
    play.event("Network.loadingFinished", requestId="1", timestamp=12.5)
    play.body('0{"sid":"abc"}')
    play.request("2", document, url=f"{POLL}&sid=abc", post="40", type="Fetch")
    play.response("2")
    assert texts(play.items)[-1] == b"40"


@pytest.mark.parametrize("kind", ["Document", "Script", "Image", "Ping", "Other", "Stylesheet", "Preflight"])
def test_what_goes_to_the_games_address_without_being_a_client_of_it_does_not_count(kind: str) -> None:
    play = Judged(EVIL)
    play.request("1", POLL.replace("api", "www.game"), post="40", type=kind)
    play.response("1")
    assert (play.items, play.commands) == ([], [])


@pytest.mark.parametrize("flag", ["fromServiceWorker", "fromDiskCache", "fromPrefetchCache"])
def test_what_somebody_else_answers_in_the_servers_place_does_not_count(flag: str) -> None:
    play = Judged()
    play.request("1", SITE)
    play.response("1", **{flag: True})
    play.event("Network.loadingFinished", requestId="1", timestamp=12.5)
    play.request("2", SITE, post="40")
    play.frame("later", request="9.9")
    play.response("2", **{flag: True})
    assert play.commands == []
    assert texts(play.items) == [b"later"]


@pytest.mark.parametrize("status", [400, 403, 500, 204, 0])
def test_what_a_page_sends_counts_only_where_the_server_took_it(status: int) -> None:
    play = Judged()
    play.request("1", SITE, post='42["buyOrder",{}]')
    play.response("1", status)
    play.request("2", SITE, post='42["buyOrder",{}]')
    play.event("Network.loadingFailed", requestId="2", timestamp=12.0)
    play.request("3", SITE, post='42["buyOrder",{}]')
    play.navigate(SITE)
    assert [item for item in play.items if not isinstance(item, PageChanged)] == []
    assert play.tap.held_since_s() is None


def test_what_a_page_sends_keeps_its_place_until_the_server_took_it() -> None:
    play = Judged()
    play.open(GAME)
    play.handshake(SITE)
    play.request("1", SITE, url=f"{POLL}&sid=abc", post="40")
    play.frame("later")
    assert texts(play.items) == []
    play.response("1")
    assert texts(play.items) == [b"40", b"later"]
    play.request("2", SITE, url=f"{POLL}&sid=abc", post="41")
    play.frame("latest")
    play.now_s += 2
    play.take(play.tap.tick(play.now_s))
    assert texts(play.items)[2:] == [b"latest"], "nobody waits longer than a second"
    play.response("2")
    assert texts(play.items)[3:] == [b"41"]


def test_a_redirected_poll_is_not_the_games_answer() -> None:
    play = Judged()
    play.request("1", SITE)
    play.request("1", SITE, url="https://evil.example/x", redirectResponse={"url": POLL})
    play.response("1")
    play.request("2", SITE, post="40")
    play.request("2", SITE, url="https://evil.example/x", redirectResponse={"url": POLL})
    play.response("2")
    assert (play.items, play.commands) == ([], [])


def test_a_body_of_many_packets_is_bounded_and_loses_nothing() -> None:
    play = Judged()
    play.request("1", SITE, url=f"{POLL}&sid=abc")
    play.response("1")
    play.event("Network.loadingFinished", requestId="1", timestamp=12.5)
    play.body("\x1e".join(["6"] * 300_000))
    found = texts(play.items)
    assert len(found) == MOST_PACKETS + 1
    assert b"\x1e".join(found) == b"\x1e".join([b"6"] * 300_000)


def test_the_site_is_also_where_its_server_redirects_the_tab_to() -> None:
    play = Judged("about:blank")
    hop = "https://game.example/"
    steps = [SITE, hop, "https://play.other.example/lobby?x=1"]
    play.request("1", steps[1], url=steps[1], type="Document", frameId=PAGE, redirectResponse={"url": steps[0]})
    play.request("1", steps[2], url=steps[2], type="Document", frameId=PAGE, redirectResponse={"url": steps[1]})
    assert play.site.homes == ["https://game.example", "https://play.other.example"]
    play.open(GAME)
    play.handshake("https://play.other.example")
    assert [type(item) for item in play.items] == [StreamOpened]
    again = GameSite(lambda: SITE, play.site.homes)
    assert again.covers("https://play.other.example/x")


@pytest.mark.parametrize(
    ("before", "frame"),
    [("https://evil.example/", PAGE), ("https://www.game.example/go?to=evil", PAGE), (SITE, "other frame"),
     ("https://www.game.example/play?x", PAGE), ("http://www.game.example/play", PAGE)],
)  # fmt: skip
def test_another_redirect_makes_nobody_the_site(before: str, frame: str) -> None:
    play = Judged("about:blank")
    play.request("1", EVIL, url=EVIL, type="Document", frameId=frame, redirectResponse={"url": before})
    assert play.site.homes == []
    assert not play.site.covers(EVIL)


def test_a_site_is_known_in_any_spelling_and_after_its_address_is_unknown() -> None:
    assert is_at("https://xn--bcher-kva.example", "https://Bücher.example/")
    assert is_at("http://127.0.0.1:81", "http://127.0.0.1:81/x")
    assert is_at("http://[::1]:81", "http://[::1]:81/x")
    assert not is_at("http://[::1]:82", "http://[::1]:81/x")
    for broken in ("http://[", "http://x:99999999/", "http://\u2100", "", "://", "x"):
        assert not is_at(broken, SITE)
        assert not is_at(SITE, broken)
    told: list[str | None] = ["http://127.0.0.1:5/", None]
    site = GameSite(lambda: told.pop(0) if told else None)
    assert site.covers("http://127.0.0.1:5")
    assert site.covers("http://127.0.0.1:5")


def test_of_another_sites_page_only_the_origin_is_recorded_and_of_the_sites_a_bounded_address() -> None:
    play = Judged()
    shown = {
        "https://evil.example/" + "x" * 200_000: "https://evil.example",
        "https://mail.example/inbox?subject=private#x": "https://mail.example",
        "https://me:secret@mail.example:8443/x": "https://mail.example:8443",
        f"https://{'a.' * 500}example/": "https://" + "a." * 96,
        "data:text/html,private": "data:",
        "file:///home/me/private.pdf": "file:",
        "about:blank": "about:blank",
    }
    for url in shown:
        play.navigate(url)
    found = [item.url for item in play.fresh() if isinstance(item, PageChanged)]
    assert found == list(shown.values())
    play.navigate(SITE + "?q=" + "x" * 200_000)
    (page,) = [item for item in play.fresh() if isinstance(item, PageChanged)]
    assert page.url.startswith(SITE)
    assert len(page.url.encode()) <= 2048


def test_sessions_that_the_server_refuses_leave_no_stream() -> None:
    play = Judged()
    for number in range(1000):
        play.request(str(number), SITE, url=f"{POLL}&sid={number}", post="2")
        play.response(str(number), 400)
    assert play.items == []
    play.request("real", SITE, url=f"{POLL}&sid=abc", post="2")
    play.response("real")
    assert [type(item) for item in play.items] == [StreamOpened, FrameSeen]
    assert list(play.sockets.table) == [f"guid/T1/poll-{short_hash('abc')}"]
