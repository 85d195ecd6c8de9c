"""All logs on standard output: what an entry is, and a real supervisor that speaks JSON, also as somebody's init."""

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from supervisor.relay import Entry, Relay, entries, shown
from tests.supervisor.running import HERE, LIMIT_S, ROOT, child, until


def test_a_traceback_belongs_to_the_line_before_it_and_a_librarys_words_stand_alone() -> None:
    lines = [
        "malloc(): corrupted",
        "2026-01-01 00:00:01.000Z ERROR   web: died of an error",
        "Traceback (most recent call last):",
        "ValueError: x",
        "2026-01-01 00:00:02.000Z WARNING asyncio: slow",
    ]
    assert list(entries("web", lines)) == [
        Entry(time=None, level="error", actor="web", message="malloc(): corrupted"),
        Entry(
            time="2026-01-01T00:00:01.000Z",
            level="error",
            actor="web",
            message="died of an error",
            detail="Traceback (most recent call last):\nValueError: x",
        ),
        Entry(time="2026-01-01T00:00:02.000Z", level="warning", actor="web", message="asyncio: slow"),
    ]


def test_json_is_one_object_a_line_and_text_keeps_the_traceback() -> None:
    entry = Entry(time="2026-01-01T00:00:01.000Z", level="error", actor="web", message="died", detail="a\nb")
    assert shown(entry, "json").count(b"\n") == 1
    assert json.loads(shown(entry, "json")) == {
        "time": "2026-01-01T00:00:01.000Z", "level": "error", "actor": "web", "message": "died", "detail": "a\nb"
    }  # fmt: skip
    assert shown(entry, "text") == b"2026-01-01T00:00:01.000Z ERROR   web: died\na\nb\n"


def test_it_begins_with_what_is_new_and_takes_up_new_logs(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("2026-01-01 00:00:01.000Z INFO    a: old\n")
    reader, writer = os.pipe()
    relay = Relay(tmp_path, writer, "text")
    with (tmp_path / "a.log").open("a") as file:
        file.write("2026-01-01 00:00:02.000Z INFO    a: new\n")
    (tmp_path / "b.log").write_text("2026-01-01 00:00:03.000Z INFO    b: first\n")
    relay.close()
    assert sorted(os.read(reader, 1000).decode().splitlines()) == [
        "2026-01-01T00:00:02.000Z INFO    a: new",
        "2026-01-01T00:00:03.000Z INFO    b: first",
    ]
    os.close(reader)


_INIT = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: orphans come to us, as to PID 1
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def daemon(home: Path, children: list[dict[str, Any]], log_format: str) -> subprocess.Popen[bytes]:
    order = json.dumps({"children": children, "set": [], "log_format": log_format})
    return subprocess.Popen(
        [sys.executable, "-c", _INIT, "-P", str(HERE / "run_daemon.py"), str(home), order, "--foreground"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"},
        start_new_session=True,
    )


@pytest.mark.system
def test_a_supervisor_speaks_json_loses_nothing_to_a_slow_reader_and_reaps_orphans(tmp_path: Path) -> None:
    process = daemon(tmp_path, [child("a", "talks"), child("b", "orphans")], "json")
    try:
        pidfile = tmp_path / "run" / "b.orphan"
        until(pidfile.exists)  # nobody reads all this time: the pipe is full, and the supervisor works
        orphan = int(pidfile.read_text())
        until(lambda: not Path(f"/proc/{orphan}").exists())
        process.send_signal(signal.SIGTERM)
        said = b""
        assert process.stdout is not None
        while select.select([process.stdout], [], [], LIMIT_S)[0] and (data := os.read(process.stdout.fileno(), 65536)):
            said += data
        assert process.wait(LIMIT_S) == 0
    finally:
        process.kill()
        process.wait(LIMIT_S)
        if process.stdout is not None:
            process.stdout.close()
    told = [json.loads(line) for line in said.splitlines()]
    assert [one["message"] for one in told if one["actor"] == "a" and "word" in one["message"]] == [
        f"word {number} {'x' * 200}" for number in range(1000)
    ]
    assert told[-1]["message"] == "stopped: everything is flushed, no process is left"
    assert {one["level"] for one in told} <= {"info", "warning"}
    assert all(one["time"].endswith("Z") for one in told)
