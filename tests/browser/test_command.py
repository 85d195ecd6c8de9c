"""Chromium's command line and what it says."""

from pathlib import Path

import pytest

from actors.browser.command import LISTENING, NAMES, Unusable, arguments, check_display, find_binary, lock_holder
from actors.core.config import Browser, Config


def config(**browser: object) -> Config:
    return Config(browser=Browser(profile_dir="/p", **browser))  # type: ignore[arg-type]


def test_only_the_blank_page_is_opened_and_no_origin_is_let_in() -> None:
    line = arguments(config(args=["--x"]), "/bin/chromium", demo=True, as_root=True)
    assert [word for word in line[1:] if not word.startswith("--")] == ["about:blank"]
    assert line[-2:] == ["--x", "about:blank"]
    assert not [word for word in line if "remote-allow-origins" in word or "disable-extensions" in word]


def test_the_sandbox_is_left_out_only_for_root_and_the_window_only_on_request() -> None:
    line = arguments(config(), "c", demo=False, as_root=False)
    assert "--no-sandbox" not in line
    assert "--headless=new" not in line
    assert "--remote-debugging-port=9222" in line
    assert "--user-data-dir=/p" in line
    assert "--headless=new" in arguments(config(headless=True), "c", demo=False, as_root=False)
    assert "--no-sandbox" in arguments(config(), "c", demo=False, as_root=True)


def test_the_first_installed_browser_is_taken() -> None:
    assert find_binary(None, lambda name: f"/bin/{name}" if name == NAMES[2] else None) == f"/bin/{NAMES[2]}"
    assert find_binary("~/c", lambda name: name) == str(Path("~/c").expanduser())


def test_no_browser_names_the_command_that_installs_one() -> None:
    with pytest.raises(Unusable, match="apt-get install chromium"):
        find_binary(None, lambda name: None)
    with pytest.raises(Unusable, match=r"browser\.binary is '/no'"):
        find_binary("/no", lambda name: None)


def test_a_window_without_a_display_is_refused() -> None:
    with pytest.raises(Unusable, match=r"browser\.headless: true"):
        check_display(config(), {})
    check_display(config(), {"DISPLAY": ":0"})
    check_display(config(headless=True), {})


def test_the_devtools_line_gives_port_and_guid() -> None:
    found = LISTENING.search("DevTools listening on ws://127.0.0.1:9222/devtools/browser/1fbf18e7-7b1a")
    assert found is not None
    assert (found[2], found[3]) == ("9222", "1fbf18e7-7b1a")
    assert LISTENING.search("DevTools listening on ws://[::1]:9222/devtools/browser/1fbf18e7") is None


def test_chromiums_lock_names_host_and_pid() -> None:
    assert lock_holder("my-host-123", "my-host") == (123, True)
    assert lock_holder("other-123", "my-host") == (123, False)
    assert lock_holder("nonsense", "my-host") == (None, False)
