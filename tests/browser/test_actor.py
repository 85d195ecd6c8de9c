"""The browser's actor as a real process, with a real Chromium."""

import os
import shutil
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from actors.core import endpoints
from actors.core.browser_file import BrowserFile, read_browser_file
from tests.capture.house import House, config

pytestmark = pytest.mark.system


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(config(tmp_path))
    yield house
    house.close()


def running(house: House) -> BrowserFile:
    house.start("browser")
    house.wait_ready("browser")
    browser = read_browser_file(house.config.runtime_path)
    assert browser is not None
    return browser


def failed(house: House) -> str:
    """Start, wait for the end, return the last line of the log."""
    house.start("browser")
    assert house.wait(house.running.pop("browser")) == 1
    return house.log("browser").splitlines()[-1]


def left_of(house: House) -> list[int]:
    """Processes that work on the house's profile."""
    profile = str(house.config.profile_path)
    return [p.pid for p in psutil.process_iter(["cmdline"]) if any(profile in word for word in p.info["cmdline"] or ())]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_it_tells_where_it_is_and_leaves_nothing_when_stopped(house: House) -> None:
    browser = running(house)
    runtime = house.config.runtime_path
    assert endpoints.lookup(runtime, "cdp") == f"http://127.0.0.1:{browser.port}"
    assert psutil.Process(browser.pid).name().startswith("chrom")
    assert os.getsid(browser.pid) == browser.pid
    assert stat.S_IMODE(house.config.profile_path.stat().st_mode) == 0o700
    assert house.kill("browser", signal.SIGTERM) == 0
    assert left_of(house) == []
    assert read_browser_file(runtime) is None
    assert endpoints.lookup(runtime, "cdp") is None
    assert "--no-sandbox" in house.log("browser") or os.geteuid() != 0


def test_chromium_dies_with_its_actor_and_the_next_one_starts_at_once(house: House) -> None:
    first = running(house)
    house.kill("browser")
    second = running(house)
    assert second.guid != first.guid
    house.journal.until(lambda: not psutil.pid_exists(first.pid), "the end of the first Chromium")
    assert psutil.pid_exists(second.pid)


def test_a_second_browser_on_the_profile_is_refused_with_the_holders_pid(house: House) -> None:
    running(house)
    holder = house.running.pop("browser")
    try:
        assert f"is in use by process {holder.pid}" in failed(house)
        assert read_browser_file(house.config.runtime_path) is not None
    finally:
        house.running["browser"] = holder


def test_a_taken_port_is_an_error_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        house = House(config(tmp_path, port=port))
        try:
            assert f"port {port} is taken by another program" in failed(house)
            assert "Chromium started" not in house.log("browser")
        finally:
            house.close()


def test_a_fixed_port_is_used_and_checked(tmp_path: Path) -> None:
    port = free_port()
    house = House(config(tmp_path, port=port))
    try:
        browser = running(house)
        assert (browser.port, browser.ws) == (port, f"ws://127.0.0.1:{port}/devtools/browser/{browser.guid}")
    finally:
        house.close()


def test_no_browser_is_said_with_the_way_out(tmp_path: Path) -> None:
    house = House(config(tmp_path, binary=str(tmp_path / "none")))
    try:
        assert "browser.binary is" in failed(house)
    finally:
        house.close()


def test_a_browser_that_ends_at_once_is_an_error(tmp_path: Path) -> None:
    house = House(config(tmp_path, binary=shutil.which("false")))
    try:
        assert "Chromium ended with code 1" in failed(house)
    finally:
        house.close()
