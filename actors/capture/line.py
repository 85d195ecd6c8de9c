"""A queue at a counter: items leave in the order in which they happened, though the content of some comes later. Pure.

The body of a poll must be asked for, and its answer comes after WebSocket frames that happened later. A place is
reserved where the poll ended; what comes behind waits until the place is filled, but never longer than `HOLD_S`.
"""

from collections import deque
from collections.abc import Iterable, Iterator

from actors.core.messages import Captured

HOLD_S = 1.0  # bodies arrive within milliseconds; a renderer that needs a second is hung, and its frames come late too


class Place:
    """Reserved for items that are still to come."""

    def __init__(self, since_s: float, items: list[Captured] | None = None) -> None:
        self.since_s = since_s
        self.items = items
        self.left = False  # no longer in the line


class Line:
    """Items of one target in; the same out, in order."""

    def __init__(self) -> None:
        self._waiting: deque[Place] = deque()

    def put(self, item: Captured) -> Iterator[Captured]:
        """Take an item; yield what may leave now."""
        if not self._waiting:
            yield item
            return
        behind = self._waiting[-1]
        if behind.items is None:
            self._waiting.append(Place(behind.since_s, [item]))
        else:
            behind.items.append(item)

    def reserve(self, now_s: float) -> Place:
        """Keep a place for items that happened now."""
        place = Place(now_s)
        self._waiting.append(place)
        return place

    def fill(self, place: Place, items: Iterable[Captured]) -> Iterator[Captured]:
        """Put the items into their place; yield what may leave now: at once, where the place was given up."""
        if place.left:
            yield from items
            return
        place.items = list(items)
        yield from self._leave()

    def expire(self, now_s: float) -> Iterator[Captured]:
        """Give up places that were reserved `HOLD_S` ago or earlier; yield what may leave now."""
        for place in self._waiting:
            if place.items is None and place.since_s <= now_s - HOLD_S:
                place.items = []
                place.left = True
        yield from self._leave()

    def oldest_s(self) -> float | None:
        """Return when the first place still empty was reserved, None where nothing waits."""
        return self._waiting[0].since_s if self._waiting else None

    def _leave(self) -> Iterator[Captured]:
        while self._waiting and self._waiting[0].items is not None:
            place = self._waiting.popleft()
            place.left = True
            yield from place.items or ()
