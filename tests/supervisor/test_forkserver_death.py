"""The fork server of the whole system dies and takes every actor along: all come back, and the time away is a gap."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.house import house

pytestmark = pytest.mark.system


def test_the_tree_starts_again_and_the_time_away_is_on_record_as_a_gap(tmp_path: Path) -> None:
    with house(tmp_path) as demo:
        before = demo.wait_until(lambda status: bool(status["source"].get("connected")))
        noted = json.loads((tmp_path / "data" / "run" / "children.json").read_bytes())["children"]
        os.kill(noted["fork-server"][0], signal.SIGKILL)
        old = {actor["name"]: actor["pid"] for actor in before["actors"]}

        def back(status: dict) -> bool:  # type: ignore[type-arg]
            actors = {actor["name"]: actor for actor in status["actors"]}
            renewed = set(actors) == set(old) and all(actors[name]["pid"] not in (None, old[name]) for name in old)
            return renewed and all(actor["state"] == "ready" for actor in actors.values())

        demo.wait_until(back)
        after = demo.wait_until(
            lambda status: (
                bool(status["source"].get("connected")) and status["gaps"].get("count", 0) > before["gaps"]["count"]
            )
        )
        assert after["gaps"]["seconds"] > before["gaps"]["seconds"]
        assert all(actor["restarts"] == 1 for actor in after["actors"])  # one event, no crash loop
        assert "the fork server died, and all actors with it; starting them again" in demo.said()
