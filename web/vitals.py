"""How the actors fare over the last minutes: memory and processor as lines, progress and rates as numbers. Pure.

In: the actors of a status, and the time. Out: for pages, one list of samples an actor and the newest figures. A rate is
the difference of two looks; a counter that went back (a restart) gives none until the next.
"""

from collections import deque
from typing import Any

SAMPLE_MS = 5000
SAMPLES = 120  # ten minutes
COUNTERS = {
    "capture-a": ("frames", "bytes"),
    "capture-b": ("frames", "bytes"),
    "journal": ("seq", "bytes"),
    "normalizer": ("events", "rows"),
    "writer": ("files", "bytes_written"),
    "broadcaster": ("sent", "zmq_sent", "dropped"),
    "web": ("messages",),
}
GAUGES = {
    "capture-a": ("unacked", "lost", "attached"),
    "capture-b": ("unacked", "lost", "attached"),
    "journal": ("unacked", "ambiguous", "damage"),
    "normalizer": ("malformed", "failures", "rewinds", "set_aside"),
    "writer": ("buffered_rows", "last_flush_ms", "bad_values"),
    "broadcaster": ("clients", "holes", "lag_ms"),
    "web": ("pages",),
}


class Vitals:
    """The lines and the newest figures."""

    def __init__(self) -> None:
        self._lines: dict[str, tuple[deque[float | None], deque[int | None]]] = {}
        self._sampled_ms = 0
        self._shown: dict[str, Any] = {}
        self._last: dict[str, tuple[int, dict[str, float]]] = {}  # actor -> (when, counters)

    def hear(self, actors: list[dict[str, Any]], now_ms: int) -> dict[str, Any]:
        """Take a status; return `samples` (the same object until there is a new one), `everyMs` and `now`."""
        if now_ms - self._sampled_ms >= SAMPLE_MS:
            self._sample(actors, now_ms)
        now = {str(actor.get("name")): self._figures(actor, now_ms) for actor in actors}
        return {"samples": self._shown, "everyMs": SAMPLE_MS, "now": now}

    def _sample(self, actors: list[dict[str, Any]], now_ms: int) -> None:
        self._sampled_ms = now_ms
        names = {str(actor.get("name")) for actor in actors}
        self._lines = {name: line for name, line in self._lines.items() if name in names}
        for actor in actors:
            empty: tuple[deque[float | None], deque[int | None]] = (deque(maxlen=SAMPLES), deque(maxlen=SAMPLES))
            cpu, rss = self._lines.setdefault(str(actor.get("name")), empty)
            cpu.append(actor.get("cpu_percent"))
            rss.append(actor.get("rss_bytes"))
        self._shown = {name: {"cpu": list(cpu), "rss": list(rss)} for name, (cpu, rss) in self._lines.items()}

    def _figures(self, actor: dict[str, Any], now_ms: int) -> dict[str, Any]:
        name, stats = str(actor.get("name")), actor.get("stats") or {}
        counters = {key: float(stats[key]) for key in COUNTERS.get(name, ()) if isinstance(stats.get(key), int | float)}
        if isinstance(actor.get("progress"), int):
            counters["turns"] = float(actor["progress"])
        if isinstance(stats.get("rows"), dict):  # of the writer: rows by kind
            counters["rows"] = float(sum(stats["rows"].values()))
        then_ms, before = self._last.get(name, (now_ms, {}))
        self._last[name] = (now_ms, counters)
        seconds = (now_ms - then_ms) / 1000
        rates = {
            key: round((value - before[key]) / seconds, 1)
            for key, value in counters.items()
            if seconds > 0 and key in before and value >= before[key]
        }
        gauges = {key: stats.get(key) for key in GAUGES.get(name, ()) if key in stats}
        return {"progress": actor.get("progress"), "lag": actor.get("lag_s"), "rates": rates, "gauges": gauges}
