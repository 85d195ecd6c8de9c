"""Notes about pages: each change once, whichever captures tell of it, and so many a minute at most."""

from actors.core import messages as m
from actors.journal.page_notes import MINUTE_US, NOTES_A_MINUTE
from tests.journal.test_core import Play, attached


def page(at_us: int, target: str = "T1", what: str = "navigated", url: str = "https://a.example") -> m.PageChanged:
    return m.PageChanged(0, at_us, at_us / 1e6, target, what, url)


def pages(play: Play) -> list[dict[str, object]]:
    return [note for note in play.notes("connection") if str(note["what"]).startswith("page")]


def test_a_flood_of_pages_is_a_bounded_number_of_notes_and_one_that_counts_the_rest() -> None:
    play = Play()
    play.hear(attached())
    flood = [page(number * 1000, f"T{number}", what) for number in range(5000) for what in ("opened", "gone")]
    play.hear(*flood, read_until_s=5.0)
    assert len(pages(play)) == NOTES_A_MINUTE
    play.hear(read_until_s=MINUTE_US / 1e6)
    *_, omitted = pages(play)
    assert (omitted["what"], omitted["count"], omitted["since_us"]) == (
        "pages omitted",
        10_000 - NOTES_A_MINUTE,
        50_000,
    )
    play.hear(page(MINUTE_US + 5, "T2"), read_until_s=2 * MINUTE_US / 1e6)
    play.hear(read_until_s=3 * MINUTE_US / 1e6)
    assert len(pages(play)) == NOTES_A_MINUTE + 2
    assert pages(play)[-1]["target"] == "T2"


def test_what_both_captures_tell_of_is_one_note_and_counts_once() -> None:
    play = Play(standby=True)
    flood = [page(number * 1000, f"T{number}") for number in range(NOTES_A_MINUTE)]
    for incarnation, name in ((1, "capture-a"), (2, "capture-b")):
        play.hear(attached(), *flood, incarnation=incarnation, capture=name)
    play.hear(read_until_s=MINUTE_US / 1e6)
    assert [note["target"] for note in pages(play)] == [f"T{number}" for number in range(NOTES_A_MINUTE)]
