"""Finds every bounded memory in the product's source: what forgets the oldest of something. Pure.

In: Python files. Out: places as `path::name`: a constant whose name says a bound of something kept, a function that
drops the first entry of a collection, one that keeps the last of a list, a `deque` with a length, a cache.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("actors", "supervisor", "web", "vectra_player")
BOUND = re.compile(r"(^|_)(KEPT|KEEP|MAX|MOST|LIMIT|PAST|WINDOW|TAIL|SAMPLES|RECORDS|CACHED?)(_|$)")
UNITS = re.compile(r"_(S|MS|US|LOG|PATH)$")


def places() -> set[str]:
    """Return every place in the product."""
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    return {f"{path.relative_to(ROOT)}::{name}" for path in files for name in found_in(path.read_text())}


def found_in(source: str) -> Iterator[str]:
    """Yield the names of the places in a source."""
    tree = ast.parse(source)
    for statement in tree.body:
        yield from _constants(statement)
    yield from _forgetting(tree, "")


def _constants(statement: ast.stmt) -> Iterator[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    targets = [statement.target] if isinstance(statement, ast.AnnAssign) else targets
    for target in targets:
        for name in target.elts if isinstance(target, ast.Tuple) else [target]:
            if isinstance(name, ast.Name) and name.id.isupper() and BOUND.search(name.id) and not UNITS.search(name.id):
                yield name.id


def _forgetting(node: ast.AST, within: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        name = within
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{within}.{child.name}".lstrip(".")
        if _forgets(child):
            yield f"{name or 'module'}()"
        yield from _forgetting(child, name)


def _forgets(node: ast.AST) -> bool:
    if isinstance(node, ast.Delete):  # del known[next(iter(known))], del known[:5]
        return any(isinstance(t, ast.Subscript) and (_is_first(t.slice) or _is_head(t.slice)) for t in node.targets)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):  # known[-KEPT:]
        lower = node.slice.lower
        return isinstance(lower, ast.UnaryOp) and isinstance(lower.operand, ast.Name) and node.slice.upper is None
    if not isinstance(node, ast.Call):
        return False
    called = ast.unparse(node.func)
    if called.endswith("deque"):
        return len(node.args) > 1 or any(keyword.arg == "maxlen" for keyword in node.keywords)
    if called.endswith("popitem"):
        return any(keyword.arg == "last" for keyword in node.keywords)
    if called.endswith(".pop"):
        return bool(node.args) and _is_first(node.args[0])
    return called.endswith(("lru_cache", "_keep_newest")) or called in ("cache", "functools.cache")


def _is_first(node: ast.AST) -> bool:
    return ast.unparse(node).startswith("next(iter(")


def _is_head(node: ast.AST) -> bool:
    return isinstance(node, ast.Slice) and node.lower is None and node.upper is not None
