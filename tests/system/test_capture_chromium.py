"""What both captures read of a real Chromium: every frame of every target but a wallet's, alike, and no secret.

Browser, captures and pilot are real processes, the server is real; the test is the journal. One Chromium serves all.
"""

from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from actors.core.browser_file import read_browser_file
from actors.core.messages import Attached, Captured, FrameSeen, PageChanged, StreamClosed, StreamOpened
from actors.rugs.redact import MARK
from tests.capture.house import BOTH, House, Website, served
from tests.cdp import Tab
from tests.system.conftest import SECRET
from tests.system.socket_sites import ASKING, POLLING, VENDORED, PollingSite, SlowSite

pytestmark = pytest.mark.system


def test_the_pages_first_message_is_seen_by_both(house: House, page: Website) -> None:
    journal = house.journal
    for capture in BOTH:
        house.wait_for(dict.fromkeys(BOTH, 0), [b"hello"], capture)
        kinds = [type(item) for item in journal.items[capture]]
        assert kinds.index(Attached) == 0
        assert kinds.index(StreamOpened) < kinds.index(FrameSeen)
        assert [item.what for item in journal.of(PageChanged, capture)][-1] == "navigated"
        assert any(url.endswith(f"/ws?token={MARK}&EIO=4") for url in journal.urls(capture).values())


def test_both_give_the_same_frames_in_the_same_order_within_milliseconds(house: House, page: Website) -> None:
    place = house.mark()
    wanted = page.send_numbered(300)
    for capture in BOTH:
        house.wait_for(place, wanted, capture)
        assert house.payloads(place, capture, b'42["tick"') == wanted
    a, b = (house.since(place, capture, FrameSeen) for capture in BOTH)
    assert {frame.stream for frame in a} == {frame.stream for frame in b}
    assert max(abs(x.cdp_s - y.cdp_s) for x, y in zip(a, b, strict=True)) < 0.05


def test_text_binary_and_large_messages_are_exact_both_ways(house: House, page: Website) -> None:
    place = house.mark()
    large = "x" * 5_000_000
    page.send('42["ü😀\\u0000"]')
    page.send(bytes(range(256)))
    page.send(large)
    page.send("!s.send(new Uint8Array([0, 255, 7])); s.send('done é')")
    for capture in BOTH:
        house.wait_for(place, ["done é".encode()], capture)
        frames = house.since(place, capture, FrameSeen)
        received = [(frame.opcode, frame.payload) for frame in frames if not frame.sent][:3]
        assert received == [(1, '42["ü😀\\u0000"]'.encode()), (2, bytes(range(256))), (1, large.encode())]
        assert [(f.opcode, f.payload) for f in frames if f.sent] == [(2, b"\x00\xff\x07"), (1, "done é".encode())]


def test_a_read_mark_follows_the_clock_in_silence(house: House, page: Website) -> None:
    covered = house.journal.covered
    before = dict(covered)
    house.journal.until(lambda: all(covered[name] > before[name] + 0.3 for name in BOTH), "read marks")


def test_a_reload_closes_the_old_stream_and_shows_the_new_one_whole(house: House, page: Website) -> None:
    place = house.mark()
    page.send("!location.reload()")
    for capture in BOTH:
        house.wait_for(place, [b"hello"], capture)
        assert [closed.cause for closed in house.since(place, capture, StreamClosed)] == ["page navigated"]
        assert [page.what for page in house.since(place, capture, PageChanged)] == ["navigated"]
        assert len(house.since(place, capture, StreamOpened)) == 1


def test_workers_and_frames_of_the_site_are_seen_once_and_another_sites_never(house: House, page: Website) -> None:
    place = house.mark()
    other = page.url("frame", host="sub.localhost")
    foreign = page.url("frame?foreign", host="127.0.0.1")
    page.send("!new Worker('/worker.js')")
    page.send("!new SharedWorker('/worker.js')")
    page.send("!navigator.serviceWorker.register('/service.js')")
    page.send(f"!i = document.createElement('iframe'); i.src = '{other}'; document.body.append(i)")
    page.send(f"!k = document.createElement('iframe'); k.src = '{foreign}'; document.body.append(k)")
    house.journal.until(lambda: page.received.count("from frame") == 2, "both frames")
    kinds = (b"Frame", b"from DedicatedWorker", b"from SharedWorker", b"from ServiceWorker")
    wanted = [b"from frame", *(kind + b"GlobalScope" for kind in kinds[1:])]
    for capture in BOTH:
        for text in wanted:
            house.wait_for(place, [text], capture)
        assert sorted(house.payloads(place, capture, b"from ")) == sorted(wanted)
        streams = {frame.stream for frame in house.since(place, capture, FrameSeen) if frame.payload in wanted}
        assert len({stream.split("/")[1] for stream in streams}) == 4


def test_a_wallets_extension_runs_and_is_never_read(house: House, page: Website, tmp_path: Path) -> None:
    place = house.mark()
    wallet = load_extension(house, tmp_path, f"ws://127.0.0.1:{page.port}/ws")
    page.send(
        f"!j = document.createElement('iframe'); j.src = 'chrome-extension://{wallet}/frame.html';"
        "document.body.append(j)"
    )
    house.journal.until(lambda: page.received.count("wallet worker") > 3, "the extension's worker")
    house.journal.until(lambda: page.received.count("wallet frame") > 3, "the extension's frame")
    wanted = page.send_numbered(5)
    for capture in BOTH:
        house.wait_for(place, wanted, capture)
        assert house.payloads(place, capture, b"wallet") == []
        assert not [opened for opened in house.since(place, capture, StreamOpened) if "wallet" in opened.url]


def load_extension(house: House, folder: Path, socket: str) -> str:
    """Load an extension whose worker and whose frame talk on WebSockets; return its id."""
    talk = "w = new WebSocket('%s/wallet'); w.onopen = () => setInterval(() => w.send('wallet %s'), 20)"
    manifest = {
        "manifest_version": 3,
        "name": "wallet",
        "version": "1",
        "background": {"service_worker": "worker.js"},
        "web_accessible_resources": [{"resources": ["frame.html"], "matches": ["<all_urls>"]}],
    }
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    (folder / "worker.js").write_text(talk % (socket, "worker"))
    (folder / "frame.js").write_text(talk % (socket, "frame"))
    (folder / "frame.html").write_text("<script src='frame.js'></script>")
    browser = read_browser_file(house.config.runtime_path)
    assert browser is not None
    with closing(Tab(browser.ws)) as connection:
        return str(connection.call("Extensions.loadUnpacked", path=str(folder))["id"])


def test_who_came_between_a_request_and_its_answer_hides_the_same_as_who_saw_both(
    house: House, page: Website, site: Website
) -> None:
    place = house.mark()
    server = SlowSite()
    with served(server.attach) as other:
        other.pages.update({"": ASKING, "socket.io.min.js": VENDORED.read_text()})
        site.moved[""] = other.url()  # where the site redirects to, the game is
        page.send("!location.reload()")
        for capture in BOTH:
            house.wait_for(place, [b'421["order",{"amount":1}]'], capture)
        house.kill("capture-b")
        late = house.mark()
        house.start("capture-b")
        house.journal.until(lambda: house.since(late, "capture-b", Attached), "attached again")
        other.do(server.answer())
        answers = [f'430["{MARK}"]'.encode(), b'431[{"success":true}]']
        for capture in BOTH:
            house.wait_for(late, answers, capture)
            after = house.payloads(late, capture)
            assert after[after.index(answers[0]) :][:2] == answers
        del site.moved[""]
        other.do(server.server.emit("go", house.config.site.url))
        house.journal.until(lambda: site.sockets, "back at the site")
    whole = msgspec.msgpack.encode([item for items in house.journal.items.values() for item in items])
    assert SECRET.encode() not in whole


def test_the_polling_phase_is_whole_and_no_secret_leaves(house: House, page: Website, site: Website) -> None:
    place = house.mark()
    server = PollingSite()
    with served(server.attach) as other:
        other.pages.update({"": POLLING, "socket.io.min.js": VENDORED.read_text()})
        site.moved[""] = other.url()  # where the site redirects to, the game is
        page.send("!location.reload()")
        house.journal.until(lambda: server.sid and server.upgraded(), "the upgrade")
        other.do(server.stop())
        handled = house.journal.until(lambda: server.handled, "what the page handled")
        for capture in BOTH:
            house.wait_for(place, [b'42["n",%d]' % handled[-1]], capture)
            house.wait_for(place, [f'430["{MARK}"]'.encode()], capture)  # the server answers when it has the time
            assert emitted(house, place, capture) == handled
            check_polling(house, place, capture)
        a, b = (by_stream(house, place, capture) for capture in BOTH)
        assert a.keys() == b.keys()
        for stream, frames in a.items():
            both = min(len(frames), len(b[stream]))
            assert frames[:both] == b[stream][:both]
        opened = house.since(place, "capture-a", StreamOpened)
        assert {item.transport for item in opened if "/socket.io/" in item.url} == {"polling", "websocket"}
        del site.moved[""]
    whole = msgspec.msgpack.encode([item for items in house.journal.items.values() for item in items])
    assert SECRET.encode() not in whole


def by_stream(house: House, place: dict[str, int], capture: str) -> dict[str, list[tuple[bool, int, bytes, bool]]]:
    found: dict[str, list[tuple[bool, int, bytes, bool]]] = {}
    for frame in house.since(place, capture, FrameSeen):
        found.setdefault(frame.stream, []).append((frame.sent, frame.opcode, frame.payload, frame.redacted))
    return found


def check_polling(house: House, place: dict[str, int], capture: str) -> None:
    opened = {item.stream for item in house.since(place, capture, StreamOpened) if "/socket.io/" in item.url}
    frames = [frame for frame in house.since(place, capture, FrameSeen) if frame.stream in opened]
    said = [frame.payload for frame in frames]
    assert said[0].startswith(b'0{"sid"')
    assert f'40{{"token":"{MARK}"}}'.encode() in said
    assert f'420["authenticate","{MARK}","{MARK}"]'.encode() in said
    assert f'430["{MARK}"]'.encode() in said
    first, second = [frame.payload for frame in frames if frame.redacted][:2]
    assert first.startswith(f'0{{"sid":"{MARK}"'.encode())
    assert second == f'40{{"token":"{MARK}"}}'.encode()
    assert said.index(b"2probe") < said.index(b"3probe") < said.index(b"5")


def emitted(house: House, place: dict[str, int], capture: str) -> list[int]:
    frames: list[Captured] = house.since(place, capture, FrameSeen)
    found = [frame.payload for frame in frames if isinstance(frame, FrameSeen) and not frame.sent]
    return [msgspec.json.decode(payload[2:])[1] for payload in found if payload.startswith(b'42["n"')]
