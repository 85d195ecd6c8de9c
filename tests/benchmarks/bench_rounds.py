"""A page or a search of /games over a million rounds, and one round's page, beside a plain scan of the same files.

`python tests/benchmarks/bench_rounds.py [ROUNDS]`; 1,000,000 by default, which take some two minutes to make. Told are
wall and processor time: on a busy machine the first says little.
"""

import datetime
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tests.web.rounds_on_disk import SCHEMA
from web.archive import Archive
from web.proof import proof
from web.query import Query
from web.register import Register

PER_DAY = 1300
DAY_US = 86_400_000_000
BEGIN_US = 19_675 * DAY_US

QUERIES: dict[str, dict[str, Any]] = {
    "newest page": {},
    "last page": {"page": 10_000_000},
    "page in the middle": {"page": 9000},
    "highest peaks": {"sort": "peak"},
    "peaks, page in the middle": {"sort": "peak", "page": 9000},
    "shortest rounds": {"sort": "ticks", "order": "up"},
    "not as their seed says": {"verdict": "false"},
    "peak from 2, deep": {"peak_from": 2.0, "page": 4000},
    "peak 2 to 3, 400 ticks or more": {"peak_from": 2.0, "peak_to": 3.0, "ticks_from": 400},
    "beginning of an id": {"text": "20240501"},
    "beginning behind the date": {"text": "abcd"},
    "nothing found": {"text": "zz"},
}


def main() -> None:
    """Make the rounds, then ask."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    pa.set_cpu_count(1)
    with tempfile.TemporaryDirectory() as place:
        ids = make(Path(place), count)
        register = Register(Path(place))
        tell("first reading of all files", lambda: register.page(Query()))
        register = Register(Path(place))
        tell("opening the kept index", lambda: register.page(Query()))
        for name, asked in QUERIES.items():
            tell(name, lambda asked=asked: register.page(Query(**asked)))  # type: ignore[misc]
            tell(f"{name}, again", lambda asked=asked: register.page(Query(**asked)))  # type: ignore[misc]
        archive = Archive(Path(place))
        tell("a round's row", lambda: one(register, archive, ids[len(ids) // 3]))
        tell("a round's row, another", lambda: one(register, archive, ids[len(ids) // 2]))
        files = f"{place}/events_parquet/doc_type=game/*/*.parquet"
        control = f"SELECT seq, game_id, peak FROM read_parquet('{files}') ORDER BY peak DESC LIMIT 50"
        tell("control: DuckDB over the same files, highest peaks", lambda: duckdb.connect().execute(control).fetchall())


def one(register: Register, archive: Archive, game_id: str) -> None:
    """Do what a round's page does."""
    place = register.place(game_id)
    if place is None or (found := archive.find(game_id, place.path)) is None:
        raise SystemExit(f"{game_id} was not found")
    proof(found)


def tell(name: str, work: Callable[[], Any]) -> None:
    """Do it once and print how long it took."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    work()
    wall_ms, cpu_ms = (time.perf_counter() - wall_s) * 1000, (time.process_time() - cpu_s) * 1000
    print(f"{name:48} {wall_ms:9.1f} ms wall {cpu_ms:9.1f} ms processor")


def make(place: Path, count: int) -> list[str]:
    """Write a file for each day; return the ids."""
    draw, ids, seq = random.Random(1), [], 256
    for day_number, first in enumerate(range(0, count, PER_DAY)):
        begin_us = BEGIN_US + day_number * DAY_US
        day = datetime.date(1970, 1, 1) + datetime.timedelta(days=begin_us // DAY_US)
        rows: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
        prices = [[1.0, *(draw.random() * 3 for _ in range(draw.randrange(5, 300)))] for _ in range(20)]
        for number in range(min(PER_DAY, count - first)):
            seq += 256 * 300
            ids.append(f"{day:%Y%m%d}-{draw.getrandbits(64):016x}")
            values = row(draw, ids[-1], seq, begin_us + number * 66_000_000, prices[number % 20])
            for name, column in rows.items():
                column.append(values[name])
        folder = place / "events_parquet" / "doc_type=game" / f"date={day}"
        folder.mkdir(parents=True)
        path = folder / f"{rows['seq'][0]:016d}-{rows['seq'][-1]:016d}.parquet"
        pq.write_table(pa.table(rows, schema=SCHEMA), path, compression="zstd")
    return ids


def row(draw: random.Random, game_id: str, seq: int, at_us: int, prices: list[float]) -> dict[str, Any]:
    """Return one made-up round."""
    odd = draw.random()
    return {
        "seq": seq, "ts": at_us, "game_id": game_id, "ended_at": at_us - 1_000_000, "version": "v3",
        "ticks": int(draw.expovariate(1 / 200)), "peak": 1 / max(1e-4, draw.random()), "peak_tick": 3,
        "rug_price": draw.random() * 0.02, "prices": prices, "server_seed": f"{draw.getrandbits(256):064x}",
        "server_seed_hash": f"{draw.getrandbits(256):064x}", "verified": None if odd < 0.001 else odd > 0.0015,
        "verify_reason": "matches the seed", "live_ticks": len(prices), "missing_ticks": 0 if odd < 0.98 else 5,
        "sidebets": "[]",
    }  # fmt: skip


if __name__ == "__main__":
    main()
