"""Long trials of the supervisor: killed at any instant, and restarting one small child thousands of times.

`python -m tests.soak --kills 200`: starts the demo, Chromium included, sends SIGKILL to the supervisor at a random
instant (four of five while it is still starting), and looks whether any process of ours is left a second later. Every
orphan becomes a child of this program (PR_SET_CHILD_SUBREAPER), so that none can hide in a session of its own. The
data directory stays the same, so each start also meets what the death before left.

`python -m tests.soak --restarts 10000`: lets a child exit at once so many times, and prints memory, descriptors,
threads and the files of the runtime directory before and after. Both exit 1 on any failure.
"""

import argparse
import contextlib
import ctypes
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

import msgspec
import psutil

from supervisor.ask import CommandError
from tests.house import House
from tests.processes import wait_for
from tests.supervisor.running import Running, child, running

PR_SET_CHILD_SUBREAPER = 36
GONE_S = 1.0
WARM_UP = 1200  # restarts until caches and arenas have their size, and the 1,000 facts that await the journal are there
SLACK_MB = 3.0


class Kill(NamedTuple):
    """One trial."""

    after_s: float
    alive: int  # processes at the moment of the kill
    left: list[str]  # command lines of what was left


def adopt_orphans() -> None:
    """Become the parent of every orphan below us."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")


def reap() -> None:
    """Take the exit codes of the orphans that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def living() -> list[psutil.Process]:
    """Return every process below this one that runs."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def wait_s(seconds: float) -> None:
    """Let time pass: it is the instant of the kill."""
    until_s = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() >= until_s, seconds + 60, 0.002)


def kill_once(home: Path, after_s: float) -> Kill:
    """Start the demo, kill its supervisor after so long, and count what is left a second later."""
    house = House(home, {"VECTRA_LOG_MAX_BYTES": "1000000"})
    command = [sys.executable, "-P", "-m", "supervisor", "--demo", "--foreground"]
    with (home / "foreground.txt").open("ab") as output:
        supervisor = subprocess.Popen(
            command, cwd=home, env=house.env, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    wait_s(after_s)
    alive = len(living())
    supervisor.kill()
    supervisor.wait()
    deadline_s = time.monotonic() + GONE_S
    while (left := living()) and time.monotonic() < deadline_s:
        reap()
        wait_s(0.02)
    names = [" ".join(process.cmdline())[:160] for process in left if process.is_running()]
    for process in left:
        process.kill()
    reap()
    return Kill(after_s, alive, names)


def kills(count: int, seed: int) -> int:
    """Run the kills; return how many left something."""
    adopt_orphans()
    dice = random.Random(seed)
    failures, alive = 0, []
    with tempfile.TemporaryDirectory() as home:
        ready_s = time_to_ready(Path(home))
        print(f"the demo is ready after {ready_s:.1f} s; killing at instants up to {1.25 * ready_s:.1f} s", flush=True)
        for number in range(1, count + 1):
            trial = kill_once(Path(home), dice.uniform(0.0, 1.25 * ready_s))
            alive.append(trial.alive)
            if trial.left:
                failures += 1
                print(f"kill {number}, {trial.after_s:.3f} s after the start: {len(trial.left)} left: {trial.left}")
            if number % 20 == 0 or number == count:
                some = f"{min(alive)} to {max(alive)} processes each, {median(alive):.0f} at the median"
                print(f"{number} kills of {some}: {failures} left something", flush=True)
    return failures


def time_to_ready(home: Path) -> float:
    """Start the demo and stop it; return how long it took to be ready."""
    house = House(home, {})
    began_s = time.monotonic()
    try:
        house.start()
        return time.monotonic() - began_s
    finally:
        house.end()
        wait_for(nothing_lives, 30)


def nothing_lives() -> bool:
    """Reap, and say whether all is gone."""
    reap()
    return not living()


class Weight(msgspec.Struct, frozen=True, kw_only=True):
    """What the supervisor and its fork server hold."""

    rss_mb: float
    pss_mb: float  # depends on who shares the pages at this moment
    fds: int
    threads: int
    files: int  # in the runtime directory, but the logs


def weigh(supervisor: Running) -> Weight:
    """Look at both processes."""
    own = [psutil.Process(supervisor.process.pid), psutil.Process(supervisor.noted()["fork-server"])]
    files = [path for path in supervisor.runtime_dir.rglob("*") if path.is_file() and path.parent.name != "log"]
    return Weight(
        rss_mb=round(sum(process.memory_info().rss for process in own) / 1e6, 2),
        pss_mb=round(sum(process.memory_full_info().pss for process in own) / 1e6, 2),
        fds=sum(process.num_fds() for process in own),
        threads=sum(process.num_threads() for process in own),
        files=len(files),
    )


def restarts(count: int) -> int:
    """Run the restarts; return how many of the figures grew."""
    spec = child("a", "exits_at_once", intensity=10_000_000)
    limit = "supervisor.start_timeout_s=600"  # it is never ready, and that must not end the trial
    with (
        tempfile.TemporaryDirectory() as home,
        running(Path(home), [child("b"), spec], limit, ready=False) as supervisor,
    ):
        restarted(supervisor, WARM_UP)
        before, began_s = weigh(supervisor), time.monotonic()
        restarted(supervisor, WARM_UP + count)
        after, took_s = weigh(supervisor), time.monotonic() - began_s
        zombies = zombies_below(supervisor.process.pid)
        wait_for(lambda: supervisor.actor("b")["restarts"] == 0, 10)
        supervisor.process.send_signal(signal.SIGINT)
        supervisor.process.communicate(timeout=60)
    print(f"{count} restarts in {took_s:.1f} s, {1000 * took_s / count:.1f} ms each; zombies: {zombies}")
    print(f"before {json.dumps(msgspec.to_builtins(before))}")
    print(f"after  {json.dumps(msgspec.to_builtins(after))}")
    grown = [after.rss_mb > before.rss_mb + SLACK_MB, after.fds > before.fds + 4, after.threads > before.threads]
    return sum([*grown, after.files > before.files, zombies > 1])


def restarted(supervisor: Running, count: int) -> None:
    """Wait until the child was restarted so often; keeps the supervisor's talk from filling its pipe."""

    def enough() -> bool:
        supervisor.hear()
        supervisor.said = ""
        try:
            return bool(supervisor.actor("a")["restarts"] >= count)
        except CommandError:  # it has only just begun
            return False

    wait_for(enough, 30 + count)


def zombies_below(pid: int) -> int:
    """Count the zombies below a process; one may be about to be reaped."""
    count = 0
    for process in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            count += process.status() == psutil.STATUS_ZOMBIE
    return count


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=0, help="SIGKILL of the supervisor so many times")
    parser.add_argument("--restarts", type=int, default=0, help="restarts of one small child")
    parser.add_argument("--seed", type=int, default=1, help="of the instants")
    arguments = parser.parse_args()
    failures = kills(arguments.kills, arguments.seed) if arguments.kills else 0
    failures += restarts(arguments.restarts) if arguments.restarts else 0
    print("nothing was left, nothing grew" if failures == 0 else f"{failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
