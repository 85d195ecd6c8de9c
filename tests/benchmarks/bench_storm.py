"""What a storm costs: one actor that exits at once, beside one that is punctual.

Prints, before and during the storm: the processor of supervisor and fork server, and how late another actor's loop is
woken that wants to be every 10 ms (p50, p99, worst of so many). Usage: python tests/benchmarks/bench_storm.py [seconds]
"""

import json
import statistics
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import psutil

from tests.supervisor.running import Running, child, running, until

SETTLE_S = 2.0


def cpu_s(supervisor: Running) -> float:
    """Return what the supervisor and its fork server, its ended children included, have used."""
    own = [psutil.Process(supervisor.process.pid), psutil.Process(supervisor.noted()["fork-server"])]
    return sum(sum(process.cpu_times()) for process in own)


def look(supervisor: Running, what: str, seconds: float) -> None:
    """Watch for some time and print one line."""
    times = supervisor.runtime_dir / "steady.late"
    skipped = len(times.read_text().split()) if times.exists() else 0
    before_s = cpu_s(supervisor)
    threading.Event().wait(seconds)
    share = 100 * (cpu_s(supervisor) - before_s) / seconds
    late_ms = [float(text) for text in times.read_text().split()[skipped:]]
    spread = statistics.quantiles(late_ms, n=100)
    restarts = sum(actor["restarts"] for actor in supervisor.status()["actors"])
    print(
        f"{what:34} {share:6.2f} % of a core, {restarts:4} restarts so far; the other is late by "
        f"{spread[49]:.2f} ms at p50, {spread[98]:.2f} at p99, {max(late_ms):.2f} at worst, of {len(late_ms)}"
    )


def main() -> None:
    """Look at rest, then in the storm."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    storm = json.dumps([{"id": "storm", "start": "children:exits_at_once"}])
    here = Path(__file__).resolve().parents[1] / "supervisor"
    with tempfile.TemporaryDirectory() as home, running(Path(home), [child("steady", "is_punctual")]) as supervisor:
        threading.Event().wait(SETTLE_S)
        look(supervisor, "at rest", seconds)
        supervisor.home.joinpath("set.json").write_text(json.dumps([f"actors.extra={storm}", f"actors.path={here}"]))
        from supervisor.ask import ask

        ask(supervisor.runtime_dir, "reload", 5.0)
        until(lambda: supervisor.actor("storm")["restarts"] > 0)
        look(supervisor, "a storm's first seconds, bursts", seconds)
        look(supervisor, "the storm goes on, backed off", seconds)
        supervisor.hear()


if __name__ == "__main__":
    main()
