"""How fast the journal is, beside a bare compressed log in the same run.

Run it with `python tests/benchmarks/bench_journal.py [events]`.

Prints, medians of turns: events/s of 2 KB through the journal's core and store onto real files (one fdatasync a batch)
and through a bare log of the same batches, `[len][crc32c][zstd-1 of msgpack]`, and their ratio, each also for the
processor's time alone; seconds to open a journal of 100 MB again; what sealing makes of it (ratio, longest step);
milliseconds to durable at 200 events/s.
"""

import gc
import json
import os
import random
import shutil
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import google_crc32c
import msgspec
import zstandard

sys.path.insert(0, str(Path(__file__).parents[2]))

from actors.core import messages as m
from actors.core.bus import Bus
from actors.core.config import Config
from actors.core.config import Journal as Settings
from actors.core.segments import segment_paths
from actors.journal.core import JournalCore
from actors.journal.sealing import Sealer
from actors.journal.store import Store
from tests.players import Capture
from tests.processes import process

A_BATCH = 1000
TURNS = 5
URL = "wss://backend.rugs.fun/socket.io/?EIO=4&transport=websocket"


def payloads(count: int) -> list[bytes]:
    """Ticks of 2 KB: the same names, other figures."""
    dice = random.Random(1)
    made = []
    for number in range(count):
        board = [
            {"id": f"did:privy:player{rank}", "pnl": round(dice.uniform(-1, 1), 9), "qty": round(dice.random(), 9),
             "username": f"player{rank}", "level": rank, "hasActiveTrades": True, "position": rank + 1}
            for rank in range(14)
        ]  # fmt: skip
        tick = {"gameId": "20260101-abc", "tickCount": number, "price": dice.random(), "leaderboard": board}
        made.append(b'42["gameStateUpdate",' + json.dumps(tick).encode() + b"]")
    return made


def capture_batches(contents: list[bytes]) -> list[m.CaptureBatch]:
    """Return what one capture would send."""
    now_us = 1_700_000_000_000_000
    items: list[m.Captured] = [
        m.Attached(1, now_us, 0.0, "G"), m.StreamOpened(2, now_us, 0.0, "G/T/1", URL, "websocket"),
        *(m.FrameSeen(n + 3, now_us + n, n / 1e6, "G/T/1", False, 1, one) for n, one in enumerate(contents)),
    ]  # fmt: skip
    return [
        m.CaptureBatch(capture="capture-a", incarnation=1, epoch=1, nack=0, after=at, upto=at + len(part),
                       read_until_s=1.0, attached="G", items=part)
        for at in range(0, len(items), A_BATCH) if (part := items[at : at + A_BATCH])
    ]  # fmt: skip


def ours(directory: Path, batches: list[m.CaptureBatch]) -> float:
    """Return seconds to have all of it on disk by the journal's own parts."""
    store = Store(directory / "journal", Settings())
    core = JournalCore(store.memory, "rugs", 1)
    started_s = time.perf_counter()
    for batch in batches:
        core.take(batch, 0.0, 0.0)
        written = core.batch()
        assert written is not None
        store.write(written)
        store.sync()
        if store.full:
            store.roll(core.memory)
    taken_s = time.perf_counter() - started_s
    store.close()
    return taken_s


def bare(directory: Path, batches: list[m.CaptureBatch]) -> float:
    """Return seconds of a log that does nothing but keep the same batches."""
    encoder, compressor = msgspec.msgpack.Encoder(), zstandard.ZstdCompressor(level=1)
    directory.mkdir()
    fd = os.open(directory / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    started_s = time.perf_counter()
    for batch in batches:
        payload = compressor.compress(encoder.encode(batch.items))
        os.write(fd, struct.pack("<II", len(payload), google_crc32c.value(payload)) + payload)
        os.fdatasync(fd)
    taken_s = time.perf_counter() - started_s
    os.close(fd)
    return taken_s


def turns(
    home: Path, run: Callable[[Path, list[m.CaptureBatch]], float], batches: list[m.CaptureBatch], n: int
) -> tuple[float, float]:
    """Return the seconds of one turn in a fresh directory, and the processor's share of them."""
    directory = home / f"{run.__name__}{n}"
    began_s = time.process_time()
    taken_s = run(directory, batches)
    worked_s = time.process_time() - began_s
    shutil.rmtree(directory)
    return taken_s, worked_s


def throughput(home: Path, events: int) -> None:
    """Print both rates; the two take turns. The processor's share tells what a disk that others use costs."""
    contents = payloads(events)
    size = sum(map(len, contents)) / events
    batches = capture_batches(contents)
    gc.collect()
    gc.freeze()  # the input is no part of what is measured
    times = [turns(home, ours, batches, n) + turns(home, bare, batches, n) for n in range(TURNS)]
    mine_s, mine_cpu_s, bare_s, bare_cpu_s = (statistics.median(column) for column in zip(*times, strict=True))
    print(
        f"journal  {events / mine_s:10,.0f} events/s of {size:,.0f} B; the processor alone {events / mine_cpu_s:,.0f}"
    )
    print(f"bare log {events / bare_s:10,.0f} events/s, ratio {bare_s / mine_s:.2f}; "
          f"the processor alone {events / bare_cpu_s:,.0f}")  # fmt: skip


def recovery(home: Path) -> None:
    """Print what it takes to open 100 MB in one segment."""
    noise = random.Random(2)
    contents = [b'42["n","' + noise.randbytes(1000).hex().encode() + b'"]' for _ in range(1000)]
    directory = home / "recovery"
    store = Store(directory / "journal", Settings(segment_bytes=1_000_000_000))
    core = JournalCore(store.memory, "rugs", 1)
    written = 0
    after = 0
    while written < 100_000_000:
        items: list[m.Captured] = [
            m.FrameSeen(after + n + 1, n, 0.0, "G/T/1", False, 1, one) for n, one in enumerate(contents)
        ]
        core.take(m.CaptureBatch(capture="a", incarnation=1, epoch=1, nack=0, after=after, upto=after + len(items),
                                 read_until_s=0, attached="G", items=items, streams={"G/T/1": URL}), 0, 0)  # fmt: skip
        after += len(items)
        batch = core.batch()
        assert batch is not None
        store.write(batch)
        store.sync()
        written = store.written_bytes
    store.close()
    started_s = time.perf_counter()
    Store(directory / "journal", Settings(segment_bytes=1_000_000_000)).close()
    taken_s = time.perf_counter() - started_s
    print(f"recovery {taken_s / written * 1e8:10.2f} s per 100 MB")
    shutil.rmtree(directory)


def sealing(home: Path) -> None:
    """Print how much smaller a sealed segment is, for batches as they come at 200 events/s and 50 ms."""
    directory = home / "sealing"
    store = Store(directory / "journal", Settings(segment_bytes=4_000_000))
    core = JournalCore(store.memory, "rugs", 1)
    for batch in capture_batches(payloads(20_000)):
        for at in range(0, len(batch.items), 10):
            part = batch.items[at : at + 10]
            core.take(msgspec.structs.replace(batch, after=batch.after + at, upto=part[-1].n, items=part), 0, 0)
            written = core.batch()
            assert written is not None
            store.write(written)
        if store.full:
            store.sync()
            store.roll(core.memory)
    store.close()
    sealer, longest_s, started_s = Sealer(directory / "journal", lambda damage: 0, lambda: 0), 0.0, time.perf_counter()
    before = sum(path.stat().st_size for path in segment_paths(directory / "journal")[:-1])
    while True:
        begun_s = time.perf_counter()
        if not sealer.step():
            break
        longest_s = max(longest_s, time.perf_counter() - begun_s)
    sealed = [path for path in segment_paths(directory / "journal") if path.suffix == ".sealed"]
    after = sum(path.stat().st_size for path in sealed)
    print(f"sealing  {before / after:10.2f} times smaller, {len(sealed)} segments in "
          f"{time.perf_counter() - started_s:.2f} s, longest step {longest_s * 1000:.0f} ms")  # fmt: skip


def durable(home: Path, count: int = 1000) -> None:
    """Print how long an event waits for its acknowledgement at 200 a second, through the real process."""
    config = Config(data_dir=str(home / "data"), runtime_dir=str(home / "run"))
    bus = Bus(config.runtime_path)
    waits_s: list[float] = []
    sent_s: list[float] = []
    with process("journal", "actors.journal.actor:run", config):
        capture = Capture(bus)
        while capture.acked < 2:
            capture.turn()
            capture.wait(0.01)
        due_s = time.perf_counter()
        while len(waits_s) < count:
            now_s = time.perf_counter()
            while due_s <= now_s and len(sent_s) < count:
                capture.frame(len(sent_s))
                sent_s.append(due_s)
                due_s += 0.005
            capture.turn()
            capture.wait(max(0.0005, min(0.005, due_s - time.perf_counter())))
            done = max(0, capture.acked - 2)
            waits_s += [time.perf_counter() - at_s for at_s in sent_s[len(waits_s) : done]]
    bus.close()
    ranked = sorted(waits_s)
    print(f"durable  {ranked[len(ranked) // 2] * 1000:10.1f} ms p50, {ranked[int(len(ranked) * 0.99)] * 1000:.1f} p99")


def main() -> None:
    """Run it all on the disk of the working directory."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    home = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        throughput(home, events)
        recovery(home)
        sealing(home)
        durable(home)
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
