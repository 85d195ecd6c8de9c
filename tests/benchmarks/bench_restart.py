"""How long after SIGKILL an actor's replacement runs its own code, and is ready, beside what others take for less.

Prints, from one run: ours (to the first line of the actor's function, with its sockets and its log; to ready), the
floor (fork from a warm parent), a new interpreter, supervisord and circus with their defaults (each to a first line
with the same libraries imported), then what our own processes weigh (PSS). A kill comes 0.2 s after the last one's
recovery; `in a storm` is without that pause, so without the fork server's reserve.

Run: python -m tests.benchmarks.bench_restart [rounds]
"""

import os
import select
import signal
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.restart_peers import circus, installed, new_interpreter, plain_fork, supervisord
from tests.supervisor.running import Running, child, running, until

ACTORS = 10
PAUSE_S = 0.2
PEER_ROUNDS = 5  # each takes seconds


def times(supervisor: Running, name: str) -> tuple[int, int]:
    """Return when the actor's code began to run and when it was ready."""
    code_ns, ready_ns = (supervisor.runtime_dir / f"{name}.times").read_text().split()
    return int(code_ns), int(ready_ns)


def ours(supervisor: Running, rounds: int, pause_s: float) -> tuple[list[float], list[float]]:
    """Kill one actor after the other; return the milliseconds to our code and to ready."""
    to_code, to_ready = [], []
    for number in range(rounds):
        select.select([], [], [], pause_s)
        name = f"a{number % ACTORS}"
        pid, before = supervisor.pid(name), times(supervisor, name)
        killed_ns = time.monotonic_ns()
        os.kill(pid, signal.SIGKILL)
        until(lambda name=name, before=before: times(supervisor, name) != before)  # type: ignore[misc]
        code_ns, ready_ns = times(supervisor, name)
        to_code.append((code_ns - killed_ns) / 1e6)
        to_ready.append((ready_ns - killed_ns) / 1e6)
        until(lambda name=name: supervisor.actor(name)["state"] == "ready")  # type: ignore[misc]
    return to_code, to_ready


def pss_mb(pid: int) -> float:
    """Return a process's proportional share of memory."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def weigh(supervisor: Running) -> dict[str, float]:
    """Return the PSS of the supervisor's own processes, and of a middling actor."""
    noted = supervisor.noted()
    server, actors = noted.pop("fork-server"), noted.values()
    listed = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    reserve = {int(pid) for pid in listed} - set(actors)
    weights = {
        "supervisor": pss_mb(supervisor.process.pid),
        "fork server": pss_mb(server),
        "its reserve": sum(pss_mb(pid) for pid in reserve),
    }
    return {
        **weights,
        "these together": sum(weights.values()),
        "an actor at rest": median(pss_mb(pid) for pid in actors),
    }


def line(name: str, values: list[float]) -> str:
    """Return one line of the table."""
    return f"{name:<34} p50 {median(values):7.1f} ms   p90 {quantiles(values, n=10)[8]:7.1f} ms"


def main() -> None:
    """Run and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    os.environ["VECTRA_TEST_LIBRARIES"] = "all"
    children = [child(f"a{number}", "tells", intensity=100_000) for number in range(ACTORS)]
    with tempfile.TemporaryDirectory() as home, running(Path(home), children) as supervisor:
        to_code, to_ready = ours(supervisor, rounds, PAUSE_S)
        storm_code, _ = ours(supervisor, rounds, 0.0)
        select.select([], [], [], PAUSE_S)
        weights = weigh(supervisor)
        supervisor.stop()
    print(line("ours: SIGKILL to the actor's code", to_code))
    print(line("ours: SIGKILL to ready", to_ready))
    print(line("ours, in a storm: to code", storm_code))
    print(line("plain fork from a warm parent", plain_fork(rounds)))
    nothing = new_interpreter(max(5, rounds // 5))
    print(line("a new interpreter (spawn)", nothing))
    programs = installed()
    if isinstance(programs, str):
        print(f"supervisord and circus are left out: {programs}")
    else:
        print(line("supervisord, default settings", supervisord(programs, PEER_ROUNDS)))
        print(line("circus, default settings", circus(programs, PEER_ROUNDS)))
    print(f"ratio to a new interpreter: {median(nothing) / median(to_code):.0f} times faster")
    for name, weight in weights.items():
        print(f"{name:<34} {weight:7.1f} MB PSS")
    print(f"load average of this machine: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
