"""Many files into one: the same rows, the same schema, small slices; and what is not merged."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from actors.writer import merging, offline, swap
from actors.writer.columns import SCHEMAS
from actors.writer.layout import events_dir, files_of, staging_dir
from actors.writer.merging import Damaged, merge, times_of
from actors.writer.planning import Merge
from tests.writer.days import batches_of, fill, names
from tests.writer.source import assert_exact


@pytest.fixture(autouse=True)
def _no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swap, "GRACE_S", 0.0)


def nothing(files: int) -> None:
    """Take a sign of life."""


def test_a_pass_leaves_each_finished_hour_and_day_one_file_with_the_same_rows(home: Path) -> None:
    batches = batches_of(range(1, 40))
    fill(home, batches)
    before = sum(path.stat().st_size for path in events_dir(home).rglob("*.parquet"))
    files = len(list(events_dir(home).rglob("*.parquet")))
    figures = offline.compact(home)
    assert figures.state == "done"
    assert names(home, "ws_event") == ["15/1-12", "16/13-18", "16/19-24", "16/25-30", "16/31-36", "16/37-37",
                                       "16/38-38", "16/39-39"]  # fmt: skip
    assert_exact(home, batches)
    after = sum(path.stat().st_size for path in events_dir(home).rglob("*.parquet"))
    assert files - figures.files_before + figures.files_after == len(list(events_dir(home).rglob("*.parquet")))
    assert before - figures.bytes_before + figures.bytes_after == after
    assert list(staging_dir(home).iterdir()) == []
    assert offline.compact(home).files_before == 0


def test_hours_become_a_day_when_the_day_is_over(home: Path) -> None:
    fill(home, batches_of(range(1, 40)))
    offline.compact(home)
    fill(home, batches_of(range(40, 170)))
    offline.compact(home)
    assert names(home, "ws_event")[:3] == ["15/1-12", "16/13-156", "17/157-162"]
    assert_exact(home, batches_of(range(1, 170)))


def test_a_merged_file_has_the_schema_and_metadata_of_any_other(home: Path) -> None:
    fill(home, batches_of(range(1, 40)))
    offline.compact(home)
    for doc_type in ("ws_event", "game_tick", "server_state", "system_event"):
        file = files_of(events_dir(home), doc_type)[0]
        with pq.ParquetFile(file.path) as parquet:
            assert parquet.schema_arrow.equals(SCHEMAS[doc_type])
            metadata = parquet.metadata.metadata or {}
        assert metadata[b"vectra.schema_version"] == b"2.0.0"
        assert (int(metadata[b"vectra.first_seq"]), int(metadata[b"vectra.last_seq"])) == (file.first, file.last)
        assert file.path.stat().st_mode & 0o777 == 0o600
        assert file.path.parent.stat().st_mode & 0o777 == 0o700


def test_rows_go_through_memory_in_groups(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "GROUP_BYTES", 200_000)
    batches = batches_of(range(1, 13), payload=b"x" * 50_000)
    fill(home, batches)
    inputs = files_of(events_dir(home), "ws_event")
    beats: list[int] = []
    order = Merge(doc_type="ws_event", date="2025-12-15", inputs=inputs)
    merge(order, home / "merged", beats.append)
    with pq.ParquetFile(home / "merged") as parquet:
        assert (parquet.metadata.num_row_groups, beats) == (3, [4, 4, 4])
        assert parquet.metadata.num_rows == 12


def test_memory_is_bounded_by_a_group_and_not_by_the_files(home: Path, own_pool: pa.MemoryPool) -> None:
    fill(home, batches_of(range(1, 13), payload=b"x" * 3_000_000))
    inputs = files_of(events_dir(home), "ws_event")
    before = own_pool.max_memory() or 0
    merge(Merge(doc_type="ws_event", date="2025-12-15", inputs=inputs), home / "merged", nothing)
    assert (own_pool.max_memory() or 0) - before < 4 * merging.GROUP_BYTES


@pytest.fixture
def own_pool() -> Iterator[pa.MemoryPool]:
    """Count what Arrow takes, from nothing."""
    usual = pa.default_memory_pool()
    pool = pa.proxy_memory_pool(usual)
    pa.set_memory_pool(pool)
    yield pool
    pa.set_memory_pool(usual)


def test_a_damaged_file_is_left_as_it_is_and_its_neighbours_are_merged(home: Path) -> None:
    fill(home, batches_of(range(1, 20)))
    inputs = files_of(events_dir(home), "ws_event")
    whole = inputs[4].path.read_bytes()
    inputs[4].path.write_bytes(whole[:100] + bytes(100) + whole[200:])  # a page, behind an intact footer
    inputs[13].path.write_bytes(b"no parquet")
    kept = [inputs[number].path.read_bytes() for number in (4, 13)]
    assert offline.compact(home).state == "done"
    assert names(home, "ws_event") == ["15/1-4", "15/5-5", "15/6-12", "16/13-13", "16/14-14", "16/15-18", "16/19-19"]
    assert [inputs[number].path.read_bytes() for number in (4, 13)] == kept
    assert names(home, "game_tick")[0] == "15/2-12"


def test_a_file_that_is_not_what_its_name_says_is_not_merged(home: Path) -> None:
    fill(home, batches_of(range(1, 13), size=3))
    first = files_of(events_dir(home), "ws_event")[0]
    for name in ("0000000000000255-0000000000000768.parquet", "0000000000000256-0000000000000769.parquet",
                 "0000000000000256-0000000000000700.parquet"):  # fmt: skip
        lying = first.path.rename(first.path.with_name(name))
        order = Merge(doc_type="ws_event", date="2025-12-15", inputs=files_of(events_dir(home), "ws_event"))
        with pytest.raises(Damaged, match=r"holds the numbers|ends at"):
            merge(order, home / f"{name}.merged", nothing)
        lying.rename(first.path)


def test_another_schema_is_no_candidate(home: Path) -> None:
    fill(home, batches_of(range(1, 5)))
    file = files_of(events_dir(home), "ws_event")[0]
    table = pq.read_table(file.path, partitioning=None)
    pq.write_table(table.replace_schema_metadata({"vectra.schema_version": "1.0.0"}), file.path)
    with pytest.raises(Damaged, match=r"its schema is 1\.0\.0, must be 2\.0\.0"):
        times_of(file)


def test_a_refusal_of_the_disk_puts_the_pass_off(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = batches_of(range(1, 40))
    fill(home, batches)

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for place in ("os.fsync", "os.link"):
        with monkeypatch.context() as patch:
            patch.setattr(os, place.partition(".")[2], refuse)
            figures = offline.compact(home)
        assert (figures.state, "No space left" in figures.reason) == ("failed", True)
        assert_exact(home, batches)
        assert "16/13-13" in names(home, "ws_event")  # this date needs links
    assert offline.compact(home).state == "done"
    assert list(staging_dir(home).iterdir()) == []
    assert_exact(home, batches)
