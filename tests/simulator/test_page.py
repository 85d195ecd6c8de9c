"""The page in a real Chromium: it logs in, its buttons trade, and hostile names stay text."""

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

from actors.core.config import Simulator
from actors.simulator.server import SimulatorServer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--window-size=1280,860",
)
LIMIT_S = 20.0

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium found; install the package `chromium`"),
]


class Page:
    """One tab, driven over CDP: blocking calls, each with a time limit."""

    def __init__(self, browser_url: str) -> None:
        self._socket = websocket.create_connection(browser_url, timeout=LIMIT_S, suppress_origin=True)
        self._number = 0
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        request = {"id": self._number, "method": method, "params": params}
        self._socket.send(json.dumps(request | ({"sessionId": self._session} if self._session else {})))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def value(self, expression: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, condition: str) -> Any:
        """Return the condition's value once it is truthy; looked at on each animation frame."""
        return self.value(
            "new Promise((done) => { const look = () => { const value = (() => { try { return "
            + condition
            + "; } catch { return null; } })(); value ? done(value) : requestAnimationFrame(look); }; look(); })"
        )

    def text(self, selector: str) -> str:
        return str(self.value(f"document.querySelector({selector!r}).textContent"))

    def click(self, selector: str) -> None:
        """Press the real mouse button in the middle of the element."""
        box = f"document.querySelector({selector!r}).getBoundingClientRect()"
        x, y = self.value(f"(() => {{ const b = {box}; return [b.x + b.width / 2, b.y + b.height / 2]; }})()")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def browser_url(tmp_path: Path) -> Iterator[str]:
    assert CHROMIUM is not None
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            found = (re.search(r"DevTools listening on (ws://\S+)", line) for line in process.stderr)
            yield next(match.group(1) for match in found if match)
        finally:
            process.kill()


def visit(browser_url: str, settings: Simulator, story: Any) -> None:
    """Serve the simulator, open its page, and let `story` drive it from a thread."""

    def drive(url: str) -> None:
        page = Page(browser_url)
        try:
            page.call("Page.enable")
            page.call("Page.navigate", url=url)
            page.wait("document.getElementById('balance').textContent.includes('SOL')")
            story(page)
        finally:
            page.close()

    async def serve() -> None:
        async with SimulatorServer(settings) as server:
            await asyncio.wait_for(asyncio.to_thread(drive, server.url), 3 * LIMIT_S)

    asyncio.run(serve())


def test_a_click_on_buy_opens_a_position_and_a_side_bet_runs(browser_url: str) -> None:
    def story(page: Page) -> None:
        page.wait("['presale', 'active'].includes(document.getElementById('phase').dataset.phase)")
        assert page.text("._buy_x1") == "BUY+0.030 SOL"
        page.click("._controlBtn_x1[data-add='0.01']")
        assert page.text("._buy_x1") == "BUY+0.040 SOL"
        page.click("._buy_x1")
        quantity = page.wait("document.getElementById('position').textContent !== '0' && state.quantity")
        assert quantity > 0
        page.click(".bet-button")
        page.wait("document.querySelector('.bet-button').classList.contains('but-button-active')")
        assert page.value("state.cash") == pytest.approx(5 - 0.04 - 0.04)

    visit(browser_url, Simulator(seed="page"), story)


def test_hostile_names_and_messages_stay_text(browser_url: str) -> None:
    def story(page: Page) -> None:
        page.wait("document.getElementById('trades').textContent.length > 400")
        page.wait("document.getElementById('chat').childElementCount >= 20")
        assert page.value("document.title") == "rugs.fun simulator"
        assert page.value("window.__pwned === undefined")
        lists = "document.querySelectorAll('#chat script, #chat svg, #chat img, #trades img, table img, table script')"
        assert page.value(f"{lists}.length") == 0
        assert page.value("[...document.scripts].every((script) => script.src.startsWith(location.origin))")

    visit(browser_url, Simulator(seed="page", speed=20), story)


def test_every_button_of_the_real_page_is_there(browser_url: str) -> None:
    def story(page: Page) -> None:
        texts = page.value("[...document.querySelectorAll('button')].map((button) => button.textContent.trim())")
        for label in ("X", "+0.001", "+0.01", "+0.1", "+1", "1/2", "X2", "MAX", "10%", "25%", "50%", "100%"):
            assert label in texts
        for start in ("BUY", "SELL", "SIDE"):
            assert any(text.startswith(start) for text in texts)
        for selector in (
            "[class*='_amountInputContainer_'] input",
            "button[class*='_clearButton_']",
            "[class*='_inputActions_'] button",
            "[class*='_buttonsRow_'] > div:first-child button",
            "div[class*='_buttonSection_']:nth-child(2) button",
            "button[class*='_percentageBtn_']:nth-child(4)",
            "[class*='_sellControlButtonsContainer_'] button",
            ".sidebet-container .sidebet-banner .bet-button",
        ):
            assert page.value(f"document.querySelectorAll({json.dumps(selector)}).length") >= 1, selector

    visit(browser_url, Simulator(seed="page"), story)


def test_an_open_page_comes_back_when_the_simulator_does(browser_url: str) -> None:
    page = Page(browser_url)
    logged_in = "socket.connected && state.player && document.getElementById('phase').dataset.phase !== 'connecting'"

    async def serve(port: int, story: Callable[[str], None]) -> int:
        async with SimulatorServer(Simulator(seed=f"restart {port}"), preferred_port=port) as server:
            await asyncio.wait_for(asyncio.to_thread(story, server.url), 3 * LIMIT_S)
            return server.port

    def first(url: str) -> None:
        page.call("Page.navigate", url=url)
        page.wait(logged_in)
        page.value("window.seenGame = state.game")

    port = asyncio.run(serve(0, first))
    page.wait("!socket.connected")
    asyncio.run(serve(port, lambda _: page.wait(f"state.game !== seenGame && {logged_in}")))
    page.close()
