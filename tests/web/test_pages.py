"""The pages in a real Chromium: what they show, what they do when things go wrong, and that no name is code."""

import signal
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from actors.core.messages import LiveState
from tests.web.chromium import Chromium, binary
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
SHOWN = "document.querySelector('#price').textContent !== '–'"


@pytest.fixture(scope="module")
def browser(room: ControlRoom, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("chromium")) as browser:
        browser.size(1280, 900)
        browser.open(f"{room.url}/?token={room.token}")
        yield browser


@pytest.fixture
def page(browser: Chromium, neighbours: Neighbours) -> Iterator[Chromium]:
    """The browser with a good house behind it; a complaint of the page fails the test."""
    neighbours.status, neighbours.commits, neighbours.refusal = good_status(), True, None
    browser.complaints.clear()
    yield browser
    assert browser.complaints == []


def live(neighbours: Neighbours, game_id: str, ticks: int, **state: Any) -> None:
    for tick in range(ticks):
        neighbours.tick(game_id, tick, 1 + tick / 50, **({"roundStartedAt": now_ms()} | state))


def test_every_page_opens_without_a_complaint_and_fits_360_pixels(page: Chromium, room: ControlRoom) -> None:
    for path in PAGES:
        for scheme, width in (("dark", 1280), ("light", 360)):
            page.scheme(scheme)
            page.size(width, 800, phone=width == 360)
            page.open(room.url + path)
            page.wait("document.querySelector('#age').dataset.state !== undefined")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert page.evaluate("location.pathname") == path
    page.size(1280, 900)


def test_every_control_has_a_name(page: Chromium, room: ControlRoom) -> None:
    nameless = """[...document.querySelectorAll(
        `a, button, input:not([type=hidden]), select, progress, meter, dialog`)].filter((one) =>
        !(one.getAttribute('aria-label') || one.getAttribute('aria-labelledby') || one.labels?.length
          || one.textContent.trim())).map((one) => one.outerHTML)"""
    for path in PAGES:
        page.open(room.url + path)
        assert page.evaluate(nameless) == [], path


def test_live_numbers_chart_and_pill_follow_the_game(page: Chromium, room: ControlRoom, neighbours: Neighbours) -> None:
    page.open(room.url + "/")
    live(neighbours, "20251216-live", 30, cash=0.4176, positionQty=0.05, avgCost=1.2, unrealizedPnl=-0.003)
    page.wait("document.querySelector('#price').textContent === '1.5800'")
    assert page.text("#tick") == "29"
    assert page.text("#balance") == "0.4176 SOL"
    assert page.text("#unrealised").startswith("−0.0030")
    assert page.text("#phase").startswith("ACTIVE · ")
    assert page.text("#peak") == "–"
    assert page.evaluate("document.querySelectorAll('#chart canvas').length") > 0
    page.wait("/^Live · \\d\\.\\d s$/.test(document.querySelector('#age-text').textContent)")
    page.wait("document.querySelector('#health-title').textContent === 'All nine actors ready'")
    assert len(page.evaluate("[...document.querySelectorAll('#rounds .chip')].map((one) => one.href)")) == 50


def test_a_rug_is_told_and_then_its_verdict(page: Chromium, room: ControlRoom, neighbours: Neighbours) -> None:
    page.open(room.url + "/")
    live(neighbours, "20251216-rug", 5)
    neighbours.tick("20251216-rug", 5, 0.02, "RUGGED")
    page.wait("document.querySelector('#verdict').textContent === 'Rugged at tick 5 · seed not shown yet'")
    neighbours.complete("20251216-rug", [1.0, 1.02, 1.04, 1.06, 1.08, 0.02])
    neighbours.tick("20251216-next", 0, 1.0, "COOLDOWN", cooldownMs=14_200)
    page.wait("document.querySelector('#verdict').textContent.endsWith('✓ verified from seed')")
    page.wait("document.querySelector('#price').textContent === '14.2'")
    assert page.text("#price-note") == "to the next round"
    page.wait("document.querySelector('#rounds a').href.endsWith('/games/20251216-rug')")


def test_a_name_is_never_code(page: Chromium, room: ControlRoom, neighbours: Neighbours) -> None:
    page.open(room.url + "/")
    row = {"id": "x", "username": HOSTILE, "pnl": 1.0, "pnlPercent": 5.0, "positionQty": 1.0}
    trade = {"tick": 1, "side": HOSTILE, "price": 1.02, "amount": 1.0}
    live(neighbours, "20251216-hostile", 3, leaderboard=[row], ownTrades=[trade], username=HOSTILE)
    page.wait("document.querySelector('#leaders tbody td')?.textContent.startsWith('\">')")
    assert page.text("#leaders tbody td") == HOSTILE
    assert page.evaluate("window.pwned === undefined && document.querySelectorAll('#leaders img').length === 0")


def test_late_frames_are_amber_and_never_shown_as_live(
    page: Chromium, room: ControlRoom, neighbours: Neighbours
) -> None:
    seq = neighbours.tick("20251216-late", 0, 1.0)
    neighbours.state(seq, gameId="20251216-late", price=1.0, phase="ACTIVE", lastFrameAt=now_ms() - 4000)
    page.open(room.url + "/")
    page.wait("document.querySelector('#age').dataset.state === 'warn'")
    assert page.text("#age-text") in ("4 s ago", "5 s ago")
    neighbours.state(seq, gameId="20251216-late", price=1.0, lastFrameAt=now_ms() - 60_000, connected=False)
    page.wait("document.querySelector('#age-text').textContent.startsWith('Offline since ')")
    assert "last known" in page.text("#notice")
    neighbours.status = good_status()
    neighbours.status["actors"][1]["stats"] = {"error": "the page did not open (net::ERR_UNSAFE_PORT)"}
    page.wait("document.querySelector('#notice').textContent.includes('did not open (net::ERR_UNSAFE_PORT)')")
    assert page.text("#health-title") == "The page did not open (net::ERR_UNSAFE_PORT)"


def test_a_full_disk_is_a_banner_on_every_page_until_it_works_again(
    page: Chromium, room: ControlRoom, neighbours: Neighbours
) -> None:
    neighbours.status = good_status()
    neighbours.status["actors"][0]["stats"] = {"error": "disk full"}
    for path in ("/", "/recording", "/system"):
        page.open(room.url + path)
        page.wait("document.querySelector('#notice').textContent.includes('disk full; what comes is kept')")
        assert page.evaluate("document.querySelector('#notice').dataset.level") == "bad"
    neighbours.status = good_status()
    page.wait("!document.querySelector('#notice').textContent.includes('disk full')")


def test_unknown_is_a_dash(page: Chromium, room: ControlRoom, neighbours: Neighbours) -> None:
    neighbours.state(neighbours.tick("20251216-blank", 0, 1.0), gameId=None, price=None, phase=None, tick=None)
    page.open(room.url + "/")
    page.wait("document.querySelector('#age').dataset.state === 'good'")
    assert [page.text(f"#{name}") for name in ("price", "tick", "peak", "players", "rugpool", "phase")] == ["–"] * 6


def test_an_actor_is_restarted_from_the_page_and_its_return_is_seen(
    page: Chromium, room: ControlRoom, neighbours: Neighbours
) -> None:
    page.open(room.url + "/system")
    page.wait("document.querySelectorAll('#actor-table tbody tr').length === 9")
    page.evaluate("document.querySelector('tr[data-actor=writer] button.danger').click()")
    assert "nothing is lost" in page.text("#confirm-text")
    before = len(neighbours.restarted)
    page.evaluate("document.querySelector('#confirm button[value=no]').click()")
    page.wait("!document.querySelector('#confirm').open")
    assert len(neighbours.restarted) == before
    page.evaluate("document.querySelector('tr[data-actor=writer] button.danger').click()")
    page.evaluate("document.querySelector('#confirm-yes').click()")
    page.wait("document.querySelector('#outcome').textContent === 'writer is ready again, as process 5005.'")
    assert neighbours.restarted[before:] == ["writer"]


def test_the_switch_asks_before_it_stops_and_tells_the_outcome(
    page: Chromium, room: ControlRoom, neighbours: Neighbours
) -> None:
    page.open(room.url + "/recording")
    page.wait("document.querySelector('#switch').ariaChecked === 'true'")
    page.evaluate("document.querySelector('#switch').click()")
    assert page.text("#confirm-title") == "Stop recording?"
    page.evaluate("document.querySelector('#confirm-yes').click()")
    page.wait("document.querySelector('#switch-outcome').textContent.startsWith('The recording is off; the journal')")
    page.wait("document.querySelector('#rec-text').textContent === 'Not recording'")
    page.evaluate("document.querySelector('#switch').click()")
    page.wait("document.querySelector('#switch-outcome').textContent.startsWith('The recording is on; the journal')")
    assert [msgspec.json.decode(one.data)["on"] for one in neighbours.submitted[-2:]] == [False, True]


def test_a_refused_switch_shows_why(browser: Chromium, room: ControlRoom, neighbours: Neighbours) -> None:
    neighbours.status, neighbours.refusal = good_status(), "the disk is full"
    neighbours.status["recording"] = {"on": False, "since": None}
    browser.open(room.url + "/recording")
    browser.wait(
        "document.querySelector('#switch').ariaChecked === 'false' && !document.querySelector('#switch').disabled"
    )
    browser.evaluate("document.querySelector('#switch').click()")
    browser.wait("document.querySelector('#switch-outcome').textContent === 'the disk is full'")
    assert browser.evaluate("document.querySelector('#switch').ariaChecked") == "false"


def test_keys_lead_everywhere(page: Chromium, room: ControlRoom) -> None:
    page.open(room.url + "/")
    page.press("?")
    assert page.evaluate("document.querySelector('#keys-dialog').open")
    page.evaluate("document.querySelector('#keys-dialog').close()")
    for key, path in (("s", "/system"), ("g", "/games"), ("r", "/recording"), ("l", "/")):
        page.press("g")
        page.press(key)
        page.wait(f"location.pathname === '{path}' && document.readyState === 'complete'")
    page.press("/")
    page.wait("location.pathname === '/games' && document.activeElement?.id === 'find'")


def test_the_theme_is_kept(page: Chromium, room: ControlRoom) -> None:
    page.scheme("dark")
    page.open(room.url + "/system")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.evaluate("document.querySelector('#theme').click(); document.querySelector('#theme').click()")
    light = page.evaluate(background)
    assert light != dark
    page.open(room.url + "/system")
    assert page.evaluate(background) == light
    assert page.evaluate("document.querySelector('#theme').ariaLabel") == "Theme: light"
    page.evaluate("document.querySelector('#theme').click()")
    assert page.evaluate(background) == dark


def test_a_round_is_opened_by_its_id_and_draws_its_chart(page: Chromium, room: ControlRoom) -> None:
    page.open(f"{room.url}/games?id={game_row(58)['game_id']}")
    assert page.evaluate("location.pathname") == f"/games/{game_row(58)['game_id']}"
    page.wait("document.querySelectorAll('#chart canvas').length > 0")
    assert "does not match its seed" in page.text("main")
    assert page.evaluate("document.querySelector('#chart-empty').hidden")


def test_a_page_without_rounds_teaches(page: Chromium, room: ControlRoom) -> None:
    page.open(f"{room.url}/games?text=zzz")
    assert "No round on disk matches" in page.text("main")


def test_rounds_are_searched_and_sorted_by_keyboard_alone(page: Chromium, room: ControlRoom) -> None:
    page.open(f"{room.url}/games")
    page.press("/")
    for key in "000000000000000a":
        page.press(key)
    page.forget()
    page.call("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
    page.loaded()
    assert "text=000000000000000a" in page.evaluate("location.search")
    assert page.evaluate("[...document.querySelectorAll('tbody tr a')].map((one) => one.textContent)") == [
        game_row(10)["game_id"]
    ]
    page.open(f"{room.url}/games?sort=peak")
    shown = page.evaluate(
        "[...document.querySelectorAll('td[data-label=Peak]')].map((one) => parseFloat(one.textContent))"
    )
    assert shown == sorted(shown, reverse=True)
    assert page.evaluate("document.querySelector('th[aria-sort]').textContent.trim()").startswith("Peak")


def test_a_round_shows_its_computation(page: Chromium, room: ControlRoom) -> None:
    page.open(f"{room.url}/games/{game_row(3)['game_id']}")
    page.wait("document.querySelectorAll('#checks tbody tr').length === 4")
    assert "✗ differs" in page.text("#checks")  # made-up prices are not those of their made-up seed
    page.evaluate("document.querySelector('#tick-details').open = true")
    page.wait("document.querySelectorAll('#tick-table tbody tr').length > 0")
    assert page.text("#tick-table tbody tr:last-child td:nth-child(2)") == "rug"


def test_a_day_is_exported_from_the_page_and_its_file_deleted(page: Chromium, room: ControlRoom) -> None:
    page.open(f"{room.url}/recording")
    page.wait("document.querySelectorAll('#days tbody tr').length > 0")
    page.evaluate("document.querySelector('#days button').click()")
    page.evaluate("document.querySelector('#export-kind').value = 'game'")
    page.evaluate("document.querySelector('#export button').click()")
    page.wait("document.querySelector('.work')?.dataset.state === 'done'", limit_s=30)
    assert "60 rows" in page.text(".work-words")
    head = page.evaluate("fetch(document.querySelector('.work a').href).then((answer) => answer.text())").splitlines()[
        0
    ]
    assert head.startswith('"seq","ts","game_id"')
    page.evaluate("document.querySelector('.work button').click()")
    page.wait("document.querySelectorAll('.work').length === 0")


def test_the_log_of_an_actor_is_shown_by_words_and_level(page: Chromium, room: ControlRoom) -> None:
    page.open(f"{room.url}/system?log=web")
    page.wait("document.querySelector('#log').textContent.includes('serving http')")
    page.evaluate("""document.querySelector('#log-words').value = 'nothing has this';
        document.querySelector('#log-words').dispatchEvent(new Event('input'))""")
    page.wait("!document.querySelector('#log-empty').hidden && document.querySelector('#log').textContent === ''")
    page.wait("document.querySelector('#settings').textContent.includes('command line')")


def test_a_stopped_control_room_is_offline_and_found_again(
    browser: Chromium, room: ControlRoom, neighbours: Neighbours
) -> None:
    neighbours.status = good_status()
    live(neighbours, "20251216-away", 3)
    browser.open(room.url + "/")
    browser.wait(SHOWN)
    room.process.send_signal(signal.SIGTERM)
    browser.wait("document.querySelector('#age-text').textContent.startsWith('Offline since ')")
    assert "does not answer; reconnecting" in browser.text("#notice")
    assert browser.text("#rec-text") == "REC –"
    assert browser.text("#price") == "1.0400"
    assert browser.text("#price-note") == "last known"
    room.stop()
    room.__init__(room.config, neighbours)  # type: ignore[misc]  # the same room, started again
    room.wait_ready()
    neighbours.snapshot = LiveState(seq=neighbours.seq, last={}, state=b'{"price":2.5,"phase":"ACTIVE"}')
    neighbours.tick("20251216-away", 3, 1.06)
    browser.wait("document.querySelector('#price').textContent === '1.0600'", limit_s=12)
    assert browser.evaluate("document.querySelector('#notice').hidden")
