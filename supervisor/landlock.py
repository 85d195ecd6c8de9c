"""Landlock: this process, and all that it starts, may read below some directories and touch no other file.

In: directories. Out: how many of the kernel's promises hold, as its ABI number; 0 where the kernel has no Landlock
(older than 5.13, or switched off). Raw system calls over ctypes: no library binds them. Cannot be undone.
"""

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
_VERSION = 1
_PATH_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38

_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FS_RIGHTS = ((5, 1 << 15), (3, 1 << 14), (2, 1 << 13))  # from this ABI on, this right is the last one
_FS_RIGHTS_OF_1 = 1 << 12
_NET_TCP = 0b11  # bind, connect; since ABI 4
_SCOPES = 0b11  # abstract Unix sockets, signals; since ABI 6


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def no_new_privileges() -> None:
    """Give up what a set-uid program could bring; Landlock and seccomp ask for it. OSError: refused."""
    _checked(_LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)")


def landlock_abi() -> int:
    """Return the kernel's Landlock ABI, 0 where it has none."""
    return max(0, int(_LIBC.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))))


def restrict_to_reading(below: Iterable[Path]) -> int:
    """Let this thread and its later children read below these directories, and nothing else of any file system.

    They also lose TCP (ABI 4) and abstract sockets and signals to others (ABI 6). Files that are open stay so. A
    directory that does not exist is passed over. Returns the ABI; 0: nothing was restricted. OSError: refused.
    """
    abi = landlock_abi()
    if abi == 0:
        return 0
    last = next((right for since, right in _FS_RIGHTS if abi >= since), _FS_RIGHTS_OF_1)
    wanted = _Ruleset(2 * last - 1, _NET_TCP if abi >= 4 else 0, _SCOPES if abi >= 6 else 0)
    size = ctypes.c_size_t(8 if abi < 4 else 16 if abi < 6 else 24)
    ruleset = _checked(
        _LIBC.syscall(_CREATE_RULESET, ctypes.byref(wanted), size, ctypes.c_uint32(0)), "landlock_create_ruleset"
    )
    try:
        for directory in below:
            _allow_reading(ruleset, directory)
        _checked(_LIBC.syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0)), "landlock_restrict_self")
    finally:
        os.close(ruleset)
    return abi


def _allow_reading(ruleset: int, directory: Path) -> None:
    try:
        parent = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        rule = _PathBeneath(_READ_FILE | _READ_DIR, parent)
        added = _LIBC.syscall(
            _ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), ctypes.byref(rule), ctypes.c_uint32(0)
        )
        _checked(added, "landlock_add_rule")
    finally:
        os.close(parent)


def _checked(result: int, what: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what} failed: {os.strerror(error)}")
    return int(result)


_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long
