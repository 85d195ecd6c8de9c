"""Where the library looks for a running VECTRA."""

from pathlib import Path

from vectra_player.addresses import resolve


def published(home: Path) -> dict[str, str]:
    (home / "run" / "endpoints").mkdir(parents=True)
    (home / "run" / "endpoints" / "events").write_text("tcp://127.0.0.1:4567")
    return {"RUGS_DATA_DIR": str(home)}


def test_what_the_caller_says_comes_first(tmp_path: Path) -> None:
    assert resolve("events", "tcp://host:1", published(tmp_path)) == "tcp://host:1"


def test_then_the_environment(tmp_path: Path) -> None:
    assert resolve("events", None, {**published(tmp_path), "VECTRA_BUS_EVENTS": "tcp://host:2"}) == "tcp://host:2"


def test_any_free_port_is_looked_up_in_the_endpoint_files(tmp_path: Path) -> None:
    for port in ("0", "*"):
        environ = {**published(tmp_path / port), "VECTRA_BUS_EVENTS": f"tcp://127.0.0.1:{port}"}
        assert resolve("events", None, environ) == "tcp://127.0.0.1:4567"


def test_without_anything_it_is_the_default(tmp_path: Path) -> None:
    assert resolve("requests", None, {"RUGS_DATA_DIR": str(tmp_path)}) == "tcp://127.0.0.1:9101"


def test_a_runtime_directory_by_name_beats_the_data_directory(tmp_path: Path) -> None:
    environ = {"RUGS_DATA_DIR": "/nowhere", "VECTRA_RUNTIME_DIR": str(tmp_path / "run")}
    published(tmp_path)
    assert resolve("events", None, environ) == "tcp://127.0.0.1:4567"
