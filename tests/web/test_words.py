"""The house's condition in plain words."""

from typing import Any

import pytest

from supervisor.plan import known_ids
from tests.web.neighbours import good_status
from web.words import ACTORS, exit_words, health


def with_state(name: str, state: str) -> dict[str, Any]:
    status = good_status()
    status["actors"] = [one | {"state": state} if one["name"] == name else one for one in status["actors"]]
    return status


def test_every_actor_of_the_plan_has_its_words() -> None:
    assert set(ACTORS) == set(known_ids())


def test_all_is_well_in_four_words() -> None:
    said = health(good_status())
    assert (said["level"], said["title"]) == ("good", "All nine actors ready")
    assert said["last"]["text"] == "writer was killed by signal 9 (SIGKILL), and it is back"


@pytest.mark.parametrize(
    ("state", "level"),
    [("starting", "warn"), ("stopping", "warn"), ("hung", "bad"), ("backing-off", "bad"), ("crash-looping", "bad")],
)
def test_one_actor_in_trouble_is_named(state: str, level: str) -> None:
    said = health(with_state("journal", state))
    assert said["level"] == level
    assert said["title"].startswith("journal ")


def test_a_page_that_does_not_open_is_said_where_all_actors_are_ready() -> None:
    status = good_status()
    pilot = next(one for one in status["actors"] if one["name"] == "pilot")
    pilot["stats"] = {"error": "the page did not open (net::ERR_UNSAFE_PORT)"}
    said = health(status)
    assert (said["level"], said["title"]) == ("bad", "The page did not open (net::ERR_UNSAFE_PORT)")
    pilot["stats"] = {"error": None}
    assert health(status)["level"] == "good"


def test_a_silent_supervisor_is_bad_news() -> None:
    assert health(None) == {"level": "bad", "title": "The supervisor does not answer", "last": None}
    assert health({"actors": []})["level"] == "bad"


@pytest.mark.parametrize(
    ("last", "words"),
    [
        ({"signal": 9, "code": None}, "was killed by signal 9 (SIGKILL)"),
        ({"signal": 99, "code": None}, "was killed by signal 99"),
        ({"signal": None, "code": 0}, "ended as asked"),
        ({"signal": None, "code": 1}, "ended with code 1"),
        ({}, "ended"),
    ],
)
def test_an_exit_is_told_in_words(last: dict[str, Any], words: str) -> None:
    assert exit_words(last) == words
