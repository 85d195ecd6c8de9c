"""When the recording was on, and what became of what was missed."""

from typing import Any

from web.system_rows import SystemRecord
from web.timeline import Played, gaps, spans

S = 1_000_000


def record(at_s: int, event: str, **data: Any) -> SystemRecord:
    return SystemRecord(at_s, at_s * S, event, data)


def kinds(records: list[SystemRecord], before: bool | None) -> list[tuple[int, int, str]]:
    return [(span.since // 1000, span.until // 1000, span.kind) for span in spans(records, before, 0, 100 * S)]


def test_nothing_is_on_disk_before_the_first_record_and_the_switch_makes_spans() -> None:
    switched = [record(20, "actor"), record(30, "recording", on=True), record(70, "recording", on=False)]
    assert kinds(switched, None) == [(0, 20, "none"), (20, 30, "off"), (30, 70, "on"), (70, 100, "off")]


def test_a_recording_that_was_on_before_is_on_from_the_beginning() -> None:
    assert kinds([], True) == [(0, 100, "on")]
    assert kinds([record(50, "recording", on=True)], True) == [(0, 100, "on")]


def gap(at_s: int, since_s: int) -> SystemRecord:
    return record(at_s, "gap", from_us=since_s * S, to_us=at_s * S, cause="browser gone")


def test_a_gap_within_known_rounds_is_filled() -> None:
    rounds = [Played(90_000, 130_000, 12), Played(145_000, 180_000, 0)]
    [found] = gaps([gap(120, 100)], rounds, 5000 * S)
    assert (found.since, found.until, found.seconds, found.cause) == (100_000, 120_000, 20.0, "browser gone")
    assert (found.repair, found.rounds, found.ticks, found.lost_s) == ("filled", 1, 12, 0.0)


def test_a_gap_waits_for_its_history_and_then_is_lost() -> None:
    assert gaps([gap(120, 100)], [], 130 * S)[0].repair == "pending"
    lost = gaps([gap(120, 100)], [], 5000 * S)[0]
    assert (lost.repair, lost.lost_s) == ("nothing", 20.0)


def test_a_gap_is_told_no_more_ticks_than_it_lasted() -> None:
    rounds = [Played(90_000, 400_000, 500)]
    short, long = gaps([gap(102, 100), gap(300, 150)], rounds, 5000 * S)
    assert (short.ticks, long.ticks) == (9, 500)


def test_a_night_is_filled_in_part() -> None:
    rounds = [Played(3_000_000, 3_600_000, 900), Played(3_610_000, 3_650_000, 0)]
    [found] = gaps([gap(3600, 0)], rounds, 9000 * S)
    assert (found.repair, found.ticks) == ("partly", 900)
    assert 2900 < found.lost_s < 3000


def test_a_loss_that_is_not_over_is_a_gap_without_an_end() -> None:
    lost = record(50, "connection", what="lost", cause="connection lost")
    [found] = gaps([lost], [], 80 * S)
    assert (found.until, found.seconds, found.repair) == (None, 30.0, "pending")
    assert gaps([lost, record(60, "connection", what="continued")], [], 80 * S) == []
    assert [one.until for one in gaps([lost, gap(70, 50)], [], 80 * S)] == [70_000]
