"""The hot paths of this checkout beside another one's, in one run: what a change costs, on a machine that is not quiet.

Run it with `python tests/benchmarks/compare.py --against ../main [--only journal,capture] [--pairs 4] [--turns 12]`.

Each pair is a fresh process of either checkout, so that neither's memory layout decides. Within a pair the two take
turns of some 50 ms, by processor time, each first as often as second; each one's fastest turn counts. Prints, per path,
the median over the pairs of both, and of their ratio with its quartiles: above 1 this checkout is slower. Both get the
same made-up input. Without `--against` this checkout is compared with itself: that is the noise. With `--limit 1.02`
the exit code is 1 where a median ratio is above it.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.bench_journal import payloads as journal_payloads
from tests.benchmarks.bench_normalize import countdowns, player_frames, snapshots, ticks
from tests.benchmarks.workloads import Work

ROOT = Path(__file__).resolve().parents[2]
WORKLOADS = Path(__file__).with_name("workloads.py")


def inputs() -> dict[str, Work]:
    """Return what is measured; repeats make a turn some 50 ms long."""
    tick, full = [one.encode() for one in ticks()], [one.encode() for one in snapshots()]
    mixed = [*tick[:120], *(one.encode() for one in player_frames()[:20]), *full[:1]]
    return {
        "normalize ticks": Work("normalize", 8, tick),
        "normalize countdowns": Work("normalize", 16, [one.encode() for one in countdowns()]),
        "normalize snapshots": Work("normalize", 6, full[:8]),
        "journal": Work("journal", 1, journal_payloads(5000)),
        "redact ticks": Work("redact", 1, tick),
        "redact snapshots": Work("redact", 1, full[:3]),
        "capture": Work("capture", 1, mixed),
        "capture, foreign socket": Work("foreign", 1, mixed),
    }


class Checkout:
    """A process with one checkout's code."""

    def __init__(self, tree: Path, file: Path) -> None:
        environ = {**os.environ, "PYTHONPATH": str(tree), "PYTHONHASHSEED": "0"}
        self.process = subprocess.Popen(
            [sys.executable, str(WORKLOADS), str(file)],
            cwd=tree,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self._line() != str(tree):
            raise SystemExit(f"{tree}: its code could not be loaded, or another checkout's was")

    def turn(self, name: str) -> float:
        """Return the processor seconds of one turn."""
        assert self.process.stdin is not None
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        return float(self._line())

    def close(self) -> None:
        """End the process."""
        self.process.communicate()

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


def pair(
    mine: Path, other: Path, file: Path, names: list[str], turns: int, flip: int
) -> dict[str, tuple[float, float]]:
    """Return each path's fastest turn of either; flip: who is started, and begins, first."""
    trees = [mine, other] if flip % 2 == 0 else [other, mine]
    both = [Checkout(tree, file) for tree in trees]
    found = {}
    try:
        for name in names:
            best = [float("inf")] * 2
            for turn in range(turns):
                for place in (0, 1) if turn % 2 == 0 else (1, 0):
                    best[place] = min(best[place], both[place].turn(name))
            found[name] = (best[0], best[1]) if flip % 2 == 0 else (best[1], best[0])
    finally:
        for each in both:
            each.close()
    return found


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--against", type=Path, default=ROOT, help="another checkout; default: this one")
    parser.add_argument("--only", default="", help="beginnings of the paths' names, comma-separated")
    parser.add_argument("--pairs", type=int, default=4, help="of processes, %(default)s")
    parser.add_argument("--turns", type=int, default=12, help="of each process and path, %(default)s")
    parser.add_argument("--limit", type=float, help="exit 1 where a median ratio is above it")
    given = parser.parse_args()
    measured = {name: one for name, one in inputs().items() if name.startswith(tuple(given.only.split(",")))}
    with tempfile.TemporaryDirectory() as home:
        file = Path(home) / "inputs"
        file.write_bytes(msgspec.msgpack.encode(measured))
        pairs = [
            pair(ROOT, given.against.resolve(), file, list(measured), given.turns, flip) for flip in range(given.pairs)
        ]
    print(f"{'':26}{'this':>10}  {'other':>9}   this / other (quartiles), µs of processor time a frame")
    worst = 0.0
    for name, work in measured.items():
        sides = ([one[name][side] / work.frames * 1e6 for one in pairs] for side in (0, 1))
        mine_us, other_us = map(statistics.median, sides)
        ratios = sorted(one[name][0] / one[name][1] for one in pairs)
        low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
        worst = max(worst, middle)
        print(f"{name:26}{mine_us:10.2f}  {other_us:9.2f}   {middle:.3f} ({low:.3f} to {high:.3f})")
    return int(given.limit is not None and worst > given.limit)


if __name__ == "__main__":
    sys.exit(main())
