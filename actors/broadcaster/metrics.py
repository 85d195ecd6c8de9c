"""What Prometheus reads at `/metrics`: names begin with `vectra_`.

In: the door's own figures and the supervisor's status. Out: the text of one scrape. Figures that nobody knows are left
out, never 0.
"""

from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
ACTOR_STATES = ("starting", "ready", "hung", "backing-off", "crash-looping", "stopping", "stopped")
_ACTOR_GAUGES = (
    ("vectra_actor_uptime_seconds", "uptime_s", "Seconds since the actor's process started"),
    ("vectra_actor_memory_bytes", "rss_bytes", "Resident memory of the actor's process"),
    ("vectra_actor_cpu_percent", "cpu_percent", "Share of one core that the actor uses"),
    ("vectra_actor_progress", "progress", "The actor's own count of its work loop"),
)
_RECEIVED = (  # stream, its receiver, and the figure in which that tells how far it is
    ("records", "normalizer", "at"),
    ("rows", "writer", "have"),
    ("rows on disk", "writer", "position"),
    ("events", "state", "seq"),
    ("live", "broadcaster", "seq"),
)
SEQ_STEP = 256.0  # numbers a record
TOLD_APART = {"drift_kinds", "drift_frames"}  # figures with metrics of their own
UNKNOWN = "unknown "  # before the name of an event that is no part of the known protocol: the game may send any
_OWN_COUNTERS = {"sent", "dropped", "holes", "replays", "zmq_sent", "zmq_requests", "zmq_refused", "zmq_cut"}


class Scrape(Collector):
    """One reading of all figures."""

    def __init__(
        self, own: dict[str, Any], types: dict[str, int], status: dict[str, Any] | None, healthy: bool
    ) -> None:
        self._own = own
        self._types = types
        self._status = status or {}
        self._healthy = healthy

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        yield _gauge("vectra_healthy", "1 while frames flow and all actors are ready", self._healthy)
        for name, value in self._own.items():
            if value is not None:
                kind = CounterMetricFamily if name in _OWN_COUNTERS else GaugeMetricFamily
                yield kind(f"vectra_feed_{name}", f"The broadcaster's {name.replace('_', ' ')}", value=value)
        events = CounterMetricFamily("vectra_feed_events", "Events that went out, by type", labels=["type"])
        for name, count in sorted(self._types.items()):
            events.add_metric([name], count)
        yield events
        yield from self._house()
        actors = self._status.get("actors", [])
        yield from self._actors(actors)
        stats = {actor["name"]: actor.get("stats") or {} for actor in actors}
        yield from self._streams(stats)
        yield from self._drift(stats.get("normalizer", {}))

    def _house(self) -> Iterator[Metric]:
        for name, help_text, section, key in (
            ("vectra_uptime_seconds", "Seconds since the supervisor started", "supervisor", "uptime_s"),
            ("vectra_recording_on", "1 while recording is switched on", "recording", "on"),
            ("vectra_source_connected", "1 while the game's socket is seen", "source", "connected"),
            ("vectra_last_frame_age_seconds", "Seconds since the last frame", "source", "last_frame_age_s"),
            ("vectra_journal_seq", "The journal's highest number", "journal", "seq"),
            ("vectra_journal_bytes", "Bytes of the journal on disk", "journal", "bytes"),
            ("vectra_journal_unacked_frames", "Frames not yet acknowledged", "journal", "unacked"),
            ("vectra_gaps", "Gaps in the recording", "gaps", "count"),
            ("vectra_gap_seconds", "Seconds of all gaps", "gaps", "seconds"),
        ):
            value = (self._status.get(section) or {}).get(key)
            if value is not None:
                yield _gauge(name, help_text, value)

    def _actors(self, actors: list[dict[str, Any]]) -> Iterator[Metric]:
        states = GaugeMetricFamily("vectra_actor_state", "1 for the state the actor is in", labels=["actor", "state"])
        restarts = CounterMetricFamily("vectra_actor_restarts", "Restarts of the actor", labels=["actor"])
        errors = GaugeMetricFamily(
            "vectra_actor_error", "1 while something keeps the actor from its work, as a full disk does",
            labels=["actor"],
        )  # fmt: skip
        for actor in actors:
            errors.add_metric([actor["name"]], float(bool((actor.get("stats") or {}).get("error"))))
            for state in ACTOR_STATES:
                states.add_metric([actor["name"], state], float(actor.get("state") == state))
            restarts.add_metric([actor["name"]], actor.get("restarts") or 0)
        yield states
        yield restarts
        yield errors
        for name, key, help_text in _ACTOR_GAUGES:
            family = GaugeMetricFamily(name, help_text, labels=["actor"])
            for actor in actors:
                if actor.get(key) is not None:
                    family.add_metric([actor["name"]], actor[key])
            yield family

    def _streams(self, stats: dict[str, dict[str, Any]]) -> Iterator[Metric]:
        figures = GaugeMetricFamily(
            "vectra_actor_figure", "Every number that the actor tells of its work", labels=["actor", "figure"]
        )
        for actor, known in stats.items():
            for name, value in _numbers({key: told for key, told in known.items() if key not in TOLD_APART}):
                figures.add_metric([actor, name], value)
        yield figures
        at = GaugeMetricFamily("vectra_stream_seq", "How far the stream's receiver is", labels=["stream", "receiver"])
        behind = GaugeMetricFamily(
            "vectra_stream_lag_records", "Records that it is behind the journal", labels=["stream", "receiver"]
        )
        newest = (self._status.get("journal") or {}).get("seq")
        for stream, receiver, key in _RECEIVED:
            seq = stats.get(receiver, {}).get(key)
            if seq is not None:
                at.add_metric([stream, receiver], seq)
                if newest is not None:
                    behind.add_metric([stream, receiver], max(0.0, (newest - seq) / SEQ_STEP))
        yield at
        yield behind
        unacked = GaugeMetricFamily(
            "vectra_stream_unacked_frames", "Frames that the journal has not acknowledged", labels=["sender"]
        )
        for actor, known in stats.items():
            if "unacked" in known and actor.startswith("capture"):
                unacked.add_metric([actor], known["unacked"])
        yield unacked

    def _drift(self, known: dict[str, Any]) -> Iterator[Metric]:
        found = GaugeMetricFamily(
            "vectra_drift_findings", "Differences from the known protocol that were reported", labels=["what"]
        )
        for what, count in sorted((known.get("drift_kinds") or {}).items()):
            found.add_metric([what], count)
        yield found
        frames = CounterMetricFamily(
            "vectra_drift_frames", "Frames that were not as described, by event; unknown ones together",
            labels=["event"],
        )  # fmt: skip
        counted: dict[str, int] = {}
        for event, count in (known.get("drift_frames") or {}).items():
            name = UNKNOWN.strip() if event.startswith(UNKNOWN) else event
            counted[name] = counted.get(name, 0) + count
        for name, count in sorted(counted.items()):
            frames.add_metric([name], count)
        yield frames


def _numbers(known: dict[str, Any], before: str = "") -> Iterator[tuple[str, float]]:
    for name, value in known.items():
        if isinstance(value, dict):
            yield from _numbers(value, f"{before}{name}_")
        elif isinstance(value, int | float):
            yield before + name, float(value)


def scrape(own: dict[str, Any], types: dict[str, int], status: dict[str, Any] | None, healthy: bool) -> bytes:
    """Return the text of `/metrics`. types: event type -> how many went out."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Scrape(own, types, status, healthy))
    return generate_latest(registry)


def _gauge(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_text, value=float(value))
