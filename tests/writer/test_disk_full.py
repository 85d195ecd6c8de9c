"""The writer on a disk that refuses: a small file system, and a limit on file sizes."""

import os
import random
import resource
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from actors.core.config import Config, Recording
from actors.core.messages import Row
from actors.writer.layout import staging_dir
from tests.writer.nursery import Nursery
from tests.writer.source import Source, assert_exact, row_batches

pytestmark = pytest.mark.system

WRITER = "actors.writer.actor:run"


@pytest.fixture
def small_disk(config: Config) -> Iterator[Path]:
    """The data directory as a file system of 1 MB."""
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


def _scrambled(row: Row) -> Row:
    """Make each payload different, so that a dictionary over rows cannot shrink it."""
    if row.doc_type != "ws_event":
        return row
    turned = random.Random(row.seq).randbytes(15_000).hex().encode()
    return replace(row, values=[*row.values[:4], turned])
