"""Did the kernel's out-of-memory killer end that child, or somebody's SIGKILL? The exit status is the same for both.

In: the counter of such kills in our own control group (version 2: `oom_kill` in `memory.events`; version 1: the same
word in `memory.oom_control`), else that of the whole machine (`/proc/vmstat`). Out: whether it rose just now. The
kernel counts before it kills, so a death by SIGKILL that is not ours, with a rise within the last second, was out of
memory. Not known where no counter can be read; and with the machine's counter, or when another process of ours (a
renderer of Chromium) is killed for memory in the same second as somebody kills a child by hand, it may be wrong.
"""

from pathlib import Path

COUNTER = "oom_kill"


class OutOfMemory:
    """Watches one counter."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._before = self._last = self.count() or 0

    @property
    def known(self) -> bool:
        """Whether there is a counter at all."""
        return self._path is not None

    def count(self) -> int | None:
        """Return how many processes were killed so far, None where it is not known."""
        return None if self._path is None else read_counter(self._path)

    def look(self) -> None:
        """Forget what rose before the last look: it was nobody of ours. To be called about twice a second."""
        self._before, self._last = self._last, max(self._last, self.count() or 0)

    def struck(self) -> bool:
        """Say whether a child that has just died by SIGKILL was killed for memory; each rise counts for one."""
        if (self.count() or 0) <= self._before:
            return False
        self._before += 1
        return True


def read_counter(path: Path) -> int | None:
    """Return the number after `oom_kill` in a file of the kernel's, None where there is none."""
    try:
        for line in path.read_text().splitlines():
            name, _, number = line.partition(" ")
            if name == COUNTER:
                return int(number)
    except (OSError, ValueError):
        pass
    return None


def counter_path(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> Path | None:
    """Return the narrowest counter that can be read."""
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        lines = []
    candidates = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        inner = path.lstrip("/")
        if not controllers:
            candidates += [cgroups / inner / "memory.events", cgroups / "memory.events"]
        elif "memory" in controllers.split(","):  # a container sees its own group as the root
            candidates += [cgroups / "memory" / part / "memory.oom_control" for part in (inner, "")]
    candidates.append(proc / "vmstat")
    return next((path for path in candidates if read_counter(path) is not None), None)
