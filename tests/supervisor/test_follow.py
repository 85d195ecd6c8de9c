"""Which event types `events` knows."""

from actors.broadcaster.feed import TYPES
from supervisor import follow
from supervisor.follow import unknown_types


def test_it_knows_what_the_feed_announces() -> None:
    assert follow.TYPES == TYPES


def test_a_type_that_cannot_come_is_told_and_a_wildcard_counts_where_it_meets_one() -> None:
    assert unknown_types(["game.tick", "raw.anything", "raw.new*", "game.*", "ra*", "*"]) == []
    assert unknown_types(["nonsense.foo", "nonsense.*", "game", "game.tic"]) == [
        "nonsense.foo",
        "nonsense.*",
        "game",
        "game.tic",
    ]


def test_a_line_for_people_says_that_its_time_is_utc() -> None:
    line = follow.for_people({"ts": 1_700_000_000_123, "seq": 256, "type": "game.tick", "data": {"price": 1.5}})
    assert line == "22:13:20.123Z          256 game.tick            price 1.5"
