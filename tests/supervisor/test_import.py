"""`vectra-supervisor import`, as a user calls it."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.supervisor.running import child, running
from tests.supervisor.test_cli import vectra

pytestmark = pytest.mark.system


def test_files_get_in_and_bad_ones_are_named(tmp_path: Path) -> None:
    good = tmp_path / "2026-01-01.jsonl"
    frames = ["2", '42["newChatMessage",{"message":"x"}]']
    lines = [json.dumps({"t": 1_767_225_600 + number, "frame": frame}) for number, frame in enumerate(frames)]
    good.write_text("\n".join([*lines, "nonsense"]) + "\n")
    data_dir = tmp_path / "data"
    done = vectra(tmp_path, "import", str(good), "--data-dir", str(data_dir))
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert done.stderr.startswith(f"{good}:3: is no JSON: ")
    told = f"{good}: 2 frames, 3 rows; 1 bad lines passed over; 2026-01-01 00:00:00 to 2026-01-01 00:00:01 UTC.\n"
    assert done.stdout == told
    again = vectra(tmp_path, "import", str(good), str(tmp_path / "absent"), "--data-dir", str(data_dir))
    assert again.returncode == 1
    assert "2 frames were in the data already" in again.stdout
    assert f"Not imported: {tmp_path / 'absent'}: No such file or directory" in again.stderr
    counted = vectra(tmp_path, "sql", "--json", "SELECT count(*) AS n FROM ws_event", "--data-dir", str(data_dir))
    assert counted.stdout == '{"n":2}\n'


def test_files_of_another_schema_are_taken_over_and_doctor_is_content(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    folder = data_dir / "events_parquet" / "doc_type=ws_event" / "date=2026-01-01"
    folder.mkdir(parents=True)
    at_ms = 1_767_225_600_000
    row = {"ts": at_ms, "event_name": "newChatMessage", "data": '{"message":"x"}', "host": "h"}
    pq.write_table(pa.Table.from_pylist([row, {**row, "ts": at_ms + 1000}]), folder / "0.parquet")
    pq.write_table(pa.Table.from_pylist([row, {**row, "ts": None}]), folder / "1.parquet")
    where = ("--data-dir", str(data_dir))
    said = vectra(tmp_path, "doctor", *where).stdout
    assert f"{folder / '0.parquet'}, {folder / '1.parquet'}: another schema" in said
    done = vectra(tmp_path, "import", str(data_dir / "events_parquet"), *where)
    moved = data_dir / "taken_over" / "doc_type=ws_event" / "date=2026-01-01" / "0.parquet"
    assert (done.returncode, done.stderr) == (0, f"{folder / '1.parquet'}: row 2: has no time in column ts\n")
    assert done.stdout.splitlines() == [
        f"{folder / '0.parquet'}: 2 frames, 3 rows; 2026-01-01 00:00:00 to 2026-01-01 00:00:01 UTC.",
        "  Columns of which nothing was taken: host. They are in the file still.",
        f"  Taken over; the file lies in {moved} now.",
        f"{folder / '1.parquet'}: 0 frames, 0 rows; 1 rows were in the data already; 1 bad rows passed over.",
        "  Columns of which nothing was taken: host. They are in the file still.",
        "  It stays where it is: not all of its rows were taken. Move it out of events_parquet to go on.",
    ]
    assert moved.is_file()
    (folder / "1.parquet").unlink()
    assert "none of another schema" in vectra(tmp_path, "doctor", *where).stdout
    again = vectra(tmp_path, "import", str(data_dir / "events_parquet"), *where)
    assert (again.returncode, again.stdout) == (0, "There is nothing to import: no Parquet file but VECTRA's own.\n")


def test_a_running_vectra_and_a_wrong_time_are_refused(tmp_path: Path) -> None:
    with running(tmp_path, [child("writer", "actors.writer.actor:run")]):
        refused = vectra(tmp_path, "import", "some.jsonl")
        assert (refused.returncode, refused.stderr.startswith("VECTRA is running (pid ")) == (1, True)
    wrong = vectra(tmp_path, "import", "some.jsonl", "--began-at", "yesterday")
    assert (wrong.returncode, "must be a time as in 2025-12-14T01:02:03Z" in wrong.stderr) == (2, True)
