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
