"""What the demo's processes hold in memory, each and together, after some time of play at real speed.

Prints PSS (proportional: shared pages are divided among those who share them) and private memory by process; Chromium
apart. Usage: python tests/benchmarks/bench_memory.py [seconds]
"""

import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.house import House


def main() -> None:
    """Start, play, look, print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    with tempfile.TemporaryDirectory() as home:
        house = House(Path(home), {})
        try:
            house.start()
            threading.Event().wait(seconds)
            names = {actor["pid"]: actor["name"] for actor in house.status()["actors"]}
            total_mb = 0.0
            for process in house.processes():
                if "chrom" in process.name():
                    continue
                memory = process.memory_full_info()
                total_mb += memory.pss / 1e6
                name = names.get(process.pid) or " ".join(process.cmdline())[:60]
                print(f"{name:62} PSS {memory.pss / 1e6:6.1f} MB  private {memory.uss / 1e6:6.1f} MB")
            print(f"{'together':62} PSS {total_mb:6.1f} MB")
        finally:
            house.end()


if __name__ == "__main__":
    main()
