"""Old segments go by age and size, never what a receiver still needs."""

from actors.journal.retention import deletable

DAY = 86_400.0
SEGMENTS = [(1, 100, 0.0), (1001, 100, 5 * DAY), (2001, 100, 10 * DAY)]


def gone(needed_after: int = 10_000, now_s: float = 10 * DAY, retention_s: float = 7 * DAY, max_bytes: int = 1000):
    return deletable(SEGMENTS, needed_after=needed_after, now_s=now_s, retention_s=retention_s, max_bytes=max_bytes)


def test_what_is_past_its_age_goes() -> None:
    assert gone() == [1]


def test_what_is_too_much_goes_oldest_first() -> None:
    assert gone(now_s=0.0, max_bytes=150) == [1, 1001]


def test_the_segment_being_written_stays() -> None:
    assert gone(now_s=1000 * DAY, max_bytes=0) == [1, 1001]


def test_what_a_receiver_still_needs_stays() -> None:
    assert gone(needed_after=999) == []
    assert gone(needed_after=1000) == [1]
    assert gone(needed_after=1000, now_s=1000 * DAY) == [1]
