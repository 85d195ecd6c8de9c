"""Starting in the background: what the waiting command prints and returns."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from supervisor.ask import ask
from supervisor.commands_run import _start_in_background
from supervisor.locks import is_locked, running_pid
from tests.supervisor.running import HERE, ROOT, child, until

pytestmark = pytest.mark.system


def start(home: Path, children: list[dict[str, Any]]) -> int:
    order = json.dumps({"children": children, "set": []})
    command = [sys.executable, "-P", str(HERE / "run_daemon.py"), str(home), order]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"}
    return _start_in_background(command, environment, home / "run")


@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")  # that is what it is for
def test_it_returns_once_all_is_ready_and_leaves_a_session_of_its_own(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert start(tmp_path, [child("a"), child("b")]) == 0
    pid = running_pid(tmp_path / "run")
    assert pid
    try:
        assert "VECTRA is ready: 2 actors in " in capfd.readouterr().out
        assert [actor["state"] for actor in ask(tmp_path / "run", "status")["actors"]] == ["ready", "ready"]
        assert os.getsid(pid) == pid
        assert Path(f"/proc/{pid}/fd/0").readlink() == Path("/dev/null")
        assert start(tmp_path, [child("a")]) == 0
        assert f"already running (pid {pid})" in capfd.readouterr().out
        assert running_pid(tmp_path / "run") == pid
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
    assert not is_locked(tmp_path / "run")


def test_it_fails_with_the_actors_last_words_and_leaves_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert start(tmp_path, [child("a"), child("bad", "fails_at_once")]) == 1
    said = capfd.readouterr().out
    assert "bad did not become ready: died 6 times in a row" in said
    assert "RuntimeError: these are my last words" in said
    until(lambda: not is_locked(tmp_path / "run"), 2)


def test_a_supervisor_that_cannot_even_begin_leaves_its_words(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-P", "-c", "raise ImportError('nothing works here')"]
    assert _start_in_background(command, dict(os.environ), tmp_path / "run") == 1
    said = capfd.readouterr().err
    assert "The supervisor ended with exit code 1. From " in said
    assert "ImportError: nothing works here" in said
