"""What doctor finds, on real directories and real ports."""

import socket
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from actors.core.config import Browser, Config, Feed
from supervisor.doctor import Finding, examine


def found(config: Config) -> dict[str, Finding]:
    return {finding.what: finding for finding in examine(config)}


def test_a_taken_port_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        taken = found(Config(data_dir=str(tmp_path), feed=Feed(port=port)))["feed.port"]
    assert not taken.good
    assert taken.found == f"{port} is taken"
    assert "set feed.port to another port" in taken.fix
    assert found(Config(data_dir=str(tmp_path), feed=Feed(port=port)))["feed.port"].good


def test_a_browser_that_is_not_there_and_one_that_is(tmp_path: Path) -> None:
    absent = found(Config(data_dir=str(tmp_path), browser=Browser(binary="/no/such/chromium")))["Chromium"]
    assert not absent.good
    assert "browser.binary is '/no/such/chromium', must be a program" in absent.fix
    program = tmp_path / "chromium"
    program.touch(mode=0o755)
    assert found(Config(data_dir=str(tmp_path), browser=Browser(binary=str(program))))["Chromium"].good


def test_a_data_directory_open_to_others_is_named_with_the_command(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    finding = found(Config(data_dir=str(tmp_path)))["data_dir"]
    assert (finding.good, finding.fix) == (False, f"chmod 700 {tmp_path}")
    tmp_path.chmod(0o700)
    assert found(Config(data_dir=str(tmp_path)))["data_dir"].good
    assert found(Config(data_dir=str(tmp_path / "new")))["data_dir"].found.endswith("new (made at the start)")


def test_parquet_files_of_another_system_are_reported(tmp_path: Path) -> None:
    folder = tmp_path / "events_parquet" / "doc_type=game_tick" / "date=2025-01-01"
    folder.mkdir(parents=True)
    table = pa.table({"seq": [1]})
    pq.write_table(table.replace_schema_metadata({"vectra.schema_version": "2.0.0"}), folder / "1.parquet")
    assert found(Config(data_dir=str(tmp_path)))["Parquet files"].good
    pq.write_table(table, folder / "0.parquet")
    assert str(folder / "0.parquet") in found(Config(data_dir=str(tmp_path)))["Parquet files"].found


def test_every_bad_finding_has_a_fix(tmp_path: Path) -> None:
    assert [
        finding.what for finding in examine(Config(data_dir=str(tmp_path))) if not finding.good and not finding.fix
    ] == []
