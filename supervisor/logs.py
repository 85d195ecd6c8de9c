"""The log files from outside: their last lines, and what is added to them.

In: a log file's path. Out: lines. Reads from the end, so that a large file costs nothing; goes on in the rotated file
where the current one is too short.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

CHUNK_BYTES = 65_536
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} ")


def last_lines(path: Path, count: int) -> list[str]:
    """Return the last `count` lines, oldest first; reaches into `<path>.1` after a rotation."""
    lines = _tail(path, count)
    if len(lines) < count:
        lines = _tail(path.with_name(f"{path.name}.1"), count - len(lines)) + lines
    return lines


def _tail(path: Path, count: int) -> list[str]:
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            data = b""
            while end > 0 and data.count(b"\n") <= count:
                begin = max(0, end - CHUNK_BYTES)
                file.seek(begin)
                data = file.read(end - begin) + data
                end = begin
    except OSError:
        return []
    return data.decode(errors="replace").splitlines()[-count:] if count > 0 else []


class Follower:
    """Reads what is added to one log file, across rotations."""

    def __init__(self, path: Path) -> None:
        """Begin at the file's present end."""
        self._path = path
        self._partial = b""
        self._file = self._opened()
        if self._file is not None:
            self._file.seek(0, os.SEEK_END)

    def lines(self) -> Iterator[str]:
        """Yield the whole lines that are new since the last call; does not wait."""
        self._file = self._file or self._opened()
        yield from self._read()
        if self._rotated():
            yield from self._read()  # what was written between the last read and the rotation
            self.close()
            self._file = self._opened()
            yield from self._read()

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> BinaryIO | None:
        try:
            return self._path.open("rb")
        except OSError:
            return None

    def _rotated(self) -> bool:
        if self._file is None:
            return False
        try:
            return self._path.stat().st_ino != os.fstat(self._file.fileno()).st_ino
        except OSError:
            return False

    def _read(self) -> Iterator[str]:
        if self._file is None:
            return
        data = self._partial + self._file.read()
        *whole, self._partial = data.split(b"\n")
        for line in whole:
            yield line.decode(errors="replace")


def merged(logs: list[list[str]]) -> list[str]:
    """Return the lines of several logs in order of time; lines without a time stay behind the one before them."""
    stamped: list[tuple[str, int, int, str]] = []
    for which, lines in enumerate(logs):
        stamp = ""
        for number, line in enumerate(lines):
            if STAMP.match(line):
                stamp = line[:23]
            stamped.append((stamp, which, number, line))
    return [line for _, _, _, line in sorted(stamped)]
