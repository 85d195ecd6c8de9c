"""Makes the pictures of docs/pictures from a running demo: each page in both themes, on a desktop and on a phone.

    python -m tests.pictures [--to docs/pictures] [--rounds 16] [--only live system]

A house of its own plays in a fresh directory on free ports; in the round that is pictured the game's own buttons are
pressed: a buy, a side bet, a sale. The names of the pictures are those of the pages. Takes some minutes.
"""

import argparse
import re
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

import msgspec
from playwright.sync_api import Page, expect

from tests.cdp import Tab
from tests.house import House, house
from tests.web.chromium import chromium

DESKTOP, PHONE = (1440, 900), (390, 844)
PATHS = {
    "recording": "/recording",
    "rounds": "/games",
    "round": "/games/{game_id}",
    "system": "/system",
    "explorer": "/explorer",
}
HEIGHTS = {"round": 1250, "recording": 1250, "log": 600}  # of the desktop's window, where another shows more or enough
MONITOR = {"monitor": "/", "log": "/monitor/"}
BUY, SELL, SIDE_BET = "._buy_x1", "._sell_x1", ".bet-button"
PATIENCE_MS = 240_000.0
TRIES = 20
TICKS_MS = 20_000.0  # for the next dozen of ticks


def endpoint(running: House, name: str) -> str:
    return (running.home / "data" / "run" / "endpoints" / name).read_text().strip().rstrip("/")


def game(running: House) -> Tab:
    """Return the game's page in the house's own Chromium."""
    with urlopen(endpoint(running, "cdp") + "/json") as answer:
        pages = msgspec.json.decode(answer.read())
    return Tab(next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"))


def reach(page: Page, tick: int) -> bool:
    """Wait until the round is at a tick; False where it rugged before."""
    some_later = "|".join(str(later) for later in range(tick, tick + 12))
    try:
        expect(page.locator("#tick")).to_have_text(re.compile(f"^({some_later})$"), timeout=TICKS_MS)
    except AssertionError:
        return False
    return page.locator("#phase").get_attribute("data-phase") == "ACTIVE"


def trade(page: Page, game: Tab) -> None:
    """Play a round to tick 54, whichever lives so long: buy, bet, sell, buy again."""
    for _ in range(TRIES):
        expect(page.locator("#phase")).not_to_have_attribute("data-phase", "ACTIVE", timeout=PATIENCE_MS)
        expect(page.locator("#phase")).to_have_attribute("data-phase", "ACTIVE", timeout=PATIENCE_MS)
        for tick, button in ((12, BUY), (24, SIDE_BET), (36, SELL), (44, BUY)):
            if not reach(page, tick):
                break
            game.press(button)
        if reach(page, 54):
            return
    raise AssertionError(f"none of {TRIES} rounds lived to tick 54")


def shoot(page: Page, folder: Path, name: str) -> None:
    """Picture what is open, in both themes and sizes."""
    for suffix, (width, height) in (("", (DESKTOP[0], HEIGHTS.get(name, DESKTOP[1]))), ("-phone", PHONE)):
        page.set_viewport_size({"width": width, "height": height})
        for theme in ("dark", "light"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # or colours are seen on their way
            settle(page)
            page.screenshot(path=folder / f"{name}-{theme}{suffix}.png")


def settle(page: Page) -> None:
    """Let the page draw itself in its new size and theme: two frames."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def picture_all(running: House, folder: Path, rounds: int, only: list[str]) -> None:
    wanted = [name for name in ("live", *PATHS, *MONITOR) if not only or name in only]
    web, monitor = endpoint(running, "web"), endpoint(running, "monitor")
    token = (running.home / "data" / "run" / "web_token").read_text()
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"{web}/?token={token}")
        expect(page.locator("#rounds li").nth(rounds - 1)).to_be_attached(timeout=PATIENCE_MS * 4)
        newest = page.locator("#rounds a").first.get_attribute("href") or ""
        if "live" in wanted:
            trade(page, game(running))
            shoot(page, folder, "live")
            expect(page.locator("#verdict")).to_contain_text("verified from seed", timeout=PATIENCE_MS)
            newest = page.locator("#rounds a").first.get_attribute("href") or newest
        for name in [name for name in wanted if name in PATHS]:
            page.goto(web + PATHS[name].format(game_id=newest.rpartition("/")[2]))
            page.wait_for_load_state("networkidle")
            expect(page.locator("#age")).to_have_attribute("data-state", "good")
            shoot(page, folder, name)
        for name in [name for name in wanted if name in MONITOR]:
            page.goto(monitor + MONITOR[name])
            expect(page.locator("#rows tr").nth(10)).to_be_attached()
            shoot(page, folder, name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--to", type=Path, default=Path(__file__).parent.parent / "docs" / "pictures")
    parser.add_argument("--rounds", type=int, default=16, help="so many finished rounds are waited for")
    parser.add_argument("--only", nargs="*", default=[], help="names of pages")
    options = parser.parse_args()
    begin_s = time.monotonic()
    options.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, house(Path(home), {"VECTRA_SIMULATOR_SPEED": "2"}) as running:
        picture_all(running, options.to, options.rounds, options.only)
    sizes = {path.name: path.stat().st_size for path in options.to.glob("*.png")}
    print(f"{len(sizes)} pictures in {time.monotonic() - begin_s:.0f} s; largest {max(sizes.values()) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
