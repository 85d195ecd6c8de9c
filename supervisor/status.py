"""The answer to "how are you": the object of contract 4.2, made from the tree's fields. Reads /proc, waits for nothing.

`lag_s` is how long an actor's count of turns stands still. `progress`, `recording`, `source`, `journal`
and `gaps` are what the actors last reported; what is not known is null.
"""

import time
from pathlib import Path
from typing import Any

from supervisor.child import Child
from supervisor.figures import all_endpoints, journal_figures
from supervisor.procfs import cpu_s, rss_bytes
from supervisor.words import exit_figures
from vectra_player.version import __version__

FRESH_S = 0.5  # processor shares over less time than this are noise


class Processor:
    """What share of a core each process used since it was last asked about."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[float, float, float]] = {}  # pid -> (when, cpu seconds then, percent)

    def percent(self, pid: int, started_s: float, now_s: float) -> float | None:
        """Return the share in percent; over its whole life when asked for the first time."""
        used_s = cpu_s(pid)
        if used_s is None:
            self._last.pop(pid, None)
            return None
        since_s, before_s, percent = self._last.get(pid, (started_s, 0.0, 0.0))
        if now_s - since_s < FRESH_S and pid in self._last:
            return percent
        percent = round(100 * max(0.0, used_s - before_s) / max(now_s - since_s, 0.01), 1)
        self._last[pid] = (now_s, used_s, percent)
        return percent

    def keep(self, pids: set[int]) -> None:
        """Forget all other processes."""
        self._last = {pid: sample for pid, sample in self._last.items() if pid in pids}


def actor_status(child: Child, processor: Processor, now_s: float) -> dict[str, Any]:
    """Return one entry of `actors`."""
    pid, last = child.pid, child.last_exit
    return {
        "name": child.id,
        "state": child.state,
        "pid": pid,
        "uptime_s": round(now_s - child.started_s, 3) if pid is not None else None,
        "restarts": child.restarts,
        "last_exit": last
        and {
            **exit_figures(last.code),
            "at": last.at_ms,
            "last_lines": last.last_lines,
            "out_of_memory": last.out_of_memory,
            "working_on": last.working_on or None,
        },
        "rss_bytes": rss_bytes(pid) if pid is not None else None,
        "cpu_percent": processor.percent(pid, child.started_s, now_s) if pid is not None else None,
        "progress": child.progress,
        "lag_s": round(max(0.0, now_s - child.progress_s), 3) if pid is not None else None,
        "degraded": child.degraded,
        "reason": child.reason(now_s),
        "stats": child.stats,
    }


class Status:
    """Makes the object for a running tree."""

    def __init__(self, pid: int, data_dir: Path, runtime_dir: Path, demo: bool) -> None:
        self._fixed = {"pid": pid, "version": __version__, "demo": demo}
        self._places = {"data_dir": str(data_dir), "runtime_dir": str(runtime_dir)}
        self._runtime_dir = runtime_dir
        self._began_s = time.monotonic()
        self._processor = Processor()

    def answer(self, state: str, children: list[Child]) -> dict[str, Any]:
        """Return the object as of now."""
        now_s = time.monotonic()
        self._processor.keep({child.pid for child in children if child.pid is not None})
        journal = next((child.stats for child in children if child.id == "journal"), {})
        uptime_s = round(now_s - self._began_s, 3)
        return {
            "supervisor": {**self._fixed, "state": state, "uptime_s": uptime_s, **self._places},
            "actors": [actor_status(child, self._processor, now_s) for child in children],
            **journal_figures(journal),
            "endpoints": all_endpoints(self._runtime_dir),
        }
