"""The systemd unit: what systemd itself says of it, what it holds, and that nobody's changes are overwritten."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from actors.core.config import Browser, Config
from supervisor.ask import CommandError
from supervisor.cli import main
from supervisor.commands_service import known_user, write
from supervisor.service import Service, place, quoted, unit

HEADLESS = Config(data_dir="/srv/vectra", browser=Browser(headless=True))


def service(scope: str, **more: object) -> Service:
    given: dict[str, object] = {
        "scope": scope,
        "command": ("/bin/true", "start", "--log-format", "text", "--set", "simulator.seed=100% $HOME"),
        "reload": ("/bin/true", "reload"),
        "environment": {"RUGS_DATA_DIR": "/srv/my data"},
        "run_as": "daemon" if scope == "system" else None,
    }
    return Service(**{**given, **more})  # type: ignore[arg-type]


def settings(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd on this machine")
@pytest.mark.parametrize("scope", ["user", "system"])
@pytest.mark.parametrize("config", [Config(), HEADLESS], ids=["window", "headless"])
def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path, scope: str, config: Config) -> None:
    path = tmp_path / "vectra.service"
    path.write_text(unit(service(scope), config))
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(["--user"] if scope == "user" else []), str(path)],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [line for line in result.stderr.splitlines() if "vectra" in line]
    assert (result.returncode, said) == (0, []), result.stderr


def test_it_notifies_is_watched_comes_back_and_obeys_a_stop() -> None:
    lines = settings(unit(service("system"), HEADLESS))
    assert {
        "Type=notify",
        "WatchdogSec=30",
        "Restart=always",
        "RestartPreventExitStatus=0 2",
        "StartLimitIntervalSec=0",
        "KillMode=mixed",
        "OOMPolicy=continue",
        "User=daemon",
        "WantedBy=multi-user.target",
        'Environment="RUGS_DATA_DIR=/srv/my data"',
        'ExecStart=/bin/true start --log-format text --set "simulator.seed=100%% $$HOME"',
    } <= set(lines)


def test_systemd_waits_longer_than_the_supervisor_itself() -> None:
    lines = settings(unit(service("user"), Config()))
    limits = {name: float(value) for name, _, value in (line.partition("=") for line in lines) if "Timeout" in name}
    assert limits["TimeoutStartSec"] > Config().supervisor.start_timeout_s
    assert limits["TimeoutStopSec"] > 11 * Config().supervisor.stop_timeout_s


def test_each_hardening_that_chromium_cannot_bear_is_left_out_and_named() -> None:
    for scope in ("user", "system"):
        text = unit(service(scope), Config())
        for option in ("MemoryDenyWriteExecute", "SystemCallFilter", "PrivateTmp", "PrivateDevices"):
            assert not any(line.startswith(option) for line in settings(text))
            assert option in text
        assert "RestrictNamespaces=user pid net" in settings(text)
    headless = settings(unit(service("system"), HEADLESS))
    assert {"PrivateTmp=yes", "PrivateDevices=yes", "ProtectSystem=full", "CapabilityBoundingSet="} <= set(headless)
    in_tmp = Config(data_dir="/tmp/x", browser=Browser(headless=True))
    assert "PrivateTmp=yes" not in settings(unit(service("system"), in_tmp))
    assert "CapabilityBoundingSet=" not in settings(unit(service("system", run_as=None), HEADLESS))


def test_a_window_belongs_to_the_graphical_session() -> None:
    assert settings(unit(service("user"), Config()))[-1] == "WantedBy=graphical-session.target"
    assert settings(unit(service("user"), HEADLESS))[-1] == "WantedBy=default.target"


def test_words_are_quoted_as_systemd_reads_them() -> None:
    assert quoted(["/bin/x", "a b", '"', "50%", "$A", ""]) == '/bin/x "a b" "\\"" 50%% $$A ""'


def test_it_lies_where_systemd_looks() -> None:
    assert place("system", {}) == Path("/etc/systemd/system/vectra.service")
    assert place("user", {"XDG_CONFIG_HOME": "/c"}) == Path("/c/systemd/user/vectra.service")


def test_a_unit_that_differs_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "systemd" / "user" / "vectra.service"
    assert write(path, "1", force=False) == "written"
    assert write(path, "1", force=False) == "unchanged"
    with pytest.raises(CommandError, match="is there and differs"):
        write(path, "2", force=False)
    assert path.read_text() == "1"
    assert write(path, "2", force=True) == "overwritten"
    assert path.read_text() == "2"
    assert [one.name for one in path.parent.iterdir()] == ["vectra.service"]


def call(home: Path, *arguments: str, **environ: str) -> Result:
    given = {"XDG_CONFIG_HOME": str(home / "config"), "HOME": str(home), "SUDO_USER": None, **environ}
    settings_file = home / "vectra.yaml"
    settings_file.touch()
    command = ["install-service", *arguments, "--config", str(settings_file)]
    return CliRunner().invoke(main, command, env=given)


def test_the_command_writes_the_users_unit_with_flags_and_variables_in_it(tmp_path: Path) -> None:
    result = call(tmp_path, "--user", "--set", "web.port=5005", RUGS_DATA_DIR="/srv/x")
    assert (result.exit_code, "vectra.service: written." in result.output) == (0, True), result.output
    assert "systemctl --user enable --now vectra" in result.output
    text = (tmp_path / "config" / "systemd" / "user" / "vectra.service").read_text()
    (start,) = [line for line in text.splitlines() if line.startswith("ExecStart=")]
    assert start.endswith(f"start --log-format text --config {tmp_path}/vectra.yaml --set web.port=5005")
    assert os.access(start.removeprefix("ExecStart=").split()[0], os.X_OK)
    assert "Environment=RUGS_DATA_DIR=/srv/x" in text
    assert "unchanged." in call(tmp_path, "--user", "--set", "web.port=5005", RUGS_DATA_DIR="/srv/x").output


def test_printing_writes_nothing(tmp_path: Path) -> None:
    result = call(tmp_path, "--user", "--dry-run")
    assert result.output.startswith("# Written by")
    assert not (tmp_path / "config").exists()


def test_a_system_service_says_whom_it_runs_as_and_what_it_lacks(tmp_path: Path) -> None:
    as_root = call(tmp_path, "--system", "--print")
    assert "the browser runs as root, so without its sandbox" in as_root.output
    assert "a system service has no display" in as_root.output
    assert "User=daemon\n" in call(tmp_path, "--system", "--print", SUDO_USER="daemon").output
    with pytest.raises(CommandError, match="must be a user of this machine"):
        known_user("no-such-user-here")
