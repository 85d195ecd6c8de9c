"""Every metric and label that the Grafana dashboard names exists in a scrape of a house at work."""

import json
import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from actors.broadcaster.metrics import scrape

BOARD = json.loads((Path(__file__).resolve().parents[2] / "docs/grafana/vectra.json").read_text())
OWN = {
    "clients": 1, "sent": 2, "dropped": 0, "holes": 0, "replays": 0, "ring_events": 5, "ring_bytes": 9, "seq": 512,
    "zmq_sent": 0, "zmq_requests": 0, "lag_ms": 1.5,
}  # fmt: skip
ACTORS = {
    "capture-a": {"unacked": 3},
    "journal": {"seq": 1024, "error": "disk full"},
    "normalizer": {"at": 768, "set_aside": [], "drift": 3, "drift_kinds": {"retyped": 1, "unknown": 2},
                   "drift_frames": {"playerupdate": 64, "unknown x": 2, "unknown y": 3}},
    "writer": {"have": 512, "position": 256, "rows": 7, "last_flush_ms": 2.5, "compaction": {"passes": 3},
               "paused": False},
    "state": {"seq": 512, "phase": "ACTIVE"},
    "broadcaster": OWN,
}  # fmt: skip
STATUS = {
    "supervisor": {"uptime_s": 5.0},
    "recording": {"on": True},
    "source": {"connected": True, "last_frame_age_s": 0.1},
    "journal": {"seq": 1024, "bytes": 10, "unacked": 0},
    "gaps": {"count": 0, "seconds": 0.0},
    "actors": [
        {"name": name, "state": "ready", "uptime_s": 1, "restarts": 0, "rss_bytes": 1, "cpu_percent": 1, "progress": 1,
         "stats": stats}
        for name, stats in ACTORS.items()
    ],
}  # fmt: skip

TEXT = scrape(OWN, {"game.tick": 4}, STATUS, True).decode()
SAMPLES = [sample for family in text_string_to_metric_families(TEXT) for sample in family.samples]
EXPRESSIONS = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]


def values(name: str, **labels: str) -> list[float]:
    return [s.value for s in SAMPLES if s.name == name and labels.items() <= s.labels.items()]


def test_every_metric_of_the_dashboard_exists_with_its_labels() -> None:
    assert len(EXPRESSIONS) > 20
    for expression in EXPRESSIONS:
        found = re.findall(r"(vectra_\w+)(?:\{([^}]*)\})?", expression)
        assert found, expression
        for name, given in found:
            labels = dict(re.findall(r'(\w+)="([^"]*)"', given))
            assert values(name, **labels), f"{expression}: nothing is called {name} {labels}"


def test_every_label_of_a_legend_exists() -> None:
    for panel in BOARD["panels"]:
        for target in panel["targets"]:
            name = re.findall(r"vectra_\w+", target["expr"])[0]
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                assert all(label in s.labels for s in SAMPLES if s.name == name)


def test_every_actor_and_stream_is_measured() -> None:
    for name in ACTORS:
        assert values("vectra_actor_state", actor=name, state="ready") == [1]
        assert values("vectra_actor_memory_bytes", actor=name) == [1]
    lags = {s.labels["stream"]: s.value for s in SAMPLES if s.name == "vectra_stream_lag_records"}
    assert lags == {"records": 1, "rows": 2, "rows on disk": 3, "events": 2, "live": 2}
    assert values("vectra_stream_unacked_frames", sender="capture-a") == [3]
    assert values("vectra_actor_figure", actor="writer", figure="compaction_passes") == [3]
    assert values("vectra_actor_figure", actor="writer", figure="paused") == [0]
    assert values("vectra_actor_error", actor="journal") == [1]
    assert values("vectra_feed_events_total", type="game.tick") == [4]


def test_drift_is_measured_by_kind_and_by_event_and_names_of_the_games_choice_make_no_labels() -> None:
    assert [values("vectra_drift_findings", what=what) for what in ("retyped", "unknown")] == [[1], [2]]
    frames = {s.labels["event"]: s.value for s in SAMPLES if s.name == "vectra_drift_frames_total"}
    assert frames == {"playerupdate": 64, "unknown": 5}
    assert not [s for s in SAMPLES if s.labels.get("figure", "").startswith(("drift_frames", "drift_kinds"))]
    assert values("vectra_actor_figure", actor="normalizer", figure="drift") == [3]


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
