"""Whose a directory is: modes are never changed, and what another could redirect is refused. A real second user."""

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from actors.core.files import private_dir, remove_file, replace_file
from actors.core.ownership import UnsafeDirectory, place_fault

NOBODY = 65_534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to act as a second user")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def as_nobody(work: Callable[[], object]) -> str:
    """Run something as another user; return what it returns, or its error, as text."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        said = "died"
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            said = str(work())
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        finally:
            os.write(writer, said.encode())
            sys.stdout.flush()
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        said = file.read()
    os.waitpid(child, 0)
    return said


def test_what_is_made_is_the_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        private_dir(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    assert (mode(tmp_path / "a"), mode(tmp_path / "a" / "b")) == (0o700, 0o700)


@pytest.mark.parametrize("found", [0o700, 0o750, 0o755, 0o711, 0o2755, 0o1755])
def test_a_directory_that_others_may_only_look_into_is_taken_as_it_is(tmp_path: Path, found: int) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    folder.chmod(found)
    assert private_dir(folder) == folder
    assert mode(folder) == found


@pytest.mark.parametrize("found", [0o777, 0o1777, 0o2775, 0o770, 0o702, 0o720, 0o3777])
def test_a_directory_that_others_may_write_to_is_refused_and_not_changed(tmp_path: Path, found: int) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    folder.chmod(found)
    with pytest.raises(UnsafeDirectory, match=f"{folder} has mode {found:o}, must be a directory that nobody but you"):
        private_dir(folder)
    assert place_fault(folder) is not None
    assert mode(folder) == found


@pytest.mark.parametrize("found", [0o1755, 0o2755, 0o4755, 0o2750])
def test_a_place_with_a_sticky_or_setgid_bit_is_refused_with_a_command_that_mends_it(
    tmp_path: Path, found: int
) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    folder.chmod(found)
    fault = place_fault(folder)
    assert fault is not None
    assert f"`chmod 00700 {folder}`" in fault.way_out
    assert os.system(f"chmod 00700 {folder}") == 0
    assert place_fault(folder) is None
    assert mode(folder) == 0o700


def test_a_setgid_bit_that_a_directory_of_ours_inherited_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    (tmp_path / "team").chmod(0o2755)
    assert mode(private_dir(tmp_path / "team" / "data")) == 0o2700
    assert place_fault(tmp_path / "team" / "data") is None


@pytest.mark.parametrize("path", ["/", "/tmp", "/var/tmp", "/dev/shm", "/home", "/etc", "/usr", "/var", "/../tmp"])
def test_directories_of_the_system_are_refused_for_root_too(path: str) -> None:
    assert place_fault(Path(path)) is not None


def test_a_link_to_a_directory_of_the_system_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/tmp")
    assert place_fault(tmp_path / "link") is not None


def test_a_place_is_refused_where_others_can_replace_it_from_above(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "open" / "mine").mkdir(mode=0o700)
    fault = place_fault(tmp_path / "open" / "mine" / "data")
    assert fault is not None
    assert f"{tmp_path / 'open'}, which has mode 777" in fault.found
    (tmp_path / "link").symlink_to(tmp_path / "open" / "mine")
    assert place_fault(tmp_path / "link") is not None, "a link does not hide it"
    (tmp_path / "open").chmod(0o1777)
    assert place_fault(tmp_path / "link") is None, "in a sticky directory nobody can replace what is another's"


def test_loops_files_and_what_is_not_there_yet(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").touch()
    assert place_fault(tmp_path / "loop" / "x") is not None
    assert place_fault(tmp_path / "file") is not None
    assert place_fault(tmp_path / "file" / "x") is not None
    assert place_fault(tmp_path / "a" / "b" / "c") is None
    assert not (tmp_path / "a").exists()


@as_root
def test_root_does_not_take_what_another_user_made(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o700)
    os.chown(theirs, NOBODY, NOBODY)
    with pytest.raises(UnsafeDirectory, match=r"belongs to .*65534.*, must be your own"):
        private_dir(theirs)
    assert place_fault(theirs) is not None
    below = place_fault(theirs / "data")
    assert below is not None
    assert f"reached through {theirs}" in below.found
    (tmp_path / "mine").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    assert place_fault(tmp_path / "link") is None
    os.chown(tmp_path / "link", NOBODY, NOBODY, follow_symlinks=False)
    for path in (tmp_path / "link", tmp_path / "link" / "data"):
        fault = place_fault(path)
        assert fault is not None
        assert "65534" in fault.found
    with pytest.raises(UnsafeDirectory):
        private_dir(tmp_path / "link")


@as_root
def test_an_ordinary_user_may_live_below_roots_directories_and_not_in_anothers(home: Path) -> None:
    home.chmod(0o755)
    mine, roots = home / "mine", home / "roots"
    for folder in (mine, roots):
        folder.mkdir(mode=0o755)
    os.chown(mine, NOBODY, NOBODY)
    assert as_nobody(lambda: place_fault(mine)) == "None"
    assert as_nobody(lambda: place_fault(mine / "data")) == "None"
    assert "belongs to root" in as_nobody(lambda: place_fault(roots))
    assert "belongs to root" in as_nobody(lambda: private_dir(roots))
    mine.chmod(0o775)  # nobody's group is nogroup, not a group of that user's alone
    assert "has mode 775" in as_nobody(lambda: place_fault(mine))


def test_a_file_is_not_written_through_a_link_and_a_link_is_not_removed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    partial = tmp_path / f".there.{os.getpid()}.tmp"
    partial.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        replace_file(tmp_path / "there", b"x")
    assert victim.read_text() == "precious"
    (tmp_path / "link").symlink_to(victim)
    assert not remove_file(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert not remove_file(tmp_path)
    assert remove_file(victim)
    assert not remove_file(victim)
