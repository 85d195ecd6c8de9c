"""How long after SIGKILL an actor's replacement runs our code, and is ready, beside a process started from nothing.

Prints, from one run: our supervisor (preloaded fork server), the control (a new interpreter that imports the same
libraries, killed and started by a loop that waits on its pidfd), the ratio, and what supervisor, fork server and
resource tracker weigh together (PSS).

Run: python -m tests.benchmarks.bench_restart [rounds]
"""

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

from tests.supervisor.running import Running, child, running, until

ACTORS = 10
CONTROL = (
    "import zmq, msgspec, pyarrow.parquet, time; print(time.monotonic_ns(), flush=True); import sys; sys.stdin.read()"
)


def times(supervisor: Running, name: str) -> tuple[int, int]:
    """Return when the actor's code began to run and when it was ready."""
    code_ns, ready_ns = (supervisor.runtime_dir / f"{name}.times").read_text().split()
    return int(code_ns), int(ready_ns)


def ours(supervisor: Running, rounds: int) -> tuple[list[float], list[float]]:
    """Kill one actor after the other; return the milliseconds to our code and to ready."""
    to_code, to_ready = [], []
    for number in range(rounds):
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


def control(rounds: int) -> list[float]:
    """Kill a bare process and start another as soon as it is gone; return the milliseconds to its code."""

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", CONTROL], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    taken = []
    process = start()
    for _ in range(rounds):
        assert process.stdout is not None
        process.stdout.readline()
        pidfd = os.pidfd_open(process.pid)
        killed_ns = time.monotonic_ns()
        process.kill()
        select.select([pidfd], [], [])
        os.close(pidfd)
        process.communicate()
        process = start()
        assert process.stdout is not None
        taken.append((int(process.stdout.peek().split()[0]) - killed_ns) / 1e6)  # type: ignore[attr-defined]
    process.kill()
    process.communicate()
    return taken


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
    family = {int(pid) for pid in Path(f"/proc/{supervisor.process.pid}/task/{supervisor.process.pid}/children").read_text().split()}  # fmt: skip  # noqa: E501
    tracker = family - {server}
    return {
        "supervisor": pss_mb(supervisor.process.pid),
        "fork server": pss_mb(server),
        "resource tracker": sum(pss_mb(pid) for pid in tracker),
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
        weights = weigh(supervisor)
        to_code, to_ready = ours(supervisor, rounds)
        supervisor.stop()
    from_nothing = control(max(5, rounds // 5))
    print(line("ours: SIGKILL to code", to_code))
    print(line("ours: SIGKILL to ready", to_ready))
    print(line("a new interpreter: SIGKILL to code", from_nothing))
    print(f"ratio to a new interpreter: {median(from_nothing) / median(to_code):.0f} times faster")
    for name, weight in weights.items():
        print(f"{name:<34} {weight:7.1f} MB PSS")


if __name__ == "__main__":
    main()
