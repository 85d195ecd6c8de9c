"""`vectra-supervisor compact`, as a user calls it: with VECTRA stopped, running, and in somebody else's hands."""

import os
from pathlib import Path

import pytest

from actors.writer.layout import events_dir, files_of
from supervisor import locks
from supervisor.commands_compact import size_words
from tests.supervisor.running import child, running
from tests.supervisor.test_cli import vectra
from tests.writer.days import batches_of, fill, names
from tests.writer.source import assert_exact

pytestmark = pytest.mark.system

MERGED = ["15/1-12", "16/13-18", "16/19-19", "16/20-20"]


def test_a_stopped_vectra_is_compacted_by_the_command_itself(tmp_path: Path) -> None:
    assert "Nothing to merge" in vectra(tmp_path, "compact").stdout
    batches = batches_of(range(1, 21))
    fill(tmp_path, batches)
    done = vectra(tmp_path, "compact")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Merged 29 files (")
    assert names(tmp_path, "ws_event") == MERGED
    assert_exact(tmp_path, batches)
    assert vectra(tmp_path, "compact").stdout.startswith("Nothing to merge")


def test_a_file_that_cannot_be_merged_is_named_and_the_rest_is_merged(tmp_path: Path) -> None:
    fill(tmp_path, batches_of(range(1, 21)))
    damaged = files_of(events_dir(tmp_path), "ws_event")[4].path
    damaged.write_bytes(b"no parquet")
    for words in ("Merged 28 files (", "Nothing to merge: besides, every"):
        done = vectra(tmp_path, "compact")
        assert (done.returncode, done.stdout.startswith(words)) == (0, True)
        assert done.stderr.startswith(f"Left as it is, cannot be merged: {damaged}: ")
        assert len(done.stderr.splitlines()) == 1
    with running(tmp_path, [child("writer", "actors.writer.actor:run")]):
        assert vectra(tmp_path, "compact").stderr.startswith(f"Left as it is, cannot be merged: {damaged}: ")


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = vectra(tmp_path, "compact", "--data-dir", str(tmp_path / "absent"))
    assert (done.returncode, done.stdout) == (0, f"Nothing to merge: {tmp_path / 'absent'} does not exist.\n")


def test_a_running_writer_is_asked_and_its_figures_are_printed(tmp_path: Path) -> None:
    batches = batches_of(range(1, 21))
    fill(tmp_path, batches)
    with running(tmp_path, [child("writer", "actors.writer.actor:run")]):
        done = vectra(tmp_path, "compact")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("Merged 29 files (")
        assert not (tmp_path / "run" / "compact.request").exists()
    assert_exact(tmp_path, batches)


def test_data_that_another_vectra_holds_is_not_touched(tmp_path: Path) -> None:
    fill(tmp_path, batches_of(range(1, 21)))
    held = locks.take(tmp_path)
    try:
        refused = vectra(tmp_path, "compact")
    finally:
        os.close(held)
    assert (refused.returncode, "in use by another VECTRA" in refused.stderr) == (1, True)
    assert len(names(tmp_path, "ws_event")) == 20


def test_sizes_are_said_as_people_do() -> None:
    assert (size_words(23_103_046), size_words(4_200)) == ("23.1 MB", "4.2 kB")
