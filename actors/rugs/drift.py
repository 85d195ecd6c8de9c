"""Drift: what the game sends and our structs do not tell, each reported once as `system.drift`.

In: payloads as they come, held against the structs of `wire_*.py`. Out: a report for an unknown event or field, a field
of another JSON type, and one that was always there and has been missing `MISSING_IN_A_ROW` times. null counts as left
out. Reports say names and types, never values. What was reported is part of the memory, so it is told once for ever;
frames that were not as described are counted by event.
"""

from collections.abc import Iterable, Iterator
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Struct

from actors.rugs import wire_player, wire_social, wire_state
from actors.rugs.fields import ALWAYS, FULL, TICK, fields_of, present
from actors.rugs.jsontext import encode
from actors.rugs.memory import Memory
from actors.rugs.output import Output
from actors.rugs.player_keys import is_uncovered

MISSING_IN_A_ROW: Final = 5
MAX_EVENTS: Final = 100
MAX_REPORTS: Final = 50
"""Events that are reported at all, and reports of each: payloads may be made to flood."""
MAX_ITEMS: Final = 64
LOOK_EVERY: Final = 64  # frames of an event that is known to differ: finding where costs thirty times the rest
MAX_NAME: Final = 100
UNCOVERED: Final = "no player's name or id: it would get no pseudonym"
MAX_LEVELS: Final = 6
UNKNOWN: Final = "unknown "  # begins the key under which frames of an unknown event are counted

RECEIVED: Final[dict[str, type[Struct] | None]] = wire_state.WIRE | wire_player.WIRE | wire_social.WIRE
SENT: Final[dict[str, type[Struct] | None]] = wire_social.SENT
_RECEIVED: Final = {name.lower(): struct for name, struct in RECEIVED.items()}
_SENT: Final = {name.lower(): struct for name, struct in SENT.items()}

What = Literal["unknown event", "unknown", "retyped", "vanished"]


class Node(Struct, frozen=True):
    """What a value may be: JSON types, and what is in it. Empty types: anything."""

    types: tuple[str, ...] = ()
    fields: dict[str, "Node"] | None = None
    is_open: bool = False
    items: "Node | None" = None
    values: "Node | None" = None


class Finding(Struct, frozen=True):
    """One difference: the path of a field, what is the matter, what it should be and what it is."""

    field: str | None
    what: What
    expected: str | None
    found: str | None


def node_of(hint: Any) -> Node:
    """Return the node of a type as the structs write it."""
    origin, args = get_origin(hint), get_args(hint)
    if hasattr(hint, "__metadata__"):
        return node_of(hint.__origin__)
    if origin in (Union, UnionType):
        parts = [node_of(arg) for arg in args if arg is not NoneType]
        return parts[0] if len(parts) == 1 else Node(types=tuple(name for part in parts for name in part.types))
    if origin is list:
        return Node(types=("array",), items=None if args[0] is Any else node_of(args[0]))
    if origin is dict:
        return Node(types=("object",), values=None if args[1] is Any else node_of(args[1]))
    if isinstance(hint, type) and issubclass(hint, Struct):
        is_open = not hint.__struct_config__.forbid_unknown_fields
        named = {name: node_of(told.type) for name, told in fields_of(hint).items()}
        return Node(types=("object",), fields=named, is_open=is_open)
    return {float: Node(types=("number",)), str: Node(types=("text",)), bool: Node(types=("bool",))}.get(hint, Node())


_NODES: Final = {struct: node_of(struct) for struct in [*RECEIVED.values(), *SENT.values()] if struct is not None}
_ALWAYS: Final = {struct: present(struct, ALWAYS) for struct in _NODES}
STATE: Final = _NODES[wire_state.GameState].fields or {}
_TICK: Final = present(wire_state.GameState, TICK) | present(wire_state.GameState, ALWAYS)
_FULL: Final = present(wire_state.GameState, FULL) | present(wire_state.GameState, ALWAYS)


def check_event(memory: Memory, out: Output, name: str, payload: Any, *, sent: bool) -> None:
    """Hold an event's first argument against its struct; an event that nobody knows is reported itself."""
    table = _SENT if sent else _RECEIVED
    key = name.lower()
    if key not in table:
        is_new = name[:MAX_NAME] not in memory.drifts
        report(memory, out, name, Finding(None, "unknown event", None, type_name(payload)))
        for finding in uncovered(payload, "") if is_new else ():
            report(memory, out, name, finding)
        if (shown := name[:MAX_NAME]) in memory.drifts:
            _count(memory, f"{UNKNOWN}{shown}")
        return
    struct = table[key]
    if struct is None:
        return
    try:
        msgspec.convert(payload, struct)
    except msgspec.ValidationError:
        if _count(memory, f"sent {key}" if sent else key) % LOOK_EVERY == 0:
            for finding in differences(_NODES[struct], payload, ""):
                report(memory, out, name, finding)
    if isinstance(payload, dict):
        check_presence(memory, out, name, key, payload, _ALWAYS[struct])


def differs(memory: Memory, out: Output, name: str, findings: Iterable[Finding]) -> None:
    """Report what differs in a frame of a known event, and count the frame where something does."""
    found = list(findings)
    if found:
        _count(memory, name.lower())
    for finding in found:
        report(memory, out, name, finding)


def kinds(memory: Memory) -> dict[str, int]:
    """Return how many differences were reported, by what is the matter."""
    told = [key for reported in memory.drifts.values() for key in reported]
    events = sum(key == f"{get_args(What)[0]} None" for key in told)
    others = {what: sum(key.startswith(f"{what} ") for key in told) for what in get_args(What)[1:]}
    return {get_args(What)[0]: events, **others, "unknown": others["unknown"] - events}


def _count(memory: Memory, key: str) -> int:
    """Count a frame that is not as described; return how many there were before."""
    before = memory.differed.get(key, 0)
    memory.differed[key] = before + 1
    return before


def check_state_presence(memory: Memory, out: Output, name: str, fields: dict[str, Any], *, active: bool) -> None:
    """Look for what every state frame has, and what those of ticks and full ones have besides."""
    if "gameHistory" in fields or "highestToday" in fields:
        check_presence(memory, out, name, "full", fields, _FULL)
    elif active and "active" in fields and "gameVersion" not in fields:
        check_presence(memory, out, name, "tick", fields, _TICK)
    else:
        check_presence(memory, out, name, "countdown", fields, _ALWAYS[wire_state.GameState])


def check_presence(
    memory: Memory, out: Output, name: str, key: str, fields: dict[str, Any], expected: frozenset[str]
) -> None:
    """Report fields that were there before and are missing for a while now. key: of event and shape."""
    there = len(expected) - len(expected.difference(fields))
    if memory.whole.get(key) == there:
        return
    counts = memory.presence.setdefault(key, {})
    for field in sorted(expected):
        if field in fields:
            counts[field] = 0
        elif field in counts:
            counts[field] = min(counts[field] + 1, MISSING_IN_A_ROW)
            if counts[field] == MISSING_IN_A_ROW:
                report(memory, out, name, Finding(field, "vanished", None, None))
    memory.whole[key] = len(counts) if there == len(counts) else -1


def differences(node: Node, value: Any, path: str) -> Iterator[Finding]:
    """Yield where a value is not what its node says, not deeper than what is wrong."""
    found = type_name(value)
    if found == "null" or not node.types:
        return
    if found not in node.types:
        yield Finding(path or None, "retyped", " or ".join(node.types), found)
        return
    if isinstance(value, list):
        for item in value[:MAX_ITEMS] if node.items is not None else ():
            yield from differences(node.items or Node(), item, f"{path}[]")
    elif isinstance(value, dict) and node.fields is not None:
        yield from _in_fields(node, value, f"{path}." if path else "")
    elif isinstance(value, dict) and node.values is not None:
        for inner in list(value.values())[:MAX_ITEMS]:
            yield from differences(node.values, inner, f"{path}.*")


def _in_fields(node: Node, value: dict[str, Any], prefix: str) -> Iterator[Finding]:
    unknown = 0
    for name, inner in value.items():
        known = (node.fields or {}).get(name)
        if known is not None:
            yield from differences(known, inner, f"{prefix}{name}")
        elif not node.is_open and unknown < MAX_REPORTS:
            unknown += 1
            path = f"{prefix}{name[:MAX_NAME]}"
            expected = UNCOVERED if isinstance(inner, str) and is_uncovered(name) else None
            yield Finding(path, "unknown", expected, type_name(inner))
            yield from uncovered(inner, path)


def uncovered(value: Any, path: str, levels: int = MAX_LEVELS) -> Iterator[Finding]:
    """Yield the keys in what nobody described that look like those of players, and whose texts get no pseudonym."""
    if isinstance(value, list) and levels:
        for item in value[:MAX_ITEMS]:
            yield from uncovered(item, f"{path}[]", levels - 1)
    elif isinstance(value, dict) and levels:
        for name, inner in list(value.items())[:MAX_ITEMS]:
            inside = f"{path}.{name[:MAX_NAME]}" if path else name[:MAX_NAME]
            if isinstance(inner, str) and is_uncovered(name):
                yield Finding(inside, "unknown", UNCOVERED, "text")
            yield from uncovered(inner, inside, levels - 1)


def type_name(value: Any) -> str:
    """Return the JSON type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def report(memory: Memory, out: Output, event: str, finding: Finding) -> None:
    """Note a finding for `system.drift`, unless it was reported before or there are too many."""
    event = event[:MAX_NAME]
    if event not in memory.drifts and len(memory.drifts) >= MAX_EVENTS:
        return
    known = memory.drifts.setdefault(event, {})
    key = f"{finding.what} {finding.field}"
    if key in known or len(known) >= MAX_REPORTS:
        return
    known[key] = out.seq
    told = {"event": event, "field": finding.field, "what": finding.what}
    types = {"expected": finding.expected, "type": finding.found}
    out.drift(encode({**told, **types, "firstSeenSeq": out.seq, "firstSeenAt": out.at_us // 1000}))
