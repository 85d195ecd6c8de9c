"""Groups in a tree of real children inside this process: who restarts with whom, and in which order."""

import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from actors.core.config import Config
from supervisor.spec import ChildSpec, Group, Strategy
from supervisor.tree import Tree
from tests.supervisor.running import is_gone, until

pytestmark = pytest.mark.system

WORKS = "tests.supervisor.children:works"


def turn_until(tree: Tree, so: Callable[[], bool]) -> None:
    """Run the tree's control loop until something is so."""

    def turned() -> bool:
        tree.turn()
        return so()

    until(turned)


@contextmanager
def tree_of(
    home: Path, specs: Sequence[ChildSpec], groups: Sequence[Group], said: list[str] | None = None
) -> Iterator[Tree]:
    """Run children in this process's own tree until all are ready."""
    say = (said if said is not None else []).append
    tree = Tree(specs, Config(data_dir=str(home)), demo=False, say=say, groups=groups, preload=[])
    try:
        tree.start()
        turn_until(tree, tree.all_ready)
        yield tree
    finally:
        tree.stop()
        turn_until(tree, lambda: tree.finished)
        tree.close()


def kill(tree: Tree, name: str) -> None:
    """SIGKILL one child."""
    pid = tree.children[name].pid
    assert pid
    os.kill(pid, signal.SIGKILL)


def children_of(pid: int) -> list[int]:
    """Return the living children of a process."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [int(child) for child in listed if not is_gone(int(child))]


def server_of(tree: Tree) -> int:
    """Return the pid of a tree's fork server."""
    noted = json.loads((tree.config.runtime_path / "children.json").read_bytes())
    return int(noted["children"]["fork-server"][0])


@pytest.mark.parametrize(
    ("strategy", "restarted"), [("one_for_one", "b"), ("one_for_all", "abc"), ("rest_for_one", "bc")]
)
def test_the_groups_strategy_names_who_restarts(tmp_path: Path, strategy: Strategy, restarted: str) -> None:
    said: list[str] = []
    specs = [ChildSpec(id=name, start=WORKS, group="g" if name in "abc" else "main") for name in "abcd"]
    with tree_of(tmp_path, specs, [Group(id="g", strategy=strategy)], said) as tree:
        before = {name: child.pid for name, child in tree.children.items()}
        kill(tree, "b")

        def replaced() -> bool:
            return tree.all_ready() and all(tree.children[name].pid != before[name] for name in restarted)

        turn_until(tree, replaced)
        after = {name: child.pid for name, child in tree.children.items()}
        assert {name for name in "abcd" if after[name] != before[name]} == set(restarted)
        assert "b was killed by SIGKILL; starting it again" in said
        assert [line for line in said if line.startswith("d ")] == []
        siblings = {name: tree.children[name].last_exit for name in restarted if name != "b"}
        assert all(exit_ is not None and exit_.code == 0 for exit_ in siblings.values())  # asked to stop, not killed
        ends = [exit_.at_ms for name, exit_ in sorted(siblings.items(), reverse=True) if exit_ is not None]
        assert ends == sorted(ends)  # in the reverse of the start order


def test_a_temporary_sibling_goes_down_with_its_group_and_does_not_come_back(tmp_path: Path) -> None:
    specs = [
        ChildSpec(id=name, start=WORKS, group="g", restart="temporary" if name == "b" else "permanent")
        for name in "abc"
    ]
    with tree_of(tmp_path, specs, [Group(id="g", strategy="one_for_all")]) as tree:
        before = {name: child.pid for name, child in tree.children.items()}
        kill(tree, "c")
        turn_until(tree, lambda: tree.children["a"].is_ready and tree.children["c"].is_ready)
        assert tree.children["a"].pid != before["a"]
        assert tree.children["b"].state == "stopped"
        assert tree.children["b"].pid is None


def test_a_crash_looping_member_takes_its_group_down_at_once_and_all_come_back_after_the_wait(tmp_path: Path) -> None:
    specs = [ChildSpec(id=name, start=WORKS, group="g" if name in "ab" else "main", intensity=0) for name in "abd"]
    said: list[str] = []
    with tree_of(tmp_path, specs, [Group(id="g", strategy="one_for_all")], said) as tree:
        before = {name: child.pid for name, child in tree.children.items()}
        kill(tree, "a")
        turn_until(tree, lambda: tree.children["b"].pid is None and tree.children["b"].phase == "waiting")
        assert tree.children["a"].state == "crash-looping"
        assert tree.children["b"].state == "backing-off"
        assert tree.children["b"].degraded
        assert "with its group" in (tree.children["b"].reason(0.0) or "")
        turn_until(tree, lambda: tree.children["a"].phase == tree.children["b"].phase == "ready")
        assert tree.children["d"].pid == before["d"]
        assert tree.children["b"].restarts == 0  # it did not fail


def test_a_group_past_its_bounds_escalates_all_of_it_goes_down_and_comes_back_and_nobody_else(tmp_path: Path) -> None:
    specs = [ChildSpec(id=name, start=WORKS, group="g" if name in "ab" else "main") for name in "abd"]
    said: list[str] = []
    with tree_of(tmp_path, specs, [Group(id="g", strategy="one_for_one", intensity=1)], said) as tree:
        before = {name: child.pid for name, child in tree.children.items()}
        kill(tree, "a")
        turn_until(tree, lambda: tree.children["a"].is_ready and tree.children["a"].pid != before["a"])
        assert tree.children["b"].pid == before["b"]
        kill(tree, "b")  # the second death of the group within its period
        turn_until(tree, lambda: tree.children["a"].phase == tree.children["b"].phase == "waiting")
        assert any("its group g is past its bounds and goes down; next try in" in line for line in said)
        turn_until(tree, tree.all_ready)
        assert tree.children["b"].pid != before["b"]
        assert tree.children["d"].pid == before["d"]


def test_a_death_of_the_fork_server_while_one_backs_off_leaves_it_waiting_not_forgotten(tmp_path: Path) -> None:
    specs = [ChildSpec(id="a", start=WORKS, intensity=0), ChildSpec(id="b", start=WORKS)]
    with tree_of(tmp_path, specs, []) as tree:
        kill(tree, "a")
        turn_until(tree, lambda: tree.children["a"].phase == "waiting")
        stopped = server_of(tree)
        os.kill(stopped, signal.SIGSTOP)
        kill(tree, "b")
        turn_until(tree, lambda: tree.children["b"].is_ready and tree.children["a"].phase == "ready")
        assert server_of(tree) != stopped


def test_a_reserve_that_was_killed_is_replaced_and_harms_nobody(tmp_path: Path) -> None:
    with tree_of(tmp_path, [ChildSpec(id="a", start=WORKS)], []) as tree:
        known = {tree.children["a"].pid}
        reserve = until(lambda: [pid for pid in children_of(server_of(tree)) if pid not in known])[0]
        os.kill(reserve, signal.SIGKILL)
        until(lambda: is_gone(reserve))
        for _ in range(3):
            before = tree.children["a"].pid
            kill(tree, "a")
            turn_until(tree, lambda: tree.children["a"].is_ready and tree.children["a"].pid != before)  # noqa: B023
        server = server_of(tree)
    until(lambda: not children_of(server), 2)


def test_a_brutal_kill_does_not_ask_first(tmp_path: Path) -> None:
    spec = ChildSpec(id="a", start=WORKS, shutdown_s=0)
    tree = Tree([spec], Config(data_dir=str(tmp_path)), demo=False, say=lambda text: None, preload=[])
    tree.start()
    turn_until(tree, tree.all_ready)
    tree.stop()
    turn_until(tree, lambda: tree.finished)
    last = tree.children["a"].last_exit
    tree.close()
    assert last is not None
    assert last.code == -signal.SIGKILL


def test_what_cannot_be_preloaded_is_said_and_harms_nobody(tmp_path: Path) -> None:
    said: list[str] = []
    spec = ChildSpec(id="a", start=WORKS)
    modules = ["no_such_module", "tests.supervisor.children"]
    tree = Tree([spec], Config(data_dir=str(tmp_path / "data")), demo=False, say=said.append, preload=modules)
    tree.start()
    turn_until(tree, tree.all_ready)
    tree.stop()
    turn_until(tree, lambda: tree.finished)
    tree.close()
    assert said == ["preload: no_such_module cannot be imported: ModuleNotFoundError: No module named 'no_such_module'"]
