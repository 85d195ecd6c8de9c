"""Writes `docs/reference/events.md` from the structs: every event, every field, by `python -m actors.rugs.reference`.

In: the structs of `wire_*.py` and `typed.py`, and the words of `reference_text.py`. Out: Markdown on standard output.
Pure but for that; a test demands that the file in the repository is what comes out here.
"""

import sys
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

from msgspec import Struct

from actors.rugs import drift, events
from actors.rugs.fields import fields_of
from actors.rugs.reference_text import AFTER, BEFORE
from actors.rugs.typed import EVENTS, Raw

_WHEN: Final = {"always": "always", "tick": "tick and rug frames", "full": "full frames", "": "optional"}
_PLAIN: Final = {float: "number", str: "text", bool: "bool", Any: "any"}


def page() -> str:
    """Return the whole page."""
    return "\n".join([*_head(), *_typed(), *_wire(), *_parts(), AFTER.rstrip(), ""])


def _head() -> Iterator[str]:
    yield BEFORE.rstrip()
    yield ""
    yield "| type | of |"
    yield "|---|---|"
    for name in EVENTS:
        sources = sorted(wire for wire, type_ in events.TYPES.items() if type_ == name)
        yield f"| [`{name}`](#{_anchor(name)}) | {', '.join(f'`{wire}`' for wire in sources) or _source(name)} |"
    yield "| [`raw.<name>`](#rawname) | every other event |"


def _source(name: str) -> str:
    if name.startswith("order."):
        return "the page's requests and their answers"
    if name == "player.action":
        return "presses of buttons"
    return "`gameHistory` in `gameStateUpdate`" if name == "game.completed" else "the system itself"


def _typed() -> Iterator[str]:
    yield "\n## Our events"
    for name, struct in EVENTS.items():
        yield from _section(f"`{name}`", struct)
    yield from _section("`raw.<name>`", Raw)


def _wire() -> Iterator[str]:
    yield "\n## The game's own events that stay raw, and what the page sends\n"
    yield "The first argument of each, trace object removed. Orders among the requests become `order.request`."
    stay = {
        name: struct for name, struct in drift.RECEIVED.items() if struct is not None and events.type_of(name) is None
    }
    for name, struct in stay.items():
        yield from _section(f"`{name}`", struct)
    for name, asked in drift.SENT.items():
        if asked is not None:
            yield from _section(f"`{name}`, sent", asked)
    unread = [name for name, struct in [*drift.RECEIVED.items(), *drift.SENT.items()] if struct is None]
    yield f"\nKnown by name alone, passed on as they are: {', '.join(f'`{name}`' for name in sorted(set(unread)))}."


def _parts() -> Iterator[str]:
    yield "\n## Objects within\n"
    yield "`gameStateUpdate` has besides, and only in `ws_event`:\n"
    yield from _table(drift.RECEIVED["gameStateUpdate"], without=EVENTS["game.tick"])
    for struct in _nested():
        yield from _section(f"`{struct.__name__}`", struct)


def _nested() -> list[type[Struct]]:
    """Return the structs inside of others, each once, in the order in which they come up."""
    found: dict[type[Struct], None] = {}
    waiting: list[Any] = [*EVENTS.values(), *(struct for struct in drift.RECEIVED.values() if struct is not None)]
    top = set(waiting)
    while waiting:
        for field in fields_of(waiting.pop(0)).values():
            for inner in _structs(field.type):
                if inner not in found and inner not in top:
                    found[inner] = None
                    waiting.append(inner)
    return list(found)


def _structs(hint: Any) -> Iterator[type[Struct]]:
    if isinstance(hint, type) and issubclass(hint, Struct):
        yield hint
    for arg in get_args(hint):
        yield from _structs(arg)


def _section(title: str, struct: type[Struct]) -> Iterator[str]:
    yield f"\n### {title}\n"
    yield " ".join((struct.__doc__ or "").split())
    yield ""
    yield from _table(struct)


def _table(struct: type[Struct] | None, without: type[Struct] | None = None) -> Iterator[str]:
    known = fields_of(without) if without is not None else {}
    yield "| field | type | meaning | there |"
    yield "|---|---|---|---|"
    for field in fields_of(struct).values() if struct is not None else ():
        if field.name not in known:
            yield f"| `{field.name}` | {_type(field.type)} | {field.meaning} | {field.only or _WHEN[field.when]} |"


def _type(hint: Any) -> str:
    origin, args = get_origin(hint), [arg for arg in get_args(hint) if arg is not NoneType]
    if hasattr(hint, "__metadata__"):
        return _type(hint.__origin__)
    if origin in (Union, UnionType):
        return " or ".join(_type(arg) for arg in args)
    if origin is list:
        return f"list of {_type(args[0])}" if args[0] is not Any else "list"
    if origin is dict:
        return f"object of {_type(args[1])}" if args[1] is not Any else "object"
    if hint in _PLAIN:
        return _PLAIN[hint]
    return f"[{hint.__name__}](#{hint.__name__.lower()})"


def _anchor(name: str) -> str:
    return name.replace(".", "").replace("<", "").replace(">", "")


if __name__ == "__main__":
    sys.stdout.write(page())
