"""The page in a real Chromium: it logs in, its buttons trade, and hostile names stay text."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from actors.core.config import Simulator
from actors.simulator.server import SimulatorServer
from tests.cdp import LIMIT_S, NEEDS_CHROMIUM, Tab, chromium, new_tab

pytestmark = [pytest.mark.system, NEEDS_CHROMIUM]


@pytest.fixture(scope="module")
def browser_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with chromium(tmp_path_factory.mktemp("profile")) as url:
        yield url


def visit(browser_url: str, settings: Simulator, story: Any) -> None:
    """Serve the simulator, open its page, and let `story` drive it from a thread."""

    def drive(url: str) -> None:
        with new_tab(browser_url) as page:
            page.call("Page.enable")
            page.call("Page.navigate", url=url)
            page.wait("document.getElementById('balance').textContent.includes('SOL')")
            story(page)

    async def serve() -> None:
        async with SimulatorServer(settings) as server:
            await asyncio.wait_for(asyncio.to_thread(drive, server.url), 3 * LIMIT_S)

    asyncio.run(serve())


def test_a_click_on_buy_opens_a_position_and_a_side_bet_runs(browser_url: str) -> None:
    def story(page: Tab) -> None:
        page.wait("['presale', 'active'].includes(document.getElementById('phase').dataset.phase)")
        assert page.text("._buy_x1") == "BUY+0.030 SOL"
        page.press("._controlBtn_x1[data-add='0.01']")
        assert page.text("._buy_x1") == "BUY+0.040 SOL"
        page.press("._buy_x1")
        quantity = page.wait("document.getElementById('position').textContent !== '0' && state.quantity")
        assert quantity > 0
        page.press(".bet-button")
        page.wait("document.querySelector('.bet-button').classList.contains('but-button-active')")
        assert page.value("state.cash") == pytest.approx(5 - 0.04 - 0.04)

    visit(browser_url, Simulator(seed="page"), story)


def test_hostile_names_and_messages_stay_text(browser_url: str) -> None:
    def story(page: Tab) -> None:
        page.wait("document.getElementById('trades').textContent.length > 400")
        page.wait("document.getElementById('chat').childElementCount >= 20")
        assert page.value("document.title") == "rugs.fun simulator"
        assert page.value("window.__pwned === undefined")
        lists = "document.querySelectorAll('#chat script, #chat svg, #chat img, #trades img, table img, table script')"
        assert page.value(f"{lists}.length") == 0
        assert page.value("[...document.scripts].every((script) => script.src.startsWith(location.origin))")

    visit(browser_url, Simulator(seed="page", speed=20), story)


def test_every_button_of_the_real_page_is_there(browser_url: str) -> None:
    def story(page: Tab) -> None:
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
    logged_in = "socket.connected && state.player && document.getElementById('phase').dataset.phase !== 'connecting'"

    async def serve(port: int, story: Callable[[str], None]) -> int:
        async with SimulatorServer(Simulator(seed=f"restart {port}"), preferred_port=port) as server:
            await asyncio.wait_for(asyncio.to_thread(story, server.url), 3 * LIMIT_S)
            return server.port

    def first(url: str) -> None:
        page.call("Page.navigate", url=url)
        page.wait(logged_in)
        page.value("window.seenGame = state.game")

    with new_tab(browser_url) as page:
        port = asyncio.run(serve(0, first))
        page.wait("!socket.connected")
        asyncio.run(serve(port, lambda _: page.wait(f"state.game !== seenGame && {logged_in}")))
