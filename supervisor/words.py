"""What happened to a child, in plain words for people. Pure."""

import signal


def exit_words(code: int | None, out_of_memory: bool | None = False, working_on: str = "") -> str:
    """Say how a process ended; code: negative for a signal, None where it is not known.

    working_on: what it was at when it was killed, empty where that is not known.
    """
    at_work = f" while working on {working_on}" if working_on else ""
    if out_of_memory:
        return f"was killed by the kernel{at_work}: out of memory"
    if code is None:
        return "ended together with the fork server"
    if code < 0:
        return f"was killed by {signal_name(-code)}{at_work}"
    return "ended" if code == 0 else f"ended with exit code {code}"


def exit_figures(code: int | None) -> dict[str, int | None]:
    """Return an exit as contract 4.2 has it: a code or a signal, the other null."""
    if code is None or code >= 0:
        return {"code": code, "signal": None}
    return {"code": None, "signal": -code}


def signal_name(number: int) -> str:
    """Return a signal's name, or its number where it has none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def duration(seconds: float) -> str:
    """Return a span of time as people say it: 0.4 s, 12 s, 3 min, 5 h 12 min, 4 d 3 h."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
