"""Captures, pilot, page and browser die, hang or are cut off beside a real Chromium: all come back, and say why.

They are real processes on a real server; the test is the journal. One house takes it all, one after the other.
"""

import os
import signal
import time
from typing import Any

import pytest

from actors.core.browser_file import BrowserFile, read_browser_file
from actors.core.messages import Attached, Detached, FrameSeen, PageChanged, StreamClosed
from supervisor.plan import CAPTURE_HANG_S
from tests.capture.house import BOTH, House, Website
from tests.system import blows

pytestmark = pytest.mark.system


def test_a_restarted_capture_sees_an_open_socket_again(house: House, page: Website) -> None:
    house.kill("capture-b")
    place = house.mark()
    house.start("capture-b")
    house.journal.until(lambda: house.since(place, "capture-b", Attached), "attached again")
    wanted = page.send_numbered(50)
    for capture in BOTH:
        house.wait_for(place, wanted, capture)
        assert house.payloads(place, capture, b'42["tick"') == wanted
    a, b = (house.since(place, capture, FrameSeen) for capture in BOTH)
    assert {frame.stream for frame in a} == {frame.stream for frame in b}


def test_killed_in_turn_the_two_have_every_frame(house: House, page: Website) -> None:
    place = house.mark()
    wanted: list[bytes] = []
    for capture in BOTH:
        wanted += page.send_numbered(20)
        here = house.mark()
        house.kill(capture)
        house.start(capture)
        wanted += page.send_numbered(20)
        house.journal.until(lambda: house.since(here, capture, Attached), "attached again")  # noqa: B023
    wanted += page.send_numbered(20)
    for capture in BOTH:
        house.wait_for(place, wanted, capture)
    union = {text for capture in BOTH for text in house.payloads(place, capture, b'42["tick"')}
    assert union == set(wanted)


def test_what_a_stopped_capture_has_read_arrives_and_it_says_farewell(house: House, page: Website) -> None:
    place = house.mark()
    wanted = page.send_numbered(20)
    house.wait_for(place, wanted, "capture-b")
    assert house.kill("capture-b", signal.SIGTERM) == 0
    assert house.payloads(place, "capture-b", b'42["tick"') == wanted
    assert house.since(place, "capture-b", Detached)[-1].cause == "stopped"
    assert not house.since(place, "capture-b", StreamClosed)
    assert not (house.config.runtime_path / "attached" / "capture-b").exists()
    house.start("capture-b")


def test_a_new_journal_gets_what_the_old_one_had_not(house: House, page: Website) -> None:
    place = house.mark()
    journal = house.journal
    wanted = page.send_numbered(30)
    journal.restart()
    wanted += page.send_numbered(30)
    for capture in BOTH:
        house.wait_for(place, wanted, capture)
        assert house.payloads(place, capture, b'42["tick"') == wanted


def test_a_stopped_capture_holds_new_targets_no_longer_than_it_lives(house: House, page: Website) -> None:
    worker = b"from DedicatedWorkerGlobalScope"
    place = house.mark()
    os.kill(house.running["capture-a"].pid, signal.SIGSTOP)
    page.send("!new Worker('/worker.js')")
    wanted = page.send_numbered(5)
    house.wait_for(place, wanted, "capture-b")
    until_s = house.journal.covered["capture-b"] + CAPTURE_HANG_S / 2
    house.journal.until(lambda: house.journal.covered["capture-b"] > until_s, "half of what the supervisor allows")
    assert house.payloads(place, "capture-b", worker) == []
    killed_s = time.monotonic()
    house.kill("capture-a")
    house.wait_for(place, [worker], "capture-b")
    (said,) = (frame for frame in house.since(place, "capture-b", FrameSeen) if frame.payload == worker)
    assert said.cdp_s - killed_s < CAPTURE_HANG_S
    here = house.mark()
    house.start("capture-a")
    house.journal.until(lambda: house.since(here, "capture-a", Attached), "attached again")


def test_a_crashed_page_is_reloaded_on_the_same_session(house: House, page: Website) -> None:
    place = house.mark()
    crash(house)
    for capture in BOTH:
        house.wait_for(place, [b"hello"], capture)
        assert "crashed" in [page.what for page in house.since(place, capture, PageChanged)]
        assert "page crashed" in [closed.cause for closed in house.since(place, capture, StreamClosed)]
        assert not house.since(place, capture, Detached)
    house.journal.until(
        lambda: {"what": "reloaded", "cause": "page crashed"}.items() <= told(house).items(), "the report"
    )


def crash(house: House) -> None:
    browser = read_browser_file(house.config.runtime_path)
    assert browser is not None
    with blows.page_of(browser, house.config.site.url) as tabs:
        blows.crash(tabs)


def told(house: House) -> dict[str, Any]:
    reports = house.journal.told()
    return reports[-1] if reports else {}


def test_a_killed_pilot_adopts_the_open_page(house: House, page: Website) -> None:
    place = house.mark()
    house.kill("pilot")
    house.start("pilot")
    house.journal.until(lambda: told(house).get("what") == "adopted", "adopted")
    until_s = house.journal.covered["capture-a"] + 0.5
    house.journal.until(lambda: house.journal.covered["capture-a"] > until_s, "half a second")
    assert not house.since(place, "capture-a", PageChanged)


def test_a_socket_that_is_closed_and_not_opened_again_costs_a_reload(house: House, page: Website) -> None:
    place = house.mark()
    page.send("!new WebSocket('ws://127.0.0.1:' + location.port + '/ws/another')")
    house.journal.until(lambda: len(page.sockets) == 2, "the other socket")
    page.do(page.close_sockets())
    for capture in BOTH:
        house.wait_for(place, [b"hello"], capture)
    house.journal.until(lambda: told(house).get("cause") == "socket closed", "the report")


def test_a_hung_page_is_reloaded(house: House, page: Website) -> None:
    place = house.mark()
    page.send("!for (;;);")
    house.journal.until(lambda: told(house).get("cause") == "page hung", "reload of a hung page")
    assert told(house)["what"] == "reloaded"
    house.wait_for(place, [b"hello"], "capture-a")


def strike_browser(house: House, number: signal.Signals) -> BrowserFile:
    """Send Chromium a signal and wait until its actor has ended; return which it was."""
    browser = read_browser_file(house.config.runtime_path)
    assert browser is not None
    actor = house.running.pop("browser")
    os.kill(browser.pid, number)
    assert house.wait(actor) == 1
    return browser


def test_a_killed_browser_ends_its_actor_and_all_come_back(house: House, page: Website) -> None:
    place = house.mark()
    browser = strike_browser(house, signal.SIGKILL)
    assert "Chromium ended by signal 9 (SIGKILL)" in house.log("browser")
    assert read_browser_file(house.config.runtime_path) is None
    house.start("browser")
    for capture in BOTH:
        house.wait_for(place, [b"hello"], capture)
        closed, detached, again = (house.since(place, capture, kind) for kind in (StreamClosed, Detached, Attached))
        assert {item.cause for item in closed} == {"connection lost"}
        assert [item.guid for item in detached] == [browser.guid]
        assert again[0].guid != browser.guid
    house.journal.until(lambda: told(house)["what"] == "relaunched", "the report")


def test_a_hung_browser_is_killed(house: House, page: Website) -> None:
    place = house.mark()
    strike_browser(house, signal.SIGSTOP)
    house.journal.until(
        lambda: {"what": "killed", "cause": "browser hung"}.items() <= told(house).items(), "the report"
    )
    house.start("browser")
    house.wait_for(place, [b"hello"], "capture-a")
    house.journal.until(lambda: told(house)["what"] == "relaunched", "the report")
    assert told(house)["cause"] == "browser hung"
