"""The others in the restart benchmark: plain fork, a new interpreter, supervisord, circus.

In: how many rounds. Out: milliseconds from SIGKILL of a child until its replacement, with the same libraries imported,
runs code. supervisord and circus live in an environment of the benchmark's own (their package names clash with ours),
made on first use and kept; where pip cannot get them, `installed` says so and their rows are left out.
"""

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.supervisor.running import until

PEERS = ("supervisor==4.3.0", "circus==0.19.0")
PIP_S = 180
WARM = "import zmq, msgspec, pyarrow.parquet"
CHILD = f"""
{WARM}, os, sys, time
told = sys.argv[1] + ".new"
with open(told, "w") as file:
    file.write(f"{{os.getpid()}} {{time.monotonic_ns()}}")
os.replace(told, sys.argv[1])
while True:
    time.sleep(60)
"""


def plain_fork(rounds: int) -> list[float]:
    """Kill and fork again from a warm parent: the floor."""
    import msgspec
    import pyarrow.parquet
    import zmq

    assert msgspec, (pyarrow.parquet, zmq)
    readable, writable = os.pipe()
    taken = []
    pid = _forked(writable)
    os.read(readable, 8)
    for _ in range(rounds):
        killed_ns = _kill_and_wait(pid)
        pid = _forked(writable)
        taken.append((int.from_bytes(os.read(readable, 8), "little") - killed_ns) / 1e6)
    _kill_and_wait(pid)
    os.close(readable)
    os.close(writable)
    return taken


def _forked(writable: int) -> int:
    pid = os.fork()
    if pid == 0:
        os.write(writable, time.monotonic_ns().to_bytes(8, "little"))
        while True:
            signal.pause()
    return pid


def _kill_and_wait(pid: int) -> int:
    pidfd = os.pidfd_open(pid)
    killed_ns = time.monotonic_ns()
    os.kill(pid, signal.SIGKILL)
    select.select([pidfd], [], [])
    os.close(pidfd)
    os.waitpid(pid, 0)
    return killed_ns


def new_interpreter(rounds: int) -> list[float]:
    """Kill a bare process and start another as soon as it is gone."""
    with tempfile.TemporaryDirectory() as home:
        told = Path(home) / "told"
        taken = []
        pid = _started(told)
        for _ in range(rounds):
            before = until(lambda: _told(told))
            killed_ns = _kill_and_wait(pid)
            pid = _started(told)
            taken.append((until(lambda before=before: _newer(told, before)) - killed_ns) / 1e6)  # type: ignore[misc]
        _kill_and_wait(pid)
    return taken


def _started(told: Path) -> int:
    return os.posix_spawn(sys.executable, [sys.executable, "-c", CHILD, str(told)], os.environ)


def _told(told: Path) -> tuple[int, int] | None:
    """Return the pid and the nanoseconds that the child last wrote."""
    try:
        pid, at_ns = told.read_text().split()
    except (OSError, ValueError):
        return None
    return int(pid), int(at_ns)


def _newer(told: Path, before: tuple[int, int]) -> int | None:
    now = _told(told)
    return now[1] if now is not None and now != before else None


def installed() -> Path | str:
    """Return the directory with the peers' programs, or say why there is none."""
    home = Path(tempfile.gettempdir()) / "-".join(["vectra-bench", str(os.getuid()), *PEERS]).replace("==", "-")
    done = home / "complete"
    if not done.exists():
        venv.create(home, with_pip=True, clear=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PEERS]
        try:
            result = subprocess.run(pip, capture_output=True, text=True, timeout=PIP_S, check=False)
        except subprocess.TimeoutExpired:
            return f"pip gave nothing within {PIP_S} s"
        if result.returncode != 0:
            return f"pip could not install {', '.join(PEERS)}: {(result.stderr.strip().splitlines() or ['?'])[-1]}"
        done.touch()
    return home / "bin"


def supervisord(programs: Path, rounds: int) -> list[float]:
    """Kill a program of supervisord's, with its default settings."""

    def configure(home: Path, command: str) -> list[str]:
        (home / "peer.conf").write_text(
            f"[supervisord]\nnodaemon=true\npidfile={home}/pid\nlogfile={home}/log\nchildlogdir={home}\n"
            f"[program:child]\ncommand={command}\n"
        )
        return [str(programs / "supervisord"), "-c", str(home / "peer.conf")]

    return _rounds_with(configure, rounds)


def circus(programs: Path, rounds: int) -> list[float]:
    """Kill a process of circusd's, with its default settings."""

    def configure(home: Path, command: str) -> list[str]:
        ends = "\n".join(f"{name}=ipc://{home}/{name}" for name in ("endpoint", "pubsub_endpoint", "stats_endpoint"))
        (home / "peer.ini").write_text(f"[circus]\n{ends}\n[watcher:child]\ncmd={command}\n")
        return [str(programs / "circusd"), str(home / "peer.ini")]

    return _rounds_with(configure, rounds)


def _rounds_with(configure: Callable[[Path, str], list[str]], rounds: int) -> list[float]:
    taken = []
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (home / "child.py").write_text(CHILD)
        told = home / "told"
        with _running(configure(home, f"{sys.executable} {home}/child.py {told}"), home, told):
            for _ in range(rounds):
                before = until(lambda: _told(told))
                counts_ns = before[1] + 1_500_000_000  # as started, for both
                until(lambda counts_ns=counts_ns: time.monotonic_ns() > counts_ns)  # type: ignore[misc]
                killed_ns = time.monotonic_ns()
                os.kill(before[0], signal.SIGKILL)
                taken.append((until(lambda before=before: _newer(told, before)) - killed_ns) / 1e6)  # type: ignore[misc]
    return taken


@contextmanager
def _running(command: list[str], home: Path, told: Path) -> Iterator[None]:
    with (home / "said").open("wb") as said:
        peer = subprocess.Popen(command, cwd=home, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        yield
    finally:
        peer.terminate()
        try:
            peer.wait(20)
        except subprocess.TimeoutExpired:
            peer.kill()
            peer.wait(10)
            last = _told(told)
            if last is not None:
                os.kill(last[0], signal.SIGKILL)
