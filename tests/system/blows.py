"""Blows that the browser and its page can take, and what of them is told live. For recovery's tests and benchmark."""

import contextlib
import ctypes
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import psutil
import requests
import zmq

from actors.core import streams
from actors.core.browser_file import BrowserFile, read_browser_file
from actors.core.bus import Bus
from actors.core.messages import Event
from actors.pilot.tabs import ERRORS, Tabs, patch
from actors.simulator.server import DROP_ME
from tests.house import House
from tests.processes import wait_for

CAP_S = 25.0
PIDFD_GETFD = 438  # Linux's number of the system call, on every architecture


class Sight:
    """The live events of a running house: how a blow is seen to be over."""

    def __init__(self, home: House) -> None:
        self._home = home
        self.runtime_dir = home.home / "data" / "run"
        self._bus = Bus(self.runtime_dir)
        self._live = self._bus.inbox(streams.LIVE)
        self.renderer = 0  # process of the site's page: Chromium's ids of its sockets are "<renderer pid>.<n>"
        self.told: list[tuple[int, str, dict[str, Any]]] = []  # Unix ms, kind, data of the system's own events

    def close(self) -> None:
        """Give the socket back."""
        self._bus.close()

    def watch(self, done: Callable[[Event], bool], what: str, cap_s: float = CAP_S) -> None:
        """Read until an event meets the condition."""
        deadline_s = time.monotonic() + cap_s
        while time.monotonic() < deadline_s:
            self._live.socket.poll(50, zmq.POLLIN)
            while (batch := self._live.receive()) is not None:
                for event in batch.events:
                    self._note(event)
                    if done(event):
                        return
        raise AssertionError(f"not within {cap_s} s: {what}; told: {self.told[-20:]}")

    def flow(self, seconds: float) -> None:
        """Let the game flow for so long."""
        until_ms = time.time() * 1000 + seconds * 1000
        self.watch(lambda event: event.type == "raw.load" and event.ts >= until_ms, "the game flows")

    def game_again(self, struck_s: float) -> None:
        """Wait for the game's frames behind a gap that ended after the blow."""
        ended: list[int] = []

        def done(event: Event) -> bool:
            if event.type == "system.gap" and msgspec.json.decode(event.data)["to_us"] > struck_s * 1e6:
                ended.append(event.seq)
            return bool(ended) and event.type == "raw.load"

        self.watch(done, "frames behind a gap")

    def _note(self, event: Event) -> None:
        if not event.type.startswith("system."):
            return
        data = msgspec.json.decode(event.data)
        self.told.append((event.ts, event.type.removeprefix("system."), data))
        if data.get("what") == "opened" and data.get("transport") == "websocket":
            self.renderer = int(data["stream"].rpartition("/")[2].partition(".")[0])

    def browser(self) -> BrowserFile:
        """Return the browser that runs."""
        browser = read_browser_file(self.runtime_dir)
        assert browser is not None
        return browser

    @contextmanager
    def page(self) -> Iterator[Tabs]:
        """A connection of our own to the site's page."""
        with page_of(self.browser(), self._home.status()["endpoints"]["simulator"]) as tabs:
            yield tabs

    def evaluate(self, script: str) -> None:
        """Run JavaScript in the page; it may never end."""
        with self.page() as tabs, contextlib.suppress(*ERRORS):
            tabs._tab.Runtime.evaluate(expression=script, _timeout=0.2)

    def crash_page(self) -> None:
        """Crash the page's renderer from within."""
        with self.page() as tabs:
            crash(tabs)

    def close_page(self) -> None:
        """Close the tab, as a user does."""
        with self.page() as tabs:
            target = tabs._tab.id
        requests.get(f"http://127.0.0.1:{self.browser().port}/json/close/{target}", timeout=2)

    def have_socket_closed(self, *how: str) -> None:
        """Have the page's socket closed by the server."""
        self.evaluate(f"socket.emit({DROP_ME!r}{''.join(f', {word!r}' for word in how)})")

    def cut_captures(self, *names: str) -> None:
        """End the captures' connections to Chromium, both of which live on: the kernel shuts their sockets down."""
        with contextlib.ExitStack() as held:
            taken = [held.enter_context(taken_from(*self._connection_of(name))) for name in names]
            for connection in taken:
                connection.shutdown(socket.SHUT_RDWR)

    def _connection_of(self, capture: str) -> tuple[int, int]:
        """Return a capture's process, and the descriptor of its connection to Chromium."""
        pid, port = self._home.actor(capture)["pid"], self.browser().port
        (ours,) = (c.fd for c in psutil.Process(pid).net_connections("tcp4") if c.raddr and c.raddr.port == port)
        return pid, ours

    def lose_both_captures_and_the_socket(self) -> None:
        """Kill both captures, and have the server close the page's socket while nobody looks."""
        with self.page() as tabs:
            self.signal_actors(signal.SIGKILL, "capture-a", "capture-b")
            with contextlib.suppress(*ERRORS):
                tabs._tab.Runtime.evaluate(expression=f"socket.emit({DROP_ME!r}, 'politely')", _timeout=0.2)

    def crash_again_and_again(self) -> None:
        """Kill the page's renderer, and the next two as soon as they show the game."""
        for _ in range(2):
            struck_s = time.time()
            self.signal_renderer(signal.SIGKILL)
            self.game_again(struck_s)
            self.flow(0.1)
        self.signal_renderer(signal.SIGKILL)
        self.trouble_is_said("the page crashes again and again")

    def browse_elsewhere(self) -> None:
        """Show another site in the game's tab until the pilot has said so, as a user may; then go back."""
        endpoints = self._home.status()["endpoints"]
        with self.page() as tabs:
            tabs.navigate(endpoints["monitor"])
            self.trouble_is_said("the tab shows http://127.0.0.1, not the game")
            tabs.navigate(endpoints["simulator"])

    def trouble_is_said(self, words: str) -> None:
        """Wait until status says what is wrong with the page."""
        wait_for(lambda: words in (self._home.actor("pilot")["stats"].get("error") or ""), 10)

    def signal_renderer(self, number: signal.Signals) -> None:
        """Send a signal to the process of the site's page."""
        assert self.renderer, "the page's socket was not seen to open"
        os.kill(self.renderer, number)

    def signal_browser(self, number: signal.Signals) -> None:
        """Send a signal to Chromium's own process."""
        os.kill(self.browser().pid, number)

    def signal_actors(self, number: signal.Signals, *names: str) -> None:
        """Send a signal to actors."""
        for name in names:
            os.kill(self._home.actor(name)["pid"], number)


@contextmanager
def page_of(browser: BrowserFile, site_url: str) -> Iterator[Tabs]:
    """A connection of our own to a site's page."""
    patch()
    tabs = Tabs(f"http://127.0.0.1:{browser.port}", lambda **_: None)
    try:
        assert tabs.find(site_url) == "site"
        yield tabs
    finally:
        with contextlib.suppress(*ERRORS):
            tabs.close()


def crash(tabs: Tabs) -> None:
    """Crash the page's renderer from within."""
    with contextlib.suppress(*ERRORS):
        tabs._tab.Page.navigate(url="chrome://crash", _timeout=0.2)


@contextmanager
def taken_from(pid: int, fd: int) -> Iterator[socket.socket]:
    """Another process's socket, by Linux's pidfd_getfd: what is done to it is done to the same connection."""
    pidfd = os.pidfd_open(pid)
    try:
        copy = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, pidfd, fd, 0)
        if copy < 0:
            raise OSError(ctypes.get_errno(), f"cannot take descriptor {fd} from process {pid}")
        with socket.socket(fileno=copy) as connection:
            yield connection
    finally:
        os.close(pidfd)


def stored_us(data_dir: Path) -> dict[int, int]:
    """Return when the page had each numbered frame that is stored: number, rising -> Unix microseconds."""
    rows = duckdb.execute(
        "SELECT CAST(regexp_extract(raw, '\"n\":(\\d+)', 1) AS BIGINT), epoch_us(ts) "
        f"FROM read_parquet('{data_dir}/events_parquet/doc_type=ws_event/*/*.parquet') WHERE event_name = 'load'"
    ).fetchall()
    return dict(sorted(rows))
