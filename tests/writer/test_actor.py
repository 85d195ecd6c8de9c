"""The writer as a process: killed, stopped, lied to; its files are compared with the truth."""

import os
import random
import signal
from pathlib import Path

import duckdb
import msgspec
import pytest
from msgspec.structs import replace

from actors.core.config import Config, Recording
from actors.core.faults import EXIT_CODE
from actors.core.messages import SEQ_STEP, Rows
from actors.writer import placing
from actors.writer.layout import POSITION, events_dir, staging_dir
from tests.writer.nursery import Nursery
from tests.writer.source import Source, assert_exact, row_batches, stored

pytestmark = pytest.mark.system

WRITER = "actors.writer.actor:run"
POINTS = [
    f"writer.{step}.{when}"
    for step in ("write", "fsync", "rename", "dir-fsync", "position-rename", "position-dir-fsync")
    for when in ("before", "after")
]


def with_flush(config: Config, flush_s: float, flush_rows: int) -> Config:
    return replace(config, recording=Recording(flush_s=flush_s, flush_rows=flush_rows, compact_s=0))


def run_to_the_end(nursery: Nursery, config: Config, source: Source[Rows]) -> None:
    """Start a writer, let it make everything durable, stop it."""
    source.expect()
    pid = nursery.start("writer", WRITER, config)
    source.pump(lambda: source.acked >= source.last)
    assert nursery.end(pid) == 0


def test_every_row_is_in_parquet_once_and_a_plain_glob_reads_it(nursery: Nursery, config: Config) -> None:
    batches = row_batches(range(1, 301))
    with Source(config.runtime_path, "writer", batches) as source:
        run_to_the_end(nursery, with_flush(config, 0.2, 50), source)
    assert_exact(config.data_path, batches)
    glob = str(events_dir(config.data_path) / "**" / "*.parquet")
    with duckdb.connect() as database:
        query = "select doc_type, count(*), count(distinct date) from read_parquet(?, hive_partitioning=true, "
        found = database.execute(query + "union_by_name=true) group by 1", [glob]).fetchall()
    assert sorted(found) == [("game", 12, 2), ("game_tick", 150, 2), ("server_state", 60, 2), ("system_event", 33, 2),
                             ("ws_event", 300, 2)]  # fmt: skip


def test_what_it_writes_is_readable_by_its_owner_only(nursery: Nursery, config: Config) -> None:
    with Source(config.runtime_path, "writer", row_batches(range(1, 40))) as source:
        run_to_the_end(nursery, with_flush(config, 0.1, 5), source)
    for path in events_dir(config.data_path).rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_it_completes_an_import_that_was_killed_on_its_way(nursery: Nursery, config: Config) -> None:
    place = config.data_path
    date = events_dir(place) / "doc_type=trade" / "date=2026-01-01"
    moved, waits = date / "a.parquet", placing.aside(place) / "b.parquet"
    left, foreign = placing.aside(place) / "trade-2026-01-01-0000000000000256", placing.aside(place) / "c.parquet"
    waits.parent.mkdir(parents=True)
    date.mkdir(parents=True)
    for path in (moved, waits, left, foreign):
        path.write_text(path.name)
    renames = [(f"staging/import/{name}", str((date / name).relative_to(place))) for name in (moved.name, waits.name)]
    (placing.aside(place) / placing.LIST).write_bytes(msgspec.json.encode(renames))
    with Source(config.runtime_path, "writer", row_batches(range(1, 2))) as source:
        run_to_the_end(nursery, config, source)
    assert {path.name: path.read_text() for path in date.iterdir()} == {path.name: path.name for path in (moved, waits)}
    assert list(placing.aside(place).iterdir()) == [foreign]


def deaths(nursery: Nursery, home: Path, point: str) -> int:
    """Die at each pass of a point, one after the other, in fresh directories; return how many passes there were."""
    for passes in range(1, 200):
        place = home / f"{passes}"
        config = with_flush(Config(data_dir=str(place / "d"), runtime_dir=str(place / "r")), 0.05, 25)
        batches = row_batches(range(1, 36))
        with Source(config.runtime_path, "writer", batches[:3]) as source:  # so that there are two flushes at least
            pid = nursery.start("writer", WRITER, config, fault=f"{point}:{passes}")
            source.pump(lambda: source.acked >= source.last or nursery.exit_code(pid) is not None)  # noqa: B023
            source.extend(batches)
            source.pump(lambda: source.acked >= source.last or nursery.exit_code(pid) is not None)  # noqa: B023
            died = nursery.exit_code(pid)
            if died is None:
                assert nursery.end(pid) == 0
                return passes - 1
            assert died == EXIT_CODE
            run_to_the_end(nursery, config, source)
        assert_exact(config.data_path, batches)
        assert list(staging_dir(config.data_path).iterdir()) == []
    raise AssertionError(f"{point} never ends")


@pytest.mark.parametrize("point", POINTS)
def test_a_death_at_any_step_of_a_flush_loses_and_doubles_nothing(nursery: Nursery, home: Path, point: str) -> None:
    assert deaths(nursery, home, point) >= 2


def test_random_kills_lose_and_double_nothing(nursery: Nursery, config: Config) -> None:
    chance = random.Random(20251215)
    batches = row_batches(range(1, 3001), size=5, payload=b"x" * 500)
    config = with_flush(config, 0.05, 100)
    with Source(config.runtime_path, "writer", batches) as source:
        for _ in range(12):
            goal = min(source.last, max(0, source.acked) + chance.randrange(1, 300) * SEQ_STEP)
            source.expect()
            pid = nursery.start("writer", WRITER, config)
            source.pump(lambda: source.acked >= goal)  # noqa: B023
            assert nursery.end(pid, signal.SIGKILL) == -signal.SIGKILL
        run_to_the_end(nursery, config, source)
    assert_exact(config.data_path, batches)


def test_a_batch_lost_on_the_way_is_asked_for_once(nursery: Nursery, config: Config) -> None:
    batches = row_batches(range(1, 100))
    with Source(config.runtime_path, "writer", batches) as source:
        source.skip = {batches[3].upto}
        run_to_the_end(nursery, with_flush(config, 0.1, 5000), source)
        assert source.rewinds == 2  # its start, and the hole
    assert_exact(config.data_path, batches)


def test_a_stop_flushes_what_is_synced_and_nothing_beyond(nursery: Nursery, config: Config) -> None:
    batches = row_batches(range(1, 71))
    config = with_flush(config, 3600, 1_000_000)
    with Source(config.runtime_path, "writer", batches) as source:
        source.synced = batches[5].upto + SEQ_STEP  # in the middle of the seventh
        pid = nursery.start("writer", WRITER, config)
        source.pump(lambda: source.have >= source.last)
        assert nursery.end(pid) == 0
        assert_exact(config.data_path, batches, upto=batches[5].upto)
        source.synced = source.last
        source.expect()
        pid = nursery.start("writer", WRITER, config)
        source.pump(lambda: source.have >= source.last)
        assert nursery.end(pid) == 0
    assert_exact(config.data_path, batches)


def test_a_stop_takes_what_was_sent_before_it(nursery: Nursery, config: Config) -> None:
    batches = row_batches(range(1, 181), size=1)  # what a stopped writer leaves waiting in the pipes
    with Source(config.runtime_path, "writer", batches[:1]) as source:
        pid = nursery.start("writer", WRITER, with_flush(config, 0.05, 5000))
        source.pump(lambda: source.acked >= source.last)
        os.kill(pid, signal.SIGSTOP)
        source.extend(batches)
        source.pump(lambda: source.outlet.at >= source.last)
        os.kill(pid, signal.SIGTERM)
        assert nursery.end(pid, signal.SIGCONT) == 0
    assert_exact(config.data_path, batches)


def test_nothing_is_acknowledged_before_the_journal_has_synced_it(nursery: Nursery, config: Config) -> None:
    batches = row_batches(range(1, 71))
    with Source(config.runtime_path, "writer", batches) as source:
        source.synced = batches[5].upto - 1
        pid = nursery.start("writer", WRITER, with_flush(config, 0.05, 10))
        source.pump(lambda: source.have >= source.last and source.acked >= batches[4].upto)
        assert source.acked == batches[4].upto
        source.synced = source.last
        source.tell_synced()
        source.pump(lambda: source.acked >= source.last)
        assert nursery.end(pid) == 0
    assert_exact(config.data_path, batches)


def test_a_round_end_is_flushed_before_the_interval_is_over(nursery: Nursery, config: Config) -> None:
    batches = row_batches(range(1, 28))  # the record 25 holds a `game` row
    with Source(config.runtime_path, "writer", batches) as source:
        pid = nursery.start("writer", WRITER, with_flush(config, 3600, 1_000_000))
        source.pump(lambda: source.acked >= source.last, cap_s=5)
        assert nursery.end(pid, signal.SIGKILL) == -signal.SIGKILL
    assert_exact(config.data_path, batches)


@pytest.mark.parametrize("damage", [None, b"", b"{", b'{"upto": "x"}'])
def test_a_lost_or_damaged_position_doubles_nothing(nursery: Nursery, config: Config, damage: bytes | None) -> None:
    batches = row_batches(range(1, 60))
    config = with_flush(config, 0.05, 20)
    with Source(config.runtime_path, "writer", batches[:5]) as source:
        run_to_the_end(nursery, config, source)
    position = events_dir(config.data_path) / POSITION
    if damage is None:
        position.unlink()
    else:
        position.write_bytes(damage)
    with Source(config.runtime_path, "writer", batches) as source:
        run_to_the_end(nursery, config, source)
    assert_exact(config.data_path, batches)


def test_recording_off_moves_the_position_without_files(nursery: Nursery, config: Config) -> None:
    batches = [replace(batch, rows=[]) for batch in row_batches(range(1, 200))]
    with Source(config.runtime_path, "writer", batches) as source:
        run_to_the_end(nursery, with_flush(config, 0.1, 10), source)
    assert [path.name for path in events_dir(config.data_path).iterdir()] == [POSITION]


def test_a_bad_upstream_does_not_stop_it(nursery: Nursery, config: Config) -> None:
    batches = row_batches(range(1, 15))
    odd = [
        replace(batches[1].rows[0], doc_type="unheard_of"),
        replace(batches[1].rows[0], seq=99 * SEQ_STEP),
        replace(batches[1].rows[0], seq=13 * SEQ_STEP + 9, at_us=-5, values=[b"\xff", 5, "x", None]),
    ]
    sent = [*batches[:-1], replace(batches[-1], rows=batches[-1].rows + odd)]
    with Source(config.runtime_path, "writer", sent) as source:
        pid = nursery.start("writer", WRITER, with_flush(config, 0.1, 5000))
        source.pump(lambda: source.acked >= source.last and source.stats.get("bad_values") == 4)
        assert source.stats["strays"] == 2
        assert nursery.end(pid) == 0
    rows = stored(config.data_path, "ws_event")
    assert len(rows) == 15
    assert (13 * SEQ_STEP + 9, 0, batches[1].rows[0].game_id, "\ufffd", None, None, None, None) in rows
