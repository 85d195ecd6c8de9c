"""seccomp: this process can open nothing for writing, change no name or mode, and reach neither network nor processes.

Out: whether a filter of system calls is in force; it is on x86-64 and ARM64, on other machines the caller has to do
without. A call that is filtered fails with EPERM. It holds where Landlock does not reach: modes, times, Unix sockets,
and kernels without Landlock. Cannot be undone.
"""

import ctypes
import errno
import os
import platform
import struct
from typing import NamedTuple

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_LOAD, _EQUAL, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06  # of classic BPF
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_NR, _ARCH, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data; of an argument the low half is looked at
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CLONE_THREAD = 0x10000
_IOCTLS = (0x5401, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS, FIONREAD, FIONBIO, FIO(N)CLEX; others set a file's flags
_X32 = 0x40000000  # a second set of x86-64's numbers

_SAME_EVERYWHERE = {
    "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428,
    "clone3": 435, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "openat2": 437,
    "pidfd_getfd": 438, "mount_setattr": 442, "fchmodat2": 452, "setxattrat": 463, "removexattrat": 466,
    "pidfd_open": 434, "process_madvise": 440, "process_mrelease": 448, "file_setattr": 469,
}  # fmt: skip
_X86_64 = {
    "creat": 85, "truncate": 76, "rename": 82, "renameat": 264, "renameat2": 316, "link": 86, "linkat": 265,
    "symlink": 88, "symlinkat": 266, "unlink": 87, "unlinkat": 263, "mkdir": 83, "mkdirat": 258, "rmdir": 84,
    "mknod": 133, "mknodat": 259, "chmod": 90, "fchmod": 91, "fchmodat": 268, "chown": 92, "fchown": 93, "lchown": 94,
    "fchownat": 260, "utime": 132, "utimes": 235, "futimesat": 261, "utimensat": 280, "setxattr": 188,
    "lsetxattr": 189, "fsetxattr": 190, "removexattr": 197, "lremovexattr": 198, "fremovexattr": 199, "mount": 165,
    "umount2": 166, "pivot_root": 155, "chroot": 161, "socket": 41, "connect": 42, "bind": 49, "sendto": 44,
    "sendmsg": 46, "sendmmsg": 307, "socketpair": 53, "execve": 59, "execveat": 322, "fork": 57, "vfork": 58,
    "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kill": 62, "tkill": 200, "rt_sigqueueinfo": 129,
    "unshare": 272, "setns": 308, "bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "keyctl": 250,
    "add_key": 248, "request_key": 249, "name_to_handle_at": 303, "open_by_handle_at": 304, "swapon": 167,
    "swapoff": 168, "acct": 163, "reboot": 169, "init_module": 175, "finit_module": 313, "delete_module": 176,
    "kexec_load": 246, "settimeofday": 164, "clock_settime": 227, "sethostname": 170, "shmget": 29, "mq_open": 240,
    "msgget": 68, "semget": 64, "rt_tgsigqueueinfo": 297, "setpriority": 141, "ioprio_set": 251, "sched_setparam": 142,
    "sched_setscheduler": 144, "sched_setattr": 314, "migrate_pages": 256, "move_pages": 279, "syslog": 103,
}  # fmt: skip
_ARM64 = {
    "truncate": 45, "renameat": 38, "renameat2": 276, "linkat": 37, "symlinkat": 36, "unlinkat": 35, "mkdirat": 34,
    "mknodat": 33, "fchmod": 52, "fchmodat": 53, "fchown": 55, "fchownat": 54, "utimensat": 88, "setxattr": 5,
    "lsetxattr": 6, "fsetxattr": 7, "removexattr": 14, "lremovexattr": 15, "fremovexattr": 16, "mount": 40,
    "umount2": 39, "pivot_root": 41, "chroot": 51, "socket": 198, "connect": 203, "bind": 200, "sendto": 206,
    "sendmsg": 211, "sendmmsg": 269, "socketpair": 199, "execve": 221, "execveat": 281, "ptrace": 117,
    "process_vm_readv": 270, "process_vm_writev": 271, "kill": 129, "tkill": 130, "rt_sigqueueinfo": 138,
    "unshare": 97, "setns": 268, "bpf": 280, "perf_event_open": 241, "userfaultfd": 282, "keyctl": 219,
    "add_key": 217, "request_key": 218, "name_to_handle_at": 264, "open_by_handle_at": 265, "swapon": 224,
    "swapoff": 225, "acct": 89, "reboot": 142, "init_module": 105, "finit_module": 273, "delete_module": 106,
    "kexec_load": 104, "settimeofday": 170, "clock_settime": 112, "sethostname": 161, "shmget": 194, "mq_open": 180,
    "msgget": 186, "semget": 190, "rt_tgsigqueueinfo": 240, "setpriority": 140, "ioprio_set": 30, "sched_setparam": 118,
    "sched_setscheduler": 119, "sched_setattr": 274, "migrate_pages": 238, "move_pages": 239, "syslog": 116,
}  # fmt: skip


class _Machine(NamedTuple):
    audit_arch: int
    refused: dict[str, int]
    opening: dict[int, int]  # number of a call that opens -> which of its arguments are the flags
    clone: int
    own: dict[int, bool]  # number of a call on the process in its first argument -> whether 0 too is this one
    ioctl: int


_MACHINES = {
    "x86_64": _Machine(0xC000003E, _X86_64, {257: 2, 2: 1}, 56, {234: False, 302: True, 203: True}, 16),
    "aarch64": _Machine(0xC00000B7, _ARM64, {56: 2}, 220, {131: False, 261: True, 122: True}, 29),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def refuse_writing_calls() -> bool:
    """Filter the system calls of this process, all its threads to come, and its children. OSError: the kernel refused.

    Returns whether there is a filter for this machine. `no_new_privileges` comes before.
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return False
    code = _filter(machine)
    program = _Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"prctl(PR_SET_SECCOMP) failed: {os.strerror(error)}")
    return True


def _filter(machine: _Machine) -> bytes:
    """Return the classic BPF program: one comparison a call, each followed by what is done where it matches."""
    refuse = _step(_RETURN, _ERROR | errno.EPERM)
    code = [_step(_LOAD, _ARCH), _step(_EQUAL, machine.audit_arch, yes=1), _step(_RETURN, _KILL), _step(_LOAD, _NR)]
    if machine.audit_arch == _MACHINES["x86_64"].audit_arch:
        code += [_step(_AT_LEAST, _X32, no=1), refuse]
    unknown = {_SAME_EVERYWHERE[name] for name in ("openat2", "clone3")}  # C libraries use the older call instead
    for number in (*machine.refused.values(), *_SAME_EVERYWHERE.values()):
        error = errno.ENOSYS if number in unknown else errno.EPERM
        code += [_step(_EQUAL, number, no=1), _step(_RETURN, _ERROR | error)]
    for number, which in machine.opening.items():
        flags = [_step(_LOAD, _ARGUMENTS + 8 * which), _step(_AND, _WRITING), _step(_EQUAL, 0, yes=1), refuse]
        code += [_step(_EQUAL, number, no=len(flags) + 1), *flags, _step(_RETURN, _ALLOW)]
    for number, zero in machine.own.items():  # tgkill, prlimit64, sched_setaffinity; abort() sends itself a signal
        mine = [_step(_LOAD, _ARGUMENTS), _step(_EQUAL, os.getpid(), yes=1 + zero)]
        mine += [*([_step(_EQUAL, 0, yes=1)] if zero else []), refuse, _step(_RETURN, _ALLOW)]
        code += [_step(_EQUAL, number, no=len(mine)), *mine]
    asked = [_step(_EQUAL, request, yes=len(_IOCTLS) - place) for place, request in enumerate(_IOCTLS)]
    asked = [_step(_LOAD, _ARGUMENTS + 8), *asked, refuse, _step(_RETURN, _ALLOW)]
    code += [_step(_EQUAL, machine.ioctl, no=len(asked)), *asked]
    thread = [_step(_LOAD, _ARGUMENTS), _step(_AND, _CLONE_THREAD), _step(_EQUAL, 0, no=1), refuse]
    code += [_step(_EQUAL, machine.clone, no=len(thread)), *thread]
    return b"".join([*code, _step(_RETURN, _ALLOW)])


def _step(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)
