"""How fast events come, of which kind, and how far the disk is behind them. Pure: batches and the time in, figures out.

An event counts as on disk when a later batch says that the journal has synced its number, so the lag shown is an upper
bound: it contains the wait for that next batch.
"""

from collections import Counter, deque
from typing import Any

from actors.core.messages import Events

WINDOW_S = 10
MOST_TYPES = 200  # the game names raw events: what comes beyond is counted together


class Second:
    """What came in one second."""

    def __init__(self, at_s: int) -> None:
        self.at_s = at_s
        self.counts: Counter[str] = Counter()
        self.sizes: Counter[str] = Counter()


class Pulse:
    """Counts events by second and type, and watches `synced` run after `upto`."""

    def __init__(self) -> None:
        self._seconds: deque[Second] = deque()
        self._unsynced: deque[tuple[int, int, int]] = deque(maxlen=10_000)  # (upto, ts of its first event, events)
        self._totals: Counter[str] = Counter()
        self._lag_ms: int | None = None
        self._since_s: int | None = None

    def hear(self, batch: Events, now_ms: int) -> None:
        """Take a batch of the live stream."""
        second = now_ms // 1000
        self._since_s = second if self._since_s is None else self._since_s
        if batch.events:
            if not self._seconds or self._seconds[-1].at_s != second:
                self._seconds.append(Second(second))
            for event in batch.events:
                kind = event.type if event.type in self._totals or len(self._totals) < MOST_TYPES else "(others)"
                self._seconds[-1].counts[kind] += 1
                self._seconds[-1].sizes[kind] += len(event.data)
                self._totals[kind] += 1
            self._unsynced.append((batch.upto, batch.events[0].ts, len(batch.events)))
        while self._unsynced and self._unsynced[0][0] <= batch.synced:
            self._lag_ms = max(0, now_ms - self._unsynced.popleft()[1])

    def all_on_disk(self, until_ms: int) -> None:
        """Take that the journal has synced all it received before `until_ms`: nothing more may come to tell so."""
        while self._unsynced and self._unsynced[0][1] <= until_ms:
            self._unsynced.popleft()

    def figures(self, now_ms: int) -> dict[str, Any]:
        """Return `eventsPerS` over the last 10 whole seconds, `behindMs` and `unsynced`; null is not known yet."""
        seen_s, recent = self._recent(now_ms)
        total = sum(one.counts.total() for one in recent)
        waiting_ms = now_ms - self._unsynced[0][1] if self._unsynced else 0
        behind_ms = self._lag_ms if waiting_ms < 1000 else waiting_ms
        return {
            "eventsPerS": round(total / seen_s, 1) if seen_s > 0 else None,
            "bytesPerS": round(sum(one.sizes.total() for one in recent) / seen_s) if seen_s > 0 else None,
            "behindMs": behind_ms,
            "unsynced": sum(count for _, _, count in self._unsynced) if self._since_s is not None else None,
        }

    def by_type(self, now_ms: int) -> dict[str, list[float]]:
        """Return for each type events a second, bytes a second, and events since this process listens."""
        seen_s, recent = self._recent(now_ms)
        if seen_s <= 0:
            return {}
        counts, sizes = Counter[str](), Counter[str]()
        for one in recent:
            counts.update(one.counts)
            sizes.update(one.sizes)
        return {
            kind: [round(counts[kind] / seen_s, 1), round(sizes[kind] / seen_s), total]
            for kind, total in sorted(self._totals.items())
        }

    def _recent(self, now_ms: int) -> tuple[int, list[Second]]:
        second = now_ms // 1000
        while self._seconds and self._seconds[0].at_s < second - WINDOW_S:
            self._seconds.popleft()
        seen_s = min(WINDOW_S, second - self._since_s) if self._since_s is not None else 0
        return seen_s, [one for one in self._seconds if one.at_s < second]
