"""A short soak: the demo's supervisor, killed five times at any instant, leaves nothing; a second start is quick."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT
from tests.supervisor.running import child, running

pytestmark = pytest.mark.system


def test_five_kills_of_the_supervisor_at_any_instant_leave_no_process_chromium_included() -> None:
    command = [sys.executable, "-m", "tests.soak", "--kills", "5", "--seed", "7"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 kills" in done.stdout
    assert done.stdout.endswith("nothing was left, nothing grew\n")


def test_a_second_start_names_the_pid_for_less_than_half_a_second_of_work(tmp_path: Path) -> None:
    entry = "from vectra_player.entry import main; main()"
    command = [sys.executable, "-P", "-c", entry, "start", "--set", f"data_dir={tmp_path}"]
    with running(tmp_path, [child("a")]) as first:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        second = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert second.returncode == 0
        assert second.stdout == f"vectra-supervisor is already running (pid {first.process.pid}).\n"
        assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5  # wall time is the machine's
        assert first.actor("a")["state"] == "ready"
