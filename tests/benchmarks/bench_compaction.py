"""What a compaction costs and saves, by the hour and by the day, at the real writer.

First an hour at the game's rate, as flushes of 5 s left them; then a day of 24 hourly files with 460 MB
of frames. A real writer is asked for a pass. Printed: files and bytes before and after, its seconds and the MB/s of
frames, the largest memory of the merger's process (VmHWM) and of the writer beside it (PSS), the longest swap (which is
all that the flow can feel), and a DuckDB query over all files before and after. Beside it the controls, each in a
process of its own and with nothing synced or swapped: pyarrow reading the whole table and writing it, DuckDB's COPY.

Run: python tests/benchmarks/bench_compaction.py [hours]
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
from msgspec import Struct

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from actors.core.config import Config, Recording
from actors.core.messages import SEQ_STEP, Row, Rows
from actors.writer.compaction import REQUEST
from actors.writer.flush import Store
from actors.writer.layout import events_dir
from tests.benchmarks.bench_writer import GAME, make_rows
from tests.writer.nursery import Nursery
from tests.writer.source import Source

ROOT = Path(__file__).resolve().parents[2]
A_SECOND = 7  # frames
FLUSH_ROWS = 35  # each 5 s
HOUR_ROWS = 7000
FILE_ROWS = 3500  # in the day's hourly files: two each
START_US = 1_765_756_800_000_000  # 2025-12-15 00:00 UTC
LOOK_S = 0.02
CONTROL = """
import sys, time
from pathlib import Path
import pyarrow as pa, pyarrow.parquet as pq, duckdb
from actors.writer.columns import parquet_options
from actors.writer.layout import files_of
from actors.writer.merging import ZSTD_LEVEL
kind, root, target = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
pa.set_cpu_count(1)
began_s = time.perf_counter()
for doc_type in ("ws_event", "game_tick"):
    paths = [str(file.path) for file in files_of(root, doc_type)]
    if kind == "pyarrow" and paths:
        table = pa.concat_tables([pq.read_table(path, partitioning=None, use_threads=False) for path in paths])
        pq.write_table(table, target, **parquet_options(doc_type, ZSTD_LEVEL))
    elif paths:
        with duckdb.connect() as database:
            database.execute("set threads=1; set enable_progress_bar=false")
            database.execute(f"copy (select * from read_parquet({paths})) to '{target}' "
                             f"(format parquet, compression zstd, compression_level {ZSTD_LEVEL})")
took_s = time.perf_counter() - began_s
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(took_s, int(peak.split()[1]) / 1000)
"""


class Pass(Struct, kw_only=True):
    """What a pass of a real writer cost."""

    state: object = ""
    took_s: float = 0.0
    merger_mb: float = 0.0
    writer_mb: float = 0.0
    writer_before_mb: float = 0.0
    swap_ms: object = 0.0


def flushes_of_hours(hours: int) -> Iterator[list[Row]]:
    """Yield the flushes of so many hours, frames and ticks, and one of the next hour."""
    frames = make_rows(hours * 3600 * A_SECOND + FLUSH_ROWS)
    for first in range(0, len(frames), FLUSH_ROWS):
        rows: list[Row] = []
        for number, frame in enumerate(frames[first : first + FLUSH_ROWS], first):
            at_us = START_US + number * 1_000_000 // A_SECOND
            tick = [number % 500, 1.0 + number / 1000, "ACTIVE", True, False, 0, number, 200, "live"]
            rows.append(Row(frame.seq, "ws_event", at_us, GAME, frame.values))
            rows.append(Row(frame.seq + 1, "game_tick", at_us, GAME, tick))
        yield rows


def files_of_a_day() -> Iterator[list[Row]]:
    """Yield a day's frames by half hours, and one frame of the next day."""
    frames = make_rows(HOUR_ROWS)
    for first in range(0, 24 * HOUR_ROWS + 1, FILE_ROWS):
        rows = []
        for number in range(first, min(first + FILE_ROWS, 24 * HOUR_ROWS + 1)):
            at_us = START_US + number * 3_600_000_000 // HOUR_ROWS
            rows.append(Row((number + 1) * SEQ_STEP, "ws_event", at_us, GAME, frames[number % HOUR_ROWS].values))
        yield rows


def fill(data_dir: Path, flushes: Iterator[list[Row]]) -> tuple[int, int, int]:
    """Write the files; return the number of rows, the bytes of frames, and the last seq."""
    data_dir.mkdir(parents=True)
    store = Store(data_dir)
    count = size_bytes = 0
    for rows in flushes:
        store.flush(rows, rows[-1].seq - rows[-1].seq % SEQ_STEP)
        count += len(rows)
        size_bytes += sum(len(row.values[4]) for row in rows if row.doc_type == "ws_event")
    return count, size_bytes, store.position


def query_ms(data_dir: Path) -> float:
    """Return the time of a plain query over all rows."""
    with duckdb.connect() as database:
        began_s = time.perf_counter()
        glob = str(events_dir(data_dir) / "*" / "*" / "*.parquet")
        database.execute("select max(seq), count(*) from read_parquet(?, union_by_name=true)", [glob]).fetchall()
        return (time.perf_counter() - began_s) * 1000


def usage(data_dir: Path) -> tuple[int, int]:
    """Return the number of data files and their bytes."""
    sizes = [path.stat().st_size for path in events_dir(data_dir).rglob("*.parquet")]
    return len(sizes), sum(sizes)


def control(kind: str, data_dir: Path, target: Path) -> tuple[float, float]:
    """Return the seconds and the largest memory in MB of another way to write the same rows."""
    done = subprocess.run([sys.executable, "-c", CONTROL, kind, str(events_dir(data_dir)), str(target)],
                          stdout=subprocess.PIPE, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    took_s, peak_mb = done.stdout.split()[-2:]
    return float(took_s), float(peak_mb)


def run_pass(home: Path, upto: int) -> Pass:
    """Have a real writer compact, and look at it and its merger all the while."""
    config = Config(data_dir=str(home / "d"), runtime_dir=str(home / "r"), recording=Recording(compact_s=0))
    nothing_new = Rows(epoch=0, nack=0, after=upto - SEQ_STEP, upto=upto, synced=upto, rows=[])
    found = Pass()
    with Nursery() as nursery, Source(config.runtime_path, "writer", [nothing_new]) as source:
        pid = nursery.start("writer", "actors.writer.actor:run", config)
        source.pump(lambda: source.acked >= upto)
        found.writer_before_mb = _pss_mb(pid)
        began_s = looked_s = time.perf_counter()
        (config.runtime_path / REQUEST).write_text("bench")

        def done() -> bool:
            nonlocal looked_s
            if time.perf_counter() - looked_s > LOOK_S:
                looked_s = time.perf_counter()
                _look(pid, found)
            return not (config.runtime_path / REQUEST).exists()

        source.pump(done, cap_s=600)
        found.took_s = time.perf_counter() - began_s
        source.pump(lambda: _figures(source).get("state") not in (None, "none", "running"))
        found.state, found.swap_ms = _figures(source)["state"], _figures(source)["longest_swap_ms"]
        nursery.end(pid)
    return found


def _figures(source: Source[Rows]) -> dict[str, object]:
    figures = source.stats.get("compaction")
    return figures if isinstance(figures, dict) else {}


def _look(pid: int, found: Pass) -> None:
    found.writer_mb = max(found.writer_mb, _pss_mb(pid))
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        lines = Path(f"/proc/{child}/status").read_text().splitlines()
        peaks = [int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM")]
        found.merger_mb = max([found.merger_mb, *peaks])


def _pss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("Pss:"))


def report(what: str, flushes: Iterator[list[Row]]) -> None:
    """Fill, measure, print."""
    with tempfile.TemporaryDirectory(prefix="v-") as folder:
        home = Path(folder)
        count, size_bytes, upto = fill(home / "d", flushes)
        before, query_before_ms = usage(home / "d"), query_ms(home / "d")
        controls = {kind: control(kind, home / "d", home / "control.parquet") for kind in ("pyarrow", "duckdb")}
        found = run_pass(home, upto)
        after, query_after_ms = usage(home / "d"), query_ms(home / "d")
    print(f"{what}: {count} rows, {size_bytes / 1e6:.0f} MB of frames; the pass: {found.state}")
    print(f"  files   {before[0]:6} -> {after[0]:6}      bytes {before[1]:11,} -> {after[1]:11,}")
    print(f"  query   {query_before_ms:6.1f} ms -> {query_after_ms:6.1f} ms")
    print(f"  writer  {found.writer_before_mb:6.1f} MB PSS before, {found.writer_mb:.1f} at most during the pass; "
          f"longest swap {found.swap_ms} ms")  # fmt: skip
    rows = {"merger": (found.took_s, found.merger_mb), **controls}
    for name, (took_s, peak_mb) in rows.items():
        print(f"  {name:8} {took_s:6.2f} s, {size_bytes / 1e6 / took_s:6.1f} MB/s, {peak_mb:7.1f} MB at most")


def main() -> None:
    """Both cases."""
    hours = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    report(f"{hours} h in flushes of 5 s", flushes_of_hours(hours))
    report("a day in files of half an hour", files_of_a_day())


if __name__ == "__main__":
    main()
