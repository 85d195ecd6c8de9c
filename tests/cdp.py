"""A Chromium and its tabs over bare CDP, for the tests of what VECTRA itself says to the browser and what it records.

Nothing is enabled, attached or added that a test does not ask for. Playwright would be in the way here: on connecting
it attaches to every target, lets each new one wait for it too, enables Page, Runtime, Network, Log and Inspector, puts
a world of its own into each document and emulates the focus (seen with DEBUG=pw:protocol). What was tested would no
longer be what VECTRA's captures do alone, and the page would not be the one that they record.
"""

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import websocket

from actors.browser.command import LISTENING, NAMES, arguments, find_binary
from actors.core.config import Browser, Config
from tests.processes import wait_for

LIMIT_S = 20.0
NEEDS_CHROMIUM = pytest.mark.skipif(
    not any(map(shutil.which, NAMES)), reason="no Chromium found; install the package `chromium`"
)


class Tab:
    """A connection to a tab, or to the browser: blocking calls, each with a time limit."""

    def __init__(self, url: str, timeout_s: float = LIMIT_S) -> None:
        self._socket = websocket.create_connection(url, timeout=timeout_s, suppress_origin=True)
        self._number = 0
        self.session: str | None = None
        self.events: list[dict[str, Any]] = []  # that came between the answers

    def close(self) -> None:
        """End the connection; the tab stays."""
        self._socket.close()

    def send(self, method: str, **params: Any) -> None:
        """Give an order and wait for no answer."""
        self._number += 1
        order = {"id": self._number, "method": method, "params": params}
        self._socket.send(json.dumps(order | ({"sessionId": self.session} if self.session else {})))

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Give an order; return its result. AssertionError: the browser refused it."""
        self.send(method, **params)
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def value(self, expression: str) -> Any:
        """Return the value of an expression, of a promise when it is kept. AssertionError: it threw."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, condition: str, timeout_s: float = 60) -> Any:
        """Return the first true value of an expression, which may throw until then."""
        return wait_for(lambda: self.value(f"(() => {{ try {{ return {condition}; }} catch {{ }} }})()"), timeout_s)

    def text(self, selector: str) -> str:
        """Return an element's text."""
        return str(self.value(f"document.querySelector({json.dumps(selector)}).textContent"))

    def press(self, selector: str) -> None:
        """Press the mouse in the middle of an element, as a hand does."""
        element = f"document.querySelector({json.dumps(selector)})"
        self.value(f"{element}.scrollIntoView({{ block: 'center', behavior: 'instant' }})")
        box = f"{element}.getBoundingClientRect()"
        x, y = self.value(f"(() => {{ const b = {box}; return [b.x + b.width / 2, b.y + b.height / 2]; }})()")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


@contextmanager
def chromium(profile: Path) -> Iterator[str]:
    """Run a Chromium as the demo does; the URL of its CDP."""
    config = Config(browser=Browser(headless=True, profile_dir=str(profile), cdp_port=0))
    command = arguments(config, find_binary(None, shutil.which), demo=True, as_root=os.geteuid() == 0)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            yield next(found[1] for line in process.stderr if (found := LISTENING.search(line)))
        finally:
            process.kill()


@contextmanager
def new_tab(browser_url: str) -> Iterator[Tab]:
    """Open an empty tab for the length of a with block."""
    with closing(Tab(browser_url)) as tab:
        target = tab.call("Target.createTarget", url="about:blank")["targetId"]
        tab.session = tab.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        yield tab
        tab.session = None
        tab.call("Target.closeTarget", targetId=target)


def open_tab(cdp_url: str, site_url: str, timeout_s: float = LIMIT_S) -> Tab:
    """Return the tab of a running browser that shows a site."""
    with urllib.request.urlopen(f"{cdp_url.rstrip('/')}/json/list", timeout=LIMIT_S) as answer:
        pages = json.load(answer)
    place = next(page for page in pages if page["type"] == "page" and page["url"].startswith(site_url))
    return Tab(place["webSocketDebuggerUrl"], timeout_s)
