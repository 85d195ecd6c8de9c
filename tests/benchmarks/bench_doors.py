"""A healthy client of the ZeroMQ doors beside a bad one of each kind, and alone, in one run on one machine.

    python tests/benchmarks/bench_doors.py [--seconds 6] [--rounds 3] [--kinds unread topics]

Printed for each kind: p50 and p99 of a snapshot, of a replay's batch from the journal and of a live event, in ms, alone
(the control) and beside the bad client, and how much the broadcaster grew. Each round measures the control again, just
before, since other work on the machine moves p99 most. The bad clients run in processes of their own.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import msgspec
import psutil
import zmq

from tests.broadcaster.stage import Stage, chat_frame, stage, tick_frame
from tests.broadcaster.zmq_attackers import attacker

KINDS = {
    "unread": ("requests", 1500),
    "crowd": ("requests", 250),
    "topics": ("events", 1_000_000),
    "long_topics": ("events", 100_000),
    "silent": ("events", 3),
    "endless": ("requests", 400),
    "connections": ("requests", 3000),
}
CAP_MS = 30_000
Delays = dict[str, list[float]]


class Measured:
    """A healthy client and its delays."""

    def __init__(self, house: Stage, numbers: Iterator[int]) -> None:
        self._house = house
        self._numbers = numbers
        self._context = zmq.Context()
        self._requests: Any = self._context.socket(zmq.DEALER)
        self._requests.connect(house.endpoint("requests"))
        self._events: Any = self._context.socket(zmq.SUB)
        self._events.setsockopt(zmq.SUBSCRIBE, b"game.tick")
        self._events.connect(house.endpoint("events"))
        while not self._events.poll(50):
            house.write([tick_frame(next(numbers))])

    def play(self, seconds: float, delays: Delays) -> None:
        """Ask and listen for so long."""
        while self._events.poll(50):
            self._events.recv_multipart()
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            delays["snapshot"].append(self._ask({"request": "snapshot"}))
            delays["replay"].append(self._ask({"request": "replay", "since": 0}))
            for _ in range(5):
                begin_s = time.perf_counter()
                self._house.write([tick_frame(next(self._numbers))])
                self._events.poll(CAP_MS)
                self._events.recv_multipart()
                delays["live"].append((time.perf_counter() - begin_s) * 1000)

    def close(self) -> None:
        """Disconnect."""
        self._context.destroy(linger=0)

    def _ask(self, request: dict[str, object]) -> float:
        begin_s = time.perf_counter()
        self._requests.send(msgspec.msgpack.encode(request))
        if not self._requests.poll(CAP_MS):
            raise TimeoutError(f"no answer within {CAP_MS / 1000:g} s")
        self._requests.recv()
        return (time.perf_counter() - begin_s) * 1000


def shown(delays: Delays) -> str:
    """Return p50 and p99 of each."""
    words = []
    for name, found in delays.items():
        ordered = sorted(found)
        p99 = ordered[int(0.99 * (len(ordered) - 1))]
        words.append(f"{name} p50 {statistics.median(ordered):7.2f} p99 {p99:7.2f}")
    return "  ".join(words)


def run(house: Stage, kind: str, rounds: int, seconds: float, numbers: Iterator[int]) -> None:
    """Measure one kind of bad client."""
    door, count = KINDS[kind]
    alone: Delays = {"snapshot": [], "replay": [], "live": []}
    beside: Delays = {"snapshot": [], "replay": [], "live": []}
    growth = 0
    with house.broadcaster() as process:
        memory = psutil.Process(process.pid)
        before = 0
        for _ in range(rounds):
            for delays, bad in ((alone, nullcontext()), (beside, attacker(kind, house.endpoint(door), count))):
                client = Measured(house, numbers)
                client.play(1.0, {name: [] for name in delays})
                before = before or memory.memory_info().rss
                with bad:
                    client.play(seconds, delays)
                    growth = max(growth, memory.memory_info().rss - before)
                client.close()
    print(
        f"{kind:12} alone   {shown(alone)}\n{'':12} beside  {shown(beside)}  growth {growth / 1e6:.1f} MB", flush=True
    )


def main() -> None:
    """Measure all kinds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=list(KINDS))
    given = parser.parse_args()
    numbers = iter(range(1, 10_000_000))
    with stage() as house:
        for first in range(0, 6500, 500):
            house.write([chat_frame(first + number, "x" * 4000) for number in range(500)], live=False)
            house.checkpoint()
        for kind in given.kinds:
            run(house, kind, given.rounds, given.seconds, numbers)


if __name__ == "__main__":
    main()
