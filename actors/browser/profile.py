"""The profile directory: private, ours alone, and free of what a crash left in it.

In: its path. Out: a lock (the file `<profile>.lock`, held as long as this process lives). Chromium has a lock of its
own, a symbolic link that survives crashes: where its process still lives, the profile is in use.
"""

import fcntl
import os
import shutil
import socket
from pathlib import Path

from actors.browser.command import Unusable, lock_holder
from actors.core.browser_file import is_alive
from actors.core.files import PRIVATE_FILE, private_dir


class ProfileLock:
    """Held by the one process that may start a browser on the profile."""

    def __init__(self, profile: Path) -> None:
        """Take the lock. Unusable: another process holds it."""
        private_dir(profile)
        path = profile.with_name(f"{profile.name}.lock")
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._fd, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._fd)
            raise Unusable(_in_use(profile, holder)) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

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
    shutil.rmtree(profile / "Default" / "Sessions", ignore_errors=True)
    (profile / "DevToolsActivePort").unlink(missing_ok=True)


def _in_use(profile: Path, holder: str) -> str:
    return (
        f"the profile {profile} is in use by process {holder}. Close that browser, "
        "or set browser.profile or browser.profile_dir to another one."
    )
