"""Every page for everybody: no serious finding of axe-core in either theme, all by keyboard, motion only where wanted;
and quick: first paint with data, and how much is transferred."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.web.chromium import binary
from tests.web.conftest import ControlRoom
from tests.web.neighbours import Neighbours, good_status, now_ms
from tests.web.test_pages import PAGES

pytestmark = [pytest.mark.system, pytest.mark.skipif(binary() is None, reason="no Chromium here")]

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
FINDINGS = """axe.run(document, {resultTypes: ['violations']}).then((found) => found.violations
    .filter((one) => ['serious', 'critical'].includes(one.impact))
    .map((one) => one.id + ': ' + one.nodes.map((node) => node.target + ' ' + node.failureSummary).join(' | ')))"""
TRANSFERRED_BYTES = 300_000


@pytest.fixture(autouse=True)
def _lively(neighbours: Neighbours) -> None:
    neighbours.status = good_status()
    for tick in range(20):
        leaders = [{"id": "x", "username": "mira", "pnl": -0.1, "pnlPercent": -5.0, "positionQty": 1.0}]
        neighbours.tick("20251216-axe", tick, 1 + tick / 50, leaderboard=leaders, cash=0.4, roundStartedAt=now_ms())


def settled(page: Page) -> None:
    """Wait until what the page asks for at its start has come."""
    expect(page.locator("#age")).not_to_have_attribute("data-state", "unknown")
    page.evaluate("new Promise((done) => requestIdleCallback(done, {timeout: 2000}))")


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_axe_finds_nothing_serious(
    request: pytest.FixtureRequest, room: ControlRoom, neighbours: Neighbours, device: str
) -> None:
    let_in: Page = request.getfixturevalue(device)
    page = let_in.context.new_page()
    page.add_init_script(AXE)
    page.emulate_media(reduced_motion="reduce")  # a colour on its way to another is no finding
    for path in PAGES:
        neighbours.tick("20251216-axe", 20, 1.4)
        page.goto(room.url + path)
        settled(page)
        page.emulate_media(color_scheme="dark")
        assert page.evaluate(FINDINGS) == [], (path, "dark", device)
        page.emulate_media(color_scheme="light")
        assert page.evaluate(FINDINGS) == [], (path, "light", device)
    page.close()


def test_every_control_is_reached_by_tab_and_shows_it(desktop: Page, room: ControlRoom) -> None:
    wanted = """[...document.querySelectorAll(`a[href], button:not(:disabled), input:not([type=hidden]), select,
        summary`)]
        .filter((one) => one.checkVisibility()).length"""
    for path in ("/recording", "/games", "/system"):
        desktop.goto(room.url + path)
        settled(desktop)
        desktop.evaluate("window.reached = new Set(); document.addEventListener('focusin', (event) => "
                         "{ window.reached.add(event.target); })")  # fmt: skip
        for _ in range(desktop.evaluate(wanted) + 30):
            desktop.keyboard.press("Tab")
        missed = desktop.evaluate("""[...document.querySelectorAll(`main a[href], main button:not(:disabled),
            main input:not([type=hidden]), main select`)].filter((one) => one.checkVisibility())
            .filter((one) => !window.reached.has(one)).map((one) => one.outerHTML.slice(0, 90))""")
        assert missed == [], path
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        desktop.evaluate("document.activeElement?.blur()")
        desktop.keyboard.press("Tab")
        assert desktop.evaluate(f"document.activeElement === document.body || {outline} !== 'none'")


def test_who_wants_no_motion_gets_none(desktop: Page, room: ControlRoom) -> None:
    desktop.emulate_media(reduced_motion="reduce")
    desktop.goto(room.url + "/")
    moving = (
        "[...document.querySelectorAll('*')].filter((one) => getComputedStyle(one).transitionDuration !== '0s').length"
    )
    assert desktop.evaluate(moving) == 0
    desktop.emulate_media(reduced_motion="no-preference")
    assert desktop.evaluate(moving) > 0


def test_pages_are_light_and_their_first_paint_is_measured(desktop: Page, room: ControlRoom) -> None:
    devtools = desktop.context.new_cdp_session(desktop)
    for path in PAGES:
        painted: list[float] = []
        devtools.send("Network.clearBrowserCache")
        for _ in range(3):
            desktop.goto(room.url + path)
            settled(desktop)
            painted.append(float(desktop.evaluate(FIRST_PAINT)))
        devtools.send("Network.clearBrowserCache")
        desktop.goto(room.url + path)
        settled(desktop)
        size: int = desktop.evaluate(TRANSFERRED)
        print(f"{path}: first paint {min(painted):.0f} to {max(painted):.0f} ms, {size / 1000:.0f} kB")
        assert size < TRANSFERRED_BYTES, path


FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
TRANSFERRED = """[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .reduce((sum, one) => sum + one.transferSize, 0)"""
