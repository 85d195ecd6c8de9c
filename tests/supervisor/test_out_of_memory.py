"""Out of memory or somebody's SIGKILL: what the kernel's counters tell."""

from pathlib import Path

import pytest

from supervisor.out_of_memory import OutOfMemory, counter_path, read_counter


def counts(path: Path, number: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"low 0\nhigh 3\noom 7\noom_kill {number}\noom_group_kill 0\n")
    return path


def test_a_rise_since_the_last_look_tells_and_counts_for_one_death(tmp_path: Path) -> None:
    path = counts(tmp_path / "memory.events", 4)
    memory = OutOfMemory(path)
    assert not memory.struck()
    counts(path, 5)
    assert memory.struck()
    assert not memory.struck()


def test_the_kernel_counts_before_it_kills_so_one_look_between_the_two_does_no_harm(tmp_path: Path) -> None:
    path = counts(tmp_path / "memory.events", 0)
    memory = OutOfMemory(path)
    counts(path, 1)
    memory.look()
    assert memory.struck()


def test_an_older_rise_was_somebody_elses(tmp_path: Path) -> None:
    path = counts(tmp_path / "memory.events", 0)
    memory = OutOfMemory(path)
    counts(path, 1)
    memory.look()
    memory.look()
    assert not memory.struck()


def test_without_a_counter_nothing_is_known(tmp_path: Path) -> None:
    memory = OutOfMemory(None)
    assert not memory.known
    assert not memory.struck()
    assert read_counter(tmp_path / "none") is None


@pytest.mark.parametrize(
    ("cgroup", "there", "found"),
    [
        ("0::/user.slice/vectra.service", "cg/user.slice/vectra.service/memory.events", True),
        ("0::/seen/from/outside", "cg/memory.events", True),
        ("5:cpu:/a\n4:memory:/a/b\n0::/", "cg/memory/a/b/memory.oom_control", True),
        ("4:memory:/seen/from/outside", "cg/memory/memory.oom_control", True),
        ("0::/a", "proc/vmstat", True),
        ("0::/a", "cg/elsewhere", False),
    ],
)
def test_the_narrowest_counter_that_can_be_read_is_used(tmp_path: Path, cgroup: str, there: str, found: bool) -> None:
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "proc" / "self" / "cgroup").write_text(cgroup + "\n")
    path = counts(tmp_path / there, 0)
    assert counter_path(tmp_path / "proc", tmp_path / "cg") == (path if found else None)


def test_this_machine_has_a_counter() -> None:
    path = counter_path()
    assert path is not None  # /proc/vmstat has it since Linux 4.13
    assert (read_counter(path) or 0) >= 0
