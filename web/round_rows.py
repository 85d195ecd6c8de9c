"""What is on disk about one round besides its own row: trades, side bets, own presses, and where its ticks are from.

In: a round's id, number and time. Out: what was done in it, by tick. Reads Parquet; opens only the files, and of these
only the row groups, whose numbers fit. Runs in a thread.
"""

import datetime
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.compute
import pyarrow.parquet as pq
from msgspec import Struct

from actors.core.special_files import is_special

pc: Any = pyarrow.compute  # its stubs do not know chunked arrays here

NAME = re.compile(r"^(\d+)-(\d+)\.parquet$")
LONGEST_MS = 3_600_000  # 5000 ticks take 21 minutes; holds come on top
AFTER_SEQ = 256 * 400  # what is told of a round after its end: some 40 s of frames
MOST = 2000


class Trade(Struct, frozen=True, kw_only=True):
    """A trade in the round."""

    tick: int | None
    side: str | None
    price: float | None
    amount: float | None
    qty: float | None
    player_id: str | None
    username: str | None
    leverage: float | None


class SideBet(Struct, frozen=True, kw_only=True):
    """A side bet: placed, or paid out (0 for a loss)."""

    kind: str | None
    player_id: str | None
    username: str | None
    amount: float | None
    payout: float | None
    start_tick: int | None
    end_tick: int | None


class Press(Struct, frozen=True, kw_only=True):
    """A press of one of the game's buttons in our browser, or what became of it."""

    tick: int | None
    price: float | None
    button: str | None
    amount: float | None
    success: bool | None


class Stretch(Struct, frozen=True, kw_only=True):
    """Ticks, both ends inclusive, that came from the same place."""

    first: int
    last: int
    origin: str  # live, history


class Difference(Struct, frozen=True, kw_only=True):
    """A tick whose price was another when it was live than in the game's history."""

    tick: int
    live: float
    history: float


class Details(Struct, frozen=True, kw_only=True):
    """What is known of a round besides its row."""

    trades: list[Trade]
    sidebets: list[SideBet]
    presses: list[Press]
    stretches: list[Stretch]
    differences: list[Difference]
    more: bool  # there are more trades or side bets than told here


def details(data_dir: Path, game_id: str, after: int, seq: int, at_ms: int, prices: Sequence[float]) -> Details:
    """Return what is on disk about a round. after: the number of the round before it."""
    root = data_dir / "events_parquet"

    def rows(kind: str, columns: list[str]) -> list[dict[str, Any]]:
        return list(_rows(root / f"doc_type={kind}", columns, game_id, after, seq + AFTER_SEQ, at_ms))

    trades = rows("trade", [*Trade.__struct_fields__])
    bets = rows("sidebet", [*SideBet.__struct_fields__])
    presses = rows("player_action", [*Press.__struct_fields__])
    ticks = rows("game_tick", ["tick", "price", "phase", "origin"])
    return Details(
        trades=msgspec.convert(trades[:MOST], list[Trade]),
        sidebets=msgspec.convert(bets[:MOST], list[SideBet]),
        presses=msgspec.convert(presses[:MOST], list[Press]),
        stretches=stretches({one["tick"]: one["origin"] for one in ticks if one["tick"] is not None and _ran(one)}),
        differences=_differences(ticks, prices)[:MOST],
        more=len(trades) > MOST or len(bets) > MOST,
    )


def stretches(origins: dict[int, str]) -> list[Stretch]:
    """Return runs of ticks from the same place, in order."""
    found: list[Stretch] = []
    for tick in sorted(origins):
        if found and found[-1].last == tick - 1 and found[-1].origin == origins[tick]:
            found[-1] = Stretch(first=found[-1].first, last=tick, origin=origins[tick])
        else:
            found.append(Stretch(first=tick, last=tick, origin=origins[tick]))
    return found


def _ran(row: dict[str, Any]) -> bool:
    return row["phase"] in ("ACTIVE", "RUGGED", None) or row["origin"] == "history"


def _differences(ticks: list[dict[str, Any]], prices: Sequence[float]) -> list[Difference]:
    return [
        Difference(tick=one["tick"], live=one["price"], history=prices[one["tick"]])
        for one in ticks
        if one["origin"] == "live" and one["phase"] == "ACTIVE" and one["price"] is not None
        and one["tick"] is not None and 0 <= one["tick"] < len(prices) - 1 and one["price"] != prices[one["tick"]]
    ]  # fmt: skip


def _rows(
    folder: Path, columns: list[str], game_id: str, after: int, upto: int, at_ms: int
) -> Iterator[dict[str, Any]]:
    for path in _files(folder, after, upto, at_ms):
        try:
            with pq.ParquetFile(path) as file:
                groups = [number for number in range(file.num_row_groups) if _fits(file, number, after, upto)]
                if not groups:
                    continue
                present = [name for name in columns if name in file.schema_arrow.names]
                table = file.read_row_groups(groups, columns=["game_id", *present], use_threads=False)
        except FileNotFoundError:  # a compaction took it just now; the page says what it has
            continue
        yield from table.filter(pc.equal(table["game_id"], game_id)).select(present).to_pylist()


def _files(folder: Path, after: int, upto: int, at_ms: int) -> list[Path]:
    days = {
        datetime.datetime.fromtimestamp(ms / 1000, datetime.UTC).date().isoformat()
        for ms in (at_ms - LONGEST_MS, at_ms, at_ms + 600_000)
    }
    found = []
    for day in days:
        for path in (folder / f"date={day}").glob("*.parquet"):
            match = NAME.match(path.name)
            if match and int(match[2]) > after and int(match[1]) <= upto and not is_special(path):
                found.append(path)
    return sorted(found, key=lambda path: path.name)


def _fits(file: pq.ParquetFile, number: int, after: int, upto: int) -> bool:
    statistics: Any = file.metadata.row_group(number).column(0).statistics
    if statistics is None or not statistics.has_min_max or not isinstance(statistics.min, int):
        return True
    return bool(statistics.max > after and statistics.min <= upto)
