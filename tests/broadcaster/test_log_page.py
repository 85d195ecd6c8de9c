"""The monitor's event log in a real Chromium: filter, search, pause, detail, export; no event is ever code."""

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.broadcaster.stage import Stage, chat_frame, frames, stage
from tests.web.chromium import binary, chromium, complaints_of, new_page

pytestmark = [pytest.mark.system, pytest.mark.skipif(binary() is None, reason="no Chromium here")]

HOSTILE = '"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
ROWS = "#rows tr"


@pytest.fixture(scope="module")
def house() -> Iterator[Stage]:
    with stage() as house:
        house.write(frames(5))
        with house.broadcaster():
            yield house


@pytest.fixture(scope="module")
def page(house: Stage) -> Iterator[Page]:
    with chromium() as browser:
        page = new_page(browser)
        complaints = complaints_of(page.context)
        page.goto(house.endpoint("monitor") + "/monitor/")
        expect(page.locator("#state")).to_have_text("live")
        yield page
        assert complaints == []


def test_hostile_events_are_text(page: Page, house: Stage) -> None:
    house.write([chat_frame(1, HOSTILE)])
    expect(page.locator("#rows")).to_contain_text("onerror")
    page.locator("#rows summary").first.click()
    expect(page.locator("#rows pre").first).to_contain_text("script")
    assert page.evaluate("window.pwned === undefined && !document.querySelector('#rows img, #rows script')")
    expect(page.locator("#pause")).to_have_attribute("aria-pressed", "true")
    page.locator("#pause").click()


def test_the_filter_asks_for_types_and_the_search_finds_text(page: Page, house: Stage) -> None:
    page.fill("#types", "raw.*")
    expect(page.locator("#state")).to_have_text("live")
    for number in range(100, 140):
        house.write([*frames(5, first=number * 5), chat_frame(number, f"needle-{number}")])
    expect(page.locator("#rows")).to_contain_text("needle-139")
    page.fill("#search", "needle-139")
    expect(page.locator(ROWS)).to_have_count(1)
    page.fill("#search", "nowhere to be found")
    expect(page.locator(ROWS)).to_have_count(0)
    page.fill("#search", "")
    expect(page.locator(ROWS).nth(1)).to_be_attached()


def test_a_pause_holds_what_is_shown_and_the_export_is_jsonl(page: Page, house: Stage) -> None:
    page.locator("#pause").click()
    shown = page.locator(ROWS).count()
    house.write([chat_frame(1000 + number, "while paused") for number in range(20)])
    expect(page.locator("#pause")).to_have_text("Go on")
    assert page.locator(ROWS).count() == shown
    with page.expect_download() as download:
        page.locator("#export").click()
    lines = download.value.path().read_text().splitlines()
    assert lines
    assert all({"type", "seq", "data"} <= set(json.loads(line)) for line in lines)
    page.locator("#pause").click()
    expect(page.locator("#rows")).to_contain_text("while paused")


def test_the_panel_shows_health_and_actors(page: Page, house: Stage) -> None:
    page.goto(house.endpoint("monitor") + "/")
    expect(page.locator("#rows")).to_contain_text("journal")
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert urlsplit(page.url).path == "/"
