"""The round that runs now, above the list of finished ones."""

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import ControlRoom
from tests.web.neighbours import Neighbours

pytestmark = pytest.mark.system


def test_the_running_round_stands_above_the_list_and_leads_to_its_chart(
    room: ControlRoom, neighbours: Neighbours, desktop: Page
) -> None:
    running = "20260102-running"
    desktop.goto(f"{room.url}/games")
    line = desktop.locator("#running")
    neighbours.tick(running, 42, 1.5, peak=2.5)
    expect(line).to_have_text(f"Running now: {running} · tick 42 · 1.5000× · peak 2.50×")
    assert running not in desktop.locator("table").inner_text()
    assert running not in str(room.json("/api/games"))
    neighbours.tick(running, 43, 1.6, peak=2.5)
    expect(line).to_contain_text("tick 43 · 1.6000×")
    neighbours.tick(running, 44, 0.02, "RUGGED", peak=2.5)
    expect(line).to_have_text("No round is running; the next one begins soon.")
    neighbours.tick("20260102-next", 1, 1.0, peak=1.0)
    desktop.get_by_role("link", name="20260102-next").click()
    expect(desktop).to_have_url(f"{room.url}/")
