"""What doctor says of the control room's cache and exports."""

from pathlib import Path

import msgspec
import pytest

from actors.core.config import Config
from actors.core.files import private_dir, replace_file
from supervisor.doctor import Finding, examine
from tests.supervisor.test_doctor import at_any_port
from tests.web.rounds_on_disk import game_row, write_rounds
from web.query import Query
from web.register import MOST_CHUNKS, Register


def found(data_dir: Path, what: str) -> Finding:
    config = at_any_port(Config(data_dir=str(data_dir)))
    return next(finding for finding in examine(config) if finding.what == what)


def job(data_dir: Path, name: str, state: str, size: int) -> Path:
    private_dir(data_dir / "exports")
    folder = private_dir(data_dir / "exports" / name)
    replace_file(folder / "job.json", msgspec.json.encode({"id": name, "state": state}))
    replace_file(folder / "vectra.csv", bytes(size))
    return folder


def test_nothing_is_there_yet(tmp_path: Path) -> None:
    for what in ("cache", "exports"):
        finding = found(tmp_path, what)
        assert (finding.good, finding.found) == (True, "nothing yet")


def test_sizes_are_told(tmp_path: Path) -> None:
    for number in range(MOST_CHUNKS + 1):  # so many files that the index is written down
        write_rounds(tmp_path, [game_row(number)])
    Register(tmp_path).page(Query())
    job(tmp_path, "a", "done", 2_500_000)
    job(tmp_path, "b", "cancelled", 0)
    exported = found(tmp_path, "exports")
    assert (exported.good, exported.found) == (True, "4 files, 2.5 MB")
    index = found(tmp_path, "cache")
    assert (index.good, index.found) == (True, "1 file, 0.0 MB")


def test_what_is_open_to_others_is_named_with_the_command(tmp_path: Path) -> None:
    path = job(tmp_path, "a", "done", 1) / "vectra.csv"
    path.chmod(0o644)
    finding = found(tmp_path, "exports")
    assert (finding.good, finding.found) == (False, f"{path} is open to others")
    assert finding.fix == f"chmod -R go= {tmp_path / 'exports'}"
    path.chmod(0o600)
    (tmp_path / "exports").chmod(0o755)
    assert found(tmp_path, "exports").found == f"{tmp_path / 'exports'} is open to others"


@pytest.mark.parametrize("damage", ["running", "no job", "no JSON"])
def test_an_export_that_was_left_half_made_is_named(tmp_path: Path, damage: str) -> None:
    job(tmp_path, "whole", "done", 1)
    folder = job(tmp_path, "half", "running", 1)
    if damage == "no job":
        (folder / "job.json").unlink()
    elif damage == "no JSON":
        (folder / "job.json").write_bytes(b"{")
    finding = found(tmp_path, "exports")
    assert (finding.good, str(folder) in finding.found, finding.fix.endswith(f"rm -r {folder}")) == (False, True, True)


def test_an_index_that_was_left_half_made_is_named(tmp_path: Path) -> None:
    replace_file(private_dir(tmp_path / "cache") / "rounds.arrow", b"x")
    assert found(tmp_path, "cache").good
    partial = tmp_path / "cache" / ".rounds.arrow.tmp"
    partial.touch(mode=0o600)
    assert str(partial) in found(tmp_path, "cache").found
