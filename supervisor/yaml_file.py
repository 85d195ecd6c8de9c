"""A YAML file as plain data, strictly and within bounds: a key written twice is an error, errors name line and column.

In: bytes. Out: a mapping with text keys, and a list of errors. Never raises for what stands in the file, and answers
within a second whatever that is: size, depth and number of nodes are bounded before anything is built. Anchors,
aliases and tags are refused, merge keys are none: settings need none of them, and an alias makes kilobytes into
gigabytes ("billion laughs").
"""

from collections.abc import Iterator
from typing import Any

import yaml

from supervisor.yaml_bounds import SIZE_MAX_BYTES

DEPTH_MAX = 20  # actors.extra[].environment.NAME has 5
NODES_MAX = 10_000  # read in 60 ms; the shipped file has some 200
NUMBER_MAX_CHARACTERS = 40  # longer than any number that fits a setting; Python refuses to print 5,000 digits
AGAIN = "`vectra-supervisor check` looks again."
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_KNOWN = frozenset({*_NUMBERS, "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null"})


class _StrictLoader(_Loader):  # type: ignore[misc]
    """The safe loader, but it notes keys that stand twice in one mapping, and knows no dates and no merge keys."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own way to say which plain words are more than text
        first: [(tag, pattern) for tag, pattern in known if tag in _KNOWN]
        for first, known in _Loader.yaml_implicit_resolvers.items()
    }

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self.repeated: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build the mapping as usual, noting repeated keys with their lines."""
        first_line: dict[str, int] = {}
        for key_node, _ in node.value:
            name = str(getattr(key_node, "value", ""))[:100]
            line = key_node.start_mark.line + 1
            if name in first_line:
                self.repeated.append(f"{name} stands twice, in lines {first_line[name]} and {line}, must stand once")
            first_line.setdefault(name, line)
        return dict(super().construct_mapping(node, deep))

    def construct_number(self, node: yaml.ScalarNode) -> Any:
        """Build a number, unless it is longer than any setting."""
        if len(node.value) > NUMBER_MAX_CHARACTERS:
            problem = f"a number of {len(node.value)} characters, must have at most {NUMBER_MAX_CHARACTERS}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        is_int = node.tag == _NUMBERS[0]
        try:
            return self.construct_yaml_int(node) if is_int else self.construct_yaml_float(node)
        except (ValueError, OverflowError):
            problem = f"{node.value!r} looks like a number and is none, must be one, or text in quotes"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None


for _tag in _NUMBERS:
    _StrictLoader.add_constructor(_tag, _StrictLoader.construct_number)


def read_yaml(content: bytes, place: str) -> tuple[dict[str, Any], list[str]]:
    """Return what a file says and what is wrong with its form; `place` is how messages call the file."""
    if len(content) > SIZE_MAX_BYTES:
        return {}, [f"{place}: is larger than settings can be, must be at most {SIZE_MAX_BYTES} bytes. Shorten it."]
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return {}, [f"{place}: cannot be read: it is not UTF-8 text. Save it as UTF-8."]
    loader: _StrictLoader | None = None
    try:
        _check_bounds(text)
        loader = _StrictLoader(text)
        data = loader.get_single_data()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return {}, [f"{place}: {_explain(error)} Mend that line; {AGAIN}"]
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
    found = {str(key): value for key, value in data.items()}
    for name in _in_both_forms(found):
        errors.append(f"{place}: {name} stands twice, dotted and in its section, must stand once. Remove one of them.")
    return found, errors


def _in_both_forms(found: dict[str, Any]) -> list[str]:
    """Return the keys that are written as `section.key` and inside `section:` too: readers differ on which counts."""
    inner = [f"{name}.{leaf}" for name, value in found.items() if isinstance(value, dict) for leaf in value]
    return [name for name in inner if name in found]


def _check_bounds(text: str) -> None:
    """Go through the file's tokens without building anything. yaml.YAMLError: it goes beyond the bounds."""
    depth = nodes = 0
    events: Iterator[Any] = yaml.parse(text, Loader=_Loader)
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        nodes += isinstance(event, yaml.NodeEvent)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            problem = "an anchor (&) or alias (*), must be none: write the value out, or put text in quotes"
        elif getattr(event, "tag", None) is not None:
            problem = f"could not determine a constructor for the tag {str(event.tag)[:60]!r}: there must be no tags"
        elif depth > DEPTH_MAX:
            problem = f"a value more than {DEPTH_MAX} levels deep, must be less deep"
        elif nodes > NODES_MAX:
            problem = f"more than {NODES_MAX} values, must be fewer"
        else:
            continue
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)


def _explain(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {(error.problem or 'is not YAML')[:300]}."
    return "is not YAML: " + " ".join(str(error).split())[:300] + "."
