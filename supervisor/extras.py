"""The rules for a user's own actors that look at more than one key.

In: settings whose every key is valid for itself. Out: what is wrong, as `checks.Fault`s are made of it: (key, found,
rule, way out). Imports nothing of the user's: a `start` that names nothing is that actor's crash, shown in `status`.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from actors.core.config import Actors, ExtraActor

RESERVED = ("supervisor", "fork-server")  # names of log files and of processes
MAIN = "main"  # the group of whoever names none
MOST_BYTES = 60_000  # of all of it: every actor is given the settings in one message

Wrong = tuple[str, object, str, str]


def wrong_actors(actors: Actors, taken: Iterable[str]) -> Iterator[Wrong]:
    """Yield every broken rule. taken: the ids of our own actors."""
    ids = dict.fromkeys((*taken, *RESERVED), "VECTRA's own")
    groups = {MAIN: "the group of all who name none"}
    for number, group in enumerate(actors.groups):
        if group.id in groups:
            yield f"actors.groups[{number}].id", group.id, f"unique ({groups[group.id]} has it)", "Choose another name."
        groups.setdefault(group.id, f"actors.groups[{number}]")
    for number, actor in enumerate(actors.extra):
        place = f"actors.extra[{number}]"
        if actor.id in ids:
            yield f"{place}.id", actor.id, f"unique (it is {ids[actor.id]})", "Choose another name."
        ids.setdefault(actor.id, f"that of {place}")
        yield from _wrong_in(place, actor, groups)
    for number, folder in enumerate(actors.path):
        yield from _whole(f"actors.path[{number}]", folder)
    if len(msgspec.msgpack.encode(actors)) > MOST_BYTES:
        yield "actors.extra", f"{len(actors.extra)} actors", f"at most {MOST_BYTES} bytes in all", "Shorten it."


def _wrong_in(place: str, actor: ExtraActor, groups: Iterable[str]) -> Iterator[Wrong]:
    if (actor.start is None) == (actor.command is None):
        found = "both start and command" if actor.start is not None else "neither start nor command"
        yield place, found, "one of start ('package.module:function') and command (a list)", "Keep or write one."
    if actor.command is not None and not actor.command[0]:
        yield f"{place}.command", actor.command, "a program and its arguments", "Name the program."
    if actor.group not in groups:
        known = ", ".join(groups)
        yield f"{place}.group", actor.group, f"one of {known}", "Describe it in actors.groups, or leave it out."
    if actor.folder is not None:
        yield from _whole(f"{place}.folder", actor.folder)


def _whole(key: str, folder: str) -> Iterator[Wrong]:
    if not Path(folder).expanduser().is_absolute():
        yield key, folder, "a whole path, from / or ~", "Write it in full: VECTRA may run in any directory."
