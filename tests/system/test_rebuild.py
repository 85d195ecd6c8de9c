"""What live recording wrote, made again from its frames, is the same row by row; every round is good."""

import shutil
from pathlib import Path

import pytest

from tests.house import house
from tests.writer.test_rebuild import differing, forget_typed_rows

pytestmark = pytest.mark.system


def test_live_data_made_again_are_the_same_row_by_row_and_all_rounds_are_good(tmp_path: Path) -> None:
    settings = {"VECTRA_SIMULATOR_SPEED": "20", "VECTRA_SIMULATOR_SEED": "again"}
    with house(tmp_path, settings) as running:
        running.wait_until(lambda status: (status["journal"]["seq"] or 0) > 150_000)
        assert running.run("record", "stop").returncode == 0
        running.wait_until(lambda status: (status["journal"]["seq"] or 0) > 200_000)
        assert running.run("record", "start").returncode == 0
        running.wait_until(lambda status: (status["journal"]["seq"] or 0) > 350_000)
        refused = running.run("rebuild", "--demo")
        assert (refused.returncode, refused.stderr.startswith("VECTRA is running (pid ")) == (1, True)
        verified = running.run("verify", "--all")
        assert (verified.returncode, " 0 bad, 0 unknown." in verified.stdout) == (0, True)
        assert running.run("stop").returncode == 0
        live = tmp_path / "live"
        shutil.copytree(running.data_dir / "events_parquet", live / "events_parquet")
        forget_typed_rows(running.data_dir)
        game = "events_parquet/doc_type=game"  # the rounds of the pause cannot be made again
        shutil.copytree(live / game, running.data_dir / game, dirs_exist_ok=True)
        done = running.run("rebuild", "--demo")
        assert done.returncode == 0, done.stderr
        found = differing(live, running.data_dir)
        assert set(found.values()) == {0}, found
        assert len(found) >= 7
