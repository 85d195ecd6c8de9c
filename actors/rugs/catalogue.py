"""The names of our event types, contract 4.4's and more, and which subscriptions can ever match one.

In: types as a user or a client wrote them. Out: those that match nothing there is or can be. Pure.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable
from typing import Final

from actors.rugs.typed import EVENTS

TYPES: Final = tuple(EVENTS)
"""Every type that has a name of its own; beside them there is `raw.<name>` for whatever else the game sends."""

RAW: Final = "raw."
LONGEST_RAW: Final = len(RAW) + 100  # `drift.MAX_NAME`, whose module takes ten times as long to import


def unknown_types(wanted: Iterable[str], seen: Collection[str] = ()) -> list[str]:
    """Return those that match no type there can be; a trailing `*` is a wildcard.

    seen: types that have occurred, beside those with a name of their own. Any `raw.<name>` may come at any time, as the
    game may send any event; a name that is too long or not printable becomes `raw.other`, so nothing else can match it.
    """
    known = sorted({*TYPES, *seen, RAW})
    return [one for one in wanted if not _is_known(one, known)]


def _is_known(wanted: str, known: list[str]) -> bool:
    """known: sorted, so that 1,000 patterns against 1,000 types take a millisecond and not a tenth of a second."""
    may_be_raw = len(wanted) <= LONGEST_RAW and wanted.isprintable()
    start = wanted.removesuffix("*")
    at = bisect_left(known, start)
    if start == wanted:
        return wanted != RAW and (known[at : at + 1] == [wanted] or (may_be_raw and wanted.startswith(RAW)))
    return (may_be_raw and start.startswith(RAW)) or (at < len(known) and known[at].startswith(start))
