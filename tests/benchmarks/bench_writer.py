"""How fast rows of 3 KB become durable Parquet, beside the bare limit: pyarrow writing the same rows, and nothing else.

Prints three figures from one run and their ratios: bare pyarrow (table and file, no sync), the writer's flush (staged,
synced, renamed, position moved), and a whole writer process fed over its socket until everything is acknowledged.

Run: python -m tests.benchmarks.bench_writer [rows]
"""

import json
import random
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec.structs import replace

from actors.core.config import Config, Recording
from actors.core.messages import SEQ_STEP, Row, Rows
from actors.writer.columns import SCHEMAS
from actors.writer.flush import Store
from tests.writer.nursery import Nursery
from tests.writer.source import Source

FLUSH_ROWS = 5000
BATCH_ROWS = 32
GAME = "20251215-0123456789abcdef"


def payload(number: int, chance: random.Random) -> bytes:
    """Return a frame of about 3 KB as the game sends it: names that repeat, numbers that do not."""
    leaders = [{"id": f"did:privy:{number % 40 + place}", "username": f"player{place}", "pnl": chance.random(),
                "positionQty": round(chance.random(), 9), "hasActiveTrades": True, "position": place,
                "avgCost": chance.random(), "totalInvested": round(chance.random(), 3), "selectedCoin": None}
               for place in range(1, 14)]  # fmt: skip
    body = {"gameId": GAME, "tickCount": number, "leaderboard": leaders}
    return ("42" + json.dumps(["gameStateUpdate", body], separators=(",", ":"))).encode()


def make_rows(count: int) -> list[Row]:
    """Return `count` rows of ws_event."""
    chance = random.Random(7)
    head = ["guid/target/1", "received", 1, "gameStateUpdate"]
    rows = []
    for number in range(1, count + 1):
        at_us = 1_765_800_000_000_000 + number * 1000
        rows.append(Row(number * SEQ_STEP, "ws_event", at_us, GAME, [*head, payload(number, chance)]))
    return rows


def bare(rows: list[Row], path: Path) -> None:
    """Write rows by pyarrow alone."""
    schema = SCHEMAS["ws_event"]
    held = zip(*((row.seq, row.at_us, row.game_id, *row.values) for row in rows), strict=True)
    columns: list[Any] = [pa.array(values, kind) for values, kind in zip(held, schema.types, strict=True)]
    table = pa.Table.from_arrays(columns, schema=schema)
    pq.write_table(table, path, compression="zstd", compression_level=3, use_dictionary=False)


def side_by_side(flushes: list[list[Row]], place: Path) -> tuple[float, float]:
    """Return the median seconds of a bare write and of the writer's flush, taken in turns; the first pair warms up."""
    store = Store(place)
    bare_s, ours_s = [], []
    for number, rows in enumerate(flushes):
        began_s = time.perf_counter()
        bare(rows, place / f"{number}.parquet")
        half_s = time.perf_counter()
        store.flush(rows, rows[-1].seq)
        bare_s.append(half_s - began_s)
        ours_s.append(time.perf_counter() - half_s)
    return median(bare_s[1:]), median(ours_s[1:])


def whole(rows: list[Row], place: Path) -> float:
    """Return rows/s of a writer process, from its first batch to the last acknowledgement."""
    config = Config(data_dir=str(place / "d"), runtime_dir=str(place / "r"))
    config = replace(config, recording=Recording(flush_s=0.5, flush_rows=FLUSH_ROWS))
    batches = []
    after = 0
    for first in range(0, len(rows), BATCH_ROWS):
        part = rows[first : first + BATCH_ROWS]
        batches.append(Rows(epoch=0, nack=0, after=after, upto=part[-1].seq, synced=0, rows=part))
        after = part[-1].seq
    with Nursery() as nursery, Source(config.runtime_path, "writer", batches) as source:
        pid = nursery.start("writer", "actors.writer.actor:run", config)
        source.pump(lambda: source.outlet.known)
        began_s = time.perf_counter()
        source.pump(lambda: source.acked >= source.last, cap_s=300)
        rate = len(rows) / (time.perf_counter() - began_s)
        assert nursery.end(pid) == 0
    return rate


def main() -> None:
    """Run all three and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 40_000
    rows = make_rows(count)
    flushes = [rows[first : first + FLUSH_ROWS] for first in range(0, count, FLUSH_ROWS)]
    size = sum(len(row.values[4]) for row in rows) / count
    with tempfile.TemporaryDirectory(prefix="v-") as folder:
        (Path(folder) / "side").mkdir()
        bare_s, ours_s = side_by_side(flushes, Path(folder) / "side")
        process = whole(rows, Path(folder) / "process")
    limit, ours = FLUSH_ROWS / bare_s, FLUSH_ROWS / ours_s
    print(f"{count} rows of ws_event, {size:.0f} B each, {FLUSH_ROWS} a flush, medians")
    print(f"bare pyarrow, not synced   {limit:9,.0f} rows/s  {bare_s * 1000:4.0f} ms")
    print(f"flush: synced and sealed   {ours:9,.0f} rows/s  {ours_s * 1000:4.0f} ms   {ours / limit:.2f} of bare")
    print(f"writer process, acked      {process:9,.0f} rows/s            {process / limit:.2f} of bare")


if __name__ == "__main__":
    main()
