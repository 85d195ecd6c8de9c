"""All logs on standard output, for whoever collects it: Docker, runit, systemd's journal. `start --log-format`.

In: the log files of the supervisor and of every actor, from now on. Out: text lines, or one JSON object a line (`time`,
`level`, `actor`, `message`; a traceback in `detail`). A thread of its own reads the files and is the only one that
waits for a slow reader: the files are its buffer, so that it holds nobody up and misses nothing that they still have.
"""

import os
import re
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from actors.core.printable import printable
from supervisor.logs import Follower

Format = Literal["text", "json"]

LOOK_S = 0.25
LINE = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3})Z (\w+) +([\w-]+): (.*)", re.DOTALL)


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of a log."""

    time: str | None  # UTC, RFC 3339; null for what a library wrote by itself
    level: str
    actor: str
    message: str
    detail: str = ""


class Relay:
    """Follows the logs in a directory and writes what is new to a descriptor, which it owns."""

    def __init__(self, folder: Path, fd: int, form: Format) -> None:
        self._folder = folder
        self._fd = fd
        self._form = form
        self._followers = {path.stem: Follower(path) for path in folder.glob("*.log")}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work, name="relay", daemon=True)
        self._thread.start()

    def close(self, within_s: float = 2.0) -> None:
        """Pass on what is there, and end; at most so long where nobody reads."""
        self._end.set()
        self._thread.join(within_s)

    def _work(self) -> None:
        try:
            while not self._end.wait(LOOK_S):
                self._pass_on()
            self._pass_on()
        except OSError:
            pass  # the reader went away
        for follower in self._followers.values():
            follower.close()
        os.close(self._fd)

    def _pass_on(self) -> None:
        for path in self._folder.glob("*.log"):
            if path.stem not in self._followers:
                self._followers[path.stem] = Follower(path, from_start=True)
        found = [
            entry for actor, follower in self._followers.items() for entry in entries(actor, list(follower.lines()))
        ]
        for entry in sorted(found, key=lambda entry: entry.time or ""):
            data = shown(entry, self._form)
            while data:
                data = data[os.write(self._fd, data) :]


def entries(actor: str, lines: Iterable[str]) -> Iterator[Entry]:
    """Yield the entries in lines of an actor's log: lines without a time belong to the one before them."""
    head: re.Match[str] | None = None
    detail: list[str] = []
    for line in lines:
        if (match := LINE.fullmatch(line)) is None:
            detail.append(line)
            continue
        yield from _entry(actor, head, detail)
        head, detail = match, []
    yield from _entry(actor, head, detail)


def _entry(actor: str, head: re.Match[str] | None, detail: list[str]) -> Iterator[Entry]:
    if head is not None:
        day, time, level, name, message = head.groups()
        yield Entry(
            time=f"{day}T{time}Z", level=level.lower(), actor=actor, message=_named(name, actor, message),
            detail="\n".join(detail),
        )  # fmt: skip
    elif any(detail):
        yield Entry(time=None, level="error", actor=actor, message=detail[0], detail="\n".join(detail[1:]))


def _named(name: str, actor: str, message: str) -> str:
    return message if name == actor else f"{name}: {message}"


def shown(entry: Entry, form: Format) -> bytes:
    """Return an entry as it goes out, with its line's end."""
    if form == "json":
        return msgspec.json.encode(entry) + b"\n"
    head = f"{entry.time or '-':<24} {entry.level.upper():<7} {entry.actor}: {entry.message}"
    return "".join(f"{printable(line)}\n" for line in (head, *entry.detail.splitlines())).encode()
