"""How fast the pipeline catches up: from a full journal on disk to durable Parquet, through the real processes.

Run it with `python tests/benchmarks/bench_catchup.py [frames] [kind ...]`.

Kinds: `broadcasts`, 3 KB each, which become a row of `ws_event` and a raw event; `ticks`, 3 KB of `gameStateUpdate`,
which also become a `game.tick` and a row of `game_tick`. For each it prints frames/s from the journal's being ready
until its last number is durable, the CPU microseconds a frame and the memory of each process, and beside them the bare
way in one process: blocks read, decoded, the same rows written by pyarrow, nothing understood. Then DuckDB counts the
rows: each exactly once.
"""

import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parents[2]))

from actors.core import messages as m
from actors.core import streams
from actors.core.bus import Bus
from actors.core.config import Config, Recording
from actors.core.config import Journal as Settings
from actors.core.segments import Reader
from actors.journal.core import JournalCore
from actors.journal.store import Store
from actors.rugs.fairness import play
from actors.writer.columns import SCHEMAS
from tests.processes import Process, wait_for
from tests.rugs.playbook import entry, game_of, packet, seed_of, std

A_WRITE = 20  # frames a batch on disk: 200 a second in windows of 100 ms
FLUSH_S = 0.5  # what is left at the end waits for that long; by default 5 s
URL = "wss://backend.rugs.fun/socket.io/?EIO=4&transport=websocket"
CONSUMERS = {"writer": "actors.writer.actor:run", "state": "actors.state.actor:run",
             "normalizer": "actors.normalizer:run"}  # fmt: skip
TICK_S = os.sysconf("SC_CLK_TCK")


def broadcasts(count: int) -> Iterator[bytes]:
    """Yield frames of 3 KB that are no state frames."""
    dice = random.Random(1)
    for number in range(count):
        entries = [
            {"playerId": f"did:privy:cm3xqk400a1l90gxv8tw5k{rank:02}", "entries": dice.randrange(10_000),
             "username": f"player_{rank}", "percentage": round(dice.uniform(0, 9), 6)} for rank in range(26)
        ]  # fmt: skip
        body = {"gameId": game_of(1), "number": number, "rugpool": {"playerEntries": entries}}
        yield b"42" + json.dumps(["gameStatePlayerUpdate", body], separators=(",", ":")).encode()


def ticks(count: int) -> Iterator[bytes]:
    """Yield ticks of 3 KB, round after round, each new."""
    dice = random.Random(2)
    number = made = 0
    while made < count:
        number += 1
        prices = play(seed_of(number), game_of(number)).prices
        fixed = msgspec.json.decode(std(number, 1)[2:])[1]
        for tick in range(min(len(prices), count - made)):
            window = {str(at): prices[at] for at in range(max(0, tick - 4), tick + 1)}
            fields = {
                **fixed,
                "price": prices[tick],
                "tickCount": tick,
                "tradeCount": tick + 10,
                "rugged": tick == len(prices) - 1,
                "partialPrices": {"startTick": max(0, tick - 4), "endTick": tick, "values": window},
                "leaderboard": [_leader(rank, dice) for rank in range(7)],
            }
            yield packet("gameStateUpdate", fields).encode()
        made += tick + 1


def _leader(rank: int, dice: random.Random) -> dict[str, Any]:
    return entry(
        1000 + rank, id=f"did:privy:cm3x{rank:02}qk400a1l90gxv8tw5k2h", position=rank + 1,
        pnl=round(dice.uniform(-2, 2), 9), regularPnl=round(dice.random(), 9), sidebetPnl=0, shortPnl=0,
        pnlPercent=round(dice.uniform(-99, 99), 9), positionQty=round(dice.random(), 9), avgCost=1.0123456789,
        totalInvested=0.5, sidebetActive=None, sideBet=None, shortPosition=None,
    )  # fmt: skip


def fill(directory: Path, payloads: Iterator[bytes]) -> tuple[int, int]:
    """Write a journal as the journal itself does; return (frames, their bytes)."""
    store = Store(directory, Settings())
    core = JournalCore(store.memory, "rugs", 1)
    core.note(1_765_000_000_000_000, "recording", on=True, by="bench")
    first: list[m.Captured] = [m.Attached(1, 1, 0.0, "G"), m.StreamOpened(2, 1, 0.0, "G/T/1", URL, "websocket")]
    n, size, items = 2, 0, first
    for payload in payloads:
        n += 1
        size += len(payload)
        items.append(m.FrameSeen(n, 1_765_000_000_000_000 + n * 5000, n / 200, "G/T/1", False, 1, payload))
        if len(items) >= A_WRITE:
            _write(store, core, items, n)
            items = []
    if items:
        _write(store, core, items, n)
    store.sync()
    store.close()
    return n - 2, size


def _write(store: Store, core: JournalCore, items: list[m.Captured], upto: int) -> None:
    core.take(m.CaptureBatch(capture="capture-a", incarnation=1, epoch=1, nack=0, after=items[0].n - 1, upto=upto,
                             read_until_s=1.0, attached="G", items=items), 0.0, 0.0)  # fmt: skip
    batch = core.batch()
    assert batch is not None
    store.write(batch)
    if store.full:
        store.sync()
        store.roll(core.memory)


def bare(journal: Path, place: Path) -> float:
    """Return seconds of reading the journal and writing its frames by pyarrow, in one process, 5,000 a file."""
    began_s = time.perf_counter()
    held: list[Any] = []
    files = 0
    with Reader(journal) as reader:
        for record in reader.read(0):
            if isinstance(record, m.Frame):
                held.append((record.seq, record.at_us, None, record.stream, "received", 1, None, record.payload))
            if len(held) >= 5000:
                files += 1
                _write_bare(held, place / f"{files}.parquet")
                held = []
    if held:
        _write_bare(held, place / "last.parquet")
    return time.perf_counter() - began_s


def _write_bare(rows: list[Any], path: Path) -> None:
    schema = SCHEMAS["ws_event"]
    columns = [pa.array(one, kind) for one, kind in zip(zip(*rows, strict=True), schema.types, strict=True)]
    table = pa.Table.from_arrays(columns, schema=schema)
    with path.open("wb") as file:
        pq.write_table(table, file, compression="zstd", compression_level=3, use_dictionary=False)
        file.flush()
        os.fsync(file.fileno())


def catch_up(home: Path, journal: Path, head: int) -> tuple[float, dict[str, float], dict[str, float]]:
    """Return seconds until all is durable, and of each process the CPU seconds and the largest memory in MB."""
    config = Config(data_dir=str(home / "data"), runtime_dir=str(home / "run"), recording=Recording(flush_s=FLUSH_S))
    shutil.copytree(journal, config.data_path / "journal")
    bus = Bus(config.runtime_path)
    reports = bus.inbox(streams.REPORTS)
    position = config.data_path / "events_parquet" / "_position"
    with ExitStack() as stack:
        stack.callback(bus.close)
        running = {name: Process(name, start, config) for name, start in CONSUMERS.items()}
        for one in running.values():
            stack.callback(one.kill)
        ready: dict[str, dict[str, Any]] = {}
        wait_for(lambda: _heard(reports, ready) >= set(CONSUMERS))
        running["journal"] = Process("journal", "actors.journal.actor:run", config)
        stack.callback(running["journal"].kill)
        wait_for(lambda: "journal" in _heard(reports, ready), every_s=0.001)
        began_s, before = time.perf_counter(), {name: _cpu_s(one.pid) for name, one in running.items()}
        wait_for(lambda: _heard(reports, ready) and _position(position) >= head, timeout_s=300)
        taken_s = time.perf_counter() - began_s
        if ready["normalizer"].get("rewinds"):
            print(f"  the normalizer went back {ready['normalizer']['rewinds']} times")
        spent_s = {name: _cpu_s(one.pid) - before[name] for name, one in running.items()}
        return taken_s, spent_s, {name: _peak_mb(one.pid) for name, one in running.items()}


def _heard(reports: Any, ready: dict[str, dict[str, Any]]) -> set[str]:
    while (report := reports.receive()) is not None:
        ready[report.actor] = report.stats if isinstance(report, m.Progress) else ready.get(report.actor, {})
    return set(ready)


def _position(path: Path) -> int:
    try:
        return int(msgspec.json.decode(path.read_bytes())["upto"])
    except FileNotFoundError:
        return 0


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK_S


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1000


def counted(root: Path, doc_type: str) -> tuple[int, int]:
    """Return (rows, different numbers) of a doc_type."""
    files = f"{root}/doc_type={doc_type}/*/*.parquet"
    found = duckdb.sql(f"SELECT count(*), count(DISTINCT seq) FROM read_parquet('{files}')")
    assert found is not None
    rows, numbers = found.fetchall()[0]
    return rows, numbers


def run(kind: str, made: Callable[[int], Iterator[bytes]], count: int, home: Path) -> None:
    """Measure one kind and print."""
    frames, size = fill(home / "journal", made(count))
    with Reader(home / "journal") as reader:
        head = reader.head()
    (home / "bare").mkdir()
    bare_s = bare(home / "journal", home / "bare")
    taken_s, cpu_s, peak_mb = catch_up(home, home / "journal", head)
    print(f"{kind}: {frames} frames of {size / frames:,.0f} B")
    print(f"  pipeline  {frames / taken_s:9,.0f} frames/s, journal to durable Parquet, load {os.getloadavg()[0]:.1f}")
    print(f"  bare      {frames / bare_s:9,.0f} frames/s in one process, nothing understood: "
          f"ratio {bare_s / taken_s:.2f}")  # fmt: skip
    costs = ", ".join(f"{name} {spent_s / frames * 1e6:.0f}" for name, spent_s in cpu_s.items())
    whole_us = sum(cpu_s.values()) / frames * 1e6
    print(f"  CPU us a frame: {costs}; {whole_us:.0f} in all, two idle cores could do {2e6 / whole_us:,.0f} frames/s")
    print(f"  memory at most: {', '.join(f'{name} {size:.0f} MB' for name, size in peak_mb.items())}")
    expected = {"ws_event": frames, **({"game_tick": frames} if kind == "ticks" else {})}
    for doc_type, rows in expected.items():
        found = counted(home / "data" / "events_parquet", doc_type)
        assert found == (rows, rows), f"{doc_type}: {found} rows and numbers, must be {rows}"
        print(f"  {doc_type}: {found[0]} rows, each number once")


KINDS: dict[str, Callable[[int], Iterator[bytes]]] = {"broadcasts": broadcasts, "ticks": ticks}


def main() -> None:
    """Run what was asked for, on the disk of the working directory."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 60_000
    for kind in sys.argv[2:] or KINDS:
        home = Path(tempfile.mkdtemp(prefix="b-"))
        try:
            run(kind, KINDS[kind], count, home)
        finally:
            shutil.rmtree(home)


if __name__ == "__main__":
    main()
