"""Wire values made fit for typed columns: any JSON value in, the column's type or None out.

Never raises and never guesses: a text is no number, a bool is no integer, a number that does not fit is None.
"""

from typing import Any, Final

_MAX_INT32: Final = 2**31 - 1
_MAX_TEXT: Final = 1_000_000
_MAX_MS: Final = 253_402_300_799_999
"""The end of the year 9999."""


def as_float(value: Any) -> float | None:
    """Return a finite double. An integer beyond 64 bits is no amount of anything."""
    if type(value) is float:
        return value
    return float(value) if type(value) is int and -(2**63) <= value < 2**64 else None


def as_int(value: Any) -> int | None:
    """Return an integer that fits 32 bits; a float without a fraction counts as one."""
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and -_MAX_INT32 <= value <= _MAX_INT32 else None


def as_bool(value: Any) -> bool | None:
    """Return a bool."""
    return value if type(value) is bool else None


def as_text(value: Any) -> str | None:
    """Return a text of sensible length."""
    return value if type(value) is str and len(value) <= _MAX_TEXT else None


def as_us(value: Any) -> int | None:
    """Return Unix microseconds for a time that the game gives in milliseconds."""
    if (type(value) is float or type(value) is int) and 0 <= value <= _MAX_MS:
        return int(value * 1000)
    return None


def as_game_id(value: Any) -> str | None:
    """Return a round's id: a short, printable text."""
    return value if type(value) is str and 0 < len(value) <= 64 and value.isprintable() else None
