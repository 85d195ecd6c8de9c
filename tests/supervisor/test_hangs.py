"""Each way to hang is found within its limit, and leaves the stacks that show where; idleness is no hang."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.supervisor.running import child, running, until

pytestmark = pytest.mark.system

LIMIT_S = 1.0
SLACK_S = 1.5  # of it for a loaded machine: a report tells when it was sent, and the limit counts from there


@pytest.mark.parametrize(
    ("start", "where"),
    [("spins", "in endless"), ("receives_for_ever", "in deaf"), ("computes_in_c", "in busy_in_c")],
)
def test_a_hang_is_found_within_its_limit_and_leaves_its_stacks(tmp_path: Path, start: str, where: str) -> None:
    with running(tmp_path, [child("a", start, hang_s=LIMIT_S), child("b")], ready=False) as supervisor:
        other = until(lambda: supervisor.runtime_dir.joinpath("log/b.log").exists() and supervisor.pid("b"))
        supervisor.says("a made no progress for 1.0 s: killing it")
        supervisor.says("a was killed by SIGKILL; starting it again")
        assert "Current thread" in supervisor.log("a")
        assert where in supervisor.log("a")
        supervisor.says("a is ready again")
        assert supervisor.pid("b") == other


def test_a_stopped_child_is_found_within_its_limit_and_writes_its_stacks_all_the_same(tmp_path: Path) -> None:
    with running(tmp_path, [child("a", hang_s=LIMIT_S)]) as supervisor:
        pid = supervisor.pid("a")
        os.kill(pid, signal.SIGSTOP)
        stopped_s = time.monotonic()
        supervisor.says("a made no progress for 1.0 s: killing it", 10)
        assert LIMIT_S - 0.5 <= time.monotonic() - stopped_s <= LIMIT_S + SLACK_S
        supervisor.says("a is ready again", 10)
        assert "Current thread" in supervisor.log("a")
        last = supervisor.actor("a")["last_exit"]
        assert last["signal"] == signal.SIGKILL
        assert last["out_of_memory"] is False  # it was we who killed it


def test_what_a_hung_child_was_working_on_is_named_in_log_and_status(tmp_path: Path) -> None:
    frame = "working on a received frame of 300000 bytes of wss://evil.example/"
    with running(tmp_path, [child("a", "spins_at_a_frame", hang_s=LIMIT_S), child("b")], ready=False) as supervisor:
        supervisor.says(f"a made no progress for 1.0 s, {frame}: killing it")
        supervisor.says(f"a was killed by SIGKILL while {frame}; starting it again")
        last = until(lambda: supervisor.actor("a")["last_exit"])
        assert last["working_on"] == frame.removeprefix("working on ")


def test_an_actor_that_waits_for_work_is_not_hung(tmp_path: Path) -> None:
    with running(tmp_path, [child("a", hang_s=LIMIT_S)]) as supervisor:
        pid = supervisor.pid("a")
        until(lambda: supervisor.actor("a")["uptime_s"] > 2 * LIMIT_S + 0.5)
        assert supervisor.pid("a") == pid
        assert "killing" not in supervisor.said
