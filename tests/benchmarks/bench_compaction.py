"""What a compaction costs and saves: two hours of a day at the game's rate, as flushes of 5 s left them.

Prints files and bytes before and after, seconds (and per million rows), the largest memory of the process that merges,
the longest swap (which is all that the flow can feel), and a DuckDB query over all files before and after; beside it
the control: one pyarrow read of all files and one write at the same level, with nothing synced or swapped.

Run: python tests/benchmarks/bench_compaction.py [hours]
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from actors.core.messages import SEQ_STEP, Row
from actors.writer.columns import parquet_options
from actors.writer.compaction import Figures
from actors.writer.flush import Store
from actors.writer.layout import events_dir, files_of
from actors.writer.merging import ZSTD_LEVEL
from tests.benchmarks.bench_writer import GAME, make_rows

FLUSH_ROWS = 35  # 7 frames a second, each 5 s
PASS = """
import sys
from pathlib import Path
import msgspec
from actors.writer import offline, swap
swap.GRACE_S = 0.0
print(msgspec.json.encode(offline.compact(Path(sys.argv[1]))).decode())
print(next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
"""
START_US = 1_765_796_400_000_000  # 2025-12-15 11:00 UTC


def fill(data_dir: Path, hours: float) -> int:
    """Write the files of so many hours and one flush of the next; return the number of frames."""
    frames = make_rows(int(hours * 3600 * 7) + FLUSH_ROWS)
    store = Store(data_dir)
    for first in range(0, len(frames), FLUSH_ROWS):
        rows: list[Row] = []
        for number, frame in enumerate(frames[first : first + FLUSH_ROWS], first):
            at_us = START_US + number * 1_000_000 // 7
            tick = [number % 500, 1.0 + number / 1000, "ACTIVE", True, False, 0, number, 200, "live"]
            rows.append(Row(frame.seq, "ws_event", at_us, GAME, frame.values))
            rows.append(Row(frame.seq + 1, "game_tick", at_us, GAME, tick))
        store.flush(rows, rows[-1].seq - rows[-1].seq % SEQ_STEP)
    return len(frames)


def query_ms(data_dir: Path) -> float:
    """Return the time of a plain query over all ticks."""
    with duckdb.connect() as database:
        began_s = time.perf_counter()
        glob = str(events_dir(data_dir) / "doc_type=game_tick" / "*" / "*.parquet")
        database.execute("select max(price), count(*) from read_parquet(?)", [glob]).fetchall()
        return (time.perf_counter() - began_s) * 1000


def control_s(data_dir: Path, target: Path) -> float:
    """Return the seconds of the bare limit: all frames and ticks read at once and written at the same level."""
    began_s = time.perf_counter()
    for doc_type in ("ws_event", "game_tick"):
        paths = [file.path for file in files_of(events_dir(data_dir), doc_type)]
        table = pa.concat_tables([pq.read_table(path, partitioning=None, use_threads=False) for path in paths])
        pq.write_table(table, target, **parquet_options(doc_type, ZSTD_LEVEL))
    return time.perf_counter() - began_s


def usage(data_dir: Path) -> tuple[int, int]:
    """Return the number of data files and their bytes."""
    sizes = [path.stat().st_size for path in events_dir(data_dir).rglob("*.parquet")]
    return len(sizes), sum(sizes)


def main() -> None:
    """Fill, measure, print."""
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    with tempfile.TemporaryDirectory(prefix="v-") as folder:
        data_dir = Path(folder) / "d"
        data_dir.mkdir()
        rows = 2 * fill(data_dir, hours)
        before, query_before_ms = usage(data_dir), query_ms(data_dir)
        bare_s = control_s(data_dir, Path(folder) / "control.parquet")
        began_s = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", PASS, str(data_dir)], stdout=subprocess.PIPE, check=True,
                              env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])})  # fmt: skip
        took_s = time.perf_counter() - began_s
        said, peak_kb = done.stdout.splitlines()
        figures = msgspec.json.decode(said, type=Figures)
        after, query_after_ms = usage(data_dir), query_ms(data_dir)
    print(f"{hours:g} h at 7 frames/s: {rows} rows; the pass: {figures.state}")
    print(f"files  {before[0]:6} -> {after[0]:6}      bytes {before[1]:11,} -> {after[1]:11,}")
    print(f"pass   {took_s:6.2f} s, {took_s / rows * 1e6:6.1f} s per million rows; control {bare_s:6.2f} s, "
          f"{took_s / bare_s:.2f} of it")  # fmt: skip
    print(f"memory {int(peak_kb.split()[1]) / 1000:6.1f} MB at most; longest swap {figures.longest_swap_ms} ms")
    print(f"query  {query_before_ms:6.1f} ms -> {query_after_ms:6.1f} ms")


if __name__ == "__main__":
    main()
