"""Keys that look like a player's and get no pseudonym are reported as drift, by name, never by value."""

import json

from actors.core.messages import Event
from actors.rugs.drift import UNCOVERED
from actors.rugs.player_keys import is_uncovered, kind_of
from tests.rugs.playbook import Play, data


def found(events: list[Event]) -> set[str | None]:
    told = [data(event) for event in events if event.type == "system.drift"]
    assert "Bob" not in json.dumps(told)
    return {one["field"] for one in told if one["expected"] == UNCOVERED}


def test_keys_of_players_that_get_no_pseudonym_are_reported_once() -> None:
    play = Play()
    trade = {
        "id": "1",
        "ownerLabel": "Bob",
        "extra": [{"userAlias": "Bob", "n": 1}],
        "nickname": "Bob",
        "walletCount": 3,
    }
    assert found(play.received("standard/newTrade", trade).events) == {"ownerLabel", "extra[].userAlias"}
    assert found(play.received("playerJoined", {"playerLabel": "Bob", "username": "Bob"}).events) == {"playerLabel"}
    assert found(play.received("playerJoined", {"playerLabel": "Bob"}).events) == set()
    assert found(play.received("standard/newTrade", trade).events) == set()


def test_a_key_is_covered_or_reported() -> None:
    for key in ("username", "playerId", "user_name", "avatarUrl", "players"):
        assert kind_of(key.encode())
        assert not is_uncovered(key)
    for key in ("userAlias", "ownerLabel", "playerTitle"):
        assert is_uncovered(key)
    assert not is_uncovered("price")
