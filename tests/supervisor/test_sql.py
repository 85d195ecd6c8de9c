"""`vectra-supervisor sql`, as a user calls it: table, CSV, JSON lines, views, and errors with the way out."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.recorded import Session, write
from tests.supervisor.test_cli import vectra

pytestmark = pytest.mark.system

COUNT = "SELECT event_name AS name, count(*) AS frames, NULL AS nothing FROM ws_event GROUP BY ALL ORDER BY 2, 1"


def test_an_answer_comes_in_three_forms_and_a_refusal_with_its_reason(tmp_path: Path) -> None:
    session = Session()
    write(tmp_path, [*session.start(), *session.rounds(1)])
    table = vectra(tmp_path, "sql", COUNT)
    assert (table.returncode, table.stderr) == (0, "")
    assert table.stdout.split()[:3] == ["name", "frames", "nothing"]
    rows = [json.loads(line) for line in vectra(tmp_path, "sql", "--json", COUNT).stdout.splitlines()]
    assert all(f"{row['name'] or ''} " in table.stdout for row in rows)
    assert {"gameStateUpdate", "standard/newTrade", None} <= {row["name"] for row in rows}
    listed = list(csv.reader(io.StringIO(vectra(tmp_path, "sql", "--csv", COUNT).stdout)))
    assert listed == [["name", "frames", "nothing"], *([row["name"] or "", str(row["frames"]), ""] for row in rows)]
    refused = vectra(tmp_path, "sql", "DROP VIEW ticks")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("Found DROP, must be a statement that reads")


def test_the_demo_is_asked_where_only_that_was_recorded(tmp_path: Path) -> None:
    session = Session()
    write(tmp_path / "demo", [session.note("gap", from_us=0, to_us=1, cause="x")])
    for arguments, said in ((["--json"], "Only the demo was recorded here"), (["--json", "--demo"], "")):
        done = vectra(tmp_path, "sql", "SELECT count(*) AS gaps FROM gaps", *arguments)
        assert (done.returncode, done.stdout, done.stderr[:31]) == (0, '{"gaps":1}\n', said)
    views = vectra(tmp_path, "sql", "--views", "--demo")
    assert f"read_parquet('{tmp_path}/demo/events_parquet/doc_type=system_event/" in views.stdout


def test_without_data_and_without_a_statement_it_says_so(tmp_path: Path) -> None:
    absent = vectra(tmp_path, "sql", "SELECT 1")
    assert (absent.returncode, "is not there: nothing was recorded" in absent.stderr) == (1, True)
    assert vectra(tmp_path, "sql").returncode == 2
