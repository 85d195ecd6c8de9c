"""What doctor finds, on real directories and real ports."""

import socket
import sys
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from actors.browser.command import NAMES
from actors.core.config import Browser, BusSection, Config, Feed, Monitor, Web
from actors.rugs.schema import SCHEMA_VERSION, columns_of
from supervisor.doctor import CHROMIUMS, Finding, examine, hindrances


def at_any_port(config: Config) -> Config:
    bus = BusSection(events="tcp://127.0.0.1:0", requests="tcp://127.0.0.1:0")
    ports = {"web": Web(port=0), "feed": Feed(port=0), "monitor": Monitor(port=0), "bus": bus}
    return msgspec.structs.replace(config, **ports)


def found(config: Config) -> dict[str, Finding]:
    return {finding.what: finding for finding in examine(config)}


def test_a_taken_port_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        taken = found(Config(data_dir=str(tmp_path), feed=Feed(port=port)))["feed.port"]
    assert not taken.good
    assert taken.found == f"{port} is taken"
    assert "set feed.port to another port: --set feed.port=0 takes any that is free." in taken.fix
    assert found(Config(data_dir=str(tmp_path), feed=Feed(port=port)))["feed.port"].good


def test_a_browser_that_is_not_there_and_one_that_is(tmp_path: Path) -> None:
    absent = found(Config(data_dir=str(tmp_path), browser=Browser(binary="/no/such/chromium")))["Chromium"]
    assert not absent.good
    assert "browser.binary is '/no/such/chromium', must be a program" in absent.fix
    program = tmp_path / "chromium"
    program.touch(mode=0o755)
    assert found(Config(data_dir=str(tmp_path), browser=Browser(binary=str(program))))["Chromium"].good


def test_a_display_is_needed_for_a_window_only(tmp_path: Path) -> None:
    window = Config(data_dir=str(tmp_path), browser=Browser(binary=sys.executable, cdp_port=0))
    (missing,) = hindrances(at_any_port(window), {})
    assert (missing.what, "browser.headless: true" in missing.fix) == ("display", True)
    assert hindrances(at_any_port(window), {"DISPLAY": ":0"}) == []
    headless = msgspec.structs.replace(window, browser=Browser(binary=sys.executable, headless=True))
    assert hindrances(at_any_port(headless), {}) == []


def test_it_looks_for_the_browsers_that_the_browser_actor_looks_for() -> None:
    assert CHROMIUMS == NAMES


def test_a_start_is_refused_for_all_that_hinders_it_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as web, socket.create_server(("127.0.0.1", 0)) as events:
        config = Config(
            data_dir=str(tmp_path),
            browser=Browser(binary="/no/such/chromium"),
            web=Web(port=web.getsockname()[1]),
            feed=Feed(port=0),
            monitor=Monitor(port=0),
            bus=BusSection(events=f"tcp://127.0.0.1:{events.getsockname()[1]}", requests="tcp://127.0.0.1:0"),
        )
        found = [finding.what for finding in hindrances(config, {})]
        assert found == ["Chromium", "display", "web.port", "bus.events"]
        config.runtime_path.mkdir()
        (config.runtime_path / "children.json").touch()  # what was left may hold the ports: the start ends it first
        assert [finding.what for finding in hindrances(config, {})] == ["Chromium", "display"]


def test_a_data_directory_open_to_others_is_named_with_the_command(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    finding = found(Config(data_dir=str(tmp_path)))["data_dir"]
    assert (finding.good, finding.fix) == (False, f"chmod 700 {tmp_path}")
    tmp_path.chmod(0o700)
    assert found(Config(data_dir=str(tmp_path)))["data_dir"].good
    assert found(Config(data_dir=str(tmp_path / "new")))["data_dir"].found.endswith("new (made at the start)")


def parquet(data_dir: Path, doc_type: str, name: str, *, version: str | None, left_out: str = "") -> Path:
    """Write a file of one row of nulls with the columns of a doc_type."""
    path = data_dir / "events_parquet" / f"doc_type={doc_type}" / "date=2025-01-01" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({column.name: pa.nulls(1) for column in columns_of(doc_type) if column.name != left_out})
    pq.write_table(table.replace_schema_metadata({"vectra.schema_version": version} if version else None), path)
    return path


OURS = f"{256:016d}-{512:016d}.parquet"


def test_parquet_files_of_another_schema_are_named_wherever_they_lie(tmp_path: Path) -> None:
    parquet(tmp_path, "game_tick", OURS, version=SCHEMA_VERSION)
    good = found(Config(data_dir=str(tmp_path)))
    assert (good["Parquet files"].good, good["Parquet files"].found) == (True, "none of another schema")
    foreign = [
        parquet(tmp_path, "game_tick", "part-0.parquet", version=None),
        parquet(tmp_path, "trade", OURS, version="1.0.0"),
    ]
    bad = found(Config(data_dir=str(tmp_path)))["Parquet files"]
    assert (bad.good, bad.found) == (False, f"{foreign[0]}, {foreign[1]}: another schema")
    assert f"`vectra-supervisor import {tmp_path / 'events_parquet'}` takes them over" in bad.fix


def test_an_older_file_a_damaged_one_a_copy_and_a_killed_import_are_told_apart(tmp_path: Path) -> None:
    older = parquet(tmp_path, "player_action", OURS, version=SCHEMA_VERSION, left_out="data")
    copy = parquet(tmp_path, "game_tick", "copy.parquet", version=SCHEMA_VERSION)
    damaged = parquet(tmp_path, "trade", OURS, version=SCHEMA_VERSION)
    damaged.write_bytes(damaged.read_bytes()[:-20])
    (tmp_path / "staging" / "import").mkdir(parents=True)
    (tmp_path / "staging" / "import" / "list").touch()
    findings = found(Config(data_dir=str(tmp_path)))
    assert findings["Parquet files"].good
    assert findings["Parquet files, other columns"].found == f"{older}, without data"
    assert findings["Parquet files, other name"].found == str(copy)
    assert findings["Parquet files, damaged"].found == str(damaged)
    assert not findings["import"].good


def test_every_bad_finding_has_a_fix(tmp_path: Path) -> None:
    assert [
        finding.what for finding in examine(Config(data_dir=str(tmp_path))) if not finding.good and not finding.fix
    ] == []
