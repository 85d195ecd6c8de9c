"""The process that reads history for the broadcaster, so that no replay ever takes time from the live feed.

Started when somebody asks for what is no longer in memory, with a socket as standard input: framed msgpack `Wanted`
in, `Found` out, one at a time. Keeps the last few cursors, so that the next page of a replay goes on where the one
before ended, also where it is asked for by the last event's number; and the places of earlier ones, so that a second
reader of the same time begins near. Ends with its parent, or when the socket closes.
"""

import os
import socket
import sys
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from actors.broadcaster.envelope import envelope_map, pack
from actors.broadcaster.history import Cursor, History, Page, TooOld
from actors.broadcaster.subscription import Subscription
from actors.core.lifeline import die_with_parent

CURSORS = 16
HEAD_BYTES = 4


class Wanted(Struct, frozen=True, kw_only=True):
    """A page of history, please."""

    since: int
    upto: int | None = None
    types: list[str] | None = None
    events_max: int
    bytes_max: int
    packed: bool = False  # as the answer of contract 4.6, encoded; else as events
    recording: str = ""  # for that answer: the running one's id


class Found(Struct, frozen=True, kw_only=True):
    """The page, or the lowest number that can be served instead."""

    page: Page | None = None
    answer: bytes = b""
    too_old: bool = False
    floor: int | None = None


class Archivist:
    """Wanted in, Found out."""

    def __init__(self, data_dir: Path) -> None:
        self._history = History(data_dir)
        self._cursors: list[Cursor] = []  # the one used last comes last

    def find(self, wanted: Wanted) -> Found:
        """Return the page that begins above `wanted.since`."""
        types = Subscription(wanted.types)
        try:
            cursor = self._taken(wanted.since, types) or self._history.open(wanted.since)
        except TooOld as error:
            return Found(too_old=True, floor=self._below_oldest(error.floor))
        page = cursor.page(wanted.upto, types, wanted.events_max, wanted.bytes_max)
        self._history.mark(cursor)
        if cursor.whole:
            self._keep(cursor)
        else:
            cursor.close()
        return (
            Found(answer=pack(replay_answer(page, wanted.upto, wanted.recording)))
            if wanted.packed
            else Found(page=page)
        )

    def close(self) -> None:
        """Give the open files back."""
        for cursor in self._cursors:
            cursor.close()
        self._cursors.clear()

    def _below_oldest(self, floor: int | None) -> int | None:
        """Return the number before the oldest event above `floor`: that is where what is lost ends."""
        if floor is None:
            return None
        cursor = self._history.open(floor)
        page = cursor.page(None, Subscription(None), 1, 1)
        cursor.close()
        return page.events[0].seq - 1 if page.events else floor

    def _taken(self, since: int, types: Subscription) -> Cursor | None:
        found = max(
            (one for one in self._cursors if one.continues(since, types)), key=lambda one: one.read, default=None
        )
        if found is not None:
            self._cursors.remove(found)
        return found

    def _keep(self, cursor: Cursor) -> None:
        self._cursors.append(cursor)
        if len(self._cursors) > CURSORS:
            self._cursors.pop(0).close()


def replay_answer(page: Page, upto: int | None, recording: str) -> dict[str, Any]:
    """Return the answer of contract 4.6 to a replay request; `prev` is the last of the same type."""
    last, events = dict(page.last), []
    for event in page.events:
        events.append(envelope_map(event, last.get(event.type)))
        last[event.type] = event.seq
    done = page.done or (upto is not None and page.upto >= upto)
    return {"events": events, "next": None if done else page.upto, "upto": page.upto, "recording": recording}


def receive(connection: socket.socket) -> bytes | None:
    """Return the next framed message, None when the other side is gone."""
    head = connection.recv(HEAD_BYTES, socket.MSG_WAITALL)
    if len(head) < HEAD_BYTES:
        return None
    size = int.from_bytes(head, "little")
    body = connection.recv(size, socket.MSG_WAITALL)
    return body if len(body) == size else None


def framed(message: Struct) -> bytes:
    """Return the message as it goes over the socket."""
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(HEAD_BYTES, "little") + body


def main(data_dir: str, parent: str) -> None:
    """Answer until the socket closes."""
    die_with_parent(int(parent))
    os.nice(5)  # the live feed comes first
    archivist = Archivist(Path(data_dir))
    decoder = msgspec.msgpack.Decoder(Wanted)
    with socket.socket(fileno=os.dup(0)) as connection:
        while (body := receive(connection)) is not None:
            connection.sendall(framed(archivist.find(decoder.decode(body))))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
