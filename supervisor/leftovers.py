"""What an earlier supervisor left: its children, noted here while they run, ended by the next start.

In: names and pids. Out: `<runtime dir>/children.json`, with boot id and start times, since a pid alone may by now be
somebody else's. Never kills what it cannot identify.
"""

import contextlib
import os
import select
from pathlib import Path
from typing import Any

import msgspec

from actors.core.files import remove_file, replace_file
from supervisor.procfs import boot_id, kill_exactly, start_ticks

GONE_MS = 2000  # SIGKILL takes milliseconds; a process in an uninterruptible wait is not waited for any longer


class Roster:
    """The children that run now, on disk."""

    def __init__(self, runtime_dir: Path) -> None:
        self._path = runtime_dir / "children.json"
        self._boot = boot_id()
        self._children: dict[str, list[int]] = {}

    def add(self, name: str, pid: int) -> None:
        """Note a child that was just started."""
        ticks = start_ticks(pid)
        if ticks is not None:
            self._children[name] = [pid, ticks]
            self._write()

    def remove(self, name: str) -> None:
        """Note that a child has ended."""
        if self._children.pop(name, None) is not None:
            self._write()

    def clear(self) -> None:
        """Note that nothing runs any more."""
        remove_file(self._path)

    def _write(self) -> None:
        data = {"boot": self._boot, "children": self._children}
        with contextlib.suppress(OSError):  # a full disk: the parent-death signal does this work too
            replace_file(self._path, msgspec.json.encode(data), durable=False)


def sweep(runtime_dir: Path) -> list[str]:
    """Kill what an earlier supervisor of this boot left running; return the names of what was found."""
    path = runtime_dir / "children.json"
    try:
        data: Any = msgspec.json.decode(path.read_bytes())
        children = {str(name): (int(pid), int(ticks)) for name, (pid, ticks) in data["children"].items()}
        same_boot = data["boot"] == boot_id()
    except (OSError, msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError):
        return []
    found = {}
    for name, (pid, ticks) in (
        reversed(children.items()) if same_boot else ()
    ):  # the fork server last: it takes all along
        if (pidfd := kill_exactly(pid, ticks)) is not None:
            found[name] = pidfd
    for pidfd in found.values():
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        poll.poll(GONE_MS)
        os.close(pidfd)
    remove_file(path)
    return sorted(found)
