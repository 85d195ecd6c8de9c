"""Which files are merged, judged by names and hours alone."""

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from actors.writer.layout import DataFile, file_path
from actors.writer.planning import HOUR_US, plan

DAYS = ["2025-12-14", "2025-12-15", "2025-12-16"]
FIRST_DAY = 20_436  # 2025-12-14 in days since 1970
NOON = (FIRST_DAY + 2) * 24 + 12


def file(day: int, first: int, last: int | None = None) -> DataFile:
    last = first if last is None else last
    return DataFile(path=file_path(Path(), "trade", DAYS[day], first, last), first=first, last=last)


def merges(
    files: list[DataFile], hours: dict[int, int] | None = None, bad: set[int] | None = None
) -> list[tuple[str, list[int]]]:
    """Plan at half past twelve of the third day; hours: first number -> hour of the day."""
    orders = plan(
        "trade",
        files,
        NOON * HOUR_US + HOUR_US // 2,
        lambda file: NOON - 12 + (hours or {})[file.first],
        lambda file: file.first in (bad or set()),
    )
    return [(order.date, [file.first for file in order.inputs]) for order in orders]


def test_a_finished_day_becomes_one_file_and_no_footer_is_read_for_it() -> None:
    assert merges([file(0, 1), file(0, 2), file(1, 3), file(1, 4)]) == [(DAYS[0], [1, 2]), (DAYS[1], [3, 4])]


def test_finished_hours_of_the_running_day_become_one_file_each() -> None:
    hours = {1: 9, 2: 9, 3: 10, 4: 11, 5: 11, 6: 12, 7: 12}
    assert merges([file(2, number) for number in hours], hours) == [(DAYS[2], [1, 2]), (DAYS[2], [4, 5])]


def test_what_is_one_file_already_is_left_alone() -> None:
    assert merges([file(0, 1, 9), file(1, 10, 20), file(2, 21, 30)], {21: 9}) == []


def test_a_day_after_the_newest_row_is_not_finished() -> None:
    orders = plan("trade", [file(2, 1), file(2, 2)], (FIRST_DAY + 1) * 24 * HOUR_US, lambda _: 0, lambda _: False)
    assert list(orders) == []


def test_files_with_another_date_between_them_stay_apart() -> None:
    files = [file(0, 1), file(0, 2), file(1, 3), file(0, 4), file(0, 5), file(1, 6)]
    assert merges(files) == [(DAYS[0], [1, 2]), (DAYS[0], [4, 5])]


def test_a_bad_file_ends_a_run_and_is_in_none() -> None:
    assert merges([file(0, number) for number in range(1, 7)], bad={3}) == [(DAYS[0], [1, 2]), (DAYS[0], [4, 5, 6])]


def test_overlapping_files_are_never_merged_with_each_other() -> None:
    assert merges([file(0, 1, 5), file(0, 3, 4), file(0, 5, 8), file(0, 9), file(0, 10)]) == [(DAYS[0], [9, 10])]


def test_the_name_says_the_lowest_and_the_highest_number() -> None:
    order = next(plan("trade", [file(0, 1, 5), file(0, 6, 77)], NOON * HOUR_US, lambda _: 0, lambda _: False))
    assert order.name == "0000000000000001-0000000000000077.parquet"


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12), st.booleans()), max_size=40))
def test_a_plan_is_disjoint_of_one_date_and_done_after_once(shape: list[tuple[int, int, bool]]) -> None:
    files = [file(day, number * 10, number * 10 + 9) for number, (day, _, _) in enumerate(shape)]
    hours = {number * 10: hour for number, (_, hour, _) in enumerate(shape)}
    bad = {number * 10 for number, (_, _, is_bad) in enumerate(shape) if is_bad}
    planned = merges(files, hours, bad)
    taken = [first for _, inputs in planned for first in inputs]
    assert taken == sorted(set(taken) - bad)
    after = [one for one in files if one.first not in taken]
    for date, inputs in planned:
        assert inputs == list(range(inputs[0], inputs[-1] + 1, 10))  # neighbours
        assert {DAYS[shape[first // 10][0]] for first in inputs} == {date}
        after.append(file(DAYS.index(date), inputs[0], inputs[-1] + 9))
    after.sort(key=lambda one: one.first)
    assert all(one.last < other.first for one, other in pairwise(after))
    assert merges(after, hours, bad) == []
