"""A neighbour that is not ours survives everything: every actor's start and stop, every command, kills between."""

import json
from pathlib import Path

import pytest

from actors.writer.layout import events_dir, files_of
from supervisor.cli import main
from tests.foreign import picture, plant
from tests.house import House, house
from tests.recorded import records, write

pytestmark = pytest.mark.system

DATA = (
    ".", "journal", "journal/quarantine", "staging", "staging/import", "checkpoints", "state", "cache", "exports",
    "exports/0123456789abcdef", "events_parquet", "events_parquet/doc_type=game", "artifacts",
)  # fmt: skip
RUNTIME = (".", "bus", "endpoints", "attached", "acks", "log")
PROFILE = (".", "Default", "Default/Sessions")


def test_what_is_not_ours_outlives_starts_kills_restarts_and_every_command_beside_a_running_vectra(
    tmp_path: Path,
) -> None:
    data, run = tmp_path / "data" / "demo", tmp_path / "data" / "run"
    planted = [path for name in DATA for path in plant(data / name)]
    planted += [path for name in RUNTIME for path in plant(run / name)]
    planted += [path for name in PROFILE for path in plant(data / "profile" / name)]
    kept = unreadable_export(data)
    before = picture([*planted, *kept])
    with house(tmp_path) as it:
        for arguments in (
            ["status"], ["status", "--json"], ["logs", "-n", "5"], ["record", "status"], ["record", "stop"],
            ["record", "start"], ["compact"], ["doctor"], ["check"], ["journal", "info"], ["journal", "verify"],
            ["journal", "dump", "-n", "3"], ["sql", "SELECT 1"], ["reload"], ["verify", "--all"], ["trust", "--list"],
            ["install-service", "--print"], ["restart", "web"], ["restart"],
        ):  # fmt: skip
            result = it.run(*arguments, timeout_s=120)
            assert "Traceback" not in result.stdout + result.stderr, (arguments, result)
        kill_all_and_start_again(it)
        doctor = it.run("doctor").stdout
        assert str(data / "my-analysis") in doctor
        assert str(data / "exports" / "my-analysis") in doctor
        assert str(kept[0].parent) in doctor
    assert changed(before) == {}


def test_what_is_not_ours_outlives_compaction_rebuild_and_import(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    write(data, records(4), flush=60)
    days = {file.path.parent for one in ("game_tick", "ws_event", "trade") for file in files_of(events_dir(data), one)}
    planted = [path for day in days for path in plant(day, folders=False)]
    planted += [path for name in DATA for path in plant(data / name)]
    before = picture(planted)
    it = House(tmp_path, {}, demo=False)
    frames = tmp_path / "old.jsonl"
    frames.write_text('{"t": 1765700000, "dir": "received", "frame": "42[\\"hello\\",{\\"a\\":1}]"}\n')
    merged = it.run("compact")
    assert (merged.returncode, "Merged" in merged.stdout) == (0, True), merged
    for arguments in (["rebuild"], ["import", str(frames)], ["compact"], ["verify", "--all"], ["doctor"], ["check"]):
        result = it.run(*arguments, timeout_s=120)
        assert "Traceback" not in result.stdout + result.stderr, (arguments, result)
        assert changed(before) == {}, arguments
        if arguments[0] in ("rebuild", "import"):
            assert result.returncode == 0, result


def test_a_folder_among_the_files_of_a_day_puts_its_merging_off_and_stays(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    write(data, records(3), flush=60)
    day = files_of(events_dir(data), "ws_event")[0].path.parent
    planted = plant(day)
    before = picture(planted)
    it = House(tmp_path, {}, demo=False)
    result = it.run("compact")
    assert (result.returncode, f"{day / 'my-analysis'} is no plain file" in result.stderr) == (1, True), result
    assert changed(before) == {}
    for arguments in (["rebuild"], ["doctor"], ["sql", "SELECT count(*) FROM ws_event"]):
        assert "Traceback" not in (answer := it.run(*arguments)).stdout + answer.stderr, (arguments, answer)
    assert changed(before) == {}


def test_no_command_is_left_out_of_these_tests() -> None:
    driven = {"start", "stop", "restart", "reload", "status", "logs", "record", "compact", "check", "doctor", "journal"}
    driven |= {"sql", "verify", "rebuild", "import", "install-service", "trust"}
    assert set(main.commands) - driven == {"events", "completion"}  # which touch no directory


def unreadable_export(data: Path) -> list[Path]:
    """Make a finished export whose job is of a newer version."""
    folder = data / "exports" / "fedcba9876543210"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "job.json").write_text(json.dumps({"id": folder.name, "kind": "backtest", "state": "done"}))
    (folder / "vectra-2025-12-15.csv").write_text("still wanted")
    return [folder / "job.json", folder / "vectra-2025-12-15.csv"]


def kill_all_and_start_again(it: House) -> None:
    assert it._daemon is not None
    it._daemon.kill()
    it._daemon.wait(30)
    it.start()


def changed(before: dict[Path, tuple[str, str, int, int]]) -> dict[Path, object]:
    now = picture(before)
    return {path: (one, now[path]) for path, one in before.items() if now[path] != one}
