"""The union of gaps, which come in any order and may overlap."""

from hypothesis import given
from hypothesis import strategies as st

from actors.core.intervals import Spans, add_span


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 60)), max_size=40))
def test_the_measure_is_that_of_the_union(told: list[tuple[int, int]]) -> None:
    spans: Spans = []
    measure = count = 0
    for begin, length in told:
        added, more = add_span(spans, begin, begin + length)
        measure, count = measure + added, count + more
    assert measure == len({second for begin, length in told for second in range(begin, begin + length)})
    assert count == len(spans)
    assert spans == sorted(spans)


def test_one_outage_behind_the_other_is_two() -> None:
    spans: Spans = []
    assert [add_span(spans, 0, 10), add_span(spans, 10, 20)] == [(10, 1), (10, 1)]
    assert add_span(spans, 0, 20) == (0, -1)
    assert add_span(spans, 20, 20) == (0, 0)
