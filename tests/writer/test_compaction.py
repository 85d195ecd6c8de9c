"""Compaction by a real writer: killed at each step, refused by the disk, watched by a reader with a plain glob."""

import os
import random
import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from actors.core.config import Config, Recording
from actors.core.faults import EXIT_CODE
from actors.core.messages import Row, Rows
from actors.writer import offline, swap
from actors.writer.compaction import REQUEST
from actors.writer.layout import staging_dir
from tests.writer.days import batches_of, fill, names
from tests.writer.nursery import Nursery
from tests.writer.reader import Reader, plain_glob
from tests.writer.source import Source, assert_exact, expected, stored

pytestmark = pytest.mark.system

WRITER = "tests.writer.swift:run"
POINTS = [
    f"compact.{step}.{when}"
    for step in ("merge", "merge-fsync", "link", "fsync", "exchange", "parent-fsync", "delete", "rmdir")
    for when in ("before", "after")
]
PASSES = (1, 2, 7)
BEFORE, AFTER = batches_of(range(1, 28)), batches_of(range(1, 36))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight and a half hours on two days, a file for each record."""
    place = tmp_path_factory.mktemp("days") / "d"
    fill(place, BEFORE)
    return place


def config_at(place: Path, compact_s: float = 0) -> Config:
    recording = Recording(flush_s=0.05, flush_rows=3, compact_s=compact_s)
    return Config(data_dir=str(place / "d"), runtime_dir=str(place / "r"), recording=recording)


def ask(config: Config, name: str = "me") -> None:
    config.runtime_path.mkdir(parents=True, exist_ok=True)
    (config.runtime_path / REQUEST).write_text(name)


def figures(source: Source[Rows]) -> dict[str, object]:
    found = source.stats.get("compaction")
    return found if isinstance(found, dict) else {}


def concluded(source: Source[Rows], name: str = "me") -> bool:
    return figures(source).get("id") == name and figures(source)["state"] in ("done", "failed")


def assert_readable(config: Config) -> None:
    """A plain glob finds each row once, and nothing of what was durable before is missing or different."""
    assert all(rows == numbers for rows, numbers in plain_glob(config.data_path).values())
    last = BEFORE[-1].upto
    for doc_type in ("ws_event", "game_tick", "server_state", "system_event", "game"):
        truth = expected(BEFORE, doc_type)
        found = [row for row in stored(config.data_path, doc_type) if int(str(row[0])) <= last + 255]
        assert found == truth, doc_type


def die_and_recover(nursery: Nursery, place: Path, template: Path, fault: str) -> bool:
    """Die at a point while rows come in, look, go on; return False where the point was not passed so often."""
    config = config_at(place)
    shutil.copytree(template, config.data_path)
    ask(config)
    with Source(config.runtime_path, "writer", AFTER) as source:
        pid = nursery.start("writer", WRITER, config, fault=fault)
        source.pump(lambda: nursery.exit_code(pid) is not None or (concluded(source) and finished(source, config)))
        died = nursery.exit_code(pid)
        hit = died == EXIT_CODE or figures(source)["reason"] == f"the merger ended with code {EXIT_CODE}"
        assert_readable(config)
        if died is None:
            assert nursery.end(pid) == 0
        source.expect()
        ask(config, "again")
        pid = nursery.start("writer", WRITER, config)
        source.pump(lambda: concluded(source, "again") and finished(source, config))
        assert figures(source)["state"] == "done"
        assert nursery.end(pid) == 0
    assert names(config.data_path, "ws_event")[:3] == ["15/1-12", "16/13-18", "16/19-24"]
    assert_exact(config.data_path, AFTER)
    return hit


def finished(source: Source[Rows], config: Config) -> bool:
    """Say whether the rows are durable, the request is answered, and staging is empty again."""
    asked = (config.runtime_path / REQUEST).exists()
    return source.acked >= source.last and not asked and not list(staging_dir(config.data_path).glob("succ*"))


@pytest.mark.parametrize("point", POINTS)
def test_a_death_at_any_step_loses_and_doubles_nothing(
    nursery: Nursery, home: Path, template: Path, point: str
) -> None:
    hits = 0
    for passes in PASSES:
        if not die_and_recover(nursery, home / str(passes), template, f"{point}:{passes}"):
            break
        hits += 1
    assert hits >= 2


def test_a_reader_with_a_plain_glob_sees_each_row_once_while_it_runs(nursery: Nursery, home: Path) -> None:
    config, batches = config_at(home), batches_of(range(1, 241))
    with Source(config.runtime_path, "writer", batches[:1]) as source:
        pid = nursery.start("writer", "actors.writer.actor:run", config)  # with the grace of earnest
        source.pump(lambda: source.acked >= source.last)

        def look() -> object:
            least = source.acked // 256  # one ws_event a record
            rows, numbers = plain_glob(config.data_path)["ws_event"]
            return (rows, numbers, least) if rows != numbers or rows < least else None

        with Reader(look) as reader:
            for upto in range(24, 241, 24):
                source.extend(batches[:upto])
                ask(config, str(upto))
                source.pump(lambda: source.acked >= source.last and concluded(source, str(upto)))  # noqa: B023
        assert nursery.end(pid) == 0
    assert reader.queries >= 20
    assert reader.wrong == []
    assert_exact(config.data_path, batches)


def test_it_begins_by_itself_when_rows_reach_another_hour(nursery: Nursery, home: Path, template: Path) -> None:
    config = config_at(home, compact_s=3600)
    shutil.copytree(template, config.data_path)  # ends in the middle of an hour
    with Source(config.runtime_path, "writer", batches_of(range(1, 31))) as source:
        pid = nursery.start("writer", WRITER, config)
        source.pump(lambda: source.acked >= source.last)
        assert figures(source).get("passes", 0) == 0
        source.extend(batches_of(range(1, 32)))
        source.pump(lambda: figures(source).get("state") == "done" and finished(source, config))
        assert nursery.end(pid) == 0
    assert names(config.data_path, "ws_event") == ["15/1-12", "16/13-18", "16/19-24", "16/25-30", "16/31-31"]


@contextmanager
def merging(nursery: Nursery, home: Path, template: Path) -> Iterator[tuple[Config, Source[Rows], int]]:
    """A writer whose merger is at work: the settings, the sender, the writer's pid."""
    config = config_at(home)
    shutil.copytree(template, config.data_path)
    ask(config)
    with Source(config.runtime_path, "writer", AFTER) as source:
        pid = nursery.start("writer", WRITER, config)
        source.pump(lambda: children_of(pid) != [])
        yield config, source, pid


def test_a_merger_that_is_killed_costs_only_its_pass(nursery: Nursery, home: Path, template: Path) -> None:
    with merging(nursery, home, template) as (config, source, pid):
        os.kill(children_of(pid)[0], signal.SIGKILL)
        source.pump(lambda: concluded(source) and finished(source, config))
        assert figures(source)["reason"] == "the merger ended with code -9"
        assert nursery.end(pid) == 0
    assert_exact(config.data_path, AFTER)


def test_the_merger_dies_with_its_writer(nursery: Nursery, home: Path, template: Path) -> None:
    with merging(nursery, home, template) as (_, source, pid):
        merger = children_of(pid)[0]
        nursery.end(pid, signal.SIGKILL)
        source.pump(lambda: not Path(f"/proc/{merger}/exe").exists())


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_disk_too_full_for_a_merged_file_puts_it_off_and_records_on(nursery: Nursery, home: Path) -> None:
    chance = random.Random(5)
    batches = [replace(batch, rows=[noisy(row, chance) for row in batch.rows]) for batch in batches_of(range(1, 36))]
    config = config_at(home)
    fill(config.data_path, batches[:30])
    ask(config)
    with Source(config.runtime_path, "writer", batches) as source:
        pid = nursery.start("writer", WRITER, config, file_bytes=150_000)
        source.pump(lambda: concluded(source) and finished(source, config))
        assert figures(source)["state"] == "failed"
        assert "too large" in str(figures(source)["reason"])
        assert source.stats["error"] is None
        assert_exact(config.data_path, batches)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        ask(config, "again")
        source.pump(lambda: concluded(source, "again") and finished(source, config))
        assert figures(source)["state"] == "done"
        assert nursery.end(pid) == 0
    assert names(config.data_path, "ws_event")[0] == "15/1-12"
    assert_exact(config.data_path, batches)


def noisy(row: Row, chance: random.Random) -> Row:
    """Give a frame a payload that zstd can only halve."""
    if row.doc_type != "ws_event":
        return row
    return replace(row, values=[*row.values[:4], chance.randbytes(20_000).hex().encode()])


def test_too_little_space_is_seen_before_anything_is_written(
    home: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(template, home / "d")
    monkeypatch.setattr(swap, "GRACE_S", 0.0)
    monkeypatch.setattr("actors.writer.merger.SPARE_BYTES", 1 << 60)
    found = offline.compact(home / "d")
    assert (found.state, found.files_before) == ("failed", 0)
    assert "a compaction needs 11529" in found.reason
