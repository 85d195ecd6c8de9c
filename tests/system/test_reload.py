"""reload under load: only who reads what changed restarts, and no frame is lost or stored twice."""

import threading
from pathlib import Path
from typing import Any

import pytest

from supervisor.ask import ask
from tests.campaign import Control, count
from tests.house import House

pytestmark = pytest.mark.system

RELOADS = 20
CHANGES = ("feed: {{client_age_s: {0}}}\n", "recording: {{flush_s: 2.{0}}}\n")  # in turns: the doors, the writers


class HouseWithFile(House):
    """A house whose settings file can be changed while it runs."""

    def _command(self, *arguments: str) -> list[str]:
        return [*super()._command(*arguments), "--config", str(self.home / "vectra.yaml")]


def pids(status: dict[str, Any]) -> dict[str, int]:
    return {actor["name"]: actor["pid"] for actor in status["actors"]}


def test_twenty_reloads_under_load_touch_only_who_reads_what_changed_and_lose_nothing(tmp_path: Path) -> None:
    (tmp_path / "vectra.yaml").write_text("")
    house = HouseWithFile(tmp_path, {"VECTRA_SIMULATOR_RATE": "50"})
    try:
        house.start()
        house.wait_until(lambda status: bool(status["source"].get("connected")))
        with Control(house.status()["endpoints"]["simulator"]) as control:
            threading.Event().wait(1.0)  # the page is in the middle of the stream when counting begins
            for number in range(RELOADS):
                before = pids(house.status())
                (tmp_path / "vectra.yaml").write_text(CHANGES[number % 2].format(number + 1))
                names = set(ask(tmp_path / "data" / "run", "reload", 10)["restarted"])
                assert 1 <= len(names) <= 5, names
                house.wait_until(lambda status, before=before, names=names: _new(status, before) == names)  # type: ignore[misc]
                house.wait_ready()
                assert _new(house.status(), before) == names
            threading.Event().wait(1.0)
            sent = dict(control.sent)
        status = house.wait_ready()
        assert all(actor["restarts"] == 0 for actor in status["actors"]), "a reload is no failure"
        flushed = status["journal"]["seq"]
        house.wait_until(lambda status: (status["journal"].get("seq") or 0) > flushed)
        assert house.interrupt() == 0, house.said()
    finally:
        house.end()
    outcome = count(house.data_dir, sent, 0, status)
    assert outcome.sent > 100
    assert (outcome.lost, outcome.doubled, outcome.gaps) == ([], 0, [])


def _new(status: dict[str, Any], before: dict[str, int]) -> set[str]:
    return {name for name, pid in pids(status).items() if pid is not None and pid != before[name]}
