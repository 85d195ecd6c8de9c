"""The command line as a process: exit codes, messages, and a background VECTRA of test children."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.supervisor.running import ROOT, child, is_gone, running, until

pytestmark = pytest.mark.system


def vectra(home: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run one command as a user would, in `home`."""
    inherited = {
        key: value for key, value in os.environ.items() if not key.startswith(("VECTRA_", "RUGS_", "FOUNDATION_"))
    }
    return subprocess.run(
        [sys.executable, "-P", "-m", "vectra_player.entry", *arguments],
        cwd=home,
        env={**inherited, "PYTHONPATH": str(ROOT), "HOME": str(home), "VECTRA_DATA_DIR": str(home), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "code", "output"),
    [
        (["status"], 3, "VECTRA is not running."),
        (["stop"], 0, "VECTRA is not running."),
        (["restart"], 3, "VECTRA is not running."),
        (["reload"], 3, "VECTRA is not running."),
        (["record", "start"], 3, "VECTRA is not running."),
        (["record", "status"], 3, "VECTRA is not running."),
        (["events"], 3, "VECTRA is not running."),
        (["logs"], 0, ""),
        (["logs", "journal"], 0, "journal has not written a log yet"),
        (["logs", "nobody"], 2, "actor is 'nobody', must be one of broadcaster, browser, capture-a"),
        (["check"], 0, "(from VECTRA_DATA_DIR)"),
        (["check", "--set", "feed.port=9000"], 0, "What differs from the defaults:\n  data_dir: "),
        (["check", "--set", "feed.port=9500"], 0, "\n  feed.port: 9500 (from command line)\n"),
        (["check", "--set", "feed.port=x"], 2, "feed.port is 'x', must be 0 to 65535"),
        (["start", "--config", "absent.yaml"], 2, "absent.yaml: cannot be read: No such file or directory."),
        (["dance"], 2, "No such command 'dance'"),
        (["start", "--dance"], 2, "No such option"),
        (["-h"], 0, "vectra-supervisor start --demo"),
        (["status", "-h"], 0, "Exits with 0 when all actors are ready"),
        (["--version"], 0, "vectra-supervisor 0.1.0"),
    ],
)
def test_each_command_exits_as_the_contract_says(tmp_path: Path, arguments: list[str], code: int, output: str) -> None:
    result = vectra(tmp_path, *arguments)
    assert (result.returncode, output in result.stdout + result.stderr) == (code, True), result
    assert "Traceback" not in result.stderr


def test_status_of_nothing_is_the_whole_object_with_nulls(tmp_path: Path) -> None:
    result = vectra(tmp_path, "status", "--json")
    state = json.loads(result.stdout)
    assert result.returncode == 3
    assert state["supervisor"]["pid"] is None
    assert state["supervisor"]["state"] == "stopped"
    assert state["supervisor"]["runtime_dir"] == str(tmp_path / "run")
    assert state["actors"] == []
    assert state["recording"] == {"on": None, "since": None}
    assert state["source"] == {"connected": None, "url": None, "last_frame_age_s": None}
    assert state["journal"] == {"seq": None, "bytes": None, "unacked": None}
    assert state["gaps"] == {"count": None, "seconds": None}
    names = ["web", "feed", "monitor", "events", "requests", "cdp", "simulator"]
    assert state["endpoints"] == dict.fromkeys(names)


def test_the_commands_talk_to_a_running_vectra(tmp_path: Path) -> None:
    children = [child("journal"), child("web", hang_s=60), child("slow", "ignores_sigterm", shutdown_s=0.2)]
    with running(tmp_path, children) as supervisor:
        endpoints = tmp_path / "run" / "endpoints"
        endpoints.mkdir()
        (endpoints / "web").write_text("http://127.0.0.1:5000/")
        state = json.loads(vectra(tmp_path, "status", "--json").stdout)
        assert state["supervisor"]["pid"] == supervisor.process.pid
        assert state["supervisor"]["state"] == "running"
        assert state["endpoints"]["web"] == "http://127.0.0.1:5000/"
        web = state["actors"][1]
        assert (web["name"], web["state"], web["restarts"], web["last_exit"]) == ("web", "ready", 0, None)
        assert web["pid"] > 0
        assert web["rss_bytes"] > 1_000_000
        assert isinstance(web["cpu_percent"], float)
        assert isinstance(web["progress"], int)
        table = vectra(tmp_path, "status")
        assert table.returncode == 0
        assert "web           http://127.0.0.1:5000/\n" in table.stdout
        (tmp_path / "run" / "web_token").write_text("secret\n")
        assert "web           http://127.0.0.1:5000/?token=secret\n" in vectra(tmp_path, "status").stdout
        assert "secret" not in vectra(tmp_path, "status", "--json").stdout
        assert "slow      ready" in table.stdout
        again = vectra(tmp_path, "start")
        assert (again.returncode, again.stdout) == (
            0,
            f"vectra-supervisor is already running (pid {supervisor.process.pid}).\n"
            "  control room     http://127.0.0.1:5000/?token=secret\n",
        )
        other = vectra(tmp_path, "start", "--demo")
        assert (other.returncode, other.stdout) == (1, again.stdout)
        assert other.stderr == (
            "It records the real game, not the demo. `vectra-supervisor stop` ends it; then start again.\n"
        )
        assert vectra(tmp_path, "restart", "web").stdout == "web is ready again.\n"
        assert supervisor.pid("web") != web["pid"]
        unknown = vectra(tmp_path, "restart", "nobody")
        assert (unknown.returncode, unknown.stderr) == (2, "actor is 'nobody', must be one of journal, web, slow.\n")
        assert "web: ready" in vectra(tmp_path, "logs", "web", "-n", "1").stdout
        assert vectra(tmp_path, "reload").stdout == "Reloaded; no actor had to restart.\n"
        refused = vectra(tmp_path, "record", "start")
        assert (refused.returncode, "The journal did not confirm within 5 s" in refused.stderr) == (1, True)
        pids = supervisor.noted()
        stopped = vectra(tmp_path, "stop")
        assert (stopped.returncode, stopped.stdout) == (0, "VECTRA is stopped.\n")
        assert supervisor.wait() == 0
        assert all(is_gone(pid) for pid in pids.values())
        assert not (endpoints / "web").exists()


def test_a_start_that_must_fail_says_all_that_hinders_it_and_starts_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = ("--set", f"web.port={port}", "--set", "browser.binary=/no/such/program")
        result = vectra(tmp_path, "start", *settings, DISPLAY="", WAYLAND_DISPLAY="")
        demo = vectra(tmp_path, "start", "--demo", "--foreground", *settings)
    assert result.returncode == demo.returncode == 1
    assert result.stderr.startswith(
        "VECTRA cannot start here:\n  Chromium: not found\n       browser.binary is '/no/such/"
    )
    assert f"  web.port: {port} is taken\n" in result.stderr
    assert "  display: none (DISPLAY and WAYLAND_DISPLAY are unset)" in result.stderr
    assert "display" not in demo.stderr
    assert not (tmp_path / "run").exists()


def test_doctor_looks_at_the_settings_that_a_running_vectra_has(tmp_path: Path) -> None:
    with running(tmp_path, [child("journal")], "browser.headless=true"):
        assert "ok   display: not needed, browser.headless is true" in vectra(tmp_path, "doctor", DISPLAY="").stdout


def test_ctrl_c_leaves_a_restart_going_on_and_says_so(tmp_path: Path) -> None:
    with running(tmp_path, [child("slow", "ignores_sigterm", shutdown_s=3)]) as supervisor:
        before = supervisor.pid("slow")
        command = subprocess.Popen(
            [sys.executable, "-P", "-m", "vectra_player.entry", "restart", "slow", "--set", f"data_dir={tmp_path}"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
        )
        supervisor.says("restarting slow, as asked")
        command.send_signal(signal.SIGINT)
        _, said = command.communicate(timeout=60)
        assert said.decode() == "\nThe restart goes on; `vectra-supervisor status` shows how far it is.\n"
        assert command.returncode == 1
        until(lambda: supervisor.actor("slow")["pid"] not in (None, before))


def test_a_mistake_in_the_settings_locks_nobody_out_of_a_running_vectra(tmp_path: Path) -> None:
    with running(tmp_path, [child("journal"), child("web")]) as supervisor:
        settings = tmp_path / "vectra.yaml"
        settings.write_text("feed: {port: x}\nfed: {}\n")
        for arguments in (["status"], ["logs", "web"], ["record", "status"], ["restart", "web"]):
            result = vectra(tmp_path, *arguments)
            assert result.returncode == 0, result
            assert result.stderr == (
                "warning: vectra.yaml: fed is not a key. Did you mean feed? Remove the line. (1 more) "
                f"Going on with data_dir {tmp_path}; `vectra-supervisor check` says more.\n"
            )
        for arguments in (["start"], ["reload"], ["check"]):
            assert vectra(tmp_path, *arguments).returncode == 2
        settings.write_text("data_dir: {\n")
        doubt = vectra(tmp_path, "stop", VECTRA_DATA_DIR="")
        assert doubt.returncode == 2
        assert vectra(tmp_path, "status", "--data-dir", str(tmp_path)).returncode == 0
        assert vectra(tmp_path, "stop").stdout == "VECTRA is stopped.\n"
        assert supervisor.wait() == 0


def test_a_file_that_is_not_yaml_locks_nobody_out_of_the_data(tmp_path: Path) -> None:
    (tmp_path / "vectra.yaml").write_text("feed: [\n")
    doctor = vectra(tmp_path, "doctor")
    assert doctor.returncode == 1
    assert doctor.stdout.startswith("BAD  settings: vectra.yaml: line 2, column 1: ")
    assert f"data_dir: {tmp_path}" in doctor.stdout
    compact = vectra(tmp_path, "compact")
    assert (compact.returncode, "Nothing to merge" in compact.stdout) == (0, True), compact
    for arguments in (["journal", "info"], ["journal", "verify"]):
        result = vectra(tmp_path, *arguments)
        assert (result.returncode, f"{tmp_path}/journal is not there" in result.stderr) == (1, True), result
        assert result.stderr.startswith("warning: vectra.yaml: line 2, column 1: ")


def test_status_stays_within_its_300_ms_of_processor_time(tmp_path: Path) -> None:
    before_s = time.clock_gettime(time.CLOCK_MONOTONIC), children_cpu_s()
    assert vectra(tmp_path, "status", "--json").returncode == 3
    assert children_cpu_s() - before_s[1] < 0.3


def children_cpu_s() -> float:
    times = os.times()
    return times.children_user + times.children_system
