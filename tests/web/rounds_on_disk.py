"""Writes `game` Parquet files as the writer does, for tests of what reads them."""

import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from actors.rugs.schema import DOC_TYPES, LEADING

ARROW: dict[str, pa.DataType] = {
    "int64": pa.int64(),
    "int32": pa.int32(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "string": pa.string(),
    "list<double>": pa.list_(pa.float64()),
    "timestamp[us, UTC]": pa.timestamp("us", tz="UTC"),
}
SCHEMA = pa.schema([(column.name, ARROW[column.type]) for column in (*LEADING, *DOC_TYPES["game"])])
BEGIN_US = 1_765_800_000_000_000  # 2025-12-15 12:00 UTC


def game_row(number: int, **changes: Any) -> dict[str, Any]:
    """Return a made-up round; the higher `number`, the later."""
    length = 20 + (number * 37) % 180
    swing = 0.05 + (number % 9) * 0.12
    prices = [1.0] + [round(1 + swing * (tick / 20) + 0.05 * math.sin(tick / 3), 4) for tick in range(1, length)]
    rug = min(prices) * 0.02
    row = {
        "seq": 256 * (1000 + number * 50),
        "ts": BEGIN_US + number * 66_000_000,
        "game_id": f"20251215-{number:016x}",
        "ended_at": BEGIN_US + number * 66_000_000 - 1_000_000,
        "version": "v3",
        "ticks": length,
        "peak": max(prices),
        "peak_tick": prices.index(max(prices)),
        "rug_price": rug,
        "prices": [*prices, rug],
        "server_seed": f"{number:064x}",
        "server_seed_hash": f"{number + 1:064x}",
        "verified": True,
        "verify_reason": "seed, prices and peak agree",
        "live_ticks": length + 1,
        "missing_ticks": 0,
        "sidebets": '[{"type":"placed"},{"type":"placed"},{"type":"payout","payout":0.05}]',
    }
    return row | changes


def write_rounds(data_dir: Path, rows: list[dict[str, Any]], day: str = "2025-12-15") -> Path:
    """Write one file of rounds under its final name."""
    folder = data_dir / "events_parquet" / "doc_type=game" / f"date={day}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{rows[0]['seq']:016d}-{rows[-1]['seq']:016d}.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path, compression="zstd")
    return path
