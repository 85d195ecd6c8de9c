"""Which segments may go: the oldest, past the configured age or size, and never what somebody still needs."""

import itertools
import time
from pathlib import Path

from actors.core.faults import point
from actors.core.segments import first_seq, segment_paths


def deletable(
    segments: list[tuple[int, int, float]], *, needed_after: int, now_s: float, retention_s: float, max_bytes: int
) -> list[int]:
    """Return the first numbers of the segments to delete, oldest first. Pure.

    segments: (first seq, size in bytes, Unix time of the last write), rising. needed_after: every record above it is
    still needed by a receiver. The segment being written never goes.
    """
    total = sum(size for _, size, _ in segments)
    gone = []
    for (first, size, written_s), (next_first, _, _) in itertools.pairwise(segments):
        too_old, too_much = now_s - written_s > retention_s, total > max_bytes
        if not (too_old or too_much) or next_first - 1 > needed_after:
            break
        gone.append(first)
        total -= size
    return gone


class Retention:
    """The rule applied to one journal directory."""

    def __init__(self, directory: Path, retention_days: int, max_bytes: int) -> None:
        self._directory = directory
        self._retention_s = retention_days * 86_400.0
        self._max_bytes = max_bytes

    def apply(self, needed_after: int) -> list[Path]:
        """Delete what may go; return it."""
        paths = {first_seq(path): path for path in segment_paths(self._directory)}
        segments = [(first, path.stat().st_size, path.stat().st_mtime) for first, path in paths.items()]
        firsts = deletable(
            segments,
            needed_after=needed_after,
            now_s=time.time(),
            retention_s=self._retention_s,
            max_bytes=self._max_bytes,
        )
        for first in firsts:
            point("journal-retire")
            paths[first].unlink(missing_ok=True)
            point("journal-retired")
        return [paths[first] for first in firsts]

    def size_bytes(self) -> int:
        """Return what the journal takes on disk."""
        return sum(path.stat().st_size for path in segment_paths(self._directory))
