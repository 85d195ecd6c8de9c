"""Exports as jobs: real processes, whole files, progress, cancel, a full disk, and what a restart leaves."""

import contextlib
import csv
import io
import json
import os
import random
import signal
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest

from actors.core.config import Config, Web
from tests.foreign import picture, plant
from tests.processes import wait_for
from tests.web.conftest import ControlRoom
from tests.web.neighbours import Neighbours
from tests.web.rounds_on_disk import game_row, write_rounds

pytestmark = pytest.mark.system

DAY = "2025-12-15"
LONG_DAY = "2025-12-30"  # 24 MB as text


def begin(room: ControlRoom, **order: Any) -> tuple[int, Any]:
    body = msgspec.json.encode({"kind": "export"} | order)
    status, _, answer = room.ask("/api/jobs", "POST", body=body, Content_Type="application/json")
    return status, msgspec.json.decode(answer)


def ended(room: ControlRoom, job_id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        job: dict[str, Any] = room.json(f"/api/jobs/{job_id}")[1]["job"]
        return job if job["state"] != "running" else None

    found = wait_for(look, 30)
    assert found is not None
    return found


def export(room: ControlRoom, **order: Any) -> tuple[dict[str, Any], bytes]:
    status, answer = begin(room, **order)
    assert status == 202, answer
    job = ended(room, answer["job"]["id"])
    assert job["state"] == "done", job
    status, headers, body = room.ask(f"/api/jobs/{job['id']}/file")
    assert (status, len(body)) == (200, job["size"])
    assert "attachment" in headers["content-disposition"]
    return job, body


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_day_is_exported_whole(room: ControlRoom, form: str) -> None:
    job, body = export(room, day=DAY, format=form, doc_types=["game"])
    assert (job["rows"], job["done"], job["total"]) == (60, 60, 60)
    if form == "parquet":
        rows = pq.read_table(io.BytesIO(body)).to_pylist()
        prices = rows[7]["prices"]
    elif form == "jsonl":
        rows = [json.loads(line) for line in body.splitlines()]
        prices = rows[7]["prices"]
    else:
        rows = list(csv.DictReader(io.StringIO(body.decode())))
        prices = json.loads(rows[7]["prices"])
    assert [row["game_id"] for row in rows] == [game_row(number)["game_id"] for number in range(60)]
    assert prices == game_row(7)["prices"]


def test_one_round_is_exported_alone(room: ControlRoom) -> None:
    wanted = game_row(9)["game_id"]
    job, body = export(room, game_id=wanted, format="jsonl")
    assert [json.loads(line)["game_id"] for line in body.splitlines()] == [wanted]
    assert job["file"] == f"vectra-{wanted}.game.jsonl"


def test_several_kinds_are_one_zip(room: ControlRoom) -> None:
    folder = room.config.data_path / "events_parquet" / "doc_type=trade" / f"date={DAY}"
    game = room.config.data_path / "events_parquet" / "doc_type=game" / f"date={DAY}"
    folder.mkdir(parents=True, exist_ok=True)
    source = sorted(game.glob("*.parquet"))[0]
    (folder / source.name).write_bytes(source.read_bytes())
    _, body = export(room, day=DAY, format="csv")
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert sorted(archive.namelist()) == ["game.csv", "trade.csv"]
        assert archive.testzip() is None


@pytest.mark.parametrize(
    ("order", "status", "code"),
    [
        ({}, 400, "bad_body"),
        ({"day": DAY, "game_id": "x"}, 400, "bad_body"),
        ({"day": "2025-13-01"}, 400, "bad_body"),
        ({"day": "../../etc"}, 400, "bad_body"),
        ({"day": "1999-01-01"}, 404, "unknown_day"),
        ({"game_id": "nope"}, 404, "unknown_game"),
        ({"game_id": "../x"}, 400, "bad_body"),
        ({"game_id": "x\n"}, 400, "bad_body"),
        ({"day": DAY, "doc_types": ["../game"]}, 400, "bad_body"),
        ({"day": DAY, "format": "xlsx"}, 400, "bad_body"),
        ({"day": DAY, "surprise": 1}, 400, "bad_body"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(
    room: ControlRoom, order: dict[str, Any], status: int, code: str
) -> None:
    found, answer = begin(room, **order)
    assert (found, answer["error"]["code"]) == (status, code), answer


@pytest.mark.parametrize("body", [b"", b"{", b'{"kind":"\xff"}', b"\xff\xfe{}", b"[" * 100_000])
def test_a_body_that_is_no_json_is_refused(room: ControlRoom, body: bytes) -> None:
    status, _, answer = room.ask("/api/jobs", "POST", body=body, Content_Type="application/json")
    assert (status, msgspec.json.decode(answer)["error"]["code"]) == (400, "bad_body")


def test_a_foreign_page_and_a_form_order_nothing(room: ControlRoom) -> None:
    before = len(room.json("/api/jobs")[1]["jobs"])
    body = msgspec.json.encode({"kind": "export", "day": DAY})
    assert room.ask("/api/jobs", "POST", body=body, Origin="http://evil.example")[0] == 403
    assert room.ask("/api/jobs", "POST", body=body, Content_Type="text/plain")[0] == 415
    assert room.ask("/api/jobs", "POST", body=body, token=False)[0] == 401
    assert len(room.json("/api/jobs")[1]["jobs"]) == before


def write_long_day(data_dir: Path) -> None:
    rows = [game_row(number, sidebets="x" * 120_000) for number in range(1000, 1200)]
    write_rounds(data_dir, rows, LONG_DAY)


def held(room: ControlRoom, job_id: str) -> int:
    """Stop the process of an export when it has begun to write; return its pid."""
    folder = room.config.data_path / "exports" / job_id
    wait_for(lambda: any(path.stat().st_size for path in folder.glob("*.csv")), every_s=0.001)
    (pid,) = [pid for pid in exporters(room) if job_id.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(pid, signal.SIGSTOP)
    assert room.json(f"/api/jobs/{job_id}")[1]["job"]["state"] == "running"
    return pid


def exporters(room: ControlRoom) -> list[int]:
    pid = room.process.pid
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_running_export_is_cancelled_and_leaves_nothing(room: ControlRoom) -> None:
    write_long_day(room.config.data_path)
    job_id = begin(room, day=LONG_DAY, format="csv")[1]["job"]["id"]
    pid = held(room, job_id)
    assert room.json(f"/api/jobs/{job_id}/file")[0] == 404
    cancelled, told = room.json(f"/api/jobs/{job_id}/cancel", "POST")
    assert (cancelled, told["job"]["state"]) == (200, "cancelled")
    assert not Path(f"/proc/{pid}").exists()
    assert [path.name for path in (room.config.data_path / "exports" / job_id).iterdir()] == ["job.json"]
    assert room.json(f"/api/jobs/{job_id}/cancel", "POST")[0] == 409
    assert room.json(f"/api/jobs/{job_id}/file")[0] == 404
    assert room.json(f"/api/jobs/{job_id}", "DELETE")[0] == 200
    assert room.json(f"/api/jobs/{job_id}")[0] == 404
    assert not (room.config.data_path / "exports" / job_id).exists()


def test_two_exports_of_a_day_run_at_once_and_a_third_is_refused(room: ControlRoom) -> None:
    write_long_day(room.config.data_path)
    stopped = {}
    for _ in range(2):
        job_id = begin(room, day=LONG_DAY, format="csv")[1]["job"]["id"]
        stopped[job_id] = held(room, job_id)
    refused, answer = begin(room, day=LONG_DAY, format="csv")
    assert (refused, answer["error"]["code"]) == (409, "too_many_jobs")
    for pid in stopped.values():
        os.kill(pid, signal.SIGCONT)
    found = [ended(room, job_id) for job_id in stopped]
    assert [(job["state"], job["rows"]) for job in found] == [("done", 200)] * 2
    one, other = (room.ask(f"/api/jobs/{job_id}/file")[2] for job_id in stopped)
    assert one == other
    assert len({row["seq"] for row in csv.DictReader(io.StringIO(one.decode()))}) == 200


def test_a_day_whose_files_are_gone_fails_with_a_reason(room: ControlRoom) -> None:
    (room.config.data_path / "events_parquet" / "doc_type=trade" / "date=2025-11-11").mkdir(parents=True)
    job = ended(room, begin(room, day="2025-11-11")[1]["job"]["id"])
    assert (job["state"], job["error"]) == ("failed", "Nothing is on disk of what was asked for.")
    assert room.json(f"/api/jobs/{job['id']}/file")[1]["error"]["message"] == "This job has no file: it is failed."


def test_a_round_with_an_unusual_id_is_fetched_under_it(room: ControlRoom) -> None:
    wanted = "раунд_é-7"
    write_rounds(room.config.data_path, [game_row(2000, game_id=wanted)], "2025-12-16")
    job, body = export(room, game_id=wanted, format="jsonl", doc_types=["game"])
    assert job["file"] == f"vectra-{wanted}.game.jsonl"
    assert [json.loads(line)["game_id"] for line in body.splitlines()] == [wanted]


# A control room of its own: what a test does to it, or to its disk, harms no other.


@pytest.fixture
def own_room(tmp_path: Path) -> Iterator[ControlRoom]:
    config = Config(data_dir=str(tmp_path / "data"), runtime_dir=str(tmp_path / "run"), web=Web(port=0))
    config.data_path.mkdir()
    neighbours = Neighbours(config.runtime_path)
    room = ControlRoom(config, neighbours)
    room.wait_ready()
    yield room
    neighbours.close()


def fill_up(path: Path) -> None:
    """Leave no block free."""
    with path.open("wb", buffering=0) as file:
        for size in (1_000_000, 4096):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_restart_calls_an_export_interrupted_and_offers_no_part_of_it(
    own_room: ControlRoom, end: signal.Signals
) -> None:
    write_long_day(own_room.config.data_path)
    whole = export(own_room, day=LONG_DAY, format="csv")[0]
    job_id = begin(own_room, day=LONG_DAY, format="csv")[1]["job"]["id"]
    pid = held(own_room, job_id)
    own_room.process.send_signal(end)
    own_room.stop()
    assert wait_for(lambda: not Path(f"/proc/{pid}").exists())
    again = ControlRoom(own_room.config, own_room.neighbours)
    try:
        again.wait_ready()
        job = again.json(f"/api/jobs/{job_id}")[1]["job"]
        assert (job["state"], job["file"]) == ("interrupted", None)
        assert again.json(f"/api/jobs/{job_id}/file")[0] == 404
        assert [path.name for path in (again.config.data_path / "exports" / job_id).iterdir()] == ["job.json"]
        assert len(again.ask(f"/api/jobs/{whole['id']}/file")[2]) == whole["size"]
        assert len(again.json("/api/jobs")[1]["jobs"]) == 2
    finally:
        again.stop()


def test_a_full_disk_fails_the_export_gives_its_room_back_and_the_next_one_works(own_room: ControlRoom) -> None:
    place = own_room.config.data_path
    mount = ["mount", "-t", "tmpfs", "-o", "size=9m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        own_room.stop()
        pytest.skip("needs the right to mount a tmpfs")
    try:
        noise = random.Random(1)
        rows = [game_row(number, sidebets=noise.randbytes(50_000).hex()) for number in range(80)]  # 4 MB, as text 8
        write_rounds(place, rows, DAY)
        for form in ("csv", "jsonl"):
            job = ended(own_room, begin(own_room, day=DAY, format=form)[1]["job"]["id"])
            assert job["state"] == "failed"
            assert "No space left on device" in job["error"]
            assert not [path for path in (place / "exports" / job["id"]).glob("*") if path.name != "job.json"]
        fill_up(place / "ballast")
        job = ended(own_room, begin(own_room, day=DAY, format="csv")[1]["job"]["id"])
        assert (job["state"], "No space left on device" in job["error"]) == ("failed", True)
        subprocess.run(["mount", "-o", "remount,size=40m", str(place)], check=True)
        assert export(own_room, day=DAY, format="csv")[0]["rows"] == 80
    finally:
        own_room.stop()
        subprocess.run(["umount", "-l", str(place)], check=True)
    assert "Traceback" not in own_room.log(), own_room.log()


def test_what_is_not_an_export_of_ours_outlives_restarts_and_the_deletion_of_jobs(own_room: ControlRoom) -> None:
    write_rounds(own_room.config.data_path, [game_row(1)])
    exports = own_room.config.data_path / "exports"
    done = export(own_room, day="2025-12-15", format="csv")[0]
    own = plant(exports / done["id"]) + plant(exports) + plant(exports / "0123456789abcdef")
    for number, content in enumerate((b"{", b'{"id": "x"}', b'{"v": 2}', b"[" * 100_000, bytes(2_000_000))):
        folder = exports / f"{number:016x}"
        folder.mkdir()
        for name, data in (("job.json", content), ("vectra-2025-12-15.csv", b"still wanted")):
            (folder / name).write_bytes(data)
            own.append(folder / name)
    begun = exports / "aaaaaaaaaaaaaaaa"
    begun.mkdir()
    before = picture(own)
    own_room.stop()
    again = ControlRoom(own_room.config, own_room.neighbours)
    try:
        again.wait_ready()
        assert not begun.exists(), "ours: it died before it had a job"
        assert [job["id"] for job in again.json("/api/jobs")[1]["jobs"]] == [done["id"]]
        assert again.json(f"/api/jobs/{done['id']}", "DELETE")[0] == 200
        assert not (exports / done["id"] / "job.json").exists()
    finally:
        again.stop()
    assert picture(own) == before
    assert f"{exports / 'my-analysis'} is no export that this version knows" in again.log()
    assert "Traceback" not in again.log()
