"""Where each setting comes from, and what is said about wrong ones."""

import json
from pathlib import Path

import pytest
from zmq.auth import create_certificates

from actors.core.bus import IPC_PATH_LIMIT, ipc_path
from actors.core.config import Config
from actors.core.streams import ALL
from supervisor.daemon import effective, settings_view
from supervisor.keys import OLDER_NAMES, all_keys, rule_of
from supervisor.settings import Loaded, SettingsError, find_file, load

ROOT = Path(__file__).resolve().parents[2]


def from_text(tmp_path: Path, text: str, environ: dict[str, str] | None = None, *overrides: str) -> Loaded:
    path = tmp_path / "vectra.yaml"
    path.write_text(text)
    return load(str(path), environ or {}, overrides)


def errors_of(tmp_path: Path, text: str, environ: dict[str, str] | None = None, *overrides: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        from_text(tmp_path, text, environ, *overrides)
    return [error.replace(str(tmp_path / "vectra.yaml"), "vectra.yaml") for error in caught.value.errors]


def test_the_shipped_file_holds_every_key_with_its_default() -> None:
    loaded = load(str(ROOT / "vectra.yaml"), {})
    assert loaded.config == Config()
    assert [key for key, source in loaded.sources.items() if source == "default"] == []


def test_each_layer_beats_the_one_before_and_is_remembered_as_the_source(tmp_path: Path) -> None:
    text = "feed: {port: 1}\nmonitor: {port: 2}\nweb: {port: 3}\n"
    environ = {"VECTRA_MONITOR_PORT": "4", "FOUNDATION_HTTP_PORT": "5", "FOUNDATION_HEADLESS": "True", "CDP_PORT": "0"}
    loaded = from_text(tmp_path, text, environ, "web.port=6")
    config = loaded.config
    assert (config.feed.port, config.monitor.port, config.web.port) == (1, 4, 6)
    assert (config.browser.headless, config.browser.cdp_port) == (True, 0)
    assert loaded.sources["feed.port"] == str(tmp_path / "vectra.yaml")
    assert loaded.sources["monitor.port"] == "VECTRA_MONITOR_PORT"
    assert loaded.sources["browser.headless"] == "FOUNDATION_HEADLESS"
    assert loaded.sources["web.port"] == "command line"
    assert loaded.sources["data_dir"] == "default"


def test_every_key_has_its_variable_and_every_older_name_its_key(tmp_path: Path) -> None:
    assert all_keys()["data_dir"].variable == "VECTRA_DATA_DIR"
    assert all_keys()["bus.curve_secret_file"].variable == "VECTRA_BUS_CURVE_SECRET_FILE"
    assert len({key.variable for key in all_keys().values()}) == len(all_keys())
    assert set(OLDER_NAMES.values()) <= set(all_keys())
    environ = {"RUGS_DATA_DIR": "/a", "CHROME_PROFILE": "me", "FOUNDATION_PORT": "7000"}
    config = from_text(tmp_path, "", environ).config
    assert (config.data_dir, config.browser.profile, config.feed.port) == ("/a", "me", 7000)


def test_what_the_demo_sets_is_told_to_come_from_it(tmp_path: Path) -> None:
    loaded = from_text(tmp_path, "feed:\n  port: 9005\n")
    view = settings_view(effective(loaded.config, demo=True), loaded, demo=True)
    its_own = {key for key, source in view["sources"].items() if source == "the demo"}
    assert its_own == {
        "data_dir", "site.socket_pattern", "browser.headless", "browser.profile_dir", "browser.cdp_port",
    }  # fmt: skip
    assert view["sources"]["feed.port"] == str(tmp_path / "vectra.yaml")
    assert settings_view(effective(loaded.config, demo=False), loaded, demo=False)["sources"] == loaded.sources


def test_texts_become_what_their_keys_need(tmp_path: Path) -> None:
    environ = {
        "VECTRA_BROWSER_ARGS": "--one, --two=2",
        "VECTRA_RECORDING_AUTOSTART": "off",
        "VECTRA_RECORDING_FLUSH_S": "0.5",
        "VECTRA_BROWSER_BINARY": "null",
        "VECTRA_SIMULATOR_SEED": "12",
    }
    config = from_text(tmp_path, "", environ).config
    assert config.browser.args == ["--one", "--two=2"]
    assert config.recording.autostart is False
    assert config.recording.flush_s == 0.5
    assert config.browser.binary is None
    assert config.simulator.seed == "12"


def test_an_empty_section_and_an_empty_file_mean_the_defaults(tmp_path: Path) -> None:
    assert from_text(tmp_path, "feed:\n  # port: 9\n").config == Config()
    assert from_text(tmp_path, "# nothing\n").config == Config()


def test_all_errors_come_at_once_each_with_place_key_value_rule_and_way_out(tmp_path: Path) -> None:
    text = "recording: {flush_rows: 0, flush_row: 3, autostart: 'yes'}\nfeed: 5\nport: 3\nlog: {level: loud}\n"
    environ = {"VECTRA_FEED_PORT": "abc", "VECTRA_FEED_PROT": "1", "VECTRA_WEBPORT": "1", "VECTRA_FAULT": "x:1"}
    assert sorted(errors_of(tmp_path, text, environ, "x.y=3", "feed.port", "journal.commit_ms=0")) == [
        "command line: --set feed.port: is 'feed.port', must be KEY=VALUE, as in --set feed.port=9000.",
        "command line: --set x.y=3: x.y is not a key. Leave it out.",
        "command line: journal.commit_ms is 0, must be 1 to 1000. "
        "Leave out --set journal.commit_ms for the default, 50.",
        "environment: VECTRA_FEED_PORT: feed.port is 'abc', must be 0 to 65535; 0 takes any free port. "
        "Unset VECTRA_FEED_PORT for the default, 9000.",
        "environment: VECTRA_FEED_PROT sets no key. Did you mean VECTRA_FEED_PORT? Unset it.",
        "environment: VECTRA_WEBPORT sets no key. Did you mean VECTRA_WEB_PORT? Unset it.",
        "vectra.yaml: feed is 5, must be a section: its keys, indented, in the lines below it. "
        "Remove the line for the defaults.",
        "vectra.yaml: log.level is 'loud', must be one of debug, info, warning, error. "
        "Remove the line for the default, 'info'.",
        "vectra.yaml: port is not a key. Did you mean web.port? Remove the line.",
        "vectra.yaml: recording.autostart is 'yes', must be true or false. Remove the line for the default, true.",
        "vectra.yaml: recording.flush_row is not a key. Did you mean recording.flush_rows? Remove the line.",
        "vectra.yaml: recording.flush_rows is 0, must be 1 to 1000000. Remove the line for the default, 5000.",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "feed:\n  port: 1\n  port: 2\n",
            "vectra.yaml: port stands twice, in lines 2 and 3, must stand once. Remove one",
        ),
        ("- a\n", "vectra.yaml: holds list, must be sections with keys"),
        ("feed:\n\tport: 1\n", "vectra.yaml: line 2, column 1: "),
        ("a: [1\n", "vectra.yaml: line 2, column 1: "),
        ("a: !!python/object:os.system {}\n", "vectra.yaml: line 1, column 4: could not determine a constructor"),
        ("recording: {flush_s: .nan}\n", "recording.flush_s is NaN, must be above 0, at most 3600."),
        ("site: {socket_pattern: '('}\n", "site.socket_pattern is '(', must be a Python regular expression (missing )"),
        ("web: {host: 0.0.0.0}\n", "web.host is '0.0.0.0', must be a loopback address such as 127.0.0.1. Keep it on"),
        ("feed: {host: 192.168.1.2}\n", "SSH tunnel (ssh -L 5000:127.0.0.1:5000 HOST) or a reverse proxy"),
        (
            "bus: {events: 'tcp://0.0.0.0:9100'}\n",
            "as long as there are no CURVE keys. Use tcp://127.0.0.1:PORT, or set",
        ),
        ("bus: {requests: 'tcp://127.0.0.1'}\n", "bus.requests is 'tcp://127.0.0.1', must be tcp://HOST:PORT"),
        ("web: {port: 9001}\n", "web.port is 9001, must be another port than monitor.port."),
        ("fed: {port: 9000}\n", "vectra.yaml: fed is not a key. Did you mean feed? Remove the line."),
        ("browser: {profile: ..}\n", "browser.profile is '..', must be the name of a directory."),
        ("browser: {profile: a/b}\n", "browser.profile is 'a/b', must be a name without a slash"),
        ("data_dir: ''\n", "data_dir is '', must be a path."),
    ],
)
def test_each_rule_has_its_message(tmp_path: Path, text: str, message: str) -> None:
    assert any(message in error for error in errors_of(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("feed: {port: x}\nruntime_dir: /r\n", True),
        ("fed: {port: 9000}\nruntime_dir: /r\n", True),
        ("feed:\n  port: 1\n  port: 2\nruntime_dir: /r\n", True),
        ("runtime_dir: /r\nfeed:\n\tport: 1\n", True),
        ("# runtime_dir: /x\nruntime_dir: /r # here\nfeed: [\n", True),
        ("feed: [\n  runtime_dir: /r\n", False),
        ("runtime_dir: /r\nruntime_dir: /s\nfeed: [\n", False),
        ("runtime_dir: [\n", False),
        ("- runtime_dir\n", False),
        ("runtime_dir: /r\nruntime_dir: /s\n", False),
        ("runtime_dir: 5\n", False),
        ("runtime_dri: /r\n", False),
        ("data_dir: ''\nruntime_dir: /r\n", False),
        (f"runtime_dir: /{'r' * 120}\n", False),
    ],
)
def test_bad_settings_still_say_where_vectra_runs_unless_that_is_in_doubt(
    tmp_path: Path, text: str, known: bool
) -> None:
    with pytest.raises(SettingsError) as caught:
        from_text(tmp_path, text)
    usable = caught.value.usable
    assert (usable.config.runtime_path if usable else None) == (Path("/r") if known else None)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("--one, --two=2", ["--one", "--two=2"]), ('["--window-size=1440,900"]', ["--window-size=1440,900"]), ("", [])],
)
def test_a_list_is_given_with_commas_or_as_json(tmp_path: Path, text: str, wanted: list[str]) -> None:
    assert from_text(tmp_path, "", {"VECTRA_BROWSER_ARGS": text}).config.browser.args == wanted


def test_a_list_that_begins_as_json_and_is_none_is_told(tmp_path: Path) -> None:
    (error,) = errors_of(tmp_path, "", {"VECTRA_BROWSER_ARGS": '["--one"'})
    assert "VECTRA_BROWSER_ARGS" in error
    assert "list" in error


def test_a_slip_in_the_environment_or_the_command_line_is_told_apart_in_the_same_way(tmp_path: Path) -> None:
    for environ, overrides, known in (
        ({"VECTRA_WEBPORT": "1"}, (), True),
        ({"VECTRA_RUNTIMEDIR": "/r"}, (), False),
        ({}, ("feed.port=x",), False),
    ):
        with pytest.raises(SettingsError) as caught:
            from_text(tmp_path, "", environ, *overrides)
        assert (caught.value.usable is not None) is known


def test_bytes_that_are_not_text_are_an_error_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "vectra.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot be read: it is not UTF-8 text"):
        load(str(tmp_path / "vectra.yaml"), {})


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file or directory"):
        load(str(tmp_path / "absent.yaml"), {})


def test_the_local_file_comes_before_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert find_file(None) is None
    user = tmp_path / "home/.config/vectra/vectra.yaml"
    user.parent.mkdir(parents=True)
    user.touch()
    assert find_file(None) == user
    (tmp_path / "vectra.yaml").touch()
    assert find_file(None) == Path("vectra.yaml")


def test_a_runtime_directory_is_refused_exactly_where_a_socket_would_not_fit(tmp_path: Path) -> None:
    longest = max(len(str(ipc_path(Path("/"), stream))) for stream in ALL) - 1
    fits = "/" + "d" * (IPC_PATH_LIMIT - longest - 2)
    assert from_text(tmp_path, json.dumps({"runtime_dir": fits})).config.runtime_dir == fits
    (error,) = errors_of(tmp_path, json.dumps({"runtime_dir": fits + "d"}))
    assert f"must be at most {len(fits)} bytes long (it has {len(fits) + 1})" in error


def test_a_door_beyond_loopback_is_accepted_with_keys(tmp_path: Path) -> None:
    secret, clients = tmp_path / "server.key_secret", tmp_path / "clients"
    keys = f"curve_secret_file: '{secret}', curve_clients_dir: '{clients}'"
    text = f"bus: {{events: 'tcp://0.0.0.0:9100', {keys}}}\n"
    assert any("bus.curve_secret_file" in error for error in errors_of(tmp_path, text))
    clients.mkdir()
    create_certificates(tmp_path, "server")
    create_certificates(clients, "friend")
    secret.chmod(0o600)
    assert from_text(tmp_path, text).config.bus.events == "tcp://0.0.0.0:9100"


def test_every_key_has_a_rule_in_words() -> None:
    assert {name for name, key in all_keys().items() if not key.rule or "typing" in key.rule} == set()
    assert rule_of(str | None) == "text or null"
    assert rule_of(list[int]) == "a list, each a whole number"


def test_a_file_that_is_not_yaml_leaves_no_doubt_where_it_does_not_say_or_something_else_does(tmp_path: Path) -> None:
    for text, environ, data_dir in (
        ("feed: [\n", {}, Config().data_path),
        ("feed: [\n", {"VECTRA_DATA_DIR": "/d"}, Path("/d")),
        ("data_dir: /a\ndata_dir: /b\nfeed: [\n", {"VECTRA_DATA_DIR": "/d"}, Path("/d")),
        ("data_dri: /a\n", {"VECTRA_DATA_DIR": "/d"}, Path("/d")),
        ("data_dri: /a\n", {}, None),
    ):
        with pytest.raises(SettingsError) as caught:
            from_text(tmp_path, text, environ)
        usable = caught.value.usable
        assert (usable.config.data_path if usable else None) == data_dir


def test_a_file_that_cannot_be_read_at_all_leaves_a_doubt_unless_the_data_directory_is_given(tmp_path: Path) -> None:
    (tmp_path / "vectra.yaml").write_bytes(b"\xff\xfe\x00")
    for environ, known in (({}, False), ({"VECTRA_DATA_DIR": "/d"}, True)):
        with pytest.raises(SettingsError) as caught:
            load(str(tmp_path / "vectra.yaml"), environ)
        assert (caught.value.usable is not None) is known
