"""Who reads which settings: the plan's word, compared with the code of each actor and of all that it imports.

In: the sources, as syntax trees; no actor is run. A section that an actor reads and does not list would be changed by
`reload` without anybody noticing; one that it lists and does not read would restart it for nothing.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from actors.core.config import Config
from supervisor.keys import all_sections
from supervisor.plan import plan

ROOT = Path(__file__).parents[2]
OURS = ("actors", "web")
EVERYONES = {"log"}
SPECS = {spec.id: spec for spec in plan(Config(), True)}


@cache
def tree_of(module: str) -> ast.Module | None:
    """Return a module's syntax, None where it is a package's name or a name within a module."""
    path = ROOT.joinpath(*module.split("."))
    file = path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
    return ast.parse(file.read_text()) if file.is_file() else None


def imports_of(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            assert node.level == 0, "imports name their module in full here"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules_of(start: str) -> set[str]:
    """Return a module of ours and all of ours that it imports, however indirectly; the settings themselves aside."""
    found: set[str] = set()
    coming = [start]
    while coming:
        module = coming.pop()
        tree = tree_of(module) if module.split(".")[0] in OURS and module != Config.__module__ else None
        if tree is not None and module not in found:
            found.add(module)
            coming += imports_of(tree)
    return found


def is_settings(node: ast.expr) -> bool:
    """Whether an expression is the whole of the settings, by the name that it always bears here."""
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name.lstrip("_") == "config"


def sections_in(tree: ast.Module) -> set[str]:
    """Return the sections read in a module, those behind a property of the settings too."""
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and is_settings(node.value)}
    return (names & set(all_sections())) | {section for name in names for section in behind_properties().get(name, ())}


@cache
def behind_properties() -> dict[str, set[str]]:
    """Return which sections each property of the settings reads."""
    tree = tree_of(Config.__module__)
    assert tree is not None
    (config,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == Config.__name__)
    return {
        method.name: {node.attr for node in ast.walk(method) if isinstance(node, ast.Attribute)} & set(all_sections())
        for method in config.body
        if isinstance(method, ast.FunctionDef)
    }


def renamed(tree: ast.Module) -> Iterator[str]:
    """Yield the settings under another name, under which this test would lose sight of them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and is_settings(node.value):
            yield from (ast.unparse(target) for target in node.targets if not is_settings(target))
        elif isinstance(node, ast.keyword) and is_settings(node.value) and node.arg != "config":
            yield str(node.arg)


@pytest.mark.parametrize("name", SPECS)
def test_an_actor_lists_exactly_the_sections_that_it_reads(name: str) -> None:
    start = SPECS[name].start.partition(":")[0]
    trees = [tree for module in modules_of(start) if (tree := tree_of(module)) is not None]
    assert set(SPECS[name].sections) - EVERYONES == set().union(*map(sections_in, trees)) - EVERYONES


def test_the_settings_go_by_one_name() -> None:
    trees = {module: tree_of(module) for spec in SPECS.values() for module in modules_of(spec.start.partition(":")[0])}
    assert {module: names for module, tree in trees.items() if tree and (names := list(renamed(tree)))} == {}


def test_a_section_is_found_where_it_is_read_directly_or_behind_a_property() -> None:
    assert sections_in(ast.parse("def f(self): return self._config.site.url, config.profile_path")) == {
        "site",
        "browser",
    }
    assert sections_in(ast.parse("config['web'], app.feed")) == set()
