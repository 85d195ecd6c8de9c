"""The monitor's event log in a real Chromium: filter, search, pause, detail, export; no event is ever code."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.broadcaster.stage import Stage, chat_frame, frames, stage
from tests.web.chromium import Chromium, binary

pytestmark = [pytest.mark.system, pytest.mark.skipif(binary() is None, reason="no Chromium here")]

HOSTILE = '"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
ROWS = "document.querySelectorAll('#rows tr').length"
LIVE = "document.querySelector('#state').textContent === 'live'"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Chromium, Stage]]:
    with stage() as house:
        house.write(frames(5))
        with house.broadcaster(), Chromium(tmp_path_factory.mktemp("chromium")) as browser:
            browser.open(house.endpoint("monitor") + "/monitor/")
            browser.wait(LIVE)
            yield browser, house
            assert browser.complaints == []


def type_into(browser: Chromium, name: str, text: str) -> None:
    browser.evaluate(f"""(() => {{ const field = document.getElementById("{name}"); field.value = {json.dumps(text)};
        for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind)); }})()""")


def test_hostile_events_are_text(page: tuple[Chromium, Stage]) -> None:
    browser, house = page
    house.write([chat_frame(1, HOSTILE)])
    browser.wait(f"{ROWS} > 0 && document.querySelector('#rows').textContent.includes('onerror')")
    browser.evaluate("document.querySelector('#rows details').open = true")
    browser.wait("document.querySelector('#rows pre')?.textContent.includes('script')")
    assert browser.evaluate("window.pwned === undefined && !document.querySelector('#rows img, #rows script')")
    browser.wait("document.querySelector('#pause').getAttribute('aria-pressed') === 'true'")
    browser.evaluate("document.querySelector('#pause').click()")


def test_the_filter_asks_for_types_and_the_search_finds_text(page: tuple[Chromium, Stage]) -> None:
    browser, house = page
    type_into(browser, "types", "raw.*")
    browser.wait("document.querySelector('#state').textContent === 'live'")
    for number in range(100, 140):
        house.write([*frames(5, first=number * 5), chat_frame(number, f"needle-{number}")])
    browser.wait("document.querySelector('#rows').textContent.includes('needle-139')")
    type_into(browser, "search", "needle-139")
    browser.wait(f"{ROWS} === 1")
    type_into(browser, "search", "nowhere to be found")
    browser.wait(f"{ROWS} === 0")
    type_into(browser, "search", "")
    browser.wait(f"{ROWS} > 1")


def test_a_pause_holds_what_is_shown_and_the_export_is_jsonl(page: tuple[Chromium, Stage]) -> None:
    browser, house = page
    browser.evaluate("document.querySelector('#pause').click()")
    shown = browser.evaluate(ROWS)
    house.write([chat_frame(1000 + number, "while paused") for number in range(20)])
    browser.wait("document.querySelector('#pause').textContent === 'Go on'")
    assert browser.evaluate(ROWS) == shown
    browser.evaluate("""(() => { URL.createObjectURL = (blob) => { window.exported = blob.text(); return "#"; };
        URL.revokeObjectURL = () => {}; })()""")
    browser.evaluate("document.querySelector('#export').click()")
    lines = str(browser.evaluate("window.exported")).splitlines()
    assert lines
    assert all({"type", "seq", "data"} <= set(json.loads(line)) for line in lines)
    browser.evaluate("document.querySelector('#pause').click()")
    browser.wait("document.querySelector('#rows').textContent.includes('while paused')")


def test_the_panel_shows_health_and_actors(page: tuple[Chromium, Stage], tmp_path: Path) -> None:
    browser, house = page
    browser.open(house.endpoint("monitor") + "/")
    browser.wait("document.querySelector('#rows').textContent.includes('journal')")
    browser.size(360, 800)
    assert browser.evaluate("document.documentElement.scrollWidth") <= 360
    browser.picture(tmp_path / "panel.png")
    assert urlsplit(str(browser.evaluate("location.href"))).path == "/"
