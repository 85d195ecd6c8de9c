"""The control room as a user goes through it: all of VECTRA runs, and a second Chromium is driven by mouse and keys.

The simulator plays at ten times the speed. A page may complain of nothing but the connection that a test cut.
"""

import contextlib
import datetime
import os
import re
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.house import House, house
from tests.processes import wait_for
from tests.web.chromium import binary, chromium, complaints_of, new_page

pytestmark = [pytest.mark.system, pytest.mark.skipif(binary() is None, reason="no Chromium here")]

SETTINGS = {"VECTRA_SIMULATOR_SPEED": "10", "VECTRA_RECORDING_FLUSH_S": "1"}
ROUND_LIMIT_MS = 60_000  # a round is over in five seconds on average, and some last six times that
VERIFIED = re.compile(r"^Rugged at tick (\d+) · ✓ verified from seed$")
OFFLINE = re.compile("^Offline since ")
LIVE = re.compile(r"^Live · \d\.\d s$")
CUT = re.compile(r"net::ERR_(INTERNET_DISCONNECTED|CONNECTION_\w+|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED)")
NOTE_AGES = """() => {
    window.ages = [];
    const age = document.querySelector("#age");
    const note = () => { if (window.ages.at(-1) !== age.dataset.state) window.ages.push(age.dataset.state); };
    new MutationObserver(note).observe(age, {attributeFilter: ["data-state"]});
    note();
}"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house"), SETTINGS) as it:
        yield it


@pytest.fixture(scope="module")
def window() -> Iterator[Page]:
    with chromium() as browser:
        yield new_page(browser)


@pytest.fixture(scope="module")
def heard(window: Page) -> list[str]:
    return complaints_of(window.context)


@pytest.fixture
def page(window: Page, heard: list[str]) -> Iterator[Page]:
    """The user's page; a complaint of it fails the test."""
    heard.clear()
    yield window
    assert heard == []


@pytest.fixture
def cut_page(window: Page, heard: list[str]) -> Iterator[Page]:
    """The user's page, whose connection is cut: of that it may complain."""
    heard.clear()
    yield window
    assert [one for one in heard if not CUT.search(one)] == []


def go(page: Page, name: str) -> None:
    """Follow a link of the navigation."""
    page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
    expect(page.locator("#age-text")).not_to_have_text("Connecting")


def test_the_link_with_the_token_leads_to_a_dashboard_that_lives(page: Page, demo: House) -> None:
    link = re.search(r"http://\S+/\?token=\S+", demo.said())
    assert link is not None, demo.said()
    page.goto(link[0])
    assert page.url == link[0].partition("?")[0]
    expect(page.locator("#age-text")).to_have_text(LIVE)
    expect(page.locator("#health-title")).to_have_text("All eleven actors ready")
    expect(page.locator("#rec-text")).to_have_text(re.compile(r"^REC 00:0\d:\d\d$"))
    shown = page.text_content("#price") or ""
    expect(page.locator("#price")).not_to_have_text(shown)


def test_the_recording_is_stopped_and_started_again(page: Page, demo: House) -> None:
    go(page, "Recording")
    page.get_by_role("switch", name="Record to Parquet").click()
    page.get_by_role("button", name="Stop recording").click()
    outcome = page.locator("#switch-outcome")
    expect(outcome).to_have_text(re.compile(r"^The recording is off; the journal has it on disk as number \d+\.$"))
    expect(page.locator("#since")).to_have_text("off")
    expect(page.locator("#rec-text")).to_have_text("Not recording")
    demo.wait_until(lambda status: status["recording"]["on"] is False)
    page.get_by_role("switch", name="Record to Parquet").click()
    expect(outcome).to_have_text(re.compile(r"^The recording is on; the journal has it on disk as number \d+\.$"))
    since_ms = demo.wait_until(lambda status: status["recording"]["on"] is True)["recording"]["since"]
    since = datetime.datetime.fromtimestamp(since_ms / 1000)
    expect(page.locator("#since")).to_have_text(f"{since:%Y-%m-%d %H:%M:%S}")
    expect(page.locator("#for")).to_have_text(re.compile(r"^00:00:\d\d$"))


def test_a_round_rugs_and_is_opened_from_its_chip(page: Page, demo: House) -> None:
    go(page, "Live")
    verdict = page.locator("#verdict")
    expect(verdict).to_have_text(VERIFIED, timeout=ROUND_LIMIT_MS)
    ticks = VERIFIED.sub(r"\1", verdict.text_content() or "")
    chip = page.locator("#rounds .chip").filter(has=page.locator(".length", has_text=re.compile(f"^{ticks}$"))).first
    game_id = (chip.get_attribute("href") or "").removeprefix("/games/")
    chip.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Round {game_id}")
    expect(page.locator(".facts div", has_text="Rug tick").locator("dd")).to_have_text(ticks)
    expect(page.locator("#chart canvas").first).to_be_visible()
    expect(page.locator("#chart-empty")).to_be_hidden()
    expect(page.locator("#checks tbody tr")).to_have_count(4)
    expect(page.locator("#checks td[data-label=Verdict]")).to_have_text(["✓ same"] * 4)


def test_an_actor_is_restarted_and_a_killed_one_is_counted(page: Page, demo: House) -> None:
    go(page, "System")
    writer = page.locator("tr[data-actor=writer]")
    expect(writer.locator(".restarts")).to_have_text("0")
    before = demo.actor("writer")["pid"]
    writer.get_by_role("button", name="Restart writer").click()
    page.locator("#confirm").get_by_role("button", name="Restart writer").click()
    outcome = page.locator("#outcome")
    expect(outcome).to_have_text(re.compile(r"^writer is ready again, as process \d+\.$"))
    after = demo.actor("writer")["pid"]
    assert after != before
    expect(outcome).to_contain_text(f" {after}.")
    expect(writer.locator(".restarts")).to_have_text("0")  # it was asked for: no failure
    os.kill(after, signal.SIGKILL)
    expect(writer.locator(".restarts")).to_have_text("1")
    expect(writer.locator(".exit-words")).to_contain_text("killed by signal 9")
    expect(writer.locator(".word")).to_have_text("ready")


def test_rounds_are_searched_and_sorted(page: Page, demo: House) -> None:
    go(page, "Rounds")
    ids = page.locator("tbody tr a").all_text_contents()
    assert len(ids) >= 10, "the simulator's past, and what was played since"
    page.get_by_role("link", name="Peak").click()
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Peak")
    peaks = [float(text.rstrip("×")) for text in page.locator("td[data-label=Peak]").all_text_contents()]
    assert peaks == sorted(peaks, reverse=True)
    page.get_by_role("link", name="Peak").click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Peak")
    page.get_by_role("searchbox", name="Round").fill(ids[3].partition("-")[2])
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr a")).to_have_text([ids[3]])


def test_a_killed_control_room_is_found_again_without_a_reload(cut_page: Page, demo: House) -> None:
    go(cut_page, "Live")
    expect(cut_page.locator("#age-text")).to_have_text(LIVE)
    cut_page.evaluate(NOTE_AGES)
    before = demo.actor("web")
    os.kill(before["pid"], signal.SIGKILL)
    wait_for(lambda: demo.actor("web")["restarts"] == before["restarts"] + 1)
    demo.wait_ready()
    expect(cut_page.locator("#age-text")).to_have_text(LIVE)
    ages = cut_page.evaluate("window.ages")
    assert "good" in ages[ages.index("lost") :], "this document was offline, and is live"
    shown = cut_page.text_content("#price") or ""
    expect(cut_page.locator("#price")).not_to_have_text(shown)


def test_over_a_dead_connection_old_numbers_are_never_shown_as_live(cut_page: Page, demo: House) -> None:
    def shown() -> list[str | None]:
        return [cut_page.text_content(name) for name in ("#age-text", "#price", "#tick", "#players", "#balance")]

    expect(cut_page.locator("#age-text")).to_have_text(LIVE)
    cut_page.evaluate(NOTE_AGES)
    cut_page.context.set_offline(True)  # an open WebSocket stays open, and nothing comes through it any more
    expect(cut_page.locator("#age-text")).to_have_text(OFFLINE)
    expect(cut_page.locator("#notice")).to_contain_text("reconnecting. The numbers below are the last known ones.")
    expect(cut_page.locator("#price-note")).to_contain_text("last known")
    expect(cut_page.locator("#health-title")).to_have_text(re.compile("^Last known: "))
    expect(cut_page.locator("#rec-text")).to_have_text("REC –")
    last_known = shown()
    seq = demo.status()["journal"]["seq"]
    demo.wait_until(lambda status: status["journal"]["seq"] > seq + 256 * 40)
    assert shown() == last_known
    ages = cut_page.evaluate("window.ages")
    assert ages[-2:] == ["warn", "lost"]
    assert "good" not in ages[1:]
    cut_page.context.set_offline(False)
    expect(cut_page.locator("#age-text")).to_have_text(LIVE)
    expect(cut_page.locator("#notice")).to_be_hidden()
    assert cut_page.evaluate("window.ages").index("lost") == len(ages) - 1, "the same document"


def test_a_game_that_falls_silent_is_late_and_then_live_again(page: Page, demo: House) -> None:
    expect(page.locator("#age-text")).to_have_text(LIVE)
    page.evaluate(NOTE_AGES)
    simulator = demo.actor("simulator")["pid"]
    os.kill(simulator, signal.SIGSTOP)
    wait_for(lambda: len(page.evaluate("window.ages")) > 1)
    assert page.evaluate("window.ages.slice(0, 2)") == ["good", "warn"]
    with contextlib.suppress(ProcessLookupError):  # it may have been too silent for the supervisor
        os.kill(simulator, signal.SIGCONT)
    expect(page.locator("#age-text")).to_have_text(LIVE)
