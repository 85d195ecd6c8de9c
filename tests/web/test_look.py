"""The Live page's look where it can be measured: nothing jumps, long names stay in their place, line and candles."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.web.chromium import binary
from tests.web.conftest import ControlRoom
from tests.web.neighbours import Neighbours, good_status, now_ms

pytestmark = [pytest.mark.system, pytest.mark.skipif(binary() is None, reason="no Chromium here")]

PLACES = """Object.fromEntries(['price', 'tick', 'players', 'rugpool', 'chart', 'you-title', 'leaders-title']
    .map((name) => [name, document.getElementById(name).getBoundingClientRect()])
    .map(([name, box]) => [name, [box.x, box.y]]))"""
PICTURE = "[...document.querySelectorAll('#chart canvas')].map((one) => one.toDataURL()).join()"
POOL = {"instarugCount": 3, "threshold": 10, "rugpoolAmount": 1.5}


@pytest.fixture
def places(room: ControlRoom, neighbours: Neighbours) -> Any:
    """Play a round whose numbers grow, rug it and count down; return where things stood at each step."""
    neighbours.status = good_status()

    def play(page: Page, game_id: str) -> list[dict[str, list[float]]]:
        page.goto(room.url + "/")
        found = []
        state: dict[str, Any] = {
            "roundStartedAt": now_ms(),
            "rugpool": POOL,
            "connectedPlayers": 201,
            "cash": 0.5,
            "peak": 1.0,
        }
        for tick, (price, shown) in enumerate(((1.0, "1.0000"), (12.34567, "12.3457"), (987.65432, "987.6543"))):
            neighbours.tick(game_id, tick, price, **(state | {"peak": price}))
            expect(page.locator("#price")).to_have_text(shown)
            found.append(page.evaluate(PLACES))
        neighbours.tick(game_id, 3, 0.0123, "RUGGED", **state)
        expect(page.locator("#verdict")).to_contain_text("Rugged at tick 3")
        found.append(page.evaluate(PLACES))
        neighbours.tick(f"{game_id}-next", 0, 1.0, "COOLDOWN", cooldownMs=14_200, **state)
        expect(page.locator("#price")).to_have_text("14.2")
        return [*found, page.evaluate(PLACES)]

    return play


@pytest.mark.parametrize("width", [1440, 1024])
def test_nothing_jumps_when_numbers_grow_or_the_phase_changes(desktop: Page, places: Any, width: int) -> None:
    desktop.set_viewport_size({"width": width, "height": 900})
    first, *others = places(desktop, f"20251216-steady-{width}")
    assert others == [first] * len(others)


@pytest.mark.parametrize("width", [390, 360])
def test_nothing_jumps_on_a_phone(phone: Page, places: Any, width: int) -> None:
    phone.set_viewport_size({"width": width, "height": 844})
    first, *others = places(phone, f"20251216-phone-{width}")
    assert others == [first] * len(others)
    assert first["chart"][1] < first["tick"][1] < first["you-title"][1] < first["leaders-title"][1]


def test_a_long_name_stays_in_its_row_and_a_coin_stands_beside_it(
    phone: Page, room: ControlRoom, neighbours: Neighbours
) -> None:
    neighbours.status = good_status()
    row = {"id": "x", "username": "W" * 300, "pnl": 1.0, "pnlPercent": 5.0, "positionQty": 1.0}
    short = {**row, "id": "y", "username": "ann", "selectedCoin": {"ticker": "FREE"}}
    phone.set_viewport_size({"width": 360, "height": 800})
    phone.goto(room.url + "/")
    neighbours.tick("20251216-names", 0, 1.0, leaderboard=[row, short], username="W" * 300)
    expect(phone.locator("#leaders tbody tr")).to_have_count(2)
    heights = phone.evaluate("[...document.querySelectorAll('#leaders tbody tr')].map((one) => one.offsetHeight)")
    assert abs(heights[0] - heights[1]) <= 1  # rows of a table stand on whole pixels
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    assert phone.locator("#leaders .coin").all_text_contents() == ["", "FREE"]


def test_the_chart_is_a_line_or_candles_by_button_and_key_and_stays_so(
    desktop: Page, room: ControlRoom, neighbours: Neighbours
) -> None:
    neighbours.status = good_status()
    desktop.goto(room.url + "/")
    for tick in range(20):
        neighbours.tick("20251216-candles", tick, 1 + (tick % 7) / 10)
    expect(desktop.locator("#tick")).to_have_text("19")
    line, candles = desktop.locator("[data-form=line]"), desktop.locator("[data-form=candles]")
    expect(line).to_have_attribute("aria-pressed", "true")
    as_line = desktop.evaluate(PICTURE)
    candles.click()
    expect(candles).to_have_attribute("aria-pressed", "true")
    expect(line).to_have_attribute("aria-pressed", "false")
    assert desktop.evaluate(f"new Promise((done) => requestAnimationFrame(() => done({PICTURE})))") != as_line
    desktop.reload()
    expect(candles).to_have_attribute("aria-pressed", "true")
    desktop.keyboard.press("c")
    expect(line).to_have_attribute("aria-pressed", "true")
