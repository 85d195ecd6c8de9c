"""A breadcrumb: what a process is working on, left where it can be read after the process was killed.

In: a few words before a piece of work that may take too long, nothing after it. Out: the words, for the supervisor that
killed the process as hung, and for the successor. A mapped file in the runtime directory, so that leaving it is a copy
of 256 bytes (1 µs) and outlives a SIGKILL. Never holds content: kinds, addresses without query, and sizes.
"""

import mmap
from pathlib import Path

from actors.core.files import private_dir

WORDS_BYTES = 256
LARGE_BYTES = 32_768
"""Work on less is not worth a breadcrumb: at 20 MB/s, the slowest that a redaction may be, it takes 2 ms."""


class Breadcrumb:
    """The writing end, of one process."""

    def __init__(self, runtime_dir: Path, name: str) -> None:
        """Make the file, or take over a predecessor's, whose words are then gone. OSError: the disk refuses."""
        path = _path(runtime_dir, name)
        private_dir(path.parent)
        with path.open("w+b") as file:
            file.truncate(WORDS_BYTES)
            self._map = mmap.mmap(file.fileno(), WORDS_BYTES)
        self._is_set = False

    def leave(self, words: str) -> None:
        """Say what is worked on from now on."""
        self._map[:] = words.encode(errors="replace")[:WORDS_BYTES].ljust(WORDS_BYTES, b"\0")
        self._is_set = True

    def clear(self) -> None:
        """The work is done."""
        if self._is_set:
            self._map[:1] = b"\0"
            self._is_set = False

    def close(self) -> None:
        """Close the mapping."""
        self._map.close()


def read_breadcrumb(runtime_dir: Path, name: str) -> str:
    """Return what a process was working on when it was killed; empty where it left nothing, or never does."""
    try:
        left = _path(runtime_dir, name).read_bytes()[:WORDS_BYTES]
    except OSError:
        return ""
    text = left.partition(b"\0")[0].decode(errors="replace")
    return "".join(char if char.isprintable() else "?" for char in text)


def _path(runtime_dir: Path, name: str) -> Path:
    return runtime_dir / "working" / name
