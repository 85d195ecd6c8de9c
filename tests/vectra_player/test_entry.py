"""The console script's look at its environment, with real distributions on its import path."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vectra_player.entry import explain, foreign_packages, may_be_foreign

ROOT = Path(__file__).resolve().parents[2]


def distribution(site: Path, name: str, record: str = "", top_level: str | None = None) -> None:
    """Install a distribution's records into a directory."""
    info = site / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "RECORD").write_text(record)
    if top_level is not None:
        (info / "top_level.txt").write_text(top_level)


def start(site: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; from vectra_player.entry import main; main()"
    return subprocess.run(
        [sys.executable, "-P", "-c", code, "--version"],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{site}"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.system
def test_another_distribution_with_our_packages_is_refused_by_name_with_the_way_out(tmp_path: Path) -> None:
    distribution(tmp_path, "supervisor", "supervisor/__init__.py,,\nsupervisor/supervisord.py,,\n")
    distribution(tmp_path, "web.py", "web/__init__.py,,\n", top_level="web\n")
    result = start(tmp_path)
    assert result.returncode == 2
    assert "the distribution 'supervisor' installs the package supervisor, which must be VECTRA's own" in result.stderr
    assert "'web.py'" in result.stderr
    assert "-m pip uninstall" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.system
def test_distributions_with_other_packages_do_no_harm(tmp_path: Path) -> None:
    distribution(tmp_path, "supervisor-client", "supervisor_client/web/__init__.py,,\n", top_level="webbing\n")
    result = start(tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("vectra-supervisor ")


def test_the_glance_sees_every_way_to_name_a_package(tmp_path: Path) -> None:
    assert not may_be_foreign([str(tmp_path), str(tmp_path / "absent")])
    for number, (record, top_level) in enumerate(
        [("web.py,,\n", None), ("x/web.py,,\n../actors/a.py,,\n", None), ("", "a\nsupervisor\n"), ("", "web")]
    ):
        site = tmp_path / str(number)
        distribution(site, "other", record, top_level)
        assert may_be_foreign([str(site)])
    distribution(tmp_path / "ours", "vectra-player", "supervisor/cli.py,,\n")
    assert not may_be_foreign([str(tmp_path / "ours")])


def test_our_own_distribution_is_not_foreign_however_it_is_spelt() -> None:
    providers = {"supervisor": ["vectra_player", "supervisor"], "web": ["Vectra-Player"], "json": ["else"]}
    assert foreign_packages(providers) == {"supervisor": ["supervisor"]}
    assert "pip uninstall supervisor\n" in explain({"supervisor": ["supervisor"]})


def test_the_public_face_imports_nothing_of_ours_but_its_version() -> None:
    code = "import sys, vectra_player.entry; print(sorted(m for m in sys.modules if m.startswith(('zmq', 'msgspec', 'click', 'supervisor', 'actors'))))"  # noqa: E501
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    assert result.stdout.strip() == "[]"
