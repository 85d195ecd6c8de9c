"""The profile directory: private, ours alone, and free of what a crash left in it.

In: its path. Out: a lock (the file `<profile>.lock`, held as long as this process lives). Chromium has a lock of its
own, a symbolic link that survives crashes: where its process still lives, the profile is in use. Only in a profile that
bears our mark are open tabs removed: a profile that the user made keeps what the user left in it.
"""

import fcntl
import os
import re
import socket
from pathlib import Path

from actors.browser.command import Unusable, lock_holder
from actors.core.browser_file import is_alive
from actors.core.files import PRIVATE_FILE, private_dir, remove_file
from actors.core.ownership import UnsafeDirectory, place_fault

MARK = ".vectra-profile"
USUAL_PLACE = "~/.gamebot/chrome_profiles"  # shared with earlier systems that did the same
_TABS = re.compile(r"(Session|Tabs|Apps)_[0-9]+")  # Chromium's components/sessions, command_storage_backend.cc
_LOCK_CONTENT = re.compile(rb"([0-9]{1,10}\n?)?")


class ProfileLock:
    """Held by the one process that may start a browser on the profile."""

    def __init__(self, profile: Path) -> None:
        """Take the lock. Unusable: another process holds it, or the directory is not ours to write in."""
        path = profile.with_name(f"{profile.name}.lock")
        had_lock = path.exists()
        try:
            private_dir(profile)
            if (fault := place_fault(profile)) is not None:
                raise UnsafeDirectory(profile, fault)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._fd = os.open(path, flags, PRIVATE_FILE)
        except OSError as error:
            why = str(error) if isinstance(error, UnsafeDirectory) else f"{error.filename}: {error.strerror}"
            raise Unusable(f"the profile cannot be used: {why}") from None
        if not _LOCK_CONTENT.fullmatch(os.pread(self._fd, 64, 0)):
            os.close(self._fd)
            raise Unusable(f"{path} is no lock of ours, must be one or absent. Move it away, or use another profile.")
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._fd, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._fd)
            raise Unusable(_in_use(profile, holder)) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)
        if had_lock or profile.parent == Path(USUAL_PLACE).expanduser() or not any(profile.iterdir()):
            (profile / MARK).touch(mode=PRIVATE_FILE)

    def release(self) -> None:
        """Give it back."""
        os.close(self._fd)


def check_unused(profile: Path) -> None:
    """Unusable: a browser runs on the profile, or on another host that shares it."""
    link = profile / "SingletonLock"
    try:
        pid, ours = lock_holder(str(link.readlink()), socket.gethostname())
    except OSError:
        return
    if not ours:
        raise Unusable(
            f"the profile {profile} was last used on another host ({link.readlink()}). "
            f"If no browser there uses it any more, remove {link}."
        )
    if pid is not None and is_alive(pid):
        raise Unusable(_in_use(profile, str(pid)))


def forget_tabs(profile: Path) -> None:
    """Remove the open tabs that Chromium would restore: the pilot alone opens the page, when captures are attached."""
    if not (profile / MARK).is_file():
        return
    sessions = profile / "Default" / "Sessions"
    for path in sessions.iterdir() if sessions.is_dir() and not sessions.is_symlink() else ():
        if _TABS.fullmatch(path.name):
            remove_file(path)
    remove_file(profile / "DevToolsActivePort")


def _in_use(profile: Path, holder: str) -> str:
    return (
        f"the profile {profile} is in use by process {holder}. Close that browser, "
        "or set browser.profile or browser.profile_dir to another one."
    )
