"""Jobs that take children down and up again, played without processes."""

from typing import Any

from supervisor.child import Child
from supervisor.spec import ChildSpec
from supervisor.turnover import Turnover


class Play:
    """Notes what the job does; `ends` lets a child's process end."""

    def __init__(self, names: str) -> None:
        self.children = {name: Child(ChildSpec(id=name, start="m:f")) for name in names}
        self.did: list[str] = []
        for child in self.children.values():
            running: Any = object()
            child.began(running, 0.0)

    def stop(self, child: Child) -> None:
        self.did.append(f"stop {child.id}")
        child.phase = "stopping"

    def start(self, child: Child, not_before_s: float | None) -> None:
        self.did.append(f"start {child.id}" + (f" at {not_before_s}" if not_before_s is not None else ""))

    def waits(self, name: str) -> None:
        self.children[name].process = None
        self.children[name].phase = "waiting"
        self.children[name].at(99.0, lambda now_s: None)

    def ends(self, job: Turnover, name: str) -> None:
        self.children[name].process = None
        self.children[name].phase = "stopped"
        job.advance(self.stop, self.start)


def test_each_is_stopped_only_when_the_one_before_is_down_and_all_start_at_the_end() -> None:
    play = Play("abc")
    job = Turnover([play.children[name] for name in "cba"], play.children.values())
    job.advance(play.stop, play.start)
    job.advance(play.stop, play.start)
    assert play.did == ["stop c"]
    play.ends(job, "c")
    play.ends(job, "b")
    assert play.did == ["stop c", "stop b", "stop a"]
    assert not job.done
    play.ends(job, "a")
    assert play.did[3:] == ["start a", "start b", "start c"]
    assert job.done


def test_one_that_is_down_already_or_waits_for_a_restart_is_passed_over() -> None:
    play = Play("ab")
    play.waits("b")
    job = Turnover([play.children["b"], play.children["a"]], [])
    job.advance(play.stop, play.start)
    assert play.did == ["stop a"]
    assert play.children["b"].state == "stopped"
    assert play.children["b"].due_s is None


def test_a_group_that_must_wait_goes_down_at_once_and_is_told_when_to_start() -> None:
    play = Play("ab")
    play.waits("b")
    job = Turnover([play.children["a"]], [play.children["a"], play.children["b"]], not_before_s=8.0)
    job.advance(play.stop, play.start)
    play.ends(job, "a")
    assert play.did == ["stop a", "start a at 8.0", "start b at 8.0"]


def test_at_once_tells_all_without_waiting() -> None:
    play = Play("ab")
    job = Turnover(play.children.values(), [], at_once=True)
    job.advance(play.stop, play.start)
    assert play.did == ["stop a", "stop b"]


def test_a_child_in_a_job_is_leaving_so_that_its_death_is_no_failure() -> None:
    play = Play("ab")
    Turnover([play.children["a"]], [])
    assert play.children["a"].leaving
    assert not play.children["b"].leaving
