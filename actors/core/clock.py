"""The clocks of this host, read in shells only: cores are told the time."""

import time


def now_us() -> int:
    """Unix time in microseconds."""
    return time.time_ns() // 1000


def monotonic_s() -> float:
    """Seconds of CLOCK_MONOTONIC, Chromium's `timestamp` on the same host."""
    return time.monotonic()


def wall_minus_monotonic_s() -> float:
    """What to add to a monotonic second to get Unix time, as of now."""
    return time.time() - time.monotonic()
