"""The writer on a disk that refuses: a small file system, and a limit on file sizes."""

import contextlib
import os
import random
import re
import resource
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from actors.core.config import Config, Recording
from actors.core.messages import Row, Rows
from actors.writer.layout import staging_dir
from tests.writer.days import batches_of, fill, names
from tests.writer.nursery import Nursery
from tests.writer.source import Source, assert_exact, row_batches

pytestmark = pytest.mark.system

WRITER = "actors.writer.actor:run"


@pytest.fixture
def small_disk(config: Config) -> Iterator[Path]:
    """The data directory as a file system of 1 MB, which may be enlarged."""
    config.data_path.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(config.data_path)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount a tmpfs")
    yield config.data_path
    subprocess.run(["umount", "-l", str(config.data_path)], check=True)


@pytest.mark.parametrize("killed", [False, True])
def test_a_full_disk_is_said_and_survived(nursery: Nursery, config: Config, small_disk: Path, killed: bool) -> None:
    noise = random.Random(1).randbytes(15_000).hex().encode()  # zstd halves it: 300 rows take 4.5 MB
    batches = row_batches(range(1, 301), size=10, payload=noise)
    batches = [replace(batch, rows=[_scrambled(row) for row in batch.rows]) for batch in batches]
    config = replace(config, recording=Recording(flush_s=0.05, flush_rows=40, compact_s=0))
    with Source(config.runtime_path, "writer", batches) as source:
        pid = nursery.start("writer", WRITER, config)
        source.pump(lambda: source.stats.get("error") == "disk full" and source.have >= source.last)
        acked = source.acked
        assert acked < source.last
        assert_exact(config.data_path, batches, upto=acked)
        assert list(staging_dir(config.data_path).iterdir()) == []
        if killed:
            assert nursery.end(pid, signal.SIGKILL) == -signal.SIGKILL
            pid = nursery.start("writer", WRITER, config)
            source.pump(lambda: source.stats.get("error") == "disk full" and source.have >= source.last)
        subprocess.run(["mount", "-o", "remount,size=32m", str(small_disk)], check=True)
        source.pump(lambda: source.acked >= source.last and source.stats.get("error") is None)
        assert nursery.end(pid) == 0
    assert_exact(config.data_path, batches)


def test_a_refusing_disk_stops_the_reading_before_memory_runs_out(nursery: Nursery, config: Config) -> None:
    batches = row_batches(range(1, 61), size=1, payload=b"y" * 2_000_000)  # 120 MB
    config = replace(config, recording=Recording(flush_s=0.05, flush_rows=10, compact_s=0))
    with Source(config.runtime_path, "writer", batches) as source:
        pid = nursery.start("writer", WRITER, config, file_bytes=0)
        source.pump(lambda: source.stats.get("paused") is True)
        assert source.stats["error"] == "disk full"
        assert 64_000_000 < int(str(source.stats["buffered_bytes"])) < 70_000_000
        assert source.acked == 0
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        source.pump(lambda: source.acked >= source.last)
        assert nursery.end(pid) == 0
    assert_exact(config.data_path, batches)


def test_a_disk_too_small_for_a_compaction_puts_it_off_until_there_is_space(
    nursery: Nursery, config: Config, small_disk: Path
) -> None:
    batches = batches_of(range(1, 36))
    fill(config.data_path, batches[:30])
    config = replace(config, recording=Recording(flush_s=0.05, flush_rows=3, compact_s=0.7))
    with Source(config.runtime_path, "writer", batches) as source:
        pid = nursery.start("writer", WRITER, config)
        source.pump(lambda: _compaction(source).get("state") == "failed" and source.acked >= source.last)
        assert re.search(r"has \d+ bytes free, a compaction needs \d+\. Free some", str(_compaction(source)["reason"]))
        assert (source.stats["error"], names(config.data_path, "ws_event")[:2]) == (None, ["15/1-1", "15/2-2"])
        subprocess.run(["mount", "-o", "remount,size=80m", str(small_disk)], check=True)
        source.pump(lambda: _compaction(source).get("state") == "done")
        assert nursery.end(pid) == 0
    assert names(config.data_path, "ws_event")[:3] == ["15/1-12", "16/13-18", "16/19-24"]
    assert_exact(config.data_path, batches)


def test_a_disk_that_fills_up_during_a_merge_costs_only_the_pass(
    nursery: Nursery, config: Config, small_disk: Path
) -> None:
    subprocess.run(["mount", "-o", "remount,size=110m", str(small_disk)], check=True)
    batches = batches_of(range(1, 36))
    batches = [replace(batch, rows=[_scrambled(row, 300_000) for row in batch.rows]) for batch in batches]
    fill(config.data_path, batches[:30])  # 9 MB, in the merger's hands for half a second
    config = replace(config, recording=Recording(flush_s=0.05, flush_rows=3, compact_s=0.7))
    ballast = small_disk / "ballast"
    with Source(config.runtime_path, "writer", batches[:30]) as source:
        pid = nursery.start("writer", WRITER, config)
        source.pump(lambda: source.acked >= source.last)
        source.extend(batches[:33])
        source.pump(lambda: any(staging_dir(config.data_path).glob("successor.*/*")))
        (merger,) = _children_of(pid)
        os.kill(merger, signal.SIGSTOP)
        source.pump(lambda: source.acked >= source.last)
        _fill_up(ballast)
        source.extend(batches)
        source.pump(lambda: source.stats.get("error") == "disk full" and source.have >= source.last)
        os.kill(merger, signal.SIGCONT)
        source.pump(lambda: _compaction(source).get("state") == "failed")
        assert list(staging_dir(config.data_path).iterdir()) == []
        assert_exact(config.data_path, batches, upto=source.acked)
        ballast.unlink()
        source.pump(lambda: source.acked >= source.last and _compaction(source).get("state") == "done")
        assert source.stats["error"] is None
        assert nursery.end(pid) == 0
    assert names(config.data_path, "ws_event")[:3] == ["15/1-12", "16/13-18", "16/19-24"]
    assert_exact(config.data_path, batches)


def _compaction(source: Source[Rows]) -> dict[str, object]:
    found = source.stats.get("compaction")
    return found if isinstance(found, dict) else {}


def _children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _fill_up(path: Path) -> None:
    """Leave no block free."""
    with path.open("wb", buffering=0) as file:
        for size in (1_000_000, 4096):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass


def _scrambled(row: Row, size_bytes: int = 15_000) -> Row:
    """Make each payload different, so that a dictionary over rows cannot shrink it."""
    if row.doc_type != "ws_event":
        return row
    turned = random.Random(row.seq).randbytes(size_bytes).hex().encode()
    return replace(row, values=[*row.values[:4], turned])
