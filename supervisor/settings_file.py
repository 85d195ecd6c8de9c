"""The settings file: which one counts, and whether it may.

In: the path that was given, or none. Out: the file's bytes, or one sentence why it is not used. A file that was only
found, in the working directory or in the user's configuration, must belong to this user, and nobody else may write to
it or put another in its place, as git demands of a repository (`safe.directory`). A file that `--config` names is the
user's own word and is read as it is. What a found file must not say without trust: see `trust`.
"""

import os
import stat
from pathlib import Path

from msgspec import Struct

from actors.core.ownership import is_ours, is_trusted, mode_text, others_may_write, user_name
from supervisor.yaml_bounds import read_start

LOCAL_FILE = "vectra.yaml"
USER_FILE = "~/.config/vectra/vectra.yaml"
NAME_IT = "or name it with --config, if you know what is in it"


class SettingsFile(Struct, frozen=True, kw_only=True):
    """A settings file as it was read."""

    path: Path
    content: bytes
    is_local: bool  # found in the working directory: its keys may need trust


class UnusableFile(ValueError):
    """The file cannot or must not be read; the text says why, and what to do.

    content: what stands in a file that must not count. Where that is nothing but defaults, nobody need be bothered.
    """

    content: bytes | None = None


def find_file(given: str | None) -> Path | None:
    """Return the settings file: the given one, else ./vectra.yaml, else the user's, else None."""
    if given is not None:
        return _expanded(given)
    return next((path for path in (Path(LOCAL_FILE), _expanded(USER_FILE)) if path.is_file()), None)


def read_file(given: str | None) -> SettingsFile | None:
    """Return the settings file that counts, None without one. UnusableFile: it must not count, or cannot be read."""
    path = find_file(given)
    if path is None:
        return None
    try:
        if given is not None:
            with path.open("rb") as named:
                return SettingsFile(path=path, content=read_start(named.fileno()), is_local=False)
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # what is checked is what is read
        try:
            content = read_start(fd) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
            check_found(path, os.fstat(fd))
        except UnusableFile as error:
            error.content = content
            raise
        finally:
            os.close(fd)
        return SettingsFile(path=path, content=content, is_local=path == Path(LOCAL_FILE))
    except OSError as error:
        way_out = "Check the path and its rights, or leave out --config."
        raise UnusableFile(f"{path}: cannot be read: {error.strerror}. {way_out}") from None


def check_found(path: Path, about: os.stat_result) -> None:
    """UnusableFile: a file that nobody named is not this user's alone to change. about: of the opened file."""
    if not stat.S_ISREG(about.st_mode):
        raise UnusableFile(f"{path}: is no file, must be one. Move it away.")
    others = not is_ours(about) and not (about.st_uid == 0 and path != Path(LOCAL_FILE))
    if others or not is_trusted(path.lstat()):
        owner = about.st_uid if others else path.lstat().st_uid
        raise UnusableFile(
            f"{path}: belongs to {user_name(owner)}, must be your own ({user_name(os.geteuid())}) to count where it "
            f"was only found. Go to another folder, {NAME_IT}."
        )
    if others_may_write(about):
        raise UnusableFile(
            f"{path}: has mode {mode_text(about)}, must be one that nobody but you may write to. "
            f"Call `chmod go-w {path}` if all of it is yours, {NAME_IT}."
        )
    for folder in {path.absolute().parent, Path(os.path.realpath(path)).parent}:
        found = folder.stat()
        if not is_trusted(found) or others_may_write(found):
            why = f"has mode {mode_text(found)}" if is_trusted(found) else f"belongs to {user_name(found.st_uid)}"
            raise UnusableFile(
                f"{path}: lies in {folder}, which {why}, must lie where nobody but you may put a file. "
                f"Go to another folder, {NAME_IT}."
            )


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # no home: there is no such file
        return Path(path)
