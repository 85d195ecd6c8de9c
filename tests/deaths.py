"""Deaths on order: the journal and the writer die at each of their fault points while frames flow, and then the count.

Real processes: a journal, a normalizer, a writer that compacts all the time, state. A driver in the part of a capture
sends numbered frames whose clock runs fast, so that hours and days are over in seconds. The journal and the writer are
each started to die at an ordered point (`actors.core.faults`), again and again. All the while a reader counts rows
through a plain recursive glob; at the end each number sent must be stored once.
`make deaths COUNT=200` prints deaths, sent, stored, lost, doubled; exit code 1 where one of the last two is not 0.
"""

import argparse
import itertools
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import msgspec
from msgspec import Struct

from actors.core import messages as m
from actors.core import streams
from actors.core.bus import Bus
from actors.core.config import Config, Journal, Recording
from actors.core.faults import EXIT_CODE
from actors.core.segments import segment_paths
from actors.journal.numbers import Reserved, read_reserved
from actors.writer.layout import events_dir, staging_dir
from tests.players import Capture
from tests.writer.nursery import Nursery
from tests.writer.reader import Reader, plain_glob

CAP_S = 120.0  # on a death, and on the end; a niced merger starts late on a loaded machine
FRAME_US = 30_000_000  # between two frames, by their clock: an hour in 120 frames
FRAMES_A_S = 400
LOOK_S = 0.02  # between two counts of the reader
PASS_S = 0.5  # between passes: how the last one failed must stay to be seen
UNACKED = 60  # frames in flight at most
TORN_BYTES = 40_000  # no file may grow beyond: a write is cut in the middle
MERGER_DIED = f"the merger ended with code {EXIT_CODE}"
SWIFT = "tests.writer.swift"


class Order(Struct, frozen=True):
    """Where to die, and in which pass; no file may grow beyond `file_bytes` (-1: any may)."""

    point: str
    passes: int = 1
    file_bytes: int = -1

    @property
    def fault(self) -> str:
        """The order as `VECTRA_FAULT` says it."""
        return f"{self.point}:{self.passes}"


_FILLED = ("filled", "fsynced", "renamed")
_TORN = (Order("journal-rolled"), Order("journal-write-torn", 1, TORN_BYTES))  # a fresh segment, and its end cut
WRITES = [Order(f"journal-{step}", passes) for passes in (2, 9)
          for step in ("write", "written", "sync", "synced")]  # fmt: skip
ROLLS = [Order(f"journal-{step}") for step in ("roll", *(f"roll-{step}" for step in _FILLED), "rolled")]
RESERVES = [Order(f"journal-{step}") for step in ("reserve", *(f"reserve-{step}" for step in _FILLED))]
SEALS = [Order(f"journal-seal-{step}")
         for step in ("write", "written", "fsync", "fsynced", "renamed", "durable", "removed")]  # fmt: skip
RETIRES = [Order("journal-retire"), Order("journal-retired")]
TRUNCATES = [order for step in ("truncate", "truncated")
             for order in (_TORN[0], Order(f"journal-{step}", 1, TORN_BYTES))]  # fmt: skip
MENDS = [order for step in (*(f"quarantine-{step}" for step in _FILLED), "truncate", "truncated")
         for order in (*_TORN, Order(f"journal-{step}"))]  # fmt: skip
FLUSHES = [Order(f"writer.{step}.{when}", passes) for passes in (1, 4)
           for step in ("write", "fsync", "rename", "dir-fsync", "position-rename", "position-dir-fsync")
           for when in ("before", "after")]  # fmt: skip
COMPACTIONS = [Order(f"compact.{step}.{when}")
               for step in ("merge", "merge-fsync", "link", "fsync", "exchange", "parent-fsync", "delete", "rmdir")
               for when in ("before", "after")]  # fmt: skip
OF_JOURNAL = [*WRITES, *ROLLS, *RESERVES, *SEALS, *RETIRES, *TRUNCATES, *MENDS]
OF_WRITER = [order for pair in itertools.zip_longest(FLUSHES, COMPACTIONS) for order in pair if order is not None]


class Outcome(Struct, frozen=True, kw_only=True):
    """What was counted."""

    deaths: dict[str, int]  # by point
    sent: int
    stored: int
    doubled: int
    queries: int
    vanished: int
    wrong: list[str]
    files: int

    @property
    def lost(self) -> int:
        """How many of the numbers sent are not stored."""
        return self.sent - self.stored


class FastCapture(Capture):
    """A capture whose frames lie half a minute apart by their own clock."""

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus)
        self.sent = 0
        self._noise = random.Random(5)
        self._start_us = time.time_ns() // 1000

    def send_frame(self) -> None:
        """See the next numbered frame."""
        self.sent += 1
        payload = b'42["n",%d,"%s"]' % (self.sent, self._noise.randbytes(1000).hex().encode())
        at_us = self._start_us + self.sent * FRAME_US
        self._add(m.FrameSeen(0, at_us, time.monotonic(), "G/T/1", False, 1, payload))


class Victim:
    """An actor that is started to die, again and again."""

    def __init__(self, nursery: Nursery, name: str, start: str, config: Config, orders: list[Order], count: int):
        self.name = name
        self.pid = 0
        self.died: list[Order] = []
        self._nursery, self._start, self._config = nursery, start, config
        self._orders: Iterator[Order] = itertools.islice(itertools.cycle(orders), count)
        self._order: Order | None = None
        self._since_s = 0.0

    def start(self) -> None:
        """Start it to die at the next point; in peace where there is none left."""
        self._order = next(self._orders, None)
        order = self._order or Order("")
        if self.name == "journal":
            self._prepare(order)
        self._since_s = time.monotonic()
        self.pid = self._nursery.start(
            self.name, self._start, self._config, fault=order.fault if self._order else "", file_bytes=order.file_bytes
        )

    @property
    def in_peace(self) -> bool:
        """Whether it is not to die any more."""
        return self._order is None

    def look(self, *, merger_died: bool) -> None:
        """Count a death and start it anew. AssertionError: it died otherwise, or not in time."""
        if merger_died and self._order is not None:
            self._nursery.end(self.pid, signal.SIGKILL)  # or each later merger would die as well
        elif (code := self._nursery.exit_code(self.pid)) is None:
            waited_s = time.monotonic() - self._since_s
            assert self._order is None or waited_s < CAP_S, f"{self._order} was not passed"
            return
        else:
            assert code == EXIT_CODE, f"the {self.name} ended with code {code} instead of dying at {self._order}"
        assert self._order is not None
        self.died.append(self._order)
        self.start()

    def _prepare(self, order: Order) -> None:
        """Make the point be passed: what is old is deleted, after another boot a block is reserved."""
        directory = self._config.data_path / "journal"
        if order in RETIRES:
            for path in segment_paths(directory)[:-1]:
                os.utime(path, (0, 0))
        if order in RESERVES and (reserved := read_reserved(directory / "reserved")) is not None:
            (directory / "reserved").write_bytes(msgspec.json.encode(Reserved("another boot", reserved.upto)))


def never_twice_never_less(data_dir: Path) -> Callable[[], str | None]:
    """Return a look at all rows: none may be there twice, and there may never be fewer than before."""
    most = 0

    def look() -> str | None:
        nonlocal most
        found = plain_glob(data_dir).values()
        rows, different, before = sum(rows for rows, _ in found), sum(numbers for _, numbers in found), most
        most = max(most, rows)
        return f"{rows} rows, {different} different, {before} before" if rows != different or rows < before else None

    return look


class Play:
    """All processes, and the driver."""

    def __init__(self, home: Path, nursery: Nursery, count: int) -> None:
        self.config = Config(
            data_dir=str(home / "data"),
            runtime_dir=str(home / "run"),
            journal=Journal(segment_bytes=65_536, retention_days=1, commit_ms=10),
            recording=Recording(flush_s=0.05, flush_rows=200, compact_s=PASS_S),
        )
        self._nursery = nursery
        self._bus = Bus(self.config.runtime_path)
        self._reports = self._bus.inbox(streams.REPORTS)
        self.capture = FastCapture(self._bus)
        of_journal = count * len(OF_JOURNAL) // (len(OF_JOURNAL) + len(OF_WRITER))
        self.journal = Victim(nursery, "journal", "actors.journal.actor:run", self.config, OF_JOURNAL, of_journal)
        self.writer = Victim(nursery, "writer", f"{SWIFT}:run_watched", self.config, OF_WRITER, count - of_journal)
        self._others: list[int] = []
        self._began_s = time.monotonic()
        self._stats: dict[str, object] = {}

    def run(self) -> None:
        """Let both die as often as ordered, frames flowing; then have everything stored, and stop."""
        self.journal.start()
        self.writer.start()
        for name, start in (("normalizer", f"{SWIFT}:run_normalizer"), ("state", "actors.state.actor:run")):
            self._others.append(self._nursery.start(name, start, self.config))
        while not (self.journal.in_peace and self.writer.in_peace):
            self._turn(send=True)
        until_s = time.monotonic() + CAP_S
        while not self._settled() and time.monotonic() < until_s:
            self._turn(send=False)

    def close(self) -> None:
        """End every process."""
        for pid in (self.writer.pid, *self._others, self.journal.pid):
            if pid and self._nursery.exit_code(pid) is None:
                self._nursery.end(pid)
        self._bus.close()

    def _turn(self, *, send: bool) -> None:
        due = self._frames_due() if send else 0
        while self.capture.sent < due and self.capture.unacknowledged < UNACKED:
            self.capture.send_frame()
        self.capture.turn()
        self.capture.wait(0.003)
        self._hear()
        compaction = self._stats.get("compaction")
        reason = compaction["reason"] if isinstance(compaction, dict) else ""
        self.journal.look(merger_died=False)
        self.writer.look(merger_died=reason == MERGER_DIED)

    def _frames_due(self) -> int:
        return int((time.monotonic() - self._began_s) * FRAMES_A_S)

    def _hear(self) -> None:
        """Keep what the living writer says of itself."""
        self._stats = {}
        while (report := self._reports.receive()) is not None:
            if isinstance(report, m.Progress) and report.pid == self.writer.pid:
                self._stats = report.stats

    def _settled(self) -> bool:
        if self.capture.unacknowledged or list(staging_dir(self.config.data_path).iterdir()):
            return False
        has_spoken = bool(self._stats)  # counting each time it does is often enough
        return has_spoken and count_frames(self.config.data_path)[1] >= self.capture.sent


def count_frames(data_dir: Path) -> tuple[int, int]:
    """Return how many rows with a sent number there are, and how many different numbers."""
    query = (
        "select count(n), count(distinct n) from (select try_cast(regexp_extract(raw, '^42\\[\"n\",([0-9]+),', 1) "
        "as bigint) as n from read_parquet(?, union_by_name=true, hive_partitioning=true) where doc_type = 'ws_event')"
    )
    with duckdb.connect() as database:
        ((rows, numbers),) = database.execute(query, [str(events_dir(data_dir) / "**" / "*.parquet")]).fetchall()
    return rows, numbers


def deaths(home: Path, count: int) -> Outcome:
    """Run it in an empty directory and count."""
    with Nursery() as nursery:
        play = Play(home, nursery, count)
        try:
            look = never_twice_never_less(play.config.data_path)
            with Reader(look, pause_s=LOOK_S, harmless=("No such file", "No files found")) as reader:
                play.run()
        finally:
            play.close()
    rows, numbers = count_frames(play.config.data_path)
    died = play.journal.died + play.writer.died
    return Outcome(
        deaths={point: sum(order.point == point for order in died) for point in sorted({one.point for one in died})},
        sent=play.capture.sent,
        stored=numbers,
        doubled=rows - numbers,
        queries=reader.queries,
        vanished=reader.vanished,
        wrong=reader.wrong,
        files=len(list(events_dir(play.config.data_path).rglob("*.parquet"))),
    )


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="deaths in all")
    given = parser.parse_args()
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="v-") as home:
        found = deaths(Path(home), given.count)
    for point, times in found.deaths.items():
        print(f"  {times:3} at {point}")
    points = {order.point for order in OF_JOURNAL + OF_WRITER}
    print(f"deaths {sum(found.deaths.values())}, at {len(found.deaths)} of {len(points)} fault points, "
          f"in {time.monotonic() - began_s:.0f} s")  # fmt: skip
    print(f"sent {found.sent}  stored {found.stored}  lost {found.lost}  doubled {found.doubled}  files {found.files}")
    print(f"a reader meanwhile: {found.queries} counts, {len(found.wrong)} wrong, {found.vanished} with no such file")
    for wrong in found.wrong:
        print(f"  {wrong}")
    return int(bool(found.lost or found.doubled or found.wrong))


if __name__ == "__main__":
    sys.exit(main())
