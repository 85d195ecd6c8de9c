"""Restart intensity, streaks, back-off and strategies, against small models, without a process."""

from hypothesis import given
from hypothesis import strategies as st

from supervisor.restart import FIRST_DELAY_S, JITTER, LONGEST_DELAY_S, History, Intensity, affected, restarts


@given(
    steps=st.lists(st.floats(0, 10), max_size=60),
    intensity=st.integers(0, 6),
    period_s=st.floats(0.5, 10),
)
def test_intensity_is_at_most_so_many_within_any_period(steps: list[float], intensity: int, period_s: float) -> None:
    window = Intensity(intensity, period_s)
    times: list[float] = []
    now_s = 0.0
    for step_s in steps:
        now_s += step_s
        times.append(now_s)
        within = [time_s for time_s in times if now_s - time_s <= period_s]
        assert window.allows(now_s) == (len(within) <= intensity)


def test_one_exactly_a_period_old_still_counts() -> None:
    window = Intensity(1, 5.0)
    assert window.allows(0.0)
    assert not window.allows(5.0)
    later = Intensity(1, 5.0)
    assert later.allows(0.0)
    assert later.allows(5.001)


def test_the_first_restarts_come_at_once_and_the_sixth_waits() -> None:
    history = History(5, 5.0)
    decisions = [history.died(0.1 * number, None, 0.5) for number in range(7)]
    assert [decision.delay_s for decision in decisions] == [0, 0, 0, 0, 0, FIRST_DELAY_S, 2 * FIRST_DELAY_S]
    assert [decision.crash_looping for decision in decisions] == [False] * 5 + [True] * 2


def test_back_off_doubles_up_to_its_cap_and_jitters_around_it() -> None:
    history = History(0, 5.0)
    assert [history.died(100.0 * number, None, 0.5).delay_s for number in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert History(0, 5.0).died(0.0, None, 0.0).delay_s == FIRST_DELAY_S * (1 - JITTER)
    assert History(0, 5.0).died(0.0, None, 1.0).delay_s == FIRST_DELAY_S * (1 + JITTER)


@given(lucks=st.lists(st.floats(0, 1), min_size=1, max_size=2000))
def test_no_delay_is_ever_longer_than_the_cap(lucks: list[float]) -> None:
    history = History(0, 5.0)
    assert all(
        0 < history.died(float(number), None, luck).delay_s <= LONGEST_DELAY_S for number, luck in enumerate(lucks)
    )


def test_one_that_always_dies_1_s_after_ready_is_caught_though_the_window_never_fills() -> None:
    history, window = History(5, 5.0), Intensity(5, 5.0)
    decisions = [history.died(1.1 * number, 1.1 * number - 1.1, 0.5) for number in range(1, 7)]
    assert all(window.allows(1.1 * number) for number in range(1, 7))
    assert [decision.crash_looping for decision in decisions] == [False] * 5 + [True]


def test_a_whole_period_of_being_ready_ends_the_loop() -> None:
    history = History(1, 5.0)
    assert [history.died(now_s, None, 0.5).crash_looping for now_s in (0.0, 0.1)] == [False, True]
    assert not history.stable(20.0, None)
    assert not history.stable(20.0, 15.1)
    assert history.stable(20.0, 15.0)
    assert history.died(20.0, 15.0, 0.5).crash_looping is False


def test_a_person_asking_for_a_restart_ends_the_loop_too() -> None:
    history = History(0, 5.0)
    assert history.died(0.0, None, 0.5).crash_looping
    history.settled()
    assert not history.crash_looping
    assert history.died(9.0, None, 0.5).delay_s == FIRST_DELAY_S


def test_types_restart_as_otp_says() -> None:
    assert restarts("permanent", 0)
    assert restarts("permanent", -9)
    assert not restarts("transient", 0)
    assert restarts("transient", 1)
    assert restarts("transient", -15)
    assert restarts("transient", None)
    assert not restarts("temporary", -9)


@given(order=st.lists(st.text(min_size=1), min_size=1, unique=True), data=st.data())
def test_strategies_name_who_restarts_in_start_order(order: list[str], data: st.DataObject) -> None:
    failed = data.draw(st.sampled_from(order))
    assert affected(order, failed, "one_for_one") == [failed]
    assert affected(order, failed, "one_for_all") == order
    rest = affected(order, failed, "rest_for_one")
    assert rest[0] == failed
    assert order[len(order) - len(rest) :] == rest


def test_a_child_may_ask_for_a_shorter_wait() -> None:
    history = History(0, 5.0, 2.0)
    delays = [history.died(float(second), None, 0.5).delay_s for second in range(6)]
    assert delays == [1.0, 2.0, 2.0, 2.0, 2.0, 2.0]
