"""Rate limit of the notes about pages, and their deduplication: two captures report the same tabs. Pure.

In: page changes of the captures. Out: whether each becomes a note, and how many did not. A page opens and closes popups
without end where the browser lets it, and each would be a row of the record.
"""

from collections.abc import Iterable

from actors.core.messages import PageChanged
from actors.journal.memory import Session

SAME_PAGE_US = 3_000_000  # two captures tell of the same reload within this
PAGES_KEPT = 100  # and all that a capture which is behind may still tell of
MOST_PAGES = 10_000  # told of while a capture is behind; then some are told twice, as far as the bound allows
NOTES_A_MINUTE = 100  # a user who works hard opens ten
MINUTE_US = 60_000_000


class PageNotes:
    """Page changes in; which of them are worth a note out."""

    def __init__(self) -> None:
        self._pages: dict[tuple[str, str, str], tuple[int, int]] = {}
        self._minute = 0
        self._noted = 0
        self._omitted = 0
        self._omitted_since_us = 0

    def is_fresh(self, item: PageChanged, incarnation: int, attached: Iterable[Session]) -> bool:
        """Return whether no other capture told of it. attached: the captures that may still tell of old pages."""
        key = (item.target, item.what, item.url)
        known, at_us = self._pages.get(key, (incarnation, 0))
        if known != incarnation and abs(item.at_us - at_us) < SAME_PAGE_US:
            return False
        self._pages[key] = (incarnation, item.at_us)
        if len(self._pages) > PAGES_KEPT:
            told_us = min((session.read_until_us for session in attached), default=0) - SAME_PAGE_US
            self._pages = {key: page for key, page in self._pages.items() if page[1] >= told_us}
        if len(self._pages) > MOST_PAGES:
            self._pages.clear()
        return True

    def admits(self, at_us: int) -> bool:
        """Return whether there is room for another note; else it is counted."""
        if at_us // MINUTE_US > self._minute:
            self._minute, self._noted = at_us // MINUTE_US, 0
        self._noted += 1
        if self._noted <= NOTES_A_MINUTE:
            return True
        self._omitted_since_us = self._omitted_since_us or at_us
        self._omitted += 1
        return False

    def omitted(self, now_us: int) -> tuple[int, int] | None:
        """Return, once, since when and how many were left out, when their minute is over; None where none were."""
        if not self._omitted or now_us // MINUTE_US <= self._minute:
            return None
        told = (self._omitted_since_us, self._omitted)
        self._omitted, self._omitted_since_us = 0, 0
        return told
