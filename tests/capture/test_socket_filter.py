"""Which sockets a capture forwards, redacts and sends, by the address with which they opened."""

from typing import Any

from actors.capture.ring import Ring
from actors.capture.same_site import GameSite
from actors.capture.socket_filter import UNDECIDED_S, SocketFilter, looks_like_engine_io
from actors.capture.tap import Tap
from actors.core.breadcrumb import Breadcrumb, read_breadcrumb
from actors.core.messages import CapturePosition, CapturePositions, FrameSeen, StreamClosed, StreamOpened
from actors.rugs.redact import Redactor
from tests.capture.playbook import PAGE, Play, texts

PATTERN = r"^wss?://game\.example/socket\.io/"
GAME = "wss://game.example/socket.io/?EIO=4"
SITE = "https://game.example"


class Watched(Play):
    """A browser whose sockets are filtered, and a count of what is redacted."""

    def __init__(self, monkeypatch: Any, url: str = SITE) -> None:
        super().__init__(settled=False)
        self.redacted: list[int] = []
        clean = Redactor.clean

        def counted(
            self_: Redactor, sent: bool, opcode: int, payload: bytes, stream: str = "", *, own_stream: bool
        ) -> tuple[bytes, bool]:
            self.redacted.append(len(payload))
            return clean(self_, sent, opcode, payload, stream, own_stream=own_stream)

        monkeypatch.setattr(Redactor, "clean", counted)
        self.sockets = SocketFilter(PATTERN)
        self.tap = Tap("guid", 1000.0, sockets=self.sockets, site=GameSite(lambda: SITE))
        self.take(self.tap.begin(self.now_s))
        self.attach("S1", PAGE, url=url)
        self.answer_all()
        self.fresh()

    def handshake(self, origin: str | None = SITE, request: str = "9.1") -> None:
        headers = {"Host": "game.example", "Origin": origin} if origin is not None else {"Host": "game.example"}
        self.event("Network.webSocketWillSendHandshakeRequest", requestId=request, request={"headers": headers})


def test_what_does_not_count_is_neither_redacted_nor_sent_on(monkeypatch: Any) -> None:
    play = Watched(monkeypatch)
    play.open("wss://evil.example/socket.io/", request="9.1")
    play.frame('42["gameStateUpdate",{}]' + "x" * 300_000, request="9.1")
    play.frame("2", request="9.1", sent=True)
    play.event("Network.webSocketFrameError", requestId="9.1", errorMessage="a://" * 1000)
    play.event("Network.webSocketClosed", requestId="9.1", timestamp=12.0)
    assert (play.items, play.redacted, play.sockets.ignored_frames) == ([], [], 2)
    play.open(GAME, request="9.2")
    play.handshake(request="9.2")
    play.frame("2", request="9.2")
    assert texts(play.items) == [b"2"]


def test_polls_of_another_site_are_not_even_asked_for(monkeypatch: Any) -> None:
    play = Watched(monkeypatch)
    play.poll("7")
    play.answered("7")
    play.loaded("7")
    play.poll("8", post="2")
    assert (play.said(), play.items, play.redacted) == ([], [], [])


def test_an_unknown_socket_is_forwarded_until_the_journal_says_that_nobody_knows_it(monkeypatch: Any) -> None:
    play = Watched(monkeypatch)
    play.frame("42[1]", request="9.1")
    assert texts(play.fresh()) == [b"42[1]"]
    assert play.sockets.asks == ["guid/T1/9.1"]
    play.sockets.answer({"guid/T1/9.1": None}, play.now_s + UNDECIDED_S / 2)
    play.frame("42[2]", request="9.1")
    assert texts(play.fresh()) == [b"42[2]"]
    play.sockets.answer({"guid/T1/9.1": None}, play.now_s + UNDECIDED_S * 2)
    play.frame("42[3]", request="9.1")
    assert play.fresh() == []
    assert play.sockets.suspects == 1, "it speaks the game's protocol in the game's page: that must be loaded again"
    play.sockets.answer({"guid/T1/9.1": GAME}, play.now_s)
    play.frame("42[4]", request="9.1")
    assert texts(play.fresh()) == [b"42[4]"]
    assert play.sockets.suspects == 0
    assert play.sockets.table == {"guid/T1/9.1": GAME}


def test_an_unknown_socket_in_another_sites_page_is_no_suspect(monkeypatch: Any) -> None:
    for url in ("https://evil.example/", "https://game.example.evil.example/", "about:blank", "data:text/html,x"):
        play = Watched(monkeypatch, url)
        play.frame("42[1]", request="9.1")
        play.sockets.answer({"guid/T1/9.1": None}, play.now_s + UNDECIDED_S * 2)
        play.frame('42["gameStateUpdate",{}]', request="9.1")
        assert (play.sockets.suspects, texts(play.items)) == (0, [b"42[1]"])


def test_a_page_that_goes_elsewhere_takes_its_verdicts_along(monkeypatch: Any) -> None:
    play = Watched(monkeypatch)
    play.open("wss://evil.example/", request="9.1")
    play.open(GAME, request="9.2")
    play.handshake(request="9.2")
    play.navigate("https://evil.example/")
    assert [type(item) for item in play.fresh()[:2]] == [StreamOpened, StreamClosed]
    assert play.sockets.table == {}
    play.frame("2", request="9.1")
    assert play.sockets.asks == ["guid/T1/9.1"]


def test_the_first_batch_to_each_journal_names_what_counts() -> None:
    ring, sockets = Ring("capture-a", 5, 1000), SocketFilter(PATTERN)
    sockets.opened("G/T/1", GAME)
    sockets.opened("G/T/2", "wss://evil.example/")
    ring.add(FrameSeen(0, 1, 1.0, "G/T/1", False, 1, b"2"))
    for epoch in (1, 2):
        ring.hear(CapturePositions(epoch=epoch, positions=[CapturePosition(5, 0, 0, 0)]))
        named = []
        for _ in range(3):
            batch = ring.next_batch(0.0, None, sockets)
            ring.sent(batch)
            named.append(batch.streams)
        assert named == [{"G/T/1": GAME}, {}, {}]


def test_engine_io_is_told_from_other_text() -> None:
    yes = ["2", "3", "6", "0{}", "2probe", "3probe", "40", '42["x"]', '421["x"]', "43[]", "bAAAA"]
    no = ["", "7", "{}", "hello", "2x", "47", '{"type":1}']
    assert [looks_like_engine_io(text) for text in yes] == [True] * len(yes)
    assert [looks_like_engine_io(text) for text in no] == [False] * len(no)


def test_what_a_killed_process_worked_on_can_be_read_after_it(tmp_path: Any, monkeypatch: Any) -> None:
    crumb = Breadcrumb(tmp_path, "capture-a")
    play = Watched(monkeypatch)
    play.tap = Tap("guid", 1000.0, sockets=play.sockets, breadcrumb=crumb)
    play.take(play.tap.begin(10.0))
    play.attach("S1", PAGE)
    play.answer_all()
    play.open(GAME + "&token=secret", request="9.1")
    play.frame("x" * 1000, request="9.1")
    assert read_breadcrumb(tmp_path, "capture-a") == ""
    play.frame("x" * 300_000, request="9.1")
    said = "a received frame of 300000 bytes of wss://game.example/socket.io/"
    assert read_breadcrumb(tmp_path, "capture-a") == said
    crumb.clear()
    assert read_breadcrumb(tmp_path, "capture-a") == ""
    crumb.close()


def test_a_breadcrumb_carries_no_control_characters(tmp_path: Any) -> None:
    crumb = Breadcrumb(tmp_path, "capture-a")
    crumb.leave("wss://a/\x1b]52;c;x\x07" + "é" * 500)
    assert read_breadcrumb(tmp_path, "capture-a").startswith("wss://a/?]52;c;x?")
    crumb.close()
