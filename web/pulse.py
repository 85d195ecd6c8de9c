"""How fast events come, and how far the disk is behind them. Pure: batches and the time in, two figures out.

An event counts as on disk when a later batch says that the journal has synced its number, so the lag shown is an upper
bound: it contains the wait for that next batch.
"""

from collections import deque
from typing import Any

from actors.core.messages import Events

WINDOW_S = 10


class Pulse:
    """Counts events by second, and watches `synced` run after `upto`."""

    def __init__(self) -> None:
        self._counts: deque[tuple[int, int]] = deque()  # (second, events)
        self._unsynced: deque[tuple[int, int, int]] = deque(maxlen=10_000)  # (upto, ts of its first event, events)
        self._lag_ms: int | None = None
        self._since_s: int | None = None

    def hear(self, batch: Events, now_ms: int) -> None:
        """Take a batch of the live stream."""
        second = now_ms // 1000
        self._since_s = second if self._since_s is None else self._since_s
        if batch.events:
            if not self._counts or self._counts[-1][0] != second:
                self._counts.append((second, 0))
            self._counts[-1] = (second, self._counts[-1][1] + len(batch.events))
            self._unsynced.append((batch.upto, batch.events[0].ts, len(batch.events)))
        while self._unsynced and self._unsynced[0][0] <= batch.synced:
            self._lag_ms = max(0, now_ms - self._unsynced.popleft()[1])

    def all_on_disk(self, until_ms: int) -> None:
        """Take that the journal has synced all it received before `until_ms`: nothing more may come to tell so."""
        while self._unsynced and self._unsynced[0][1] <= until_ms:
            self._unsynced.popleft()

    def figures(self, now_ms: int) -> dict[str, Any]:
        """Return `eventsPerS` over the last 10 whole seconds, `behindMs` and `unsynced`; null is not known yet."""
        second = now_ms // 1000
        while self._counts and self._counts[0][0] < second - WINDOW_S:
            self._counts.popleft()
        seen_s = min(WINDOW_S, second - self._since_s) if self._since_s is not None else 0
        total = sum(count for at_s, count in self._counts if at_s < second)
        waiting_ms = now_ms - self._unsynced[0][1] if self._unsynced else 0
        behind_ms = self._lag_ms if waiting_ms < 1000 else waiting_ms
        return {
            "eventsPerS": round(total / seen_s, 1) if seen_s > 0 else None,
            "behindMs": behind_ms,
            "unsynced": sum(count for _, _, count in self._unsynced) if self._since_s is not None else None,
        }
