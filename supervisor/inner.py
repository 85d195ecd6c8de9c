"""What is wrong inside a setting that is a list of structs, entry by entry and key by key.

In: the key's name, the value as it was found, the key's type. Out: (place within the key, found, rule), each a part of
a message as `settings` makes them: `actors.extra[0].restart is 'often', must be one of permanent, ...`.
"""

import difflib
from collections.abc import Iterator
from typing import Any, NamedTuple, get_args, get_origin

import msgspec
from msgspec import Struct

from supervisor.keys import rule_of

MISSING = "missing"


class Inner(NamedTuple):
    """One thing to mend."""

    name: str  # "actors.extra[0].restart"
    found: object
    rule: str


def struct_in(kind: Any) -> type[Struct] | None:
    """Return the struct that a list of this type holds, None for any other type."""
    while hasattr(kind, "__metadata__"):
        kind = get_args(kind)[0]
    inner = get_args(kind)[0] if get_origin(kind) is list else None
    return inner if isinstance(inner, type) and issubclass(inner, Struct) else None


def wrong_inside(name: str, value: object, kind: Any) -> Iterator[Inner]:
    """Yield what is wrong with each entry; nothing where the value as a whole is no such list."""
    struct = struct_in(kind)
    if struct is None or not isinstance(value, list):
        return
    for number, entry in enumerate(value):
        place = f"{name}[{number}]"
        if isinstance(entry, dict):
            yield from _wrong_in(place, entry, struct)
        else:
            yield Inner(place, entry, "an entry with keys, as in `- id: my-actor`")


def _wrong_in(place: str, entry: dict[Any, Any], struct: type[Struct]) -> Iterator[Inner]:
    fields = {field.name: field for field in msgspec.structs.fields(struct)}
    for key, value in entry.items():
        if key not in fields:
            nearest = difflib.get_close_matches(str(key), fields, 1)
            rule = f"one of {', '.join(fields)}" + (f"; did you mean {nearest[0]}?" if nearest else "")
            yield Inner(f"a key of {place}", key, rule)
            continue
        try:
            msgspec.convert(value, fields[key].type)
        except msgspec.ValidationError:
            yield Inner(f"{place}.{key}", value, rule_of(fields[key].type))
    for key, field in fields.items():
        if field.required and key not in entry:
            yield Inner(f"{place}.{key}", MISSING, rule_of(field.type))
