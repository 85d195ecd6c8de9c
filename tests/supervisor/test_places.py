"""Directories that the settings name: what check, doctor and the commands that write say to unsafe ones."""

import os
import stat
from pathlib import Path

import pytest

from actors.core.config import Browser, Config
from supervisor.places import place_faults
from tests.supervisor.command import NOBODY, call
from tests.supervisor.running import child, running

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make directories of a second user")


def keys(config: Config) -> list[str]:
    return [fault.key for fault in place_faults(config)]


@pytest.mark.parametrize("place", ["/", "/tmp", "/home", "/etc", "/var/tmp", "/dev/shm", "~", "~/"])
def test_shared_and_home_directories_are_refused_for_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    mine = str(tmp_path / "mine")
    assert keys(Config(data_dir=place, runtime_dir=mine)) == ["data_dir"]
    assert keys(Config(data_dir=mine, runtime_dir=place)) == ["runtime_dir"]
    assert keys(Config(data_dir=mine, browser=Browser(profile_dir=place))) == ["browser.profile_dir"]


@pytest.mark.parametrize("mode", [0o1777, 0o2775, 0o777, 0o775, 0o2755, 0o1755])
@pytest.mark.system
def test_a_shared_folder_is_refused_by_all_that_write_and_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "events_parquet").mkdir()
    shared.chmod(mode)
    lines = tmp_path / "one.jsonl"
    lines.write_text('{"t": 1765700000, "dir": "received", "frame": "2"}\n')
    place = ("--data-dir", str(shared))
    for arguments, code in (
        (["check"], 2), (["import", str(lines)], 1), (["rebuild"], 1), (["compact"], 1),
        (["start", "--set", "browser.headless=true"], 1), (["doctor"], 1),
    ):  # fmt: skip
        answer = call(tmp_path, *arguments, *place, home=tmp_path, VECTRA_WEB_PORT="0")
        said = answer.out + answer.err
        assert (answer.code, f"{mode:o}" in said, "Traceback" in said) == (code, True, False), (arguments, answer)
    assert stat.S_IMODE(shared.stat().st_mode) == mode
    assert [path.name for path in shared.iterdir()] == ["events_parquet"]


@pytest.mark.system
def test_a_folder_that_others_may_only_read_works_and_what_is_made_in_it_is_private(tmp_path: Path) -> None:
    earlier = tmp_path / "rugs_data"
    earlier.mkdir(mode=0o755)
    earlier.chmod(0o755)
    (earlier / "of-an-earlier-system").mkdir(mode=0o755)
    lines = tmp_path / "one.jsonl"
    lines.write_text('{"t": 1765700000, "dir": "received", "frame": "42[\\"hello\\"]"}\n')
    assert call(tmp_path, "import", str(lines), "--data-dir", str(earlier), home=tmp_path).code == 0
    assert call(tmp_path, "check", "--data-dir", str(earlier), home=tmp_path).code == 0
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (earlier, *earlier.iterdir())}
    assert modes == {"rugs_data": 0o755, "of-an-earlier-system": 0o755, "events_parquet": 0o700, "staging": 0o700}
    doctor = call(tmp_path, "doctor", "--data-dir", str(earlier), home=tmp_path).out
    assert f"chmod 700 {earlier}\n" in doctor
    assert f"{earlier / 'of-an-earlier-system'}: not VECTRA's, left alone" in doctor


@as_root
@pytest.mark.system
def test_a_runtime_directory_that_another_made_before_is_refused_for_root_too(tmp_path: Path) -> None:
    theirs = tmp_path / "run"
    theirs.mkdir(mode=0o700)
    (theirs / "web_token").write_text("a token of their choice, long enough to count as one")
    for path in (theirs, theirs / "web_token"):
        os.chown(path, NOBODY, NOBODY)
    place = ("--data-dir", str(tmp_path / "data"), "--set", f"runtime_dir={theirs}")
    for arguments, code in ((["check"], 2), (["start", "--demo"], 1), (["doctor"], 1)):
        answer = call(tmp_path, *arguments, *place, home=tmp_path, VECTRA_WEB_PORT="0")
        assert (answer.code, "belongs to" in answer.out + answer.err) == (code, True), answer
    assert [path.name for path in theirs.iterdir()] == ["web_token"]
    with running(tmp_path / "home", [child("a")], f"runtime_dir={theirs}", ready=False) as supervisor:
        assert supervisor.wait() == 1
        assert "must be your own" in supervisor.said


@as_root
@pytest.mark.system
def test_another_users_data_are_refused_in_one_sentence(home: Path) -> None:
    home.chmod(0o755)
    theirs = home / "x"
    theirs.mkdir(mode=0o700)
    folder = Path("/")
    for arguments in (["check"], ["doctor"], ["import", "x"], ["compact"]):
        try:
            answer = call(folder, *arguments, "--data-dir", str(theirs), home=Path("/nonexistent"), user=NOBODY)
        except PermissionError:
            pytest.skip("this interpreter lies where another user cannot run it")
        assert (answer.code in (1, 2), "Traceback" in answer.err) == (True, False), answer
        assert "belongs to root" in answer.out + answer.err, answer


@pytest.mark.system
def test_a_file_in_the_place_of_a_socket_is_not_deleted(tmp_path: Path) -> None:
    bus = tmp_path / "run" / "bus"
    bus.mkdir(parents=True, mode=0o700)
    (bus / "control").write_text("not a socket")
    with running(tmp_path, [child("a")], ready=False) as supervisor:
        assert supervisor.wait() != 0
    assert (bus / "control").read_text() == "not a socket"


@pytest.mark.parametrize("content", ["my notes\n", "12 monkeys", "\0\0"])
def test_a_file_beside_the_profile_that_is_no_lock_of_ours_is_not_emptied(tmp_path: Path, content: str) -> None:
    from actors.browser.command import Unusable
    from actors.browser.profile import ProfileLock

    lock = tmp_path / "p.lock"
    lock.write_text(content)
    with pytest.raises(Unusable, match="is no lock of ours"):
        ProfileLock(tmp_path / "p")
    assert lock.read_text() == content
    lock.unlink()
    lock.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unusable, match="cannot be used"):
        ProfileLock(tmp_path / "p")
    assert not (tmp_path / "elsewhere").exists()


def test_tabs_are_removed_from_a_profile_of_ours_only(tmp_path: Path) -> None:
    from actors.browser.profile import ProfileLock, forget_tabs

    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ProfileLock(ours).release()
    for profile in (ours, theirs):
        sessions = profile / "Default" / "Sessions"
        sessions.mkdir(parents=True, mode=0o700)
        for name in ("Session_1337", "Tabs_1337", "notes.txt"):
            (sessions / name).touch()
        ProfileLock(profile).release()
        forget_tabs(profile)
    assert [path.name for path in (ours / "Default" / "Sessions").iterdir()] == ["notes.txt"]
    assert len(list((theirs / "Default" / "Sessions").iterdir())) == 3
