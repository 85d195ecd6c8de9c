"""Compaction as a job of the control room: a real supervisor, a real writer, and its real merger held and let go."""

import http.client
import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from actors.core.endpoints import lookup
from actors.writer.compaction import REQUEST
from actors.writer.layout import staging_dir
from tests.supervisor.running import Running, child, running, until
from tests.supervisor.test_cli import vectra
from tests.writer.days import batches_of, fill, names
from tests.writer.source import assert_exact

pytestmark = pytest.mark.system

ROWS = batches_of(range(1, 20), payload=b"x" * 3_000_000)  # each a row group of its own
UNMERGED = len(ROWS)
MERGED = ["15/1-12", "16/13-18", "16/19-19"]
STEP_S, LOOK_S = 0.02, 0.3


class Office:
    """A supervisor with a writer and a control room, and the API asked over its real port."""

    def __init__(self, supervisor: Running) -> None:
        self.supervisor = supervisor
        self.runtime_dir = supervisor.runtime_dir

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        url = lookup(self.runtime_dir, "web")
        assert url is not None
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=15)
        headers = {"Authorization": f"Bearer {(self.runtime_dir / 'web_token').read_text()}"}
        try:
            connection.request(method, path, msgspec.json.encode(body), headers | {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, msgspec.json.decode(response.read())
        finally:
            connection.close()

    def begin(self) -> str:
        status, answer = self.ask("POST", "/api/jobs", {"kind": "compaction"})
        assert status == 202, answer
        return str(answer["job"]["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        (found,) = [job for job in self.ask("GET", "/api/jobs")[1]["jobs"] if job["id"] == job_id]
        assert self.ask("GET", f"/api/jobs/{job_id}")[1]["job"]["id"] == job_id
        return dict(found)

    def ended(self, job_id: str) -> dict[str, Any]:
        found: dict[str, Any] = until(lambda: job if (job := self.job(job_id))["state"] != "running" else None)
        return found

    def figures(self) -> dict[str, Any]:
        """Return what the writer tells of its pass."""
        return dict(self.supervisor.actor("writer")["stats"]["compaction"])

    def hold_merger(self) -> int:
        """Stop the merger when it has begun to write; return its pid."""
        until(lambda: any(staging_dir(self.supervisor.home).glob("successor.*/*")))
        (merger,) = self._children_of_writer()
        os.kill(merger, signal.SIGSTOP)
        return merger

    def step_until(self, merger: int, met: Callable[[], bool]) -> None:
        """Let the merger go on a twentieth of a second at a time, until the API says so."""
        for _ in range(200):
            if met():
                return
            os.kill(merger, signal.SIGCONT)
            select.select([], [], [], STEP_S)
            os.kill(merger, signal.SIGSTOP)
            select.select([], [], [], LOOK_S)
        raise AssertionError("the merger went its whole way unseen")

    def _children_of_writer(self) -> list[int]:
        pid = self.supervisor.pid("writer")
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def office(home: Path, *, writer: bool = True) -> Iterator[Office]:
    actors = [child("writer", "tests.writer.swift:run")] if writer else []
    web = child("web", "tests.web.impatient:run")
    with running(home, [*actors, web], "web.port=0", "recording.compact_s=0") as supervisor:
        yield Office(supervisor)


def begun(house: Office, job_id: str) -> int:
    """Return the pid of a merger that stands still in the middle of its work, as the API tells."""
    merger = house.hold_merger()
    until(lambda: house.job(job_id)["what"].startswith("merging "))
    house.step_until(merger, lambda: 0 < house.job(job_id)["done"] < house.job(job_id)["total"])
    return merger


def test_it_moves_ends_and_leaves_each_row_once_in_fewer_files(home: Path) -> None:
    fill(home, ROWS)
    with office(home) as house:
        job_id = house.begin()
        assert house.ask("POST", "/api/jobs", {"kind": "compaction"})[0] == 409
        merger = begun(house, job_id)
        job = house.job(job_id)
        assert (job["state"], job["what"]) == ("running", f"merging {job['total']} files")
        assert job["total"] > UNMERGED  # of every kind of rows
        os.kill(merger, signal.SIGCONT)
        done = house.ended(job_id)
        assert (done["state"], done["done"], done["total"]) == ("done", job["total"], job["total"])
        assert done["what"].startswith(f"{job['total']} files into ")
        assert names(home, "ws_event") == MERGED
        assert_exact(home, ROWS)
        assert not (house.runtime_dir / REQUEST).exists()
        again = house.ended(house.begin())
        assert (again["state"], again["what"]) == ("done", "nothing to merge")


def test_a_cancelled_one_stops_without_harm_and_may_begin_again(home: Path) -> None:
    fill(home, ROWS)
    with office(home) as house:
        job_id = house.begin()
        merger = begun(house, job_id)
        status, answer = house.ask("POST", f"/api/jobs/{job_id}/cancel")
        assert (status, answer["job"]["state"]) == (200, "cancelled")
        until(lambda: not Path(f"/proc/{merger}/exe").exists())
        until(lambda: house.figures()["state"] == "failed")
        assert house.figures()["reason"] == "its request was taken away"
        assert len(names(home, "ws_event")) == UNMERGED
        until(lambda: not list(staging_dir(home).glob("successor*")))
        assert_exact(home, ROWS)
        assert house.ended(house.begin())["state"] == "done"
        assert house.job(job_id)["state"] == "cancelled"
    assert_exact(home, ROWS)
    assert names(home, "ws_event") == MERGED


def test_a_writer_killed_in_the_middle_comes_back_and_ends_it(home: Path) -> None:
    fill(home, ROWS)
    with office(home) as house:
        job_id = house.begin()
        begun(house, job_id)
        pid = house.supervisor.pid("writer")
        os.kill(pid, signal.SIGKILL)
        done = house.ended(job_id)
        assert done["state"] == "done", done
        assert house.supervisor.pid("writer") != pid
        assert done["done"] == done["total"] > UNMERGED
    assert names(home, "ws_event") == MERGED
    assert_exact(home, ROWS)


def test_a_restarted_control_room_says_that_it_was_interrupted(home: Path) -> None:
    fill(home, ROWS)
    with office(home) as house:
        job_id = house.begin()
        merger = begun(house, job_id)
        pid = house.supervisor.pid("web")
        os.kill(pid, signal.SIGKILL)
        until(lambda: (web := house.supervisor.actor("web"))["state"] == "ready" and web["pid"] != pid)
        assert house.job(job_id)["state"] == "interrupted"
        os.kill(merger, signal.SIGCONT)  # the writer goes on, and the next order finds nothing left to do
        next_one = house.ended(house.begin())
        assert (next_one["state"], next_one["what"]) == ("done", "nothing to merge")
    assert names(home, "ws_event") == MERGED
    assert_exact(home, ROWS)


def test_an_order_from_the_command_line_meanwhile_is_not_lost(home: Path) -> None:
    fill(home, ROWS)
    with office(home) as house:
        job_id = house.begin()
        merger = begun(house, job_id)
        (house.runtime_dir / REQUEST).write_text("another")
        os.kill(merger, signal.SIGCONT)
        assert house.ended(job_id)["state"] == "done"
        until(lambda: house.figures()["id"] == "another")
        assert vectra(home, "compact").stdout.startswith("Nothing to merge")
    assert_exact(home, ROWS)


def test_without_a_writer_it_says_so_and_leaves_no_order_behind(home: Path) -> None:
    with office(home, writer=False) as house:
        job_id = house.begin()
        assert house.job(job_id)["what"] in ("", "waiting for the writer")
        job = house.ended(job_id)
        assert (job["state"], job["error"]) == ("failed", "the writer did not answer within 2 s")
        assert not list(house.runtime_dir.glob(f"{REQUEST}*"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path
