"""The log files from outside: their last lines, and what is added to them.

In: a log file's path. Out: lines. Reads from the end, so that a large file costs nothing; goes on in the rotated files
where the current one is too short. A follower misses no line, however often the file was rotated in between, as long
as the files set aside are still there.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

CHUNK_BYTES = 65_536
LATE_PARTS = 8  # so many rotations ago a writer may have looked last at which file is the present one
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z? ")


def last_lines(path: Path, count: int) -> list[str]:
    """Return the last `count` lines, oldest first; reaches into `<path>.1` and the older ones after rotations."""
    lines = _tail(path, count)
    number = 0
    while len(lines) < count and (older := aside(path, number := number + 1)).exists():
        lines = _tail(older, count - len(lines)) + lines
    return lines


def aside(path: Path, number: int) -> Path:
    """Return where a log lies that was set aside: `number` rotations ago; 0 is the present one."""
    return path.with_name(f"{path.name}.{number}") if number else path


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
    """Reads what is added to one log, across rotations."""

    def __init__(self, path: Path, *, from_start: bool = False) -> None:
        """Begin at the file's present end, or at its start."""
        self._path = path
        self._now = _Part.opened(path)
        self._before: list[_Part] = []  # set aside; a writer may not have noticed yet
        if self._now is not None and not from_start:
            self._now.file.seek(0, os.SEEK_END)

    def lines(self) -> Iterator[str]:
        """Yield the whole lines that are new since the last call; does not wait."""
        self._now = self._now or self._oldest()  # it was not there at the start: all of it is new
        for part in self._before:
            yield from part.lines()
        if self._now is None:
            return
        yield from self._now.lines()
        while (after := self._successor(self._now)) is not None:
            yield from self._now.lines()  # what was written between the last read and the rotation
            self._before.append(self._now)
            if len(self._before) > LATE_PARTS:
                oldest = self._before.pop(0)
                yield from oldest.lines()
                oldest.file.close()
            self._now = after
            yield from after.lines()

    def close(self) -> None:
        """Give the files back."""
        for part in (*self._before, self._now):
            if part is not None:
                part.file.close()
        self._before, self._now = [], None

    def _oldest(self) -> "_Part | None":
        number = 0
        while aside(self._path, number + 1).exists():
            number += 1
        part = _Part.opened(aside(self._path, number))
        if part is not None and (self._place(part) != number or aside(self._path, number + 1).exists()):
            part.file.close()  # rotated in this very moment: the next call finds it
            return None
        return part

    def _successor(self, part: "_Part") -> "_Part | None":
        """Return the file that came after `part`; None: it is the newest, or the next one is not there yet."""
        while True:
            place = self._place(part)
            if place == 0:
                return None
            after = _Part.opened(aside(self._path, place - 1))
            if after is None:
                return None  # between a rename and the new file: the next call finds it
            if self._place(part) == place:
                return after
            after.file.close()  # rotated once more in this very moment

    def _place(self, part: "_Part") -> int:
        """Return how many rotations ago a file was current; where it is gone, one more than there are."""
        mine = os.fstat(part.file.fileno())
        number, missing = 0, 0
        while missing < 2:  # one name is missing for a moment while a rotation renames
            try:
                if os.path.samestat(mine, aside(self._path, number).stat()):
                    return number
                missing = 0
            except OSError:
                missing += 1
            number += 1
        return number - 2


class _Part:
    """One of a log's files, open, with the beginning of a line that is not whole yet."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self._partial = b""

    @classmethod
    def opened(cls, path: Path) -> "_Part | None":
        try:
            return cls(path.open("rb"))
        except OSError:
            return None

    def lines(self) -> Iterator[str]:
        *whole, self._partial = (self._partial + self.file.read()).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace")


def merged(logs: list[list[str]]) -> list[str]:
    """Return the lines of several logs in order of time; lines without a time stay behind the one before them."""
    stamped: list[tuple[str, int, int, str]] = []
    for which, lines in enumerate(logs):
        stamp = ""
        for number, line in enumerate(lines):
            if STAMP.match(line):
                stamp = line[:23]  # without the Z
            stamped.append((stamp, which, number, line))
    return [line for _, _, _, line in sorted(stamped)]
