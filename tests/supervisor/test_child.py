"""What a child's silence is worth: a process that waits for a processor is slow, not hung."""

from types import SimpleNamespace

from supervisor.child import Child
from supervisor.spec import ChildSpec


def silent_child(pid: int = 7) -> Child:
    child = Child(ChildSpec(id="a", start="actors.writer.actor:run"))
    child.process = SimpleNamespace(pid=pid)  # type: ignore[assignment]
    child.said_ready(10.0)
    child.forgive_waiting(3.0, 10.0)
    return child


def test_time_spent_waiting_for_a_processor_is_forgiven() -> None:
    child = silent_child()
    child.forgive_waiting(3.9, 11.0)
    assert child.progress_s == 10.9


def test_a_stopped_or_blocked_process_waits_for_no_processor_and_is_not_forgiven() -> None:
    child = silent_child()
    child.forgive_waiting(3.0, 15.0)
    assert child.progress_s == 10.0


def test_forgiveness_never_reaches_into_the_future_nor_to_another_process() -> None:
    child = silent_child()
    child.forgive_waiting(99.0, 11.0)
    assert child.progress_s == 11.0
    child.process = SimpleNamespace(pid=8)  # type: ignore[assignment]
    child.forgive_waiting(200.0, 12.0)
    assert child.progress_s == 11.0


def test_silence_is_looked_for_later_with_each_sign_of_progress_and_other_things_keep_their_time() -> None:
    child = silent_child()
    child.at(15.0, None, moves_with_progress=True)
    child.said_progress(1, {}, 12.0)
    assert (child.progress_s, child.due_s) == (12.0, 17.0)
    child.said_progress(1, {}, 13.0)
    assert child.due_s == 17.0, "the count stands still"
    child.at(20.0, None)
    child.said_progress(2, {}, 14.0)
    assert child.due_s == 20.0


def test_a_report_that_is_read_late_counts_from_when_it_was_sent() -> None:
    child = silent_child()
    child.said_progress(1, {}, 10.5)
    child.said_progress(2, {}, 10.2)
    assert child.progress_s == 10.5


def test_who_was_told_of_a_longer_limit_is_judged_by_it_until_its_next_start() -> None:
    child = Child(ChildSpec(id="a", start="m:f", hang_s=5))
    child.spec = ChildSpec(id="a", start="m:f", hang_s=1)
    assert child.patience_s == 5
    child.began(SimpleNamespace(pid=7), 10.0)  # type: ignore[arg-type]
    assert child.patience_s == 1


def test_what_it_waited_while_it_still_worked_is_not_forgiven_later() -> None:
    child = silent_child()
    child.note_waiting(9.0, 11.0)
    child.forgive_waiting(9.1, 12.0)
    assert round(child.progress_s, 6) == 10.1
