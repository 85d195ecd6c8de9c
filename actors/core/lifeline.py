"""Die with the parent: Linux's parent-death signal, armed in every process of ours.

The signal belongs to the parent *thread*: arm it only in children of a main thread. A parent that died before the call
would never be noticed, so the caller says who the parent must be.
"""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1


def die_with_parent(expected_parent: int | None = None, signal_number: int = signal.SIGKILL) -> None:
    """Ask the kernel to send `signal_number` to this process when its parent dies.

    expected_parent: the parent's pid; where it is already gone, this process ends at once. OSError: prctl refused.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"prctl(PR_SET_PDEATHSIG) failed: {os.strerror(error)}")
    if expected_parent is not None and os.getppid() != expected_parent:
        os.kill(os.getpid(), signal.SIGKILL)
