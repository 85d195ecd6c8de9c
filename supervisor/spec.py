"""Child specs as validated data: what to start, when to start it again, how to stop it. The words are OTP's.

In: structs, from the plan or (later) from a user's file. Out: the same structs, checked, or one error that names all
that is wrong. Knows no process; a child is a string here, so that a bad import is that child's crash alone.
"""

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from actors.core.config import ExtraActor
from supervisor.keys import rule_of, show

Restart = Literal["permanent", "transient", "temporary"]
Strategy = Literal["one_for_one", "one_for_all", "rest_for_one"]

Seconds = Annotated[float, Meta(gt=0, le=3600, description="above 0, at most 3600 seconds")]


class ChildSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One child.

    restart: permanent, always; transient, after an abnormal exit only (a signal, or a code not 0); temporary, never.
    shutdown_s: between SIGTERM and SIGKILL; 0 is OTP's brutal kill.
    hang_s: the longest time without progress, once ready. sections: the settings whose change restarts it.
    longest_wait_s: between two tries while it is crash-looping.
    path: folders where `start` is looked for too. extra: the settings of a user's own actor, which it stands for.
    """

    id: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,39}\Z", description="small letters, digits and hyphens")]
    start: Annotated[str, Meta(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*\Z", description="'package.module:function'")]
    restart: Restart = "permanent"
    shutdown_s: Annotated[float, Meta(ge=0, le=3600, description="0 to 3600 seconds")] = 5.0
    start_timeout_s: Seconds = 30.0
    hang_s: Seconds = 5.0
    intensity: Annotated[int, Meta(ge=0, description="0 or more restarts")] = 5
    period_s: Seconds = 5.0
    longest_wait_s: Seconds = 30.0
    group: str = "main"
    sections: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    extra: ExtraActor | None = None


class Group(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Children that stand and fall together, as their strategy says; the order is that of the plan.

    intensity: restarts of all its members together within `period_s`, past which the whole group goes down and comes
    back after a wait; None: each child's own bounds are enough.
    """

    id: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,39}\Z", description="small letters, digits and hyphens")]
    strategy: Strategy = "one_for_one"
    intensity: Annotated[int, Meta(ge=0, description="0 or more restarts")] | None = None
    period_s: Seconds = 5.0


class SpecError(ValueError):
    """A plan cannot be run; the message names each bad spec."""


def validated(specs: Iterable[ChildSpec], groups: Iterable[Group] = ()) -> list[ChildSpec]:
    """Return the specs as a list. SpecError: a value breaks its rule, an id stands twice, a group is unknown."""
    groups = list(groups)
    errors = [error for group in groups for error in _broken_rules("group", group)]
    checked: list[ChildSpec] = []
    known_groups = {"main", *(group.id for group in groups)}
    for spec in specs:
        errors += _broken_rules("child spec", spec)
        if any(other.id == spec.id for other in checked):
            errors.append(f"child spec {spec.id!r}: id stands twice, must be unique. Rename one.")
        if spec.group not in known_groups:
            errors.append(f"child spec {spec.id!r}: group is {spec.group!r}, must be one of {sorted(known_groups)}.")
        checked.append(spec)
    if errors:
        raise SpecError("\n".join(errors))
    return checked


def _broken_rules(what: str, spec: ChildSpec | Group) -> list[str]:
    errors = []
    for field in msgspec.structs.fields(spec):
        value = getattr(spec, field.name)
        try:
            msgspec.convert(value, field.type)
        except msgspec.ValidationError:
            errors.append(f"{what} {spec.id!r}: {field.name} is {show(value)}, must be {rule_of(field.type)}.")
    return errors
