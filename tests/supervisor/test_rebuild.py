"""`vectra-supervisor rebuild`, as a user calls it."""

import re
from pathlib import Path

import pytest

from actors.writer.layout import events_dir, files_of
from supervisor import locks
from tests.recorded import Session, write
from tests.supervisor.running import child, running
from tests.supervisor.test_cli import vectra

pytestmark = pytest.mark.system


def test_a_stopped_vectra_is_rebuilt_date_by_date(tmp_path: Path) -> None:
    assert vectra(tmp_path, "rebuild").stdout.startswith("Nothing to rebuild: ")
    session = Session()
    write(tmp_path, [*session.start(), *session.rounds(1)])
    done = vectra(tmp_path, "rebuild")
    assert (done.returncode, done.stderr) == (0, "")
    *dates, end = done.stdout.splitlines()
    assert all(re.fullmatch(r"2026-01-0[12]  [\d,]+ frames, [\d,]+ rows; as many rows as before", one) for one in dates)
    assert re.fullmatch(r"\d dates rebuilt in \d+ s\.", end)
    damaged = files_of(events_dir(tmp_path), "ws_event")[0].path
    damaged.write_bytes(b"no parquet")
    failed = vectra(tmp_path, "rebuild")
    assert (failed.returncode, failed.stderr.startswith(f"{damaged} cannot be read: ")) == (1, True)


def test_a_running_vectra_and_a_wrong_date_are_refused(tmp_path: Path) -> None:
    with running(tmp_path, [child("writer", "actors.writer.actor:run")]) as pid:
        refused = vectra(tmp_path, "rebuild")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.startswith("VECTRA is running (pid ")
        assert pid
    wrong = vectra(tmp_path, "rebuild", "--from", "2026-02-30")
    assert (wrong.returncode, "is '2026-02-30', must be a date as in 2026-01-31" in wrong.stderr) == (2, True)
    assert vectra(tmp_path, "rebuild", "--from", "2026-02-02", "--to", "2026-02-01").returncode == 2
    (tmp_path / "events_parquet" / "doc_type=ws_event").mkdir(parents=True)
    lock = locks.take(tmp_path)
    assert "is in use by another VECTRA" in vectra(tmp_path, "rebuild", "--set", f"runtime_dir={tmp_path}/other").stderr
    assert lock
