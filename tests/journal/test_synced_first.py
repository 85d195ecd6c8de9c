"""Nothing is acknowledged before it was synced: the journal's own system calls, read by strace."""

import os
import re
import shutil
import signal
import subprocess
import time
from itertools import pairwise
from pathlib import Path

import pytest

from actors.core.bus import Bus
from actors.core.config import Config
from tests.players import Capture
from tests.processes import process

pytestmark = pytest.mark.system

CALLS = "openat,write,fdatasync,fsync,rename"


def test_each_acknowledgement_follows_a_sync_of_all_that_was_written_before(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    config = Config(data_dir=str(tmp_path / "data"))
    bus, trace = Bus(config.runtime_path), tmp_path / "trace"
    acked_at: list[tuple[float, int]] = []
    capture = Capture(bus)
    with process("journal", "actors.journal.actor:run", config) as journal:
        deadline = time.monotonic() + 20
        while capture.unacknowledged:
            assert time.monotonic() < deadline
            capture.turn()
            capture.wait(0.01)
        command = ["strace", "-ttt", "-yy", "-e", f"trace={CALLS}", "-o", str(trace), "-p", str(journal.pid)]
        tracer = subprocess.Popen(command, stderr=subprocess.PIPE)
        try:
            assert tracer.stderr is not None
            first = os.read(tracer.stderr.fileno(), 4096)
            if b"attached" not in first:
                pytest.skip(f"strace cannot attach here: {first!r}")
            for number in range(100):
                before = capture.acked
                capture.frame(number)
                capture.turn()
                while capture.acked == before:
                    assert time.monotonic() < deadline + 20
                    capture.wait(0.01)
                    capture.turn()
                acked_at.append((time.time(), capture.acked))
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.communicate(timeout=10)
    bus.close()
    assert_synced_first(trace.read_text(), acked_at)


def assert_synced_first(trace: str, acked_at: list[tuple[float, int]]) -> None:
    """Between two acknowledgements, each of a frame sent after the first, lies a write and then a sync that ended."""
    calls = re.findall(r"^([\d.]+) (write|fdatasync)\(\d+<[^>]*\.seg>.*?= (-?\d+)", trace, re.M)
    assert calls
    for (begin_s, _), (end_s, _) in pairwise(acked_at):
        within = [name for at, name, result in calls if begin_s <= float(at) <= end_s and int(result) >= 0]
        assert "write" in within, (begin_s, end_s)
        assert "fdatasync" in within[within.index("write") :], (begin_s, end_s)
