"""A real control room process with neighbours on the real bus, in a runtime directory of its own."""

import http.client
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from playwright.sync_api import Browser, Page

from actors.core.config import Config, Feed, Web
from actors.core.endpoints import lookup
from tests.web.chromium import chromium, new_page
from tests.web.live_socket import Connect, live_sockets
from tests.web.neighbours import Neighbours, good_status
from tests.web.rounds_on_disk import game_row, write_rounds

START = """
import sys
from actors.core.runtime import enter
enter("web", "web.actor:run", bytes.fromhex(sys.argv[1]), False)
"""


class ControlRoom:
    """The web actor's process, and how to talk to it."""

    def __init__(self, config: Config, neighbours: Neighbours) -> None:
        self.config = config
        self.runtime_dir = config.runtime_path
        self.neighbours = neighbours
        self._log = self.runtime_dir / "log" / "web.log"
        self._starts = self.log().count(" ready\n")
        encoded = msgspec.msgpack.encode(config).hex()
        self.process = subprocess.Popen([sys.executable, "-c", START, encoded])
        self.pidfd = os.pidfd_open(self.process.pid)

    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def wait_ready(self) -> None:
        """Wait until it says that it is ready."""
        for _ in range(500):
            if self.log().count(" ready\n") > self._starts:
                return
            died = select.select([self.pidfd], [], [], 0.02)[0]
            assert not died, self.log() or "it died before it could log"
        raise AssertionError("the control room did not become ready in 10 s")

    @property
    def url(self) -> str:
        url = lookup(self.runtime_dir, "web")
        assert url is not None
        return url.rstrip("/")

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port is not None
        return port

    @property
    def token(self) -> str:
        return (self.runtime_dir / "web_token").read_text()

    def ask(
        self, path: str, method: str = "GET", *, body: bytes | None = None, token: bool = True, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one request; header names are given with underscores. Returns status, headers, body."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            connection.request(method, path, body=body, headers=sent)
            response = connection.getresponse()
            return response.status, {key.lower(): value for key, value in response.getheaders()}, response.read()
        finally:
            connection.close()

    def json(self, path: str, method: str = "GET") -> tuple[int, Any]:
        status, _, body = self.ask(path, method)
        return status, msgspec.json.decode(body)

    def stop(self, timeout_s: float = 5) -> int:
        """End it with SIGTERM; return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            if not select.select([self.pidfd], [], [], timeout_s)[0]:
                self.process.kill()
        code = self.process.wait(5)
        os.close(self.pidfd)
        return code


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    place = tmp_path_factory.mktemp("web")
    feed = Feed(allowed_origins=["https://reader.example"])  # may read the feed, and must not write here
    return Config(data_dir=str(place), runtime_dir=str(place / "run"), web=Web(port=0), feed=feed)


@pytest.fixture(scope="module")
def neighbours(config: Config) -> Iterator[Neighbours]:
    neighbours = Neighbours(config.runtime_path)
    yield neighbours
    neighbours.close()


@pytest.fixture(scope="module")
def room(config: Config, neighbours: Neighbours) -> Iterator[ControlRoom]:
    """A control room with 60 rounds on disk, for all tests of a module."""
    rows = [game_row(number) for number in range(60)]
    rows[58] |= {"verified": False, "verify_reason": "tick 7 differs", "missing_ticks": 3}
    rows[57] |= {"live_ticks": 0, "missing_ticks": rows[57]["ticks"] + 1}
    write_rounds(config.data_path, rows[:40])
    for row in rows[40:]:
        write_rounds(config.data_path, [row])
    room = ControlRoom(config, neighbours)
    room.wait_ready()
    yield room
    room.stop()
    assert "Traceback" not in room.log(), room.log()


@pytest.fixture
def good_neighbours(neighbours: Neighbours) -> None:
    """All is well with the others, whatever the test before did to them."""
    neighbours.status, neighbours.commits, neighbours.refusal = good_status(), True, None


@pytest.fixture
def connect(room: ControlRoom) -> Iterator[Connect]:
    """Opens live sockets; closes them after the test."""
    with live_sockets(room.port, room.token) as open_one:
        yield open_one


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def desktop(browser: Browser, room: ControlRoom) -> Page:
    """A page that was let in by the link with the token."""
    page = new_page(browser)
    page.goto(f"{room.url}/?token={room.token}")
    return page


@pytest.fixture(scope="module")
def phone(browser: Browser, room: ControlRoom) -> Page:
    """The same on a phone."""
    page = new_page(browser, phone=True)
    page.goto(f"{room.url}/?token={room.token}")
    return page


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path
