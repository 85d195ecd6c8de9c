"""What VECTRA costs while nothing happens: processor and wake-ups of each process, on a page that opens no socket.

A wake-up is a voluntary context switch of any of a process's threads: something it waited for came. Prints both per
process over 20 seconds, and PSS at the end; Chromium apart, which is not ours to quiet. Two actors of the user's own
are there too: one in Python, and a plain program, whose own process is not counted.
Usage: python tests/benchmarks/bench_idle.py [seconds]
"""

import contextlib
import sys
import tempfile
import threading
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import psutil

from tests.benchmarks.bare_site import Silent, served
from tests.house import House

EXTRAS = {
    "VECTRA_ACTORS_PATH": str(Path(__file__).resolve().parents[1] / "supervisor"),
    "VECTRA_ACTORS_EXTRA": '[{"id": "extra-python", "start": "children:works"}, '
    '{"id": "extra-program", "command": ["sleep", "100000"]}]',
}
"""Two actors of the user's own, which do nothing."""

SETTLE_S = 10.0  # the page is open, the recoveries of the start are over


class Cost(NamedTuple):
    """What one process has used since its start."""

    cpu_s: float
    wakes: int  # of all its threads


class QuietPage(Silent):
    """A page that does nothing."""

    def do_GET(self) -> None:
        """Answer with it, whatever was asked for."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>quiet</title><p>nothing happens here")


def cost(pid: int) -> Cost:
    """Read what a process has used, thread by thread."""
    switches = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        with contextlib.suppress(OSError):
            text = status.read_text()
            switches += int(text.split("voluntary_ctxt_switches:")[1].split()[0])
    times = psutil.Process(pid).cpu_times()
    return Cost(times.user + times.system, switches)


def named(house: House) -> dict[int, str]:
    """Return every process of the house but Chromium's, with the name of its actor."""
    actors = {actor["pid"]: actor["name"] for actor in house.status()["actors"]}
    own = {
        process.pid: process
        for process in house.processes()
        if "chrom" not in process.name() and process.name() != "sleep"
    }
    rest = {pid: "supervisor" if "supervisor" in process.cmdline() else "fork server, reserve"
            for pid, process in own.items()}  # fmt: skip
    return {pid: actors.get(pid) or rest[pid] for pid in own}


def main() -> None:
    """Start, let it come to rest, look twice, print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    with tempfile.TemporaryDirectory() as home, served(QuietPage) as url:
        house = House(Path(home), {"VECTRA_SITE_URL": url, **EXTRAS}, demo=False)
        try:
            house.start()
            threading.Event().wait(SETTLE_S)
            names = named(house)
            before = {pid: cost(pid) for pid in names}
            threading.Event().wait(seconds)
            report(names, before, seconds)
        finally:
            house.end()


def report(names: dict[int, str], before: dict[int, Cost], seconds: float) -> None:
    """Print one line for each process, and the sums."""
    print(f"{'process':24} {'CPU':>8} {'wake-ups/s':>11} {'PSS':>10}")
    cpu = wakes = pss = 0.0
    for pid, name in sorted(names.items(), key=lambda item: item[1]):
        now, then = cost(pid), before[pid]
        own_cpu, own_wakes = 100 * (now.cpu_s - then.cpu_s) / seconds, (now.wakes - then.wakes) / seconds
        own_pss = psutil.Process(pid).memory_full_info().pss / 1e6
        print(f"{name:24} {own_cpu:6.2f} % {own_wakes:11.1f} {own_pss:7.1f} MB")
        cpu, wakes, pss = cpu + own_cpu, wakes + own_wakes, pss + own_pss
    print(f"{'together':24} {cpu:6.2f} % {wakes:11.1f} {pss:7.1f} MB")


if __name__ == "__main__":
    main()
