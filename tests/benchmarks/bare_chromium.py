"""The control for recovery: how fast Chromium itself comes back, launched and steered by the least that can do it.

In: a page's URL and a profile. Out: milliseconds from the launch to its DevTools port, to the order to load the page,
and to the page's first frame behind the handshake. One blocking connection to one tab; no actor, no journal, no second
reader. The profile is warmed by a first launch, and each browser is killed, as under the blow.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import msgspec
import requests
import websocket

from actors.browser.command import LISTENING, arguments, find_binary
from actors.browser.profile import forget_tabs
from actors.core.config import Browser, Config

CAP_S = 30.0
ROWS = ("port", "navigated", "frames")
_SESSION = re.compile(r"transport=polling.*[?&]sid=")


def launch(url: str, profile: Path) -> dict[str, float]:
    """Launch, load the page, see a frame, kill; return the milliseconds to each row."""
    forget_tabs(profile)
    config = Config(browser=Browser(headless=True, profile_dir=str(profile), cdp_port=0))
    command = arguments(config, find_binary(None, shutil.which), demo=True, as_root=os.geteuid() == 0)
    began_s = time.monotonic()
    chromium = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        port = _port(chromium)
        times = {"port": time.monotonic()}
        (tab,) = (tab for tab in requests.get(f"http://127.0.0.1:{port}/json", timeout=CAP_S).json() if _is_page(tab))
        page = websocket.create_connection(tab["webSocketDebuggerUrl"], suppress_origin=True, timeout=CAP_S)
        try:
            _order(page, 1, "Network.enable")
            times["navigated"] = time.monotonic()
            _order(page, 2, "Page.navigate", url=url)
            _first_frame(page)
            times["frames"] = time.monotonic()
        finally:
            page.close()
    finally:
        os.killpg(chromium.pid, signal.SIGKILL)
        chromium.communicate(timeout=CAP_S)
    return {row: (at_s - began_s) * 1000 for row, at_s in times.items()}


def _port(chromium: "subprocess.Popen[bytes]") -> int:
    assert chromium.stderr is not None
    for line in chromium.stderr:
        if (found := LISTENING.search(line.decode(errors="replace"))) is not None:
            return int(found[2])
    raise AssertionError("Chromium ended before it said its port")


def _is_page(tab: dict[str, str]) -> bool:
    return tab["type"] == "page"


def _order(page: websocket.WebSocket, number: int, method: str, **params: str) -> None:
    page.send(msgspec.json.encode({"id": number, "method": method, "params": params}))
    while msgspec.json.decode(page.recv()).get("id") != number:
        pass


def _first_frame(page: websocket.WebSocket) -> None:
    """Read until a poll of an open session was answered, or a socket gave an event."""
    while True:
        message = msgspec.json.decode(page.recv())
        method, params = message.get("method"), message.get("params", {})
        if method == "Network.responseReceived" and _SESSION.search(params["response"]["url"]):
            return
        if method == "Network.webSocketFrameReceived" and params["response"]["payloadData"].startswith("42"):
            return
