"""Groups in a tree of real children inside this process: who restarts with whom, and in which order."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from actors.core.config import Config
from supervisor.spec import ChildSpec, Group, Strategy
from supervisor.tree import Tree
from tests.supervisor.running import until

pytestmark = pytest.mark.system

NAMES = "abc"


def turn_until(tree: Tree, so: Callable[[], bool]) -> None:
    """Run the tree's control loop until something is so."""

    def turned() -> bool:
        tree.turn()
        return so()

    until(turned)


@contextmanager
def tree_of(home: Path, strategy: Strategy, said: list[str]) -> Iterator[Tree]:
    """Run a, b and c as one group, d outside of it, until all are ready."""
    specs = [
        ChildSpec(id=name, start="tests.supervisor.children:works", group="g" if name in NAMES else "main")
        for name in "abcd"
    ]
    groups = [Group(id="g", strategy=strategy)]
    config = Config(data_dir=str(home))
    tree = Tree(specs, config, demo=False, say=said.append, groups=groups, preload=[])
    try:
        tree.start()
        turn_until(tree, tree.all_ready)
        yield tree
    finally:
        tree.stop()
        turn_until(tree, lambda: tree.finished)
        tree.close()


@pytest.mark.parametrize(
    ("strategy", "restarted"), [("one_for_one", "b"), ("one_for_all", "abc"), ("rest_for_one", "bc")]
)
def test_the_groups_strategy_names_who_restarts(tmp_path: Path, strategy: Strategy, restarted: str) -> None:
    said: list[str] = []
    with tree_of(tmp_path, strategy, said) as tree:
        before = {name: child.pid for name, child in tree.children.items()}
        killed = before["b"]
        assert killed
        os.kill(killed, signal.SIGKILL)

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


def test_a_brutal_kill_does_not_ask_first(tmp_path: Path) -> None:
    spec = ChildSpec(id="a", start="tests.supervisor.children:works", shutdown_s=0)
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
    spec = ChildSpec(id="a", start="tests.supervisor.children:works")
    modules = ["no_such_module", "tests.supervisor.children"]
    tree = Tree([spec], Config(data_dir=str(tmp_path / "data")), demo=False, say=said.append, preload=modules)
    tree.start()
    turn_until(tree, tree.all_ready)
    tree.stop()
    turn_until(tree, lambda: tree.finished)
    tree.close()
    assert said == ["preload: no_such_module cannot be imported: ModuleNotFoundError: No module named 'no_such_module'"]
