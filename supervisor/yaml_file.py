"""A YAML file as plain data, strictly: a key written twice is an error, and errors name line and column.

In: a path. Out: a mapping with text keys, and a list of errors. Never raises for what stands in the file.
"""

from pathlib import Path
from typing import Any

import yaml


class _StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The safe loader, but it notes keys that stand twice in one mapping."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self.repeated: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build the mapping as usual, noting repeated keys with their lines."""
        first_line: dict[str, int] = {}
        for key_node, _ in node.value:
            name = str(getattr(key_node, "value", key_node))
            line = key_node.start_mark.line + 1
            if name in first_line:
                self.repeated.append(f"{name} stands twice, in lines {first_line[name]} and {line}, must stand once")
            first_line.setdefault(name, line)
        return dict(super().construct_mapping(node, deep))


def read_yaml(path: Path, place: str) -> tuple[dict[str, Any], list[str]]:
    """Return what the file says and what is wrong with its form; `place` is how messages call the file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        return {}, [f"{place}: cannot be read: {reason}. Check the path and its rights, or leave out --config."]
    loader: _StrictLoader | None = None
    try:
        loader = _StrictLoader(text)
        data = loader.get_single_data()
    except yaml.YAMLError as error:
        return {}, [f"{place}: {_explain(error)} Mend that line; `vectra-supervisor check` looks again."]
    finally:
        if loader is not None:
            loader.dispose()
    errors = [f"{place}: {repeated}. Remove one of them." for repeated in loader.repeated]
    if data is None:
        return {}, errors
    if not isinstance(data, dict):
        errors.append(
            f"{place}: holds {type(data).__name__}, must be sections with keys, as in `feed:` / `  port: 9000`."
        )
        return {}, errors
    return {str(key): value for key, value in data.items()}, errors


def _explain(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem or 'is not YAML'}."
    return "is not YAML: " + " ".join(str(error).split()) + "."
