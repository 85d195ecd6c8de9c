"""Output to readers that do not read: nobody waits for them, and what was lost is said."""

import os
import time

import pytest

from supervisor import outlet
from supervisor.console import READY_MARK, Console


def everything(reader: int) -> bytes:
    said = b""
    while data := os.read(reader, 65_536):
        said += data
    return said


def test_lines_arrive_in_order_and_the_end_waits_for_them() -> None:
    reader, writer = os.pipe()
    console = Console(writer, stamps=False)
    for number in range(500):
        console.line(f"line {number}")
    console.mark_ready()
    console.line("not heard any more")
    assert everything(reader) == b"".join(b"line %d\n" % number for number in range(500)) + READY_MARK
    os.close(reader)


def test_a_reader_that_does_not_read_holds_nobody_up_and_hears_later_what_it_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outlet, "LIMIT_BYTES", 100_000)
    reader, writer = os.pipe()
    out = outlet.Outlet(writer)
    began_s = time.monotonic()
    for _ in range(1000):
        out.write(b"x" * 999 + b"\n")
    assert time.monotonic() - began_s < 1
    assert out.dropped > 500
    dropped = out.dropped
    said = b""
    while b"nobody read" not in said:
        said += os.read(reader, 65_536)
    assert said.endswith(b"(%d lines were not shown: nobody read)\n" % dropped)
    assert said.count(b"\n") == 1001 - dropped
    out.close()
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_a_reader_that_went_away_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    console = Console(writer, stamps=True)
    console.line("to nobody")
    console.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(writer)
