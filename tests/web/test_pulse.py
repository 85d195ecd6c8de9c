"""Events per second, and how far the disk is behind."""

from actors.core.messages import Event, Events
from web.pulse import MOST_TYPES, Pulse


def batch(upto: int, synced: int, ts: int, count: int = 1) -> Events:
    events = [Event(upto - count + number + 1, "x", ts, None, b"{}") for number in range(count)]
    return Events(epoch=0, nack=0, after=0, upto=upto, synced=synced, events=events)


def test_nothing_is_known_before_the_first_batch() -> None:
    figures = {"eventsPerS": None, "bytesPerS": None, "behindMs": None, "unsynced": None}
    assert Pulse().figures(50_000) == figures
    assert Pulse().by_type(50_000) == {}


def test_events_are_counted_over_ten_whole_seconds() -> None:
    pulse = Pulse()
    for second in range(30):
        pulse.hear(batch(256 * (second + 1), 0, second * 1000, count=5), second * 1000 + 10)
    assert pulse.figures(30_000)["eventsPerS"] == 5.0
    assert pulse.figures(60_000)["eventsPerS"] == 0.0


def test_the_lag_is_the_time_until_a_batch_says_synced() -> None:
    pulse = Pulse()
    pulse.hear(batch(256, 0, 1000), 1005)
    assert pulse.figures(1010)["unsynced"] == 1
    pulse.hear(batch(512, 256, 1040), 1048)
    assert pulse.figures(1050) == {"eventsPerS": None, "bytesPerS": None, "behindMs": 48, "unsynced": 1}


def test_a_disk_that_does_not_follow_shows() -> None:
    pulse = Pulse()
    pulse.hear(batch(256, 0, 1000, count=7), 1005)
    figures = pulse.figures(9000)
    assert (figures["behindMs"], figures["unsynced"]) == (8000, 7)


def test_silence_after_everything_was_synced_is_no_lag() -> None:
    pulse = Pulse()
    pulse.hear(batch(256, 0, 1000), 1005)
    pulse.all_on_disk(1500)
    assert pulse.figures(9000)["unsynced"] == 0


def test_each_type_has_its_rate_its_bytes_and_its_total() -> None:
    pulse = Pulse()
    for second in range(20):
        pulse.hear(batch(256 * (second + 1), 0, second * 1000, count=3), second * 1000 + 10)
    assert pulse.by_type(20_000) == {"x": [3.0, 6, 60]}
    assert pulse.figures(20_000)["bytesPerS"] == 6


def test_names_that_the_game_makes_up_do_not_grow_without_end() -> None:
    pulse = Pulse()
    for number in range(500):
        event = Event(number + 1, f"raw.{number}", 1000, None, b"{}")
        pulse.hear(Events(epoch=0, nack=0, after=0, upto=number + 1, synced=0, events=[event]), 1000)
    types = pulse.by_type(3000)
    assert len(types) == MOST_TYPES + 1
    assert types["(others)"][2] == 500 - MOST_TYPES
