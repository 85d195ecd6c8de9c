"""Exports as jobs: real processes, whole files, progress, cancel, and what a restart leaves."""

import csv
import io
import json
import zipfile
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest

from tests.processes import wait_for
from tests.web.conftest import ControlRoom
from tests.web.rounds_on_disk import game_row, write_rounds

pytestmark = pytest.mark.system

DAY = "2025-12-15"


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


def test_a_foreign_page_and_a_form_order_nothing(room: ControlRoom) -> None:
    before = len(room.json("/api/jobs")[1]["jobs"])
    body = msgspec.json.encode({"kind": "export", "day": DAY})
    assert room.ask("/api/jobs", "POST", body=body, Origin="http://evil.example")[0] == 403
    assert room.ask("/api/jobs", "POST", body=body, Content_Type="text/plain")[0] == 415
    assert room.ask("/api/jobs", "POST", body=body, token=False)[0] == 401
    assert len(room.json("/api/jobs")[1]["jobs"]) == before


def test_a_running_export_is_cancelled_and_leaves_nothing(room: ControlRoom) -> None:
    rows = [game_row(number, sidebets="x" * 200_000) for number in range(1000, 1400)]
    write_rounds(room.config.data_path, rows, "2025-12-30")
    status, answer = begin(room, day="2025-12-30", format="csv")
    assert status == 202
    job_id = answer["job"]["id"]
    cancelled, told = room.json(f"/api/jobs/{job_id}/cancel", "POST")
    if cancelled == 409:
        pytest.skip("the machine was quicker than the request")
    assert (cancelled, told["job"]["state"]) == (200, "cancelled")
    assert [path.name for path in (room.config.data_path / "exports" / job_id).iterdir()] == ["job.json"]
    assert room.json(f"/api/jobs/{job_id}/file")[0] == 404
    assert room.json(f"/api/jobs/{job_id}", "DELETE")[0] == 200
    assert room.json(f"/api/jobs/{job_id}")[0] == 404
    assert not (room.config.data_path / "exports" / job_id).exists()
