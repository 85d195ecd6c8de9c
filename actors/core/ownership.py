"""Directory ownership: may VECTRA keep its files in a directory without touching what is another's?

In: a path. Out: nothing, or what was found, the rule and the way out. A directory of ours belongs to this user, nobody
else may write to it, and nobody else may replace it from above: every directory and symbolic link on the way to it
belongs to this user or to root. Changes nothing: modes are set on what we create, never on what we find.
"""

import errno
import grp
import os
import pwd
import stat
from functools import cache
from pathlib import Path
from typing import NamedTuple

LINKS_MAX = 40  # as the kernel: more are taken for a loop
_SPECIAL = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX
_SYSTEM = frozenset(  # hier(7): shared by all programs of the machine, whoever owns them
    "/" + name
    for name in (
        *("", "bin", "boot", "dev", "dev/shm", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "proc", "root"),
        *("run", "sbin", "srv", "sys", "tmp", "usr", "usr/local", "usr/share", "var", "var/cache", "var/lib"),
        *("var/log", "var/run", "var/spool", "var/tmp"),
    )
)


class DirectoryFault(NamedTuple):
    """Why a directory is not ours to write in."""

    found: str
    rule: str
    way_out: str

    def in_words(self, path: Path) -> str:
        """Return the whole sentence."""
        return f"{path} {self.found}, must be {self.rule}. {self.way_out}"


class UnsafeDirectory(PermissionError):
    """A directory that exists is not ours to write in; the text says why, and what to do."""

    def __init__(self, path: Path, fault: DirectoryFault) -> None:
        super().__init__(errno.EPERM, fault.in_words(path), str(path))

    def __str__(self) -> str:
        return str(self.strerror)


def user_name(uid: int) -> str:
    """Return a user's name with the number, the number alone where there is no such user."""
    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"


def is_ours(about: os.stat_result) -> bool:
    """Return whether this user owns it. Root has no part in what is another's: it would obey that other."""
    return about.st_uid == os.geteuid()


def is_trusted(about: os.stat_result) -> bool:
    """Return whether its owner is this user or one who can do anything anyway: root, or who owns `/`."""
    return about.st_uid in (os.geteuid(), 0) or about.st_uid == _root_owner()


def others_may_write(about: os.stat_result) -> bool:
    """Return whether anybody but the owner may write to it. A group of this user's alone counts as the user."""
    mode = about.st_mode
    return bool(mode & stat.S_IWOTH) or (bool(mode & stat.S_IWGRP) and not _is_private_group(about.st_gid))


def mode_text(about: os.stat_result) -> str:
    """Return the mode as chmod takes it."""
    return f"{stat.S_IMODE(about.st_mode):o}"


def chmod_text(path: Path, about: os.stat_result) -> str:
    """Return the command that makes a directory its owner's alone; five digits also clear setgid, four do not."""
    return f"chmod {'00700' if about.st_mode & _SPECIAL else '700'} {path}"


def own_fault(path: Path) -> DirectoryFault | None:
    """Return why an existing directory is not ours, None where it is; what leads to it is not looked at."""
    link, about = path.lstat(), path.stat()
    if not stat.S_ISDIR(about.st_mode):
        return DirectoryFault("is no directory", "a directory", "Move it away, or choose another place.")
    if not (is_ours(about) and is_trusted(link)):
        owner = about.st_uid if is_trusted(link) else link.st_uid
        found = f"belongs to {user_name(owner)}, and this is {user_name(os.geteuid())}"
        return DirectoryFault(found, "your own", "Choose another place, or run VECTRA as its owner.")
    if others_may_write(about):
        found, rule = f"has mode {mode_text(about)}", "a directory that nobody but you may write to"
        return DirectoryFault(found, rule, f"Call `{chmod_text(path, about)}`, or choose another place.")
    return None


def place_fault(path: Path) -> DirectoryFault | None:
    """Return why a directory may not hold files of VECTRA's, None where it may. It need not exist yet.

    path: absolute. A directory that others may read is accepted: what VECTRA makes in it is its owner's alone.
    """
    try:
        if str(Path(os.path.realpath(path))) in _SYSTEM or str(path) in _SYSTEM:
            rule = "a directory of VECTRA's own"
            return DirectoryFault("is a directory of the system", rule, f"Use one inside it, as in {path / 'vectra'}.")
        if (fault := _way_fault(path)) is not None or not os.path.lexists(path):
            return fault
        return own_fault(path) or _special_fault(path)
    except OSError as error:
        found = f"cannot be looked at ({error.strerror})"
        return DirectoryFault(found, "a directory of your own", "Choose another place, or give yourself the rights.")


def _special_fault(path: Path) -> DirectoryFault | None:
    """Refuse sticky and setgid directories: they are made to be shared."""
    about = path.stat()
    if not about.st_mode & _SPECIAL or not about.st_mode & 0o077:  # setgid is inherited, and is nothing in a 0700 one
        return None
    found, rule = f"has mode {mode_text(about)}", "without sticky, setgid and setuid bits: these are shared directories"
    return DirectoryFault(
        found, rule, f"Use one inside it, as in {path / 'vectra'}, or call `{chmod_text(path, about)}`."
    )


def _way_fault(path: Path) -> DirectoryFault | None:
    """Go down from `/` as the kernel would, and return the first thing by which another could redirect it."""
    at, waiting, links = Path("/"), list(reversed(path.parts[1:])), 0
    fault = _step_fault(at)
    while waiting and fault is None:
        part = waiting.pop()
        at = at.parent if part == ".." else at / part
        try:
            about = at.lstat()
        except FileNotFoundError:
            return None  # from here on all is made by us
        if stat.S_ISLNK(about.st_mode):
            if not is_trusted(about):
                return _led_astray(at, f"is a symbolic link of {user_name(about.st_uid)}")
            links += 1
            if links > LINKS_MAX:
                return _led_astray(at, "is a loop of symbolic links")
            target = at.readlink()
            at = Path("/") if target.is_absolute() else at.parent
            waiting += reversed(target.parts[1:] if target.is_absolute() else target.parts)
        elif waiting:
            fault = _step_fault(at)
    return fault


def _step_fault(at: Path) -> DirectoryFault | None:
    about = at.stat()
    if not stat.S_ISDIR(about.st_mode):
        return DirectoryFault(f"lies below {at}, which is no directory", "a directory", "Choose another place.")
    if not is_trusted(about):
        return _led_astray(at, f"belongs to {user_name(about.st_uid)}")
    if others_may_write(about) and not about.st_mode & stat.S_ISVTX:
        return _led_astray(at, f"has mode {mode_text(about)}, so others can replace what is in it")
    return None


def _led_astray(at: Path, why: str) -> DirectoryFault:
    rule = "in a place where all directories and links on the way are yours or root's, and nobody else's to change"
    return DirectoryFault(f"is reached through {at}, which {why}", rule, f"Choose another place, or mend {at}.")


def _root_owner() -> int:
    """Return who owns `/`: not 0 in a user namespace, where root outside has no number inside."""
    return Path("/").stat().st_uid


@cache
def _is_private_group(gid: int) -> bool:
    """Return whether a group is this user's alone, as Debian and Fedora make one for each user (umask 002)."""
    uid = os.geteuid()
    try:
        user, group = pwd.getpwuid(uid), grp.getgrgid(gid)
    except KeyError:
        return False
    if uid == 0 or user.pw_gid != gid or group.gr_name != user.pw_name or set(group.gr_mem) - {user.pw_name}:
        return False
    return all(other.pw_uid == uid or other.pw_gid != gid for other in pwd.getpwall())
