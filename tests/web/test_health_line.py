"""The line of plain words at the foot of the dashboard: what keeps an actor from its work is said."""

from web.words import health


def test_a_full_disk_is_said_though_every_actor_is_ready() -> None:
    actors = [
        {"name": "writer", "state": "ready", "stats": {"error": None}},
        {"name": "journal", "state": "ready", "stats": {"error": "disk full"}},
    ]
    line = health({"actors": actors})
    assert line["level"] == "bad"
    assert "journal: disk full" in line["title"].lower()


def test_nothing_is_said_where_nothing_is_wrong() -> None:
    assert health({"actors": [{"name": "journal", "state": "ready", "stats": {}}]})["level"] == "good"
