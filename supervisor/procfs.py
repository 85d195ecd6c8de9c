"""What the kernel says about a process: is it the one we mean, how much memory and processor it uses.

In: pids. Out: numbers from /proc, None for a process that is gone. A pid alone never names a process, since pids are
used again: pid and start time together do.
"""

import os
import resource
import signal
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = resource.getpagesize()


def boot_id() -> str:
    """Return this boot's id; start times count from the boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_ticks(pid: int) -> int | None:
    """Return when a process started, in clock ticks since the boot; None when it is gone or a zombie."""
    fields = _stat(pid)
    return None if fields is None or fields[0] in "ZX" else int(fields[19])


def cpu_s(pid: int) -> float | None:
    """Return the seconds of processor time a process has used."""
    fields = _stat(pid)
    return None if fields is None else (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def waited_s(pid: int) -> float:
    """Return the seconds that a process's main thread was ready to run and got no processor; 0 where unknown."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def rss_bytes(pid: int) -> int | None:
    """Return a process's resident memory."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (OSError, IndexError):
        return None


def kill_exactly(pid: int, started_ticks: int) -> int | None:
    """SIGKILL the process with this pid and start time; return a pidfd that is readable once it is gone.

    None when there is no such process (any more). The caller closes the pidfd.
    """
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        return None
    if start_ticks(pid) != started_ticks:
        os.close(pidfd)
        return None
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    except OSError:
        os.close(pidfd)
        return None
    return pidfd


def _stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/<pid>/stat from the state on: the name before them may hold anything."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split() or None
