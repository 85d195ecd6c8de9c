"""The log file of a process: what is written, when it is set aside, and that no line is lost by it."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.logs import Follower
from tests.processes import ROOT, wait_for

pytestmark = pytest.mark.system

_WRITER = """
import faulthandler, os, sys
from pathlib import Path
from actors.core.config import Log
from actors.core.log import start_logging
name, runtime_dir, keep, lines = sys.argv[1:]
log = start_logging("shared", Path(runtime_dir), Log(max_bytes=10_000, keep=int(keep)))
for number in range(int(lines)):
    log.info("%s %d %s", name, number, "x" * 60)
    os.write(2, f"raw {name} {number}\\n".encode())
"""


def writer(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
    )


@contextlib.contextmanager
def ended(processes: list[subprocess.Popen[bytes]]) -> Iterator[None]:
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait(10)


def stored(folder: Path) -> list[str]:
    return [line for path in folder.glob("shared.log*") for line in path.read_text().splitlines()]


def missing_or_doubled(lines: list[str], expected: list[str]) -> dict[str, int]:
    """Return how many too many (or too few) there are of each line, both of logged and of raw ones."""
    found = Counter(f"raw {line[4:]}" for line in lines if line.startswith("raw "))
    found.update(match[1] for line in lines if (match := re.search(r"Z INFO    shared: (\w \d+) x{60}$", line)))
    wanted = Counter([*expected, *(f"raw {line}" for line in expected)])
    return {line: found[line] - wanted[line] for line in found | wanted if found[line] != wanted[line]}


def test_processes_that_share_a_log_lose_no_line_however_often_it_is_rotated(tmp_path: Path) -> None:
    count = 600
    folder = tmp_path / "log"
    folder.mkdir()
    follower, seen = Follower(folder / "shared.log"), list[str]()
    writers = [writer(_WRITER, name, tmp_path, 100, count) for name in "abc"]
    with ended(writers):
        while any(process.poll() is None for process in writers):
            seen += follower.lines()
        seen += follower.lines()
    follower.close()
    assert [process.returncode for process in writers] == [0, 0, 0]
    expected = sorted(f"{name} {number}" for name in "abc" for number in range(count))
    assert len(list(folder.glob("shared.log*"))) > 10
    assert missing_or_doubled(stored(folder), expected) == {}
    assert missing_or_doubled(seen, expected) == {}


def test_old_files_are_kept_as_many_as_asked_for_and_no_more(tmp_path: Path) -> None:
    process = writer(_WRITER, "a", tmp_path, 2, 600)
    with ended([process]):
        assert process.wait(30) == 0
    assert sorted(path.name for path in (tmp_path / "log").iterdir()) == ["shared.log", "shared.log.1", "shared.log.2"]
    assert all(path.stat().st_size < 11_000 for path in (tmp_path / "log").iterdir())


def test_a_log_that_cannot_be_set_aside_or_was_deleted_is_written_on(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    (folder / "shared.log.1").mkdir(parents=True)
    (folder / "shared.log.1" / "full").touch()
    process = writer(_WRITER, "a", tmp_path, 1, 300)
    with ended([process]):
        assert process.wait(30) == 0
    assert sum("INFO" in line for line in (folder / "shared.log").read_text().splitlines()) == 300


_CRASHER = """
import ctypes, faulthandler, sys
from pathlib import Path
from actors.core.config import Log
from actors.core.log import start_logging
log = start_logging("shared", Path(sys.argv[1]), Log(max_bytes=10_000, keep=3))
faulthandler.enable()
for number in range(400):
    log.info("%d %s", number, "x" * 60)
log.info("now")
def falls_here() -> None:
    ctypes.string_at(0)
falls_here()
"""


def test_the_stacks_of_a_crash_in_c_stand_in_the_newest_log_after_rotations(tmp_path: Path) -> None:
    process = writer(_CRASHER, tmp_path)
    with ended([process]):
        assert process.wait(30) == -signal.SIGSEGV
    text = (tmp_path / "log" / "shared.log").read_text()
    assert "Fatal Python error: Segmentation fault" in text
    assert "in falls_here" in text
    wait_for(lambda: (tmp_path / "log" / "shared.log.3").exists())
