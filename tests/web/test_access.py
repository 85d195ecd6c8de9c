"""The door's rules, without a server."""

import stat
from pathlib import Path

import pytest

from web.access import Door, Guesses, bearer, load_token


def door(host: str = "127.0.0.1") -> Door:
    return Door("t" * 43, host, 5000)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:5000", "127.0.0.1:5000", "[::1]:5000", "[::1]"])
def test_loopback_names_are_known(host: str) -> None:
    assert door().knows_host(host)


@pytest.mark.parametrize(
    "host",
    [None, "", "evil.example", "evil.example:5000", "127.0.0.1.evil.example", "localhost@evil.example",
     "localhost/evil", "127.0.0.1:x", "localhost?x", "::1", "2130706433"],
)  # fmt: skip
def test_other_names_are_refused(host: str | None) -> None:
    assert not door().knows_host(host)


def test_the_configured_host_is_known_too() -> None:
    assert door("vectra.lan").knows_host("vectra.lan:5000")
    assert door("fd00::7").knows_host("[fd00::7]:5000")


def test_a_write_without_origin_is_accepted() -> None:
    assert door().knows_origin(None, "127.0.0.1:5000")


def test_the_same_origin_may_write() -> None:
    assert door().knows_origin("http://127.0.0.1:5000", "127.0.0.1:5000")


@pytest.mark.parametrize(
    ("site", "may"),
    [(None, True), ("none", True), ("same-origin", True), ("Same-Origin", True), ("same-site", False),
     ("cross-site", False), ("", False), ("x", False)],
)  # fmt: skip
def test_a_page_of_another_port_may_not_write_though_the_cookie_comes_along(site: str | None, may: bool) -> None:
    assert door().knows_site(site) is may


@pytest.mark.parametrize(
    "origin",
    ["null", "", "http://evil.example", "http://127.0.0.1:9000", "https://127.0.0.1:5000", "http://localhost:5000"],
)
def test_other_origins_are_refused(origin: str) -> None:
    assert not door().knows_origin(origin, "127.0.0.1:5000")


def test_the_cookie_is_not_the_token_and_differs_by_port() -> None:
    one, other = Door("t" * 43, "h", 5000), Door("t" * 43, "h", 5001)
    assert "t" * 43 not in one.cookie_value
    assert one.cookie_name == "vectra-5000"
    assert one.cookie_value != other.cookie_value
    assert one.knows_cookie(one.cookie_value)
    assert not one.knows_cookie(other.cookie_value)
    assert not one.knows_cookie("t" * 43)
    assert not one.knows_cookie(None)


def test_a_token_is_known_whole_or_not_at_all() -> None:
    assert door().knows_token("t" * 43)
    for wrong in ("", "t", "t" * 42, "t" * 44, "ü" * 43):
        assert not door().knows_token(wrong)


@pytest.mark.parametrize(
    ("header", "token"),
    [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", None), ("Bearer ", None), ("", None), (None, None)],
)
def test_bearer_tokens_are_read(header: str | None, token: str | None) -> None:
    assert bearer(header) == token


def test_the_token_is_made_once_and_is_the_owners_alone(tmp_path: Path) -> None:
    token = load_token(tmp_path / "run")
    path = tmp_path / "run" / "web_token"
    assert len(token) >= 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    assert load_token(tmp_path / "run") == token
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_emptied_token_file_does_not_open_the_door(tmp_path: Path) -> None:
    (tmp_path / "web_token").write_text("\n")
    assert len(load_token(tmp_path)) >= 43


def test_twenty_wrong_tokens_are_free_then_one_a_second() -> None:
    guesses = Guesses()
    for _ in range(20):
        assert guesses.allowed("a", 100.0)
        guesses.wrong("a", 100.0)
    assert not guesses.allowed("a", 100.5)
    assert guesses.allowed("a", 101.0)
    assert guesses.allowed("b", 100.0)


def test_the_brake_remembers_a_bounded_number_of_places() -> None:
    guesses = Guesses()
    for number in range(5000):
        guesses.wrong(str(number), 0.0)
    assert len(guesses._left) == Guesses.PLACES


def test_of_10_000_wrong_tokens_in_ten_seconds_30_are_looked_at() -> None:
    guesses, tried = Guesses(), 0
    for number in range(10_000):
        now_s = 100.0 + number / 1000
        if guesses.allowed("a", now_s):
            guesses.wrong("a", now_s)
            tried += 1
    assert tried in (29, 30)
