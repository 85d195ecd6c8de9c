"""The actors' log files for the System page: the newest records, and what came since, by level and words. Reads only.

In: an actor's name, a cursor from the last answer, a level, words to look for. Out: records, each a stamped line with
the lines that follow it (a traceback stays whole). A cursor is a file and a place in it, so a rotation in between is
followed into the file set aside. Bounded: at most 1 MB is read for an answer.
"""

import re
from pathlib import Path
from typing import Literal

from msgspec import Struct

from web.errors import Refused

Level = Literal["debug", "info", "warning", "error"]
RANK = {"DEBUG": 0, "INFO": 1, "WARNING": 2, "ERROR": 3, "CRITICAL": 3}
LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")
STAMPED = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})Z? +([A-Z]+) +([\w.-]+): (.*)$")
NAME = re.compile(r"^[a-z][a-z0-9-]{0,40}$")
_WHOLE = re.compile(r"[0-9]{1,20}")
READ_BYTES = 1_000_000
LARGEST_PLACE = 2**53  # bytes; no file has as much
PARTS = 5  # files set aside that are looked into


class LogRecord(Struct, frozen=True, kw_only=True):
    """One entry of a log: UTC time, level, who, and the words, several lines where there are several."""

    at: str | None
    level: str
    name: str
    text: str


class LogView(Struct, frozen=True, kw_only=True):
    """Records, oldest first, and where to go on."""

    actor: str
    records: list[LogRecord]
    cursor: str


def actors(runtime_dir: Path) -> list[str]:
    """Return whose logs there are."""
    return sorted(path.stem for path in (runtime_dir / "log").glob("*.log") if NAME.match(path.stem))


def newest(runtime_dir: Path, actor: str, count: int, level: Level, words: str) -> LogView:
    """Return the newest `count` records that match."""
    path = _path(runtime_dir, actor)
    data, cursor = _tail(path)
    for older in _older(path):
        if len(data) >= READ_BYTES:
            break
        data = _end_of(older, READ_BYTES - len(data)) + data
    return LogView(actor=actor, records=_matching(data, level, words)[-count:], cursor=cursor)


def since(runtime_dir: Path, actor: str, cursor: str, level: Level, words: str) -> LogView:
    """Return what was added after a cursor; where it leads nowhere any more, the newest records."""
    path = _path(runtime_dir, actor)
    inode, _, place = cursor.partition("-")
    if not (_WHOLE.fullmatch(inode) and _WHOLE.fullmatch(place) and int(place) <= LARGEST_PLACE):
        raise Refused(400, "bad_query", "cursor must be one that an earlier answer gave.")
    parts: list[bytes] = []
    for file in [path, *_older(path)]:
        found = file.stat().st_ino == int(inode)
        parts.insert(0, _from(file, int(place) if found else 0))
        if found:
            return LogView(actor=actor, records=_matching(b"".join(parts), level, words), cursor=_cursor(path))
    return newest(runtime_dir, actor, 500, level, words)


def _path(runtime_dir: Path, actor: str) -> Path:
    if actor not in actors(runtime_dir):
        raise Refused(404, "unknown_log", f"There is no log of {actor[:60]!r}.", {"logs": actors(runtime_dir)})
    return runtime_dir / "log" / f"{actor}.log"


def _older(path: Path) -> list[Path]:
    """Return the files set aside, newest first."""
    names = (path.with_name(f"{path.name}.{number}") for number in range(1, PARTS + 1))
    return [older for older in names if older.is_file()]


def _tail(path: Path) -> tuple[bytes, str]:
    data = _end_of(path, READ_BYTES)
    return data, _cursor(path)


def _cursor(path: Path) -> str:
    """Return the place behind the last whole line."""
    with path.open("rb") as file:
        inode, size = _ids(path)
        start = max(0, size - 65_536)
        file.seek(start)
        data = file.read(size - start)
    end = start + data.rfind(b"\n") + 1
    return f"{inode}-{end}"


def _ids(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_ino, stat.st_size


def _end_of(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        size = _ids(path)[1]
        file.seek(max(0, size - most))
        data = file.read(most)
    whole = data if size <= most else data.partition(b"\n")[2]
    return whole[: whole.rfind(b"\n") + 1]


def _from(path: Path, place: int) -> bytes:
    with path.open("rb") as file:
        file.seek(min(place, _ids(path)[1]))  # file systems refuse places far beyond what they can hold
        data = file.read(READ_BYTES)
    return data[: data.rfind(b"\n") + 1]


def _matching(data: bytes, level: Level, words: str) -> list[LogRecord]:
    lowest, wanted = LEVELS.index(level), words.lower()
    return [
        record
        for record in _records(data.decode(errors="replace"))
        if RANK.get(record.level, 3) >= lowest and (not wanted or wanted in f"{record.name} {record.text}".lower())
    ]


def _records(text: str) -> list[LogRecord]:
    found: list[LogRecord] = []
    lines: list[str] = []
    head: tuple[str | None, str, str] = (None, "ERROR", "")  # what no logger wrote is an interpreter's last words

    def finish() -> None:
        if lines:
            found.append(LogRecord(at=head[0], level=head[1], name=head[2], text="\n".join(lines)))

    for line in text.splitlines():
        if match := STAMPED.match(line):
            finish()
            head, lines = (match[1], match[2], match[3]), [match[4]]
        else:
            lines.append(line)
    finish()
    return found
