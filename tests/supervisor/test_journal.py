"""journal info, dump, verify over a real journal on disk, whole and damaged, at rest and while it grows."""

import os
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from actors.core.messages import Frame, Note, Record
from actors.core.segment_writer import Writer
from actors.core.segments import Batch, segment_paths
from actors.journal.memory import Memory
from actors.journal.sealing import Sealer
from supervisor.cli import main

SECRET = b'42["n","do not show this unasked"]'


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VECTRA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data" / "journal"


def write(directory: Path, batches: int = 40) -> Writer:
    writer = Writer(directory, 1 << 30)
    for number in range(batches):
        first = 512 * number + 256
        if number % 10 == 0:
            writer.begin_segment(first - 255, msgspec.msgpack.encode(Memory()))
        records: list[Record] = [
            Frame(first, first * 1000, "G/T/1", False, 1, SECRET),
            Note(first + 256, first * 1000, "gap" if number == 7 else "actor", b'{"cause":"test"}'),
        ]
        writer.append(Batch(first - 256, first + 256, records))
    writer.sync()
    return writer


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["journal", *arguments])


def test_a_good_journal_is_told_as_good(directory: Path) -> None:
    write(directory).close()
    sealer = Sealer(directory, lambda damage: 0, lambda: 0)
    while sealer.step():
        pass
    found = run("verify")
    assert (found.exit_code, found.output) == (0, "4 segments, 44 batches, 80 records: all good.\n")
    told = msgspec.json.decode(run("info", "--json").output)
    assert (told["first_seq"], told["last_seq"], told["damaged"]) == (1, 512 * 40, 0)
    assert [segment["sealed"] for segment in told["segments"]] == [True, True, True, False]
    assert (told["oldest_us"], told["newest_us"]) == (256_000, (512 * 39 + 256) * 1000)
    assert told["bytes"] == sum(path.stat().st_size for path in segment_paths(directory))
    assert told["compression"] > 1
    assert "sealed" in run("info").output


@pytest.mark.parametrize("segment", [1, -1])
def test_damage_is_found_and_named(directory: Path, segment: int) -> None:
    write(directory).close()
    path = segment_paths(directory)[segment]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))
    found = run("verify")
    assert found.exit_code == 1
    assert path.name in found.output
    assert "1 problems." in found.output
    assert msgspec.json.decode(run("info", "--json").output)["damaged"] == 1
    assert path.read_bytes() == bytes(content), "nothing is changed"


def test_a_journal_that_is_being_written_is_no_damage(directory: Path) -> None:
    writer = write(directory)
    path = segment_paths(directory)[-1]
    os.truncate(path, path.stat().st_size - 5)
    assert run("verify").exit_code == 0
    writer.close()


def test_payloads_are_shown_on_request_only(directory: Path) -> None:
    write(directory).close()
    for flags in ((), ("--json",)):
        assert "unasked" not in run("dump", *flags).output
        assert "unasked" in run("dump", "--payload", *flags).output


def test_a_dump_is_bounded_by_numbers_type_and_count(directory: Path) -> None:
    write(directory).close()

    def seqs(*flags: str) -> list[int]:
        return [msgspec.json.decode(line)["seq"] for line in run("dump", "--json", *flags).output.splitlines()]

    assert seqs("--since", "256", "--until", "1024") == [512, 768, 1024]
    assert seqs("-n", "2") == [256, 512]
    assert seqs("--type", "gap") == [512 * 7 + 512]
    assert seqs("--type", "frame", "--since", "20000") == [512 * 39 + 256]
    assert len(run("dump", "-n", "3").output.splitlines()) == 3


def test_without_a_journal_it_says_where_it_looked(directory: Path) -> None:
    for command in ("info", "dump", "verify"):
        found = run(command)
        assert found.exit_code == 1 or found.exception is not None
        assert str(directory) in f"{found.output}{found.exception}"
