"""200 frames/s of 2 to 15 KB through all of VECTRA: counted in Parquet, with what our processes cost.

Starts everything with real Chromium, lets the simulator add numbered `load` events, stops, and counts the numbers in
`ws_event`. Prints sent, stored, lost, doubled, and the CPU and memory of our processes (Chromium and the simulator
apart). Usage: python tests/benchmarks/bench_load.py [seconds] [frames a second]
"""

import re
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import duckdb
import psutil

from tests.house import House

_NUMBER = re.compile(r'^42\["load",(?:\{"__trace[^}]*\},)?\{"n":(\d+),')


def numbers(data_dir: Path) -> list[int]:
    """Return the number of every stored load frame, in order."""
    rows = duckdb.execute(
        f"SELECT raw FROM read_parquet('{data_dir}/events_parquet/doc_type=ws_event/*/*.parquet') "
        "WHERE event_name = 'load' ORDER BY seq"
    ).fetchall()
    return [int(match.group(1)) for (raw,) in rows if (match := _NUMBER.match(raw))]


def ours(house: House) -> dict[str, list[psutil.Process]]:
    """Return the house's processes by kind: vectra, simulator, chromium."""
    simulator = house.actor("simulator")["pid"]
    kinds: dict[str, list[psutil.Process]] = {"vectra": [], "simulator": [], "chromium": []}
    for process in house.processes():
        chromium = "chrom" in process.name()
        kinds["chromium" if chromium else "simulator" if process.pid == simulator else "vectra"].append(process)
    return kinds


def cpu_s(processes: list[psutil.Process]) -> float:
    """Return the CPU seconds that they have used."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def pss_mb(processes: list[psutil.Process]) -> float:
    """Return their proportional memory, MB."""
    return sum(process.memory_full_info().pss for process in processes) / 1e6


def main() -> None:
    """Start, load, measure, stop, count, print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    rate = float(sys.argv[2]) if len(sys.argv) > 2 else 200.0
    with tempfile.TemporaryDirectory() as home:
        house = House(Path(home), {"VECTRA_SIMULATOR_RATE": str(rate)})
        try:
            house.start()
            house.wait_until(lambda status: status["source"]["connected"])
            kinds = ours(house)
            before, begun = {kind: cpu_s(kinds[kind]) for kind in kinds}, time.monotonic()
            threading.Event().wait(seconds)
            took_s = time.monotonic() - begun
            used = {kind: (cpu_s(kinds[kind]) - before[kind]) / took_s for kind in kinds}
            memory = {kind: pss_mb(kinds[kind]) for kind in kinds}
            house.interrupt()
        finally:
            house.end()
        stored = Counter(numbers(house.data_dir))
    span = range(min(stored), max(stored) + 1)
    doubled = sum(count - 1 for count in stored.values())
    print(
        f"frames {len(span)} in {took_s:.0f} s, stored {len(stored)}, lost {len(span) - len(stored)}, doubled {doubled}"
    )
    for kind in kinds:
        print(
            f"{kind:10} {len(kinds[kind]):3} processes  {used[kind] * 100:6.1f} % of a core  {memory[kind]:6.1f} MB PSS"
        )


if __name__ == "__main__":
    main()
