"""Values of the game's JSON as what they should be, or the fallback. Pure; never raises."""

from typing import Any

LARGEST = 2**53  # beyond it a JSON number is no exact integer for anyone


def number(value: Any, otherwise: float | None = None) -> float | None:
    """Return a number as float."""
    fits = type(value) is float or (type(value) is int and abs(value) <= LARGEST)
    return float(value) if fits else otherwise


def integer(value: Any, otherwise: int | None = None) -> int | None:
    """Return a whole number as int."""
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and abs(value) <= LARGEST else otherwise


def text(value: Any, otherwise: str | None = None) -> str | None:
    """Return text."""
    return value if isinstance(value, str) else otherwise


def mapping(value: Any) -> dict[str, Any] | None:
    """Return a JSON object."""
    return value if isinstance(value, dict) else None


def listing(value: Any, otherwise: list[Any] | None = None) -> list[Any] | None:
    """Return a JSON array."""
    return value if isinstance(value, list) else otherwise
