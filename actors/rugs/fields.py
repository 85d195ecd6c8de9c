"""How a field of an event is described: its type, and beside it meaning, unit and presence.

The structs of `wire_*.py` and `typed_*.py` are the one list of fields that we have: from them come the check for drift
(`drift.py`), the decoders, and the reference (`reference.py`). A field may always be null or left out; what is left out
is unchanged. Numbers are JSON numbers: the game writes 1 and 1.0 alike.
"""

from typing import Annotated, Any, Final, Literal, get_type_hints

from msgspec import Meta, Struct

Number = Annotated[float, Meta(ge=-1e18, le=1e18)]
"""An amount, price or count as the game writes it; beyond these bounds it is not the game's."""
Num = Number | None
Text = str | None
Flag = bool | None
Things = list[Any] | None
Thing = dict[str, Any] | None

When = Literal["always", "tick", "full", ""]
ALWAYS: Final = "always"
TICK: Final = "tick"
FULL: Final = "full"


def told(meaning: str, when: When = "", *, only: str = "") -> Meta:
    """Describe a field.

    meaning: with its unit and range. when: the frames that bear it without exception, `always`, or of state frames
    those of a tick or the full ones; whoever lets it out there has dropped it. only: presence in words, where it is
    neither that nor just optional.
    """
    return Meta(description=meaning, extra={"when": when, "only": only})


class Told(Struct, frozen=True):
    """What the structs say of one field."""

    name: str
    type: Any
    meaning: str
    when: When
    only: str


def fields_of(struct: type[Struct]) -> dict[str, Told]:
    """Return what is told of a struct's fields, by their names, in order."""
    hints = get_type_hints(struct, include_extras=True)
    return {name: _told(name, hints[name]) for name in struct.__struct_fields__}


def _told(name: str, hint: Any) -> Told:
    for meta in getattr(hint, "__metadata__", ()):
        if isinstance(meta, Meta) and meta.description is not None:
            extra = meta.extra or {}
            return Told(name, hint.__origin__, meta.description, extra["when"], extra["only"])
    return Told(name, hint, "", "", "")


def present(struct: type[Struct], when: When) -> frozenset[str]:
    """Return the names of the fields that are told to be there `when`."""
    return frozenset(name for name, told_ in fields_of(struct).items() if told_.when == when)
