"""Browser, captures and pilot as real processes, with a real Chromium and a real server; the test is the journal."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.core.browser_file import read_browser_file
from actors.core.messages import Attached, Detached, PageChanged, StreamClosed
from tests.capture.house import House, Site_, config, served

pytestmark = pytest.mark.system

PAGE = "<script>s = new WebSocket('ws://' + location.host + '/ws?token=planted&EIO=4'); s.onopen = () => s.send('hello')</script>"


@pytest.fixture(scope="module")
def site() -> Iterator[Site_]:
    with served() as site:
        site.pages[""] = PAGE
        yield site


@pytest.fixture
def house(site: Site_, tmp_path: Path) -> Iterator[House]:
    house = House(config(tmp_path, standby=True, url=site.url()))
    try:
        yield house
    finally:
        house.close()


def test_the_first_frame_of_the_page_is_seen_by_both_captures(house: House, site: Site_) -> None:
    house.start("browser", "capture-a", "capture-b", "pilot")
    journal = house.journal
    for capture in ("capture-a", "capture-b"):
        journal.until(lambda name=capture: b"hello" in journal.texts(name, sent=True), "the page's first message")
    print(house.log("browser")[-300:], house.log("capture-a"), house.log("pilot"))
    print(journal.items, journal.stats)
