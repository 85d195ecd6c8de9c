"""The pages in a real Chromium: what they show, what they do when things go wrong, and that no name is code."""

import re
import signal
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from playwright.sync_api import Page, expect

from actors.core.messages import LiveState
from tests.web.chromium import binary, complaints_of
from tests.web.conftest import ControlRoom
from tests.web.neighbours import Neighbours, good_status, now_ms
from tests.web.rounds_on_disk import game_row

pytestmark = [pytest.mark.system, pytest.mark.skipif(binary() is None, reason="no Chromium here")]

PAGES = (
    "/",
    "/recording",
    "/games",
    f"/games/{game_row(3)['game_id']}",
    "/system",
    "/explorer",
    "/backtest",
    "/profiles",
)
HOSTILE = '"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
NAMELESS = """[...document.querySelectorAll(
    `a, button, input:not([type=hidden]), select, progress, meter, dialog`)].filter((one) =>
    !(one.closest('[hidden]') || one.getAttribute('aria-label') || one.getAttribute('aria-labelledby')
      || one.labels?.length || one.textContent.trim())).map((one) => one.outerHTML)"""
OFFLINE = re.compile("^Offline since ")


@pytest.fixture(scope="module")
def complaints(desktop: Page) -> list[str]:
    return complaints_of(desktop.context)


@pytest.fixture
def page(desktop: Page, complaints: list[str], neighbours: Neighbours) -> Iterator[Page]:
    """The desktop's page with a good house behind it; a complaint of the page fails the test."""
    neighbours.status, neighbours.commits, neighbours.refusal = good_status(), True, None
    complaints.clear()
    yield desktop
    assert complaints == []


def live(neighbours: Neighbours, game_id: str, ticks: int, **state: Any) -> None:
    for tick in range(ticks):
        neighbours.tick(game_id, tick, 1 + tick / 50, **({"roundStartedAt": now_ms()} | state))


def test_every_page_opens_without_a_complaint_fits_360_pixels_and_names_its_controls(
    page: Page, phone: Page, room: ControlRoom
) -> None:
    on_phone = complaints_of(phone.context)
    page.emulate_media(color_scheme="dark")
    phone.emulate_media(color_scheme="light")
    for path in PAGES:
        for window, width in ((page, 1280), (phone, 360)):
            window.goto(room.url + path)
            expect(window.locator("#age-text")).not_to_have_text("Connecting")
            assert window.evaluate("document.documentElement.scrollWidth") <= width, path
            assert window.evaluate(NAMELESS) == [], path
            assert urlsplit(window.url).path == path
    assert on_phone == []


def test_a_page_opens_one_socket_and_draws_each_tick_in_one_frame(
    page: Page, room: ControlRoom, neighbours: Neighbours
) -> None:
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(urlsplit(socket.url).query))
    page.goto(room.url + "/")
    live(neighbours, "20251216-frames", 10)
    expect(page.locator("#tick")).to_have_text("9")
    page.evaluate("""() => {
        window.asked = 0;
        const ask = window.requestAnimationFrame;
        window.requestAnimationFrame = (work) => ask((at) => { window.asked += 1; work(at); });
    }""")
    for tick in range(10, 22):
        neighbours.tick("20251216-frames", tick, 1 + tick / 50)
        expect(page.locator("#tick")).to_have_text(str(tick))
    assert 0 < page.evaluate("window.asked") <= 14  # a label that needs more room may cost another
    assert sockets == ["view=all"]


def test_live_numbers_chart_and_pill_follow_the_game(page: Page, room: ControlRoom, neighbours: Neighbours) -> None:
    page.goto(room.url + "/")
    live(neighbours, "20251216-live", 30, cash=0.4176, positionQty=0.05, avgCost=1.2, unrealizedPnl=-0.003)
    expect(page.locator("#price")).to_have_text("1.5800")
    assert page.text_content("#tick") == "29"
    assert page.text_content("#balance") == "0.4176 SOL"
    expect(page.locator("#unrealised")).to_have_text(re.compile("^−0.0030"))
    expect(page.locator("#phase")).to_have_text(re.compile("^ACTIVE · "))
    assert page.text_content("#peak") == "–"
    assert page.locator("#chart canvas").count() > 0
    expect(page.locator("#age-text")).to_have_text(re.compile(r"^Live · \d\.\d s$"))
    expect(page.locator("#health-title")).to_have_text("All nine actors ready")
    expect(page.locator("#rounds .chip")).to_have_count(50)


def test_a_rug_is_told_and_then_its_verdict(page: Page, room: ControlRoom, neighbours: Neighbours) -> None:
    page.goto(room.url + "/")
    live(neighbours, "20251216-rug", 5)
    neighbours.tick("20251216-rug", 5, 0.02, "RUGGED")
    expect(page.locator("#verdict")).to_have_text("Rugged at tick 5 · seed not shown yet")
    neighbours.complete("20251216-rug", [1.0, 1.02, 1.04, 1.06, 1.08, 0.02])
    neighbours.tick("20251216-next", 0, 1.0, "COOLDOWN", cooldownMs=14_200)
    expect(page.locator("#verdict")).to_have_text(re.compile("✓ verified from seed$"))
    expect(page.locator("#price")).to_have_text("14.2")
    expect(page.locator("#price-note")).to_have_text("to the next round")
    expect(page.locator("#rounds a").first).to_have_attribute("href", re.compile("/games/20251216-rug$"))


def test_a_name_is_never_code(page: Page, room: ControlRoom, neighbours: Neighbours) -> None:
    page.goto(room.url + "/")
    row = {"id": "x", "username": HOSTILE, "pnl": 1.0, "pnlPercent": 5.0, "positionQty": 1.0}
    trade = {"tick": 1, "side": HOSTILE, "price": 1.02, "amount": 1.0}
    live(neighbours, "20251216-hostile", 3, leaderboard=[row], ownTrades=[trade], username=HOSTILE)
    expect(page.locator("#leaders tbody td").first).to_have_text(re.compile('^">'))
    assert page.text_content("#leaders tbody td") == HOSTILE
    assert page.evaluate("window.pwned === undefined && document.querySelectorAll('#leaders img').length === 0")


def test_late_frames_are_amber_and_never_shown_as_live(page: Page, room: ControlRoom, neighbours: Neighbours) -> None:
    seq = neighbours.tick("20251216-late", 0, 1.0)
    neighbours.state(seq, gameId="20251216-late", price=1.0, phase="ACTIVE", lastFrameAt=now_ms() - 4000)
    page.goto(room.url + "/")
    expect(page.locator("#age")).to_have_attribute("data-state", "warn")
    expect(page.locator("#age-text")).to_have_text(re.compile("^[4-9] s ago$"))
    neighbours.state(seq, gameId="20251216-late", price=1.0, lastFrameAt=now_ms() - 60_000, connected=False)
    expect(page.locator("#age-text")).to_have_text(OFFLINE)
    expect(page.locator("#notice")).to_contain_text("last known")
    neighbours.status = good_status()
    neighbours.status["actors"][1]["stats"] = {"error": "the page did not open (net::ERR_UNSAFE_PORT)"}
    expect(page.locator("#notice")).to_contain_text("did not open (net::ERR_UNSAFE_PORT)")
    expect(page.locator("#health-title")).to_have_text("The page did not open (net::ERR_UNSAFE_PORT)")


def test_a_full_disk_is_a_banner_on_every_page_until_it_works_again(
    page: Page, room: ControlRoom, neighbours: Neighbours
) -> None:
    neighbours.status = good_status()
    neighbours.status["actors"][0]["stats"] = {"error": "disk full"}
    for path in ("/", "/recording", "/system"):
        page.goto(room.url + path)
        expect(page.locator("#notice")).to_contain_text("disk full; what comes is kept")
        expect(page.locator("#notice")).to_have_attribute("data-level", "bad")
    neighbours.status = good_status()
    expect(page.locator("#notice")).not_to_contain_text("disk full")


def test_unknown_is_a_dash(page: Page, room: ControlRoom, neighbours: Neighbours) -> None:
    neighbours.state(neighbours.tick("20251216-blank", 0, 1.0), gameId=None, price=None, phase=None, tick=None)
    page.goto(room.url + "/")
    expect(page.locator("#age")).to_have_attribute("data-state", "good")
    names = ("price", "tick", "peak", "players", "rugpool", "phase")
    assert [page.text_content(f"#{name}") for name in names] == ["–"] * 6


def test_an_actor_is_restarted_from_the_page_and_its_return_is_seen(
    page: Page, room: ControlRoom, neighbours: Neighbours
) -> None:
    page.goto(room.url + "/system")
    expect(page.locator("#actor-table tbody tr")).to_have_count(9)
    page.get_by_role("button", name="Restart writer").click()
    expect(page.locator("#confirm-text")).to_contain_text("nothing is lost")
    before = len(neighbours.restarted)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#confirm")).to_be_hidden()
    assert len(neighbours.restarted) == before
    page.get_by_role("button", name="Restart writer").click()
    page.locator("#confirm-yes").click()
    expect(page.locator("#outcome")).to_have_text("writer is ready again, as process 5005.")
    assert neighbours.restarted[before:] == ["writer"]


def test_the_switch_asks_before_it_stops_and_tells_the_outcome(
    page: Page, room: ControlRoom, neighbours: Neighbours
) -> None:
    page.goto(room.url + "/recording")
    expect(page.locator("#switch")).to_have_attribute("aria-checked", "true")
    page.locator("#switch").click()
    expect(page.locator("#confirm-title")).to_have_text("Stop recording?")
    page.locator("#confirm-yes").click()
    expect(page.locator("#switch-outcome")).to_have_text(re.compile("^The recording is off; the journal"))
    expect(page.locator("#rec-text")).to_have_text("Not recording")
    page.locator("#switch").click()
    expect(page.locator("#switch-outcome")).to_have_text(re.compile("^The recording is on; the journal"))
    assert [msgspec.json.decode(one.data)["on"] for one in neighbours.submitted[-2:]] == [False, True]


def test_a_refused_switch_shows_why(
    desktop: Page, complaints: list[str], room: ControlRoom, neighbours: Neighbours
) -> None:
    complaints.clear()
    neighbours.status, neighbours.refusal = good_status(), "the disk is full"
    neighbours.status["recording"] = {"on": False, "since": None}
    desktop.goto(room.url + "/recording")
    expect(desktop.locator("#rec-text")).to_have_text("Not recording")
    expect(desktop.locator("#switch")).to_have_attribute("aria-checked", "false")
    desktop.locator("#switch").click()
    expect(desktop.locator("#switch-outcome")).to_have_text("the disk is full")
    expect(desktop.locator("#switch")).to_have_attribute("aria-checked", "false")
    assert all("/api/recording/start" in one for one in complaints), complaints


def test_keys_lead_everywhere(page: Page, room: ControlRoom) -> None:
    page.goto(room.url + "/")
    page.keyboard.press("?")
    expect(page.locator("#keys-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys-dialog")).to_be_hidden()
    for key, path in (("s", "/system"), ("g", "/games"), ("r", "/recording"), ("l", "/")):
        page.keyboard.type(f"g{key}")
        page.wait_for_url(room.url + path)
    page.keyboard.press("/")
    page.wait_for_url(f"{room.url}/games*")
    expect(page.locator("#find")).to_be_focused()


def test_the_theme_is_kept(page: Page, room: ControlRoom) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(room.url + "/system")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.locator("#theme").dblclick()
    light = page.evaluate(background)
    assert light != dark
    page.goto(room.url + "/system")
    assert page.evaluate(background) == light
    expect(page.locator("#theme")).to_have_attribute("aria-label", "Theme: light")
    page.locator("#theme").click()
    assert page.evaluate(background) == dark


def test_a_round_is_opened_by_its_id_and_draws_its_chart(page: Page, room: ControlRoom) -> None:
    page.goto(f"{room.url}/games?id={game_row(58)['game_id']}")
    assert urlsplit(page.url).path == f"/games/{game_row(58)['game_id']}"
    expect(page.locator("#chart canvas").first).to_be_visible()
    expect(page.locator("main")).to_contain_text("does not match its seed")
    expect(page.locator("#chart-empty")).to_be_hidden()


def test_a_page_without_rounds_teaches(page: Page, room: ControlRoom) -> None:
    page.goto(f"{room.url}/games?text=zzz")
    expect(page.locator("main")).to_contain_text("No round on disk matches")


def test_rounds_are_searched_and_sorted_by_keyboard_alone(page: Page, room: ControlRoom) -> None:
    page.goto(f"{room.url}/games")
    page.keyboard.press("/")
    page.keyboard.type("000000000000000a")
    page.keyboard.press("Enter")
    page.wait_for_url("**text=000000000000000a*")
    assert page.locator("tbody tr a").all_text_contents() == [game_row(10)["game_id"]]
    page.goto(f"{room.url}/games?sort=peak")
    shown = [float(text.rstrip("×")) for text in page.locator("td[data-label=Peak]").all_text_contents()]
    assert shown == sorted(shown, reverse=True)
    expect(page.locator("th[aria-sort]")).to_have_text(re.compile("^Peak"))


def test_a_round_shows_its_computation(page: Page, room: ControlRoom) -> None:
    page.goto(f"{room.url}/games/{game_row(3)['game_id']}")
    expect(page.locator("#checks tbody tr")).to_have_count(4)
    expect(page.locator("#checks")).to_contain_text("✗ differs")  # made-up prices are not those of their made-up seed
    page.locator("#tick-details summary").click()
    expect(page.locator("#tick-table tbody tr:last-child td:nth-child(2)")).to_have_text("rug")


def test_a_day_is_exported_from_the_page_and_its_file_deleted(page: Page, room: ControlRoom) -> None:
    page.goto(f"{room.url}/recording")
    page.locator("#days button").first.click()
    page.select_option("#export-kind", "game")
    page.locator("#export button").click()
    expect(page.locator(".work")).to_have_attribute("data-state", "done")
    expect(page.locator(".work-words")).to_contain_text("60 rows")
    with page.expect_download() as download:
        page.locator(".work a").click()
    assert download.value.path().read_text().startswith('"seq","ts","game_id"')
    page.locator(".work button").click()
    expect(page.locator(".work")).to_have_count(0)


def test_the_log_of_an_actor_is_shown_by_words_and_level(page: Page, room: ControlRoom) -> None:
    page.goto(f"{room.url}/system?log=web")
    expect(page.locator("#log")).to_contain_text("serving http")
    page.fill("#log-words", "nothing has this")
    expect(page.locator("#log-empty")).to_be_visible()
    expect(page.locator("#log")).to_have_text("")
    expect(page.locator("#settings")).to_contain_text("command line")


def test_a_stopped_control_room_is_offline_and_found_again(
    desktop: Page, room: ControlRoom, neighbours: Neighbours
) -> None:
    neighbours.status = good_status()
    live(neighbours, "20251216-away", 3)
    desktop.goto(room.url + "/")
    expect(desktop.locator("#price")).not_to_have_text("–")
    room.process.send_signal(signal.SIGTERM)
    expect(desktop.locator("#age-text")).to_have_text(OFFLINE)
    expect(desktop.locator("#notice")).to_contain_text("does not answer; reconnecting")
    assert desktop.text_content("#rec-text") == "REC –"
    assert desktop.text_content("#price") == "1.0400"
    expect(desktop.locator("#price-note")).to_have_text("last known")
    room.stop()
    room.__init__(room.config, neighbours)  # type: ignore[misc]  # the same room, started again
    room.wait_ready()
    neighbours.snapshot = LiveState(seq=neighbours.seq, last={}, state=b'{"price":2.5,"phase":"ACTIVE"}')
    neighbours.tick("20251216-away", 3, 1.06)
    expect(desktop.locator("#price")).to_have_text("1.0600")
    expect(desktop.locator("#notice")).to_be_hidden()
