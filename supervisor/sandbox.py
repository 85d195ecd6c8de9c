"""The sandbox in which questions of others are answered: a process that can compute and read some files, nothing more.

In: directories that may be read, and bounds. Out: which fences hold. Landlock keeps it to reading below the
directories, seccomp keeps it from writing, from the network and from other processes, resource limits bound what it
takes. Whatever runs in it, database or hostile code, cannot change a file. Cannot be undone; needs no rights.
"""

import resource
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from supervisor.landlock import no_new_privileges, restrict_to_reading
from supervisor.seccomp import refuse_writing_calls

OPEN_FILES = 4096


class Fences(Struct, frozen=True, kw_only=True):
    """What holds of a sandbox on this machine."""

    landlock_abi: int  # 0: the kernel has none, so other files than the recorded ones can be read
    seccomp: bool  # False: no filter for this kind of machine


def confine(readable: Sequence[Path], *, memory_bytes: int) -> Fences:
    """Confine this process for good. OSError: the kernel refused, and nobody may be served.

    It must have imported all that it needs, and have one thread: another one would stay outside. memory_bytes: of
    address space, beyond what the process has now.
    """
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        raise RuntimeError(f"The process has {threads} threads, must be 1: the others would not be confined.")
    bounds = {
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_AS: _address_space_bytes() + memory_bytes,
    }
    for which, bound in bounds.items():
        _, most = resource.getrlimit(which)
        bound = bound if most == resource.RLIM_INFINITY else min(bound, most)
        resource.setrlimit(which, (bound, bound))
    no_new_privileges()
    abi = restrict_to_reading(readable)
    return Fences(landlock_abi=abi, seccomp=refuse_writing_calls())


def _address_space_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()
