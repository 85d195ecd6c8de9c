"""How values look on a page: fixed decimals, a true minus sign, a dash for what is not known. Pure."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

DASH = "–"


def times(value: float | None, decimals: int = 2) -> str:
    """Return a multiplier, as 2.42×."""
    return DASH if value is None else f"{value:.{decimals}f}×"


def whole(value: int | None) -> str:
    """Return a whole number with thin spaces between thousands."""
    return DASH if value is None else f"{value:,}".replace(",", "\u202f").replace("-", "−")


def moment(value: int | None) -> str:
    """Return Unix milliseconds as UTC text; pages show local time from the machine-readable attribute."""
    return DASH if value is None else f"{datetime.fromtimestamp(value / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def machine_time(value: int | None) -> str:
    """Return Unix milliseconds for a `datetime` attribute."""
    return "" if value is None else datetime.fromtimestamp(value / 1000, UTC).isoformat().replace("+00:00", "Z")


def peak_class(value: float | None) -> str:
    """Return the class that colours a peak: 2× and more is a gain for most, below 1.2× a loss."""
    if value is None:
        return "unknown"
    return "up" if value >= 2 else "down" if value < 1.2 else "even"


def verdict(verified: bool | None) -> str:
    """Return the verdict in words."""
    if verified is None:
        return "not verified"
    return "verified from seed" if verified else "does not match its seed"


FILTERS: dict[str, Callable[..., Any]] = {
    "times": times,
    "whole": whole,
    "moment": moment,
    "machine_time": machine_time,
    "peak_class": peak_class,
    "verdict": verdict,
}
