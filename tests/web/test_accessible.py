"""Every page for everybody: no serious finding of axe-core in either theme, all by keyboard, motion only where wanted;
and quick: first paint with data, and how much is transferred."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.chromium import Chromium, binary
from tests.web.conftest import ControlRoom
from tests.web.neighbours import Neighbours, good_status, now_ms
from tests.web.test_pages import PAGES

pytestmark = [pytest.mark.system, pytest.mark.skipif(binary() is None, reason="no Chromium here")]

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
FINDINGS = """axe.run(document, {resultTypes: ['violations']}).then((found) => found.violations
    .filter((one) => ['serious', 'critical'].includes(one.impact))
    .map((one) => one.id + ': ' + one.nodes.map((node) => node.target + ' ' + node.failureSummary).join(' | ')))"""
TRANSFERRED_BYTES = 300_000


@pytest.fixture(scope="module")
def browser(room: ControlRoom, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("chromium")) as browser:
        browser.size(1280, 900)
        browser.open(f"{room.url}/?token={room.token}")
        yield browser


@pytest.fixture(autouse=True)
def _lively(neighbours: Neighbours) -> None:
    neighbours.status = good_status()
    for tick in range(20):
        leaders = [{"id": "x", "username": "mira", "pnl": -0.1, "pnlPercent": -5.0, "positionQty": 1.0}]
        neighbours.tick("20251216-axe", tick, 1 + tick / 50, leaderboard=leaders, cash=0.4, roundStartedAt=now_ms())


def settled(browser: Chromium) -> None:
    """Wait until what the page asks for at its start has come."""
    browser.wait("document.querySelector('#age').dataset.state !== 'unknown'")
    browser.evaluate("new Promise((done) => requestIdleCallback(done, {timeout: 2000}))")


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_serious(
    browser: Chromium, room: ControlRoom, neighbours: Neighbours, scheme: str, width: int
) -> None:
    browser.scheme(scheme)
    browser.size(width, 900, phone=width == 360)
    for path in PAGES:
        neighbours.tick("20251216-axe", 20, 1.4)
        browser.open(room.url + path)
        settled(browser)
        browser.evaluate(f"{AXE}; undefined")
        assert browser.evaluate(FINDINGS) == [], (path, scheme, width)
    browser.size(1280, 900)


def test_every_control_is_reached_by_tab_and_shows_it(browser: Chromium, room: ControlRoom) -> None:
    wanted = """[...document.querySelectorAll(`a[href], button:not(:disabled), input:not([type=hidden]), select,
        summary`)]
        .filter((one) => one.checkVisibility()).length"""
    for path in ("/recording", "/games", "/system"):
        browser.open(room.url + path)
        settled(browser)
        browser.evaluate("window.reached = new Set(); document.addEventListener('focusin', (event) => "
                         "window.reached.add(event.target))")  # fmt: skip
        for _ in range(browser.evaluate(wanted) + 30):
            for kind in ("rawKeyDown", "keyUp"):
                browser.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        missed = browser.evaluate("""[...document.querySelectorAll(`main a[href], main button:not(:disabled),
            main input:not([type=hidden]), main select`)].filter((one) => one.checkVisibility())
            .filter((one) => !window.reached.has(one))            .map((one) => one.outerHTML.slice(0, 90))""")
        assert missed == [], path
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        browser.evaluate("document.activeElement?.blur()")
        browser.call("Input.dispatchKeyEvent", type="rawKeyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
        assert browser.evaluate(f"document.activeElement === document.body || {outline} !== 'none'")


def test_who_wants_no_motion_gets_none(browser: Chromium, room: ControlRoom) -> None:
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
    browser.open(room.url + "/")
    moving = (
        "[...document.querySelectorAll('*')].filter((one) => getComputedStyle(one).transitionDuration !== '0s').length"
    )
    assert browser.evaluate(moving) == 0
    browser.call("Emulation.setEmulatedMedia", features=[])
    assert browser.evaluate(moving) > 0


def test_pages_are_light_and_their_first_paint_is_measured(browser: Chromium, room: ControlRoom) -> None:
    for path in PAGES:
        browser.call("Network.clearBrowserCache")
        painted: list[float] = []
        for _ in range(3):
            browser.open(room.url + path)
            settled(browser)
            painted.append(float(browser.evaluate(FIRST_PAINT)))
        browser.call("Network.clearBrowserCache")
        browser.open(room.url + path)
        settled(browser)
        size: Any = browser.evaluate(TRANSFERRED)
        print(f"{path}: first paint {min(painted):.0f} to {max(painted):.0f} ms, {size / 1000:.0f} kB")
        assert size < TRANSFERRED_BYTES, path


FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
TRANSFERRED = """[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .reduce((sum, one) => sum + one.transferSize, 0)"""
