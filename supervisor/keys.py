"""Every key of the settings: its dotted name, its type, its default and its rule in words.

Read from the structs of `actors.core.config`, so that the loader, the messages, the environment variables and the
tests of the reference page can never disagree with them.
"""

import json
import types
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Struct

from actors.core.config import Config, Section

OLDER_NAMES = {
    "RUGS_DATA_DIR": "data_dir",
    "CHROME_PROFILE": "browser.profile",
    "CDP_PORT": "browser.cdp_port",
    "FOUNDATION_PORT": "feed.port",
    "FOUNDATION_HTTP_PORT": "monitor.port",
    "FOUNDATION_HEADLESS": "browser.headless",
}
"""Environment variables that older systems of this kind used -> our key. `VECTRA_...` beats them."""

_PLAIN_RULES = {bool: "true or false", str: "text", int: "a whole number", float: "a number", type(None): "null"}


class Key(Struct, frozen=True, kw_only=True):
    """One setting."""

    name: str  # "recording.flush_rows", or "data_dir" at top level
    type: Any
    default: Any
    rule: str

    @property
    def section(self) -> str:
        """The section's name, "" at top level."""
        return self.name.rpartition(".")[0]

    @property
    def leaf(self) -> str:
        """The name within the section."""
        return self.name.rpartition(".")[2]

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "VECTRA_" + self.name.replace(".", "_").upper()


def is_section(kind: Any) -> bool:
    """Say whether a field's type is a section with keys of its own."""
    return isinstance(kind, type) and issubclass(kind, Section)


@cache
def all_keys() -> dict[str, Key]:
    """Return every key by its dotted name, in the order of the structs."""
    keys: dict[str, Key] = {}
    for field in msgspec.structs.fields(Config):
        inner = msgspec.structs.fields(field.type) if is_section(field.type) else None
        for leaf in inner if inner is not None else (field,):
            name = f"{field.name}.{leaf.name}" if inner is not None else leaf.name
            keys[name] = Key(name=name, type=leaf.type, default=_default(leaf), rule=rule_of(leaf.type))
    return keys


@cache
def all_sections() -> tuple[str, ...]:
    """Return the names of the sections, in order."""
    return tuple(field.name for field in msgspec.structs.fields(Config) if is_section(field.type))


def rule_of(kind: Any) -> str:
    """Say in words what a value must be, to follow "must be"."""
    for note in getattr(kind, "__metadata__", ()):
        if isinstance(note, msgspec.Meta) and note.description:
            return note.description
    origin, inner = get_origin(kind), get_args(kind)
    if hasattr(kind, "__metadata__"):
        return rule_of(inner[0])
    if origin is Literal:
        return "one of " + ", ".join(str(choice) for choice in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(rule_of(part) for part in inner)
    if origin is list:
        return f"a list, each {rule_of(inner[0])}"
    return _PLAIN_RULES.get(kind, getattr(kind, "__name__", str(kind)))


def show(value: Any, most: int | None = 120) -> str:
    """Return a value as one would write it in the file, as a terminal may show it; most: characters, None for all."""
    if isinstance(value, str):
        text = repr(value)
    else:
        try:
            text = json.dumps(value, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError):
            text = _plain_text(value)
    text = printable(text)
    return text if most is None or len(text) <= most else text[: most - 3] + "..."


def printable(text: str) -> str:
    """Return a text as a terminal may show it: what stands in a file must not steer it."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def _plain_text(value: Any) -> str:
    try:
        return str(value)
    except (ValueError, RecursionError):  # an integer of more digits than Python prints, or a value too deep
        return f"a very large {type(value).__name__}"


def _default(field: Any) -> Any:
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
