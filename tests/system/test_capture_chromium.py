"""Browser, captures and pilot as real processes, with a real Chromium and a real server; the test is the journal.

One Chromium serves most tests. The page is steered by its server: what begins with `!` it runs as JavaScript.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import socketio
import websocket

from actors.core.browser_file import read_browser_file
from actors.core.messages import Attached, Captured, Detached, FrameSeen, PageChanged, StreamClosed, StreamOpened
from actors.pilot.tabs import ERRORS, Tabs, patch
from actors.rugs.redact import MARK
from supervisor.plan import CAPTURE_HANG_S
from tests.capture.house import House, Website, config, served

pytestmark = pytest.mark.system

BOTH = ("capture-a", "capture-b")
SECRET = "planted-credential-5f1d"
STEER = "s.onmessage = e => { if (typeof e.data === 'string' && e.data[0] === '!') eval(e.data.slice(1)) };"
PAGE = f"""<script>
s = new WebSocket('ws://' + location.host + '/ws?token={SECRET}&EIO=4');
s.onopen = () => s.send('hello'); {STEER}
</script>"""
FRAME = (
    "<script>f = new WebSocket('ws://' + location.host + '/ws/frame'); f.onopen = () => f.send('from frame')</script>"
)
WORKER = (
    "w = new WebSocket('ws://' + location.host + '/ws/w'); w.onopen = () => w.send('from ' + self.constructor.name)"
)
SERVICE = f"{WORKER}; self.addEventListener('install', e => self.skipWaiting())"
POLLING = f"""<script src="/socket.io.min.js"></script><script>
handled = []; closed = false;
io = io({{auth: {{token: '{SECRET}'}}}});
io.on('n', n => handled.push(n));
io.on('connect', () => io.emit('authenticate', {{__trace: true}}, '{SECRET}', answer => 0));
io.on('stop', () => io.emit('handled', handled));
</script>"""
ASKING = f"""<script src="/socket.io.min.js"></script><script>
io = io({{auth: {{token: '{SECRET}'}}, transports: ['websocket']}});
io.on('connect', () => {{ io.emit('authenticate', '{SECRET}', a => 0); io.emit('order', {{amount: 1}}, a => 0) }});
io.on('go', url => location = url);
</script>"""
VENDORED = Path(__file__).parents[2] / "web/static/vendor/socket.io.min.js"


@pytest.fixture(scope="module")
def site() -> Iterator[Website]:
    with served() as site:
        site.pages.update({"": PAGE, "frame": FRAME, "worker.js": WORKER, "service.js": SERVICE})
        yield site


@pytest.fixture(scope="module")
def house(site: Website, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(config(tmp_path_factory.mktemp("h"), standby=True, url=site.url()))
    try:
        house.start("browser", *BOTH, "pilot")
        yield house
    finally:
        house.close()


@pytest.fixture
def page(house: House, site: Website) -> Website:
    """The site with the page open in Chromium, both captures attached."""
    house.journal.until(lambda: site.sockets and attached(house) == set(BOTH), "the page, and both captures")
    return site


def attached(house: House) -> set[str]:
    browser = read_browser_file(house.config.runtime_path)
    return {name for name, guid in house.journal.attached.items() if browser is not None and guid == browser.guid}


def mark(house: House) -> dict[str, int]:
    return {name: len(house.journal.items.get(name, [])) for name in BOTH}


def since(house: House, place: dict[str, int], capture: str, kind: type) -> list[Any]:
    return [item for item in house.journal.items[capture][place[capture] :] if isinstance(item, kind)]


def payloads(house: House, place: dict[str, int], capture: str, prefix: bytes = b"") -> list[bytes]:
    found = since(house, place, capture, FrameSeen) if capture in house.journal.items else []
    return [frame.payload for frame in found if frame.payload.startswith(prefix)]


def wait_for(house: House, place: dict[str, int], wanted: list[bytes], capture: str) -> None:
    last = wanted[-1]
    house.journal.until(lambda: last in payloads(house, place, capture), f"{last!r} at {capture}")


def test_the_pages_first_message_is_seen_by_both(house: House, page: Website) -> None:
    journal = house.journal
    for capture in BOTH:
        wait_for(house, dict.fromkeys(BOTH, 0), [b"hello"], capture)
        kinds = [type(item) for item in journal.items[capture]]
        assert kinds.index(Attached) == 0
        assert kinds.index(StreamOpened) < kinds.index(FrameSeen)
        assert [item.what for item in journal.of(PageChanged, capture)][-1] == "navigated"
        assert any(url.endswith(f"/ws?token={MARK}&EIO=4") for url in journal.urls(capture).values())


def test_both_give_the_same_frames_in_the_same_order_within_milliseconds(house: House, page: Website) -> None:
    place = mark(house)
    wanted = page.send_numbered(300)
    for capture in BOTH:
        wait_for(house, place, wanted, capture)
        assert payloads(house, place, capture, b'42["tick"') == wanted
    a, b = (since(house, place, capture, FrameSeen) for capture in BOTH)
    assert {frame.stream for frame in a} == {frame.stream for frame in b}
    assert max(abs(x.cdp_s - y.cdp_s) for x, y in zip(a, b, strict=True)) < 0.05


def test_text_binary_and_large_messages_are_exact_both_ways(house: House, page: Website) -> None:
    place = mark(house)
    large = "x" * 5_000_000
    page.send('42["ü😀\\u0000"]')
    page.send(bytes(range(256)))
    page.send(large)
    page.send("!s.send(new Uint8Array([0, 255, 7])); s.send('done é')")
    for capture in BOTH:
        wait_for(house, place, ["done é".encode()], capture)
        frames = since(house, place, capture, FrameSeen)
        received = [(frame.opcode, frame.payload) for frame in frames if not frame.sent][:3]
        assert received == [(1, '42["ü😀\\u0000"]'.encode()), (2, bytes(range(256))), (1, large.encode())]
        assert [(f.opcode, f.payload) for f in frames if f.sent] == [(2, b"\x00\xff\x07"), (1, "done é".encode())]


def test_a_read_mark_follows_the_clock_in_silence(house: House, page: Website) -> None:
    covered = house.journal.covered
    before = dict(covered)
    house.journal.until(lambda: all(covered[name] > before[name] + 0.3 for name in BOTH), "read marks")


def test_a_restarted_capture_sees_an_open_socket_again(house: House, page: Website) -> None:
    house.kill("capture-b")
    place = mark(house)
    house.start("capture-b")
    house.journal.until(lambda: since(house, place, "capture-b", Attached), "attached again")
    wanted = page.send_numbered(50)
    for capture in BOTH:
        wait_for(house, place, wanted, capture)
        assert payloads(house, place, capture, b'42["tick"') == wanted
    a, b = (since(house, place, capture, FrameSeen) for capture in BOTH)
    assert {frame.stream for frame in a} == {frame.stream for frame in b}


def test_killed_in_turn_the_two_have_every_frame(house: House, page: Website) -> None:
    place = mark(house)
    wanted: list[bytes] = []
    for capture in BOTH:
        wanted += page.send_numbered(20)
        here = mark(house)
        house.kill(capture)
        house.start(capture)
        wanted += page.send_numbered(20)
        house.journal.until(lambda: since(house, here, capture, Attached), "attached again")  # noqa: B023
    wanted += page.send_numbered(20)
    for capture in BOTH:
        wait_for(house, place, wanted, capture)
    union = {text for capture in BOTH for text in payloads(house, place, capture, b'42["tick"')}
    assert union == set(wanted)


def test_what_a_stopped_capture_has_read_arrives_and_it_says_farewell(house: House, page: Website) -> None:
    place = mark(house)
    wanted = page.send_numbered(20)
    wait_for(house, place, wanted, "capture-b")
    assert house.kill("capture-b", signal.SIGTERM) == 0
    assert payloads(house, place, "capture-b", b'42["tick"') == wanted
    assert since(house, place, "capture-b", Detached)[-1].cause == "stopped"
    assert not since(house, place, "capture-b", StreamClosed)
    assert not (house.config.runtime_path / "attached" / "capture-b").exists()
    house.start("capture-b")


def test_a_new_journal_gets_what_the_old_one_had_not(house: House, page: Website) -> None:
    place = mark(house)
    journal = house.journal
    wanted = page.send_numbered(30)
    journal.restart()
    wanted += page.send_numbered(30)
    for capture in BOTH:
        wait_for(house, place, wanted, capture)
        assert payloads(house, place, capture, b'42["tick"') == wanted


def test_a_reload_closes_the_old_stream_and_shows_the_new_one_whole(house: House, page: Website) -> None:
    place = mark(house)
    page.send("!location.reload()")
    for capture in BOTH:
        wait_for(house, place, [b"hello"], capture)
        assert [closed.cause for closed in since(house, place, capture, StreamClosed)] == ["page navigated"]
        assert [page.what for page in since(house, place, capture, PageChanged)] == ["navigated"]
        assert len(since(house, place, capture, StreamOpened)) == 1


def test_workers_and_frames_are_seen_once(house: House, page: Website) -> None:
    place = mark(house)
    other = page.url("frame", host="localhost")
    page.send("!new Worker('/worker.js')")
    page.send("!new SharedWorker('/worker.js')")
    page.send("!navigator.serviceWorker.register('/service.js')")
    page.send(f"!i = document.createElement('iframe'); i.src = '{other}'; document.body.append(i)")
    kinds = (b"Frame", b"from DedicatedWorker", b"from SharedWorker", b"from ServiceWorker")
    wanted = [b"from frame", *(kind + b"GlobalScope" for kind in kinds[1:])]
    for capture in BOTH:
        for text in wanted:
            wait_for(house, place, [text], capture)
        assert sorted(payloads(house, place, capture, b"from ")) == sorted(wanted)
        streams = {frame.stream for frame in since(house, place, capture, FrameSeen) if frame.payload in wanted}
        assert len({stream.split("/")[1] for stream in streams}) == 4


def test_a_stopped_capture_holds_new_targets_no_longer_than_it_lives(house: House, page: Website) -> None:
    worker = b"from DedicatedWorkerGlobalScope"
    place = mark(house)
    os.kill(house.running["capture-a"].pid, signal.SIGSTOP)
    page.send("!new Worker('/worker.js')")
    wanted = page.send_numbered(5)
    wait_for(house, place, wanted, "capture-b")
    until_s = house.journal.covered["capture-b"] + CAPTURE_HANG_S / 2
    house.journal.until(lambda: house.journal.covered["capture-b"] > until_s, "half of what the supervisor allows")
    assert payloads(house, place, "capture-b", worker) == []
    killed_s = time.monotonic()
    house.kill("capture-a")
    wait_for(house, place, [worker], "capture-b")
    (said,) = (frame for frame in since(house, place, "capture-b", FrameSeen) if frame.payload == worker)
    assert said.cdp_s - killed_s < CAPTURE_HANG_S
    here = mark(house)
    house.start("capture-a")
    house.journal.until(lambda: since(house, here, "capture-a", Attached), "attached again")


def test_a_wallets_extension_runs_and_is_never_read(house: House, page: Website, tmp_path: Path) -> None:
    place = mark(house)
    wallet = load_extension(house, tmp_path, f"ws://127.0.0.1:{page.port}/ws")
    page.send(
        f"!j = document.createElement('iframe'); j.src = 'chrome-extension://{wallet}/frame.html';"
        "document.body.append(j)"
    )
    house.journal.until(lambda: page.received.count("wallet worker") > 3, "the extension's worker")
    house.journal.until(lambda: page.received.count("wallet frame") > 3, "the extension's frame")
    wanted = page.send_numbered(5)
    for capture in BOTH:
        wait_for(house, place, wanted, capture)
        assert payloads(house, place, capture, b"wallet") == []
        assert not [opened for opened in since(house, place, capture, StreamOpened) if "wallet" in opened.url]


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
    connection = websocket.create_connection(browser.ws, suppress_origin=True, timeout=5)
    try:
        order = {"id": 1, "method": "Extensions.loadUnpacked", "params": {"path": str(folder)}}
        connection.send(msgspec.json.encode(order))
        return str(msgspec.json.decode(connection.recv())["result"]["id"])
    finally:
        connection.close()


def test_a_crashed_page_is_reloaded_on_the_same_session(house: House, page: Website) -> None:
    place = mark(house)
    crash(house)
    for capture in BOTH:
        wait_for(house, place, [b"hello"], capture)
        assert "crashed" in [page.what for page in since(house, place, capture, PageChanged)]
        assert "page crashed" in [closed.cause for closed in since(house, place, capture, StreamClosed)]
        assert not since(house, place, capture, Detached)
    house.journal.until(
        lambda: {"what": "reloaded", "cause": "page crashed"}.items() <= told(house).items(), "the report"
    )


def crash(house: House) -> None:
    browser = read_browser_file(house.config.runtime_path)
    assert browser is not None
    patch()
    tabs = Tabs(f"http://127.0.0.1:{browser.port}", lambda **_: None)
    try:
        assert tabs.find(house.config.site.url) == "site"
        with contextlib.suppress(*ERRORS):
            tabs._tab.Page.navigate(url="chrome://crash", _timeout=0.2)
    finally:
        tabs.close()


def told(house: House) -> dict[str, Any]:
    reports = house.journal.told()
    return reports[-1] if reports else {}


def test_a_killed_pilot_adopts_the_open_page(house: House, page: Website) -> None:
    place = mark(house)
    house.kill("pilot")
    house.start("pilot")
    house.journal.until(lambda: told(house).get("what") == "adopted", "adopted")
    until_s = house.journal.covered["capture-a"] + 0.5
    house.journal.until(lambda: house.journal.covered["capture-a"] > until_s, "half a second")
    assert not since(house, place, "capture-a", PageChanged)


def test_a_socket_that_is_closed_and_not_opened_again_costs_a_reload(house: House, page: Website) -> None:
    place = mark(house)
    page.send("!new WebSocket('ws://localhost:' + location.port + '/ws/another')")
    page.do(page.close_sockets())
    for capture in BOTH:
        wait_for(house, place, [b"hello"], capture)
    house.journal.until(lambda: told(house).get("cause") == "socket closed", "the report")


def test_a_hung_page_is_reloaded(house: House, page: Website) -> None:
    place = mark(house)
    page.send("!for (;;);")
    house.journal.until(lambda: told(house).get("cause") == "page hung", "reload of a hung page")
    assert told(house)["what"] == "reloaded"
    wait_for(house, place, [b"hello"], "capture-a")


def test_a_killed_browser_ends_its_actor_and_all_come_back(house: House, page: Website) -> None:
    place = mark(house)
    browser = read_browser_file(house.config.runtime_path)
    assert browser is not None
    actor = house.running.pop("browser")
    os.kill(browser.pid, signal.SIGKILL)
    assert house.wait(actor) == 1
    assert "Chromium ended by signal 9 (SIGKILL)" in house.log("browser")
    assert read_browser_file(house.config.runtime_path) is None
    house.start("browser")
    for capture in BOTH:
        wait_for(house, place, [b"hello"], capture)
        closed, detached, again = (since(house, place, capture, kind) for kind in (StreamClosed, Detached, Attached))
        assert {item.cause for item in closed} == {"connection lost"}
        assert [item.guid for item in detached] == [browser.guid]
        assert again[0].guid != browser.guid
    house.journal.until(lambda: told(house)["what"] == "relaunched", "the report")


def test_a_hung_browser_is_killed(house: House, page: Website) -> None:
    place = mark(house)
    browser = read_browser_file(house.config.runtime_path)
    assert browser is not None
    actor = house.running.pop("browser")
    os.kill(browser.pid, signal.SIGSTOP)
    assert house.wait(actor) == 1
    house.journal.until(
        lambda: {"what": "killed", "cause": "browser hung"}.items() <= told(house).items(), "the report"
    )
    house.start("browser")
    wait_for(house, place, [b"hello"], "capture-a")
    house.journal.until(lambda: told(house)["what"] == "relaunched", "the report")
    assert told(house)["cause"] == "browser hung"


def test_who_came_between_a_request_and_its_answer_hides_the_same_as_who_saw_both(
    house: House, page: Website, site: Website
) -> None:
    place = mark(house)
    server = SlowSite()
    with served(server.attach) as other:
        other.pages.update({"": ASKING, "socket.io.min.js": VENDORED.read_text()})
        page.send(f"!location = '{other.url()}'")
        for capture in BOTH:
            wait_for(house, place, [b'421["order",{"amount":1}]'], capture)
        house.kill("capture-b")
        late = mark(house)
        house.start("capture-b")
        house.journal.until(lambda: since(house, late, "capture-b", Attached), "attached again")
        other.do(server.answer())
        answers = [f'430["{MARK}"]'.encode(), b'431[{"success":true}]']
        for capture in BOTH:
            wait_for(house, late, answers, capture)
            after = payloads(house, late, capture)
            assert after[after.index(answers[0]) :][:2] == answers
        other.do(server.server.emit("go", site.url()))
        house.journal.until(lambda: site.sockets, "back at the site")
    whole = msgspec.msgpack.encode([item for items in house.journal.items.values() for item in items])
    assert SECRET.encode() not in whole


def test_the_polling_phase_is_whole_and_no_secret_leaves(house: House, page: Website, site: Website) -> None:
    place = mark(house)
    server = PollingSite()
    with served(server.attach) as other:
        other.pages.update({"": POLLING, "socket.io.min.js": VENDORED.read_text()})
        page.send(f"!location = '{other.url()}'")
        house.journal.until(lambda: server.sid and server.upgraded(), "the upgrade")
        other.do(server.stop())
        handled = house.journal.until(lambda: server.handled, "what the page handled")
        for capture in BOTH:
            wait_for(house, place, [b'42["n",%d]' % handled[-1]], capture)
            wait_for(house, place, [f'430["{MARK}"]'.encode()], capture)  # the server answers when it has the time
            assert emitted(house, place, capture) == handled
            check_polling(house, place, capture)
        a, b = (by_stream(house, place, capture) for capture in BOTH)
        assert a.keys() == b.keys()
        for stream, frames in a.items():
            both = min(len(frames), len(b[stream]))
            assert frames[:both] == b[stream][:both]
        opened = since(house, place, "capture-a", StreamOpened)
        assert {item.transport for item in opened if "/socket.io/" in item.url} == {"polling", "websocket"}
    whole = msgspec.msgpack.encode([item for items in house.journal.items.values() for item in items])
    assert SECRET.encode() not in whole


def by_stream(house: House, place: dict[str, int], capture: str) -> dict[str, list[tuple[bool, int, bytes, bool]]]:
    found: dict[str, list[tuple[bool, int, bytes, bool]]] = {}
    for frame in since(house, place, capture, FrameSeen):
        found.setdefault(frame.stream, []).append((frame.sent, frame.opcode, frame.payload, frame.redacted))
    return found


def check_polling(house: House, place: dict[str, int], capture: str) -> None:
    opened = {item.stream for item in since(house, place, capture, StreamOpened) if "/socket.io/" in item.url}
    frames = [frame for frame in since(house, place, capture, FrameSeen) if frame.stream in opened]
    said = [frame.payload for frame in frames]
    assert said[0].startswith(b'0{"sid"')
    assert f'40{{"token":"{MARK}"}}'.encode() in said
    assert f'420["authenticate","{MARK}","{MARK}"]'.encode() in said
    assert f'430["{MARK}"]'.encode() in said
    assert next(frame.payload for frame in frames if frame.redacted) == f'40{{"token":"{MARK}"}}'.encode()
    assert said.index(b"2probe") < said.index(b"3probe") < said.index(b"5")


def emitted(house: House, place: dict[str, int], capture: str) -> list[int]:
    frames: list[Captured] = since(house, place, capture, FrameSeen)
    found = [frame.payload for frame in frames if isinstance(frame, FrameSeen) and not frame.sent]
    return [msgspec.json.decode(payload[2:])[1] for payload in found if payload.startswith(b'42["n"')]


class PollingSite:
    """A Socket.IO server that numbers what it emits from the first moment on, through the upgrade."""

    def __init__(self) -> None:
        self.server = socketio.AsyncServer(async_mode="aiohttp", cors_allowed_origins="*")
        self.sid: str | None = None
        self.handled: list[int] | None = None
        self._emitting: asyncio.Task[None] | None = None
        self.server.on("connect", self._on_connect)
        self.server.on("authenticate", lambda sid, *arguments: {"session": SECRET})
        self.server.on("handled", self._on_handled)

    def attach(self, site: Website) -> None:
        self.server.attach(site.app)

    async def _on_connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        assert auth == {"token": SECRET}
        self.sid = sid
        self._emitting = asyncio.create_task(self._emit(sid))

    async def _emit(self, sid: str) -> None:
        pause = asyncio.Event()
        for number in range(100_000):
            await self.server.emit("n", number, to=sid)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(pause.wait(), 0.002)

    def upgraded(self) -> bool:
        return self.sid is not None and self.server.transport(self.sid) == "websocket"

    async def stop(self) -> None:
        assert self._emitting is not None
        self._emitting.cancel()
        await self.server.emit("stop", to=self.sid)

    def _on_handled(self, sid: str, handled: list[int]) -> None:
        self.handled = handled


class SlowSite:
    """A Socket.IO server that answers two requests when it is told to."""

    def __init__(self) -> None:
        self.server = socketio.AsyncServer(async_mode="aiohttp", cors_allowed_origins="*")
        self._go = asyncio.Event()
        self.server.on("authenticate", self._on_authenticate)
        self.server.on("order", self._on_order)

    def attach(self, site: Website) -> None:
        self.server.attach(site.app)

    async def _on_authenticate(self, sid: str, *arguments: Any) -> dict[str, str]:
        await self._go.wait()
        return {"session": SECRET}

    async def _on_order(self, sid: str, *arguments: Any) -> dict[str, bool]:
        await self._go.wait()
        return {"success": True}

    async def answer(self) -> None:
        self._go.set()
