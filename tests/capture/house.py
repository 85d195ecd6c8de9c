"""The world around captures, browser and pilot in tests: a site, a journal's end of the streams, real processes.

The site is an aiohttp server in a thread: pages, and a WebSocket that numbers what it sends. The journal
end takes batches by the rules (range, epoch, nack) and acknowledges them. Everything is loopback and bounded in time.
"""

import asyncio
import concurrent.futures
import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import zmq
from aiohttp import WSMsgType, web

from actors.core import streams
from actors.core.bus import Bus
from actors.core.config import Browser, Capture, Config, Site
from actors.core.log import log_path
from actors.core.messages import (
    CaptureBatch,
    Captured,
    CapturePosition,
    CapturePositions,
    Committed,
    FrameSeen,
    Lost,
    Ready,
    StreamOpened,
    Submit,
)
from tests.processes import STARTS, Process

CAP_S = 45.0
BOTH = ("capture-a", "capture-b")
ARGS = [
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-unsafe-extension-debugging",
]


def config(
    base: Path, *, standby: bool = False, url: str = "http://127.0.0.1:1/", port: int = 0, **more: Any
) -> Config:
    return Config(
        data_dir=str(base / "d"),
        runtime_dir=str(base / "r"),
        site=Site(url=url, socket_pattern=r"^ws://(127\.0\.0\.1|([^/]+\.)?localhost):"),
        browser=Browser(headless=True, profile_dir=str(base / "profile"), cdp_port=port, args=ARGS, **more),
        capture=Capture(standby=standby),
    )


class Journal:
    """The receiving end: keeps what each capture incarnation said, in its order, once."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.frames_in = bus.inbox(streams.FRAMES)
        self.positions = bus.outbox(streams.FRAME_POSITIONS)
        self.commands = bus.inbox(streams.COMMANDS)
        self.results = bus.outbox(streams.RESULTS)
        self.reports = bus.inbox(streams.REPORTS)
        self.epoch = time.monotonic_ns()
        self.have: dict[int, int] = {}
        self.nacks: dict[int, int] = {}
        self.items: dict[str, list[Captured]] = {}
        self.covered: dict[str, float] = {}
        self.attached: dict[str, str | None] = {}
        self.submitted: dict[str, Submit] = {}
        self.ready: dict[str, int] = {}
        self.stats: dict[str, dict[str, Any]] = {}

    def restart(self) -> None:
        """Be a new journal process that kept its disk."""
        self.epoch = time.monotonic_ns()
        self.nacks.clear()

    def turn(self, wait_ms: int = 10) -> None:
        poller = zmq.Poller()
        for inbox in (self.frames_in, self.commands, self.reports):
            poller.register(inbox.socket, zmq.POLLIN)
        poller.poll(wait_ms)
        while (batch := self.frames_in.receive()) is not None:
            self.take(batch)
        while (submit := self.commands.receive()) is not None:
            self.submitted[submit.id] = submit
            self.results.send(Committed(id=submit.id, seq=256))
        while (report := self.reports.receive()) is not None:
            if isinstance(report, Ready):
                self.ready[report.actor] = report.pid
            else:
                self.stats[report.actor] = report.stats
        self.publish()

    def publish(self) -> None:
        positions = [
            CapturePosition(incarnation=who, nack=self.nacks.get(who, 0), have=have, acked=have)
            for who, have in self.have.items()
        ]
        self.positions.send(CapturePositions(epoch=self.epoch, positions=positions))

    def take(self, batch: CaptureBatch) -> None:
        who = batch.incarnation
        have = self.have.setdefault(who, 0)
        if (batch.epoch, batch.nack) != (self.epoch, self.nacks.get(who, 0)):
            return
        if batch.after > have:
            self.nacks[who] = self.nacks.get(who, 0) + 1
            return
        fresh = [item for item in batch.items if item.n > have]
        if fresh:
            numbers = [item.n for item in fresh]
            first = fresh[0].n - fresh[0].count + 1 if isinstance(fresh[0], Lost) else fresh[0].n
            assert first <= have + 1
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
            assert batch.upto == numbers[-1]
        self.items.setdefault(batch.capture, []).extend(fresh)
        self.have[who] = max(have, batch.upto)
        self.covered[batch.capture] = batch.read_until_s
        self.attached[batch.capture] = batch.attached

    def until(self, seen: Callable[[], Any], what: str, cap_s: float = CAP_S) -> Any:
        """Work until `seen()` is true; return what it says."""
        deadline_s = time.monotonic() + cap_s
        while not (result := seen()):
            assert time.monotonic() < deadline_s, f"not within {cap_s} s: {what}"
            self.turn()
        return result

    def frames(self, capture: str = "capture-a") -> list[FrameSeen]:
        return [item for item in self.items.get(capture, []) if isinstance(item, FrameSeen)]

    def of(self, kind: type, capture: str = "capture-a") -> list[Any]:
        return [item for item in self.items.get(capture, []) if isinstance(item, kind)]

    def texts(self, capture: str = "capture-a", *, sent: bool = False, prefix: bytes = b"") -> list[bytes]:
        return [
            frame.payload
            for frame in self.frames(capture)
            if frame.sent == sent and frame.opcode == 1 and frame.payload.startswith(prefix)
        ]

    def urls(self, capture: str = "capture-a") -> dict[str, str]:
        return {item.stream: item.url for item in self.of(StreamOpened, capture)}

    def told(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(submit.data) for submit in self.submitted.values()]


class House:
    """Actors as real processes, and the journal's end."""

    def __init__(self, settings: Config) -> None:
        self.config = settings
        self.bus = Bus(settings.runtime_path)
        self.journal = Journal(self.bus)
        self.running: dict[str, Process] = {}

    def start(self, *names: str) -> None:
        for name in names:
            self.journal.ready.pop(name, None)
            self.running[name] = Process(name, STARTS[name], self.config)

    def wait_ready(self, *names: str) -> None:
        self.journal.until(
            lambda: all(self.is_ready(name) for name in names), f"ready: {names}; {self.last_words(names)}"
        )

    def is_ready(self, name: str) -> bool:
        return self.journal.ready.get(name) == self.running[name].pid

    def last_words(self, names: tuple[str, ...]) -> str:
        return "; ".join(self.log(name)[-500:] for name in names)

    def log(self, name: str) -> str:
        path = log_path(self.config.runtime_path, name)
        return path.read_text() if path.exists() else ""

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        child = self.running.pop(name)
        child.signal(number)
        return self.wait(child)

    def wait(self, child: Process, cap_s: float = CAP_S) -> int:
        self.journal.until(lambda: child.exit_code is not None, "the end of a process", cap_s)
        return child.wait()

    def mark(self) -> dict[str, int]:
        """Return how much each capture has said."""
        return {name: len(self.journal.items.get(name, [])) for name in BOTH}

    def since(self, place: dict[str, int], capture: str, kind: type) -> list[Any]:
        return [item for item in self.journal.items.get(capture, [])[place[capture] :] if isinstance(item, kind)]

    def payloads(self, place: dict[str, int], capture: str, prefix: bytes = b"") -> list[bytes]:
        found = self.since(place, capture, FrameSeen)
        return [frame.payload for frame in found if frame.payload.startswith(prefix)]

    def wait_for(self, place: dict[str, int], wanted: list[bytes], capture: str) -> None:
        """Wait until a capture has given the last of these."""
        last = wanted[-1]
        self.journal.until(lambda: last in self.payloads(place, capture), f"{last!r} at {capture}")

    def close(self) -> None:
        for name in ("pilot", "capture-a", "capture-b", "browser"):
            if name in self.running:
                self.running[name].signal(signal.SIGTERM)
        for child in self.running.values():
            try:
                self.wait(child, 6.0)
            finally:
                child.kill()
        self.bus.close()


class Website:
    """Pages and sockets for the browser."""

    def __init__(self, attach: "Callable[[Website], None]") -> None:
        self.pages: dict[str, str] = {}
        self.moved: dict[str, str] = {}  # pages that are elsewhere -> where
        self.sockets: list[web.WebSocketResponse] = []
        self.received: list[str | bytes] = []
        self.sent = 0
        self.app = web.Application()
        attach(self)
        self.app.router.add_get("/ws{tail:.*}", self._socket)
        self.app.router.add_get("/{page:.*}", self._page)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.port = 0

    def start(self) -> None:
        self._thread.start()
        self.do(self._serve())

    async def _serve(self) -> None:
        self._runner = web.AppRunner(self.app, shutdown_timeout=0.2)
        await self._runner.setup()
        server = web.TCPSite(self._runner, "127.0.0.1", 0)
        await server.start()
        self.port = self._runner.addresses[0][1]

    def do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(CAP_S)

    def url(self, page: str = "", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}/{page}"

    async def _page(self, request: web.Request) -> web.Response:
        name = request.match_info["page"]
        if name in self.moved:
            raise web.HTTPFound(self.moved[name])
        if name not in self.pages:
            return web.Response(status=404)
        kind = "text/javascript" if name.endswith(".js") else "text/html"
        return web.Response(text=self.pages[name], content_type=kind)

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        self.sockets.append(socket)
        with contextlib.suppress(ConnectionError):
            async for message in socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    self.received.append(message.data)
        self.sockets.remove(socket)
        return socket

    async def _send(self, text: str | bytes) -> None:
        for socket in list(self.sockets):
            with contextlib.suppress(ConnectionError):
                await (socket.send_str(text) if isinstance(text, str) else socket.send_bytes(text))

    def send(self, text: str | bytes) -> None:
        self.do(self._send(text))

    def post(self, text: bytes) -> "concurrent.futures.Future[None]":
        return asyncio.run_coroutine_threadsafe(self._send(text), self.loop)

    async def close_sockets(self) -> None:
        for socket in list(self.sockets):
            await socket.close()

    def send_numbered(self, count: int) -> list[bytes]:
        texts = [f'42["tick",{{"n":{self.sent + k}}}]' for k in range(1, count + 1)]
        self.sent += count
        self.do(self._send_all(texts))
        return [text.encode() for text in texts]

    async def _send_all(self, texts: list[str]) -> None:
        for text in texts:
            await self._send(text)

    async def _stop(self) -> None:
        await self._runner.cleanup()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def close(self) -> None:
        self.do(self._stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(CAP_S)
        self.loop.close()


@contextlib.contextmanager
def served(attach: Callable[[Website], None] = lambda site: None) -> Iterator[Website]:
    """attach: adds routes before the others."""
    site = Website(attach)
    site.start()
    try:
        yield site
    finally:
        site.close()
