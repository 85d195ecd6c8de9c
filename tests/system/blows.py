"""Blows that the browser and its page can take, and what of them is told live. For recovery's tests."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import requests
import zmq

from actors.core import streams
from actors.core.browser_file import BrowserFile, read_browser_file
from actors.core.bus import Bus
from actors.core.messages import Event
from actors.pilot.tabs import ERRORS, Tabs, patch
from tests.house import House

CAP_S = 25.0


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
        patch()
        tabs = Tabs(f"http://127.0.0.1:{self.browser().port}", lambda **_: None)
        try:
            assert tabs.find(self._home.status()["endpoints"]["simulator"]) == "site"
            yield tabs
        finally:
            with contextlib.suppress(*ERRORS):
                tabs.close()

    def evaluate(self, script: str) -> None:
        """Run JavaScript in the page; it may never end."""
        with self.page() as tabs, contextlib.suppress(*ERRORS):
            tabs._tab.Runtime.evaluate(expression=script, _timeout=0.2)

    def crash_page(self) -> None:
        """Crash the page's renderer from within."""
        with self.page() as tabs, contextlib.suppress(*ERRORS):
            tabs._tab.Page.navigate(url="chrome://crash", _timeout=0.2)

    def close_page(self) -> None:
        """Close the tab, as a user does."""
        with self.page() as tabs:
            target = tabs._tab.id
        requests.get(f"http://127.0.0.1:{self.browser().port}/json/close/{target}", timeout=2)

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
