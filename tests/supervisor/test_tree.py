"""The tree with real processes: deaths, hangs, crash loops, the fork server, orphans, Ctrl-C."""

import json
import os
import signal
import time
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from supervisor.ask import CommandError, ask
from tests.supervisor.running import Running, child, is_gone, running, until

pytestmark = pytest.mark.system

THREE = [child("a"), child("b"), child("c")]


def ready_again(supervisor: Running, name: str, old_pid: int) -> int:
    return int(
        until(
            lambda: (
                (now := supervisor.actor(name))["state"] == "ready" and now["pid"] not in (None, old_pid) and now["pid"]
            )
        )
    )


def other_pid_than(pid: int, supervisor: Running) -> bool:
    return bool(supervisor.actor("b")["pid"] != pid)


def test_a_killed_child_comes_back_with_a_new_pid_and_the_others_stay(tmp_path: Path) -> None:
    with running(tmp_path, THREE) as supervisor:
        before = {name: supervisor.pid(name) for name in "abc"}
        os.kill(before["b"], signal.SIGKILL)
        assert ready_again(supervisor, "b", before["b"]) != before["b"]
        now = supervisor.actor("b")
        assert now["restarts"] == 1
        assert now["last_exit"]["signal"] == signal.SIGKILL
        assert now["last_exit"]["code"] is None
        assert now["last_exit"]["at"] > 1_600_000_000_000
        assert (supervisor.pid("a"), supervisor.pid("c")) == (before["a"], before["c"])
        supervisor.says("b is ready again")
        assert supervisor.stop() == 0
        assert supervisor.said.endswith("stopped: everything is flushed, no process is left\n")
        assert all(is_gone(pid) for pid in before.values())


def test_a_supervisor_that_was_itself_stopped_blames_nobody_for_the_time(tmp_path: Path) -> None:
    with running(tmp_path, [child("a", hang_s=1.0), child("b", hang_s=1.0)]) as supervisor:
        pids = supervisor.pid("a"), supervisor.pid("b")
        supervisor.process.send_signal(signal.SIGSTOP)
        resume_s = time.monotonic() + 2.0
        until(lambda: time.monotonic() > resume_s)
        supervisor.process.send_signal(signal.SIGCONT)
        uptime_s = supervisor.status()["supervisor"]["uptime_s"]
        until(lambda: supervisor.status()["supervisor"]["uptime_s"] > uptime_s + 0.5)
        assert (supervisor.pid("a"), supervisor.pid("b")) == pids


def test_status_answers_at_once_while_an_actor_hangs_and_another_stops_slowly(tmp_path: Path) -> None:
    children = [child("a", hang_s=30), child("b", "ignores_sigterm", shutdown_s=30)]
    with running(tmp_path, children) as supervisor:
        os.kill(supervisor.pid("a"), signal.SIGSTOP)
        ask(supervisor.runtime_dir, "restart", actor="b")
        for _ in range(5):
            ask(supervisor.runtime_dir, "status", 0.5)
        assert supervisor.actor("b")["state"] == "stopping"
        assert "told to stop" in supervisor.actor("b")["reason"]
        os.kill(supervisor.pid("a"), signal.SIGCONT)


def test_a_child_that_ignores_sigterm_is_killed_at_its_limit(tmp_path: Path) -> None:
    with running(tmp_path, [child("a", "ignores_sigterm", shutdown_s=0.3), child("b")]) as supervisor:
        pid = supervisor.pid("a")
        assert supervisor.stop() == 0
        assert "a did not stop within 0.3 s: killing it" in supervisor.said
        assert "b did not stop" not in supervisor.said
        assert is_gone(pid)


def test_a_second_ctrl_c_does_not_wait_for_anybody(tmp_path: Path) -> None:
    with running(tmp_path, [child("a", "ignores_sigterm", shutdown_s=60)]) as supervisor:
        supervisor.process.send_signal(signal.SIGINT)
        supervisor.says("stopping (SIGINT)")
        assert supervisor.stop() == 0


@pytest.mark.parametrize("start", ["fails_at_once", "no_such_module:run", "children:no_such_function"])
def test_a_child_that_cannot_start_fails_the_start_and_says_its_last_words(tmp_path: Path, start: str) -> None:
    with running(tmp_path, [child("a"), child("bad", start)], ready=False) as supervisor:
        assert supervisor.wait() == 1
        assert "bad did not become ready: died 6 times in a row, last it ended with exit code 1" in supervisor.said
        words = {"fails_at_once": "these are my last words", "no_such_module:run": "No module named 'no_such_module'"}
        assert words.get(start, "no attribute 'no_such_function'") in supervisor.said
        assert not (supervisor.runtime_dir / "children.json").exists()


def test_a_child_that_never_says_ready_fails_the_start_at_the_limit(tmp_path: Path) -> None:
    settings = "supervisor.start_timeout_s=1"
    with running(tmp_path, [child("a"), child("mute", "never_ready")], settings, ready=False) as supervisor:
        assert supervisor.wait() == 1
        assert "mute did not become ready: started" in supervisor.said


def test_a_child_that_starts_to_crash_later_is_crash_looping_and_touches_nobody(tmp_path: Path) -> None:
    with running(tmp_path, [child("a"), child("b")]) as supervisor:
        other = supervisor.pid("a")
        for _ in range(6):
            pid = until(lambda: supervisor.actor("b")["state"] == "ready" and supervisor.actor("b")["pid"])
            os.kill(pid, signal.SIGKILL)
            until(partial(other_pid_than, pid, supervisor))
        now = supervisor.actor("b")
        assert now["state"] == "crash-looping"
        assert now["degraded"]
        assert "died 6 times in a row, last it was killed by SIGKILL" in now["reason"]
        assert supervisor.pid("a") == other
        supervisor.says("b is ready again")  # the back-off ends, but it is not trusted at once
        assert supervisor.actor("b")["state"] == "crash-looping"


def test_a_child_that_dies_1_s_after_ready_is_caught_as_well(tmp_path: Path) -> None:
    with running(tmp_path, [child("a", "dies_after_ready", intensity=2)]) as supervisor:
        supervisor.says("a ended with exit code 3, crash-looping", 15)


def test_temporary_and_transient_children_stay_down_as_their_type_says(tmp_path: Path) -> None:
    children = [
        child("well", "ends_well", restart="transient"),
        child("killed", restart="transient"),
        child("once", restart="temporary"),
    ]
    with running(tmp_path, children, ready=False) as supervisor:
        supervisor.says("well ended; it is transient and stays down")
        until(lambda: supervisor.actor("killed")["state"] == supervisor.actor("once")["state"] == "ready")
        pids = supervisor.pid("killed"), supervisor.pid("once")
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        assert ready_again(supervisor, "killed", pids[0])
        assert until(lambda: supervisor.actor("once")["state"] == "stopped")
        assert supervisor.actor("well")["degraded"] is False
        assert supervisor.actor("once")["degraded"] is True


def test_a_killed_fork_server_is_one_event_and_everything_comes_back(tmp_path: Path) -> None:
    with running(tmp_path, THREE) as supervisor:
        old = supervisor.noted()
        os.kill(old["fork-server"], signal.SIGKILL)
        new = {name: ready_again(supervisor, name, old[name]) for name in "abc"}
        assert not set(new.values()) & set(old.values())
        assert all(is_gone(pid) for pid in old.values())
        assert {supervisor.actor(name)["state"] for name in "abc"} == {"ready"}
        assert supervisor.noted()["fork-server"] != old["fork-server"]
        assert supervisor.said.count("the fork server died") <= 1
        os.kill(new["a"], signal.SIGKILL)  # the new one does its work, and no death was charged for the old one's
        ready_again(supervisor, "a", new["a"])
        assert supervisor.stop() == 0


def test_a_stopped_fork_server_never_blocks_the_answers(tmp_path: Path) -> None:
    with running(tmp_path, [child("a")]) as supervisor:
        old = supervisor.noted()
        os.kill(old["fork-server"], signal.SIGSTOP)
        os.kill(old["a"], signal.SIGKILL)
        while "the fork server does not report the end of a: killing it" not in supervisor.said:
            ask(supervisor.runtime_dir, "status", 0.5)
            supervisor.hear()
        ready_again(supervisor, "a", old["a"])
        assert all(is_gone(pid) for pid in old.values())


@pytest.mark.parametrize("time_of_death", ["ready", "spawned", "starting", "restarting", "stopping"])
def test_sigkill_of_the_supervisor_leaves_no_process(tmp_path: Path, time_of_death: str) -> None:
    with running(
        tmp_path, [*THREE, child("d", "ignores_sigterm")], ready=time_of_death not in ("starting", "spawned")
    ) as supervisor:
        if time_of_death == "starting":
            until(lambda: (tmp_path / "run" / "children.json").exists())
        elif time_of_death == "spawned":
            until(lambda: (tmp_path / "run" / "children.json").exists() and "a" in supervisor.noted())
        pids = supervisor.noted()
        if time_of_death == "restarting":
            os.kill(pids["a"], signal.SIGKILL)
        elif time_of_death == "stopping":
            supervisor.process.send_signal(signal.SIGINT)
            supervisor.says("stopping")
        supervisor.process.kill()
        supervisor.process.wait()
        until(lambda: all(is_gone(pid) for pid in pids.values()), 2)
        until(lambda: not session_of(supervisor.process.pid), 2)  # the resource tracker notices by a closed pipe


def session_of(leader: int) -> list[int]:
    """Return the processes in the session that a supervisor led; ours all stay in it."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[3] == str(leader) and fields[0] not in "ZX":
            found.append(int(path.parent.name))
    return found


def test_ctrl_c_for_the_whole_group_stops_in_the_order_of_the_flow(tmp_path: Path) -> None:
    with running(tmp_path, THREE) as supervisor:
        os.killpg(supervisor.process.pid, signal.SIGINT)
        assert supervisor.wait() == 0
        ends = [supervisor.log(name).splitlines()[-1] for name in "cba"]
        assert all(line.endswith("stopped") for line in ends)
        assert all(earlier[:23] <= later[:23] for earlier, later in pairwise(ends))


def test_sigterm_for_the_whole_group_stops_in_the_order_of_the_flow(tmp_path: Path) -> None:
    with running(tmp_path, THREE) as supervisor:
        os.killpg(supervisor.process.pid, signal.SIGTERM)
        assert supervisor.wait() == 0
        ends = [supervisor.log(name).splitlines()[-1] for name in "cba"]
        assert all(line.endswith("stopped") for line in ends)
        assert all(earlier[:23] <= later[:23] for earlier, later in pairwise(ends))
        assert "died" not in supervisor.said


def test_a_closed_terminal_stops_in_order_as_ctrl_c_does(tmp_path: Path) -> None:
    with running(tmp_path, THREE) as supervisor:
        os.killpg(supervisor.process.pid, signal.SIGHUP)
        assert supervisor.wait() == 0
        assert all(supervisor.log(name).splitlines()[-1].endswith("stopped") for name in "abc")
        assert "died" not in supervisor.said


def test_a_directory_that_cannot_be_made_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with running(tmp_path / "file", THREE, ready=False) as supervisor:
        assert supervisor.wait() == 1
        assert "file/run: cannot be used: Not a directory. Give yourself the rights" in supervisor.said
        assert "Traceback" not in supervisor.said


def test_restart_of_one_actor_charges_nothing_and_of_all_gives_new_pids(tmp_path: Path) -> None:
    with running(tmp_path, THREE) as supervisor:
        for _ in range(7):
            old = ask(supervisor.runtime_dir, "restart", actor="b")["actors"]["b"]
            ready_again(supervisor, "b", old)
        assert supervisor.actor("b")["state"] == "ready"
        assert supervisor.actor("b")["restarts"] == 0
        old_pids = ask(supervisor.runtime_dir, "restart", actor=None)["actors"]
        for name, pid in old_pids.items():
            ready_again(supervisor, name, pid)
        with pytest.raises(CommandError, match=r"actor is 'x', must be one of a, b, c\.") as refused:
            ask(supervisor.runtime_dir, "restart", actor="x")
        assert refused.value.exit_code == 2


def test_reload_restarts_only_whose_settings_changed_and_refuses_bad_ones(tmp_path: Path) -> None:
    children = [child("a", sections=["recording"]), child("b", sections=["feed"])]
    with running(tmp_path, children) as supervisor:
        a, b = supervisor.pid("a"), supervisor.pid("b")
        assert ask(supervisor.runtime_dir, "reload") == {"restarted": []}
        (tmp_path / "set.json").write_text(json.dumps(["recording.flush_rows=77"]))
        assert ask(supervisor.runtime_dir, "reload") == {"restarted": ["a"]}
        new = ready_again(supervisor, "a", a)
        assert supervisor.pid("b") == b
        (tmp_path / "set.json").write_text(json.dumps(["recording.flush_rows=0"]))
        with pytest.raises(CommandError, match=r"recording\.flush_rows is 0, must be 1 to 1000000"):
            ask(supervisor.runtime_dir, "reload")
        (tmp_path / "set.json").write_text(json.dumps([f"runtime_dir={tmp_path}/other"]))
        with pytest.raises(CommandError, match="must stay the same while VECTRA runs"):
            ask(supervisor.runtime_dir, "reload")
        assert (supervisor.pid("a"), supervisor.pid("b")) == (new, b)


def test_what_an_earlier_supervisor_left_running_is_ended_by_the_next(tmp_path: Path) -> None:
    with running(tmp_path, [child("a")]) as first:
        left = first.pid("a")
        noted = (tmp_path / "run" / "children.json").read_bytes()
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "run").mkdir()
        (tmp_path / "elsewhere" / "run" / "children.json").write_bytes(noted)
        (tmp_path / "elsewhere" / "run" / "supervisor.pid").write_text(f"{os.getpid()}\n")  # stale, of a living process
        with running(tmp_path / "elsewhere", [child("z")]) as second:
            assert "ended what an earlier start had left running: a, fork-server" in second.said
            until(lambda: is_gone(left))
            assert second.stop() == 0


def test_a_second_start_changes_nothing_and_names_the_pid(tmp_path: Path) -> None:
    with running(tmp_path, [child("a")]) as first:
        pid = first.pid("a")
        with running(tmp_path, [child("a")], ready=False) as second:
            assert second.wait() == 0
            assert f"already running (pid {first.process.pid})" in second.said
        assert first.pid("a") == pid
        with running(tmp_path, [child("a")], f"runtime_dir={tmp_path}/r2", ready=False) as third:
            assert third.wait() == 1
            assert f"{tmp_path} is in use by another VECTRA" in third.said


def test_an_unknown_request_is_refused_and_the_tree_stays_up(tmp_path: Path) -> None:
    with running(tmp_path, [child("a")]) as supervisor:
        with pytest.raises(CommandError, match="op is 'dance', must be one of"):
            ask(supervisor.runtime_dir, "dance")
        assert supervisor.actor("a")["state"] == "ready"


def test_all_directories_are_the_owners_alone(tmp_path: Path) -> None:
    home = tmp_path / "data"
    with running(home, [child("a")]):
        loose = [path for path in (home, *home.rglob("*")) if not path.is_symlink() and path.stat().st_mode & 0o077]
        assert loose == []
