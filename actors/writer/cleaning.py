"""Values that their column cannot hold, made harmless. Pure.

In: one value as msgpack brought it, and its column's type. Out: what the column holds instead, null where nothing fits.
Text that is no UTF-8 is kept with replacement characters. Never raises.
"""

import datetime
from collections.abc import Callable
from typing import Any

_LARGEST = {"int8": 2**7, "int32": 2**31, "int64": 2**63, "timestamp[us, UTC]": 2**63}


def clean(value: Any, kind: str) -> Any:
    """Return the value as the column type `kind` can hold it, None where it cannot."""
    return None if value is None else _CLEANERS[kind](value, kind)


def was_changed(old: Any, new: Any) -> bool:
    """Say whether cleaning lost something; another type for the same number is no loss."""
    if isinstance(old, bytes) and isinstance(new, str):
        return new.encode() != old
    if isinstance(old, list) and isinstance(new, list):
        return new.count(None) != old.count(None)
    return (old is None) != (new is None) or (isinstance(old, str) and bool(old != new))


def _whole(value: Any, kind: str) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    fits = type(value) is int and -_LARGEST[kind] <= value < _LARGEST[kind]
    return value if fits else None


def _time(value: Any, kind: str) -> int | None:
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        value = round(value.timestamp() * 1_000_000)
    return _whole(value, kind)


def _double(value: Any, kind: str) -> float | None:
    try:
        return float(value) if type(value) in (int, float) else None
    except OverflowError:
        return None


def _truth(value: Any, kind: str) -> bool | None:
    return value if type(value) is bool else None


def _text(value: Any, kind: str) -> str | None:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value.encode(errors="replace").decode() if isinstance(value, str) else None


def _doubles(value: Any, kind: str) -> list[float | None] | None:
    return [_double(item, kind) for item in value] if isinstance(value, list) else None


_CLEANERS: dict[str, Callable[[Any, str], Any]] = {
    "int8": _whole,
    "int32": _whole,
    "int64": _whole,
    "double": _double,
    "bool": _truth,
    "string": _text,
    "timestamp[us, UTC]": _time,
    "list<double>": _doubles,
}
