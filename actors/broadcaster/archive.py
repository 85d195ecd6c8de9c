"""History for the event loop: asks the archivist's process, and starts it when it is needed.

In: a number to go on after. Out: a page of events, or an answer of contract 4.6 as bytes. One question at a time, in
order of asking; a process that died is replaced once per question; an idle one is let go. Blocks nothing.
"""

import asyncio
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path

import msgspec

from actors.broadcaster.archivist import HEAD_BYTES, Found, Wanted, framed

ROOT = Path(__file__).parents[2]  # where our packages lie
IDLE_S = 60.0
PAGE_EVENTS = 500
PAGE_BYTES = 1_000_000


class ArchiveError(Exception):
    """History cannot be read now: the reading process died twice over one question."""


class Archive:
    """The asking side."""

    def __init__(self, data_dir: Path, log: logging.Logger) -> None:
        self._data_dir = data_dir
        self._log = log
        self._turn = asyncio.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._decoder = msgspec.msgpack.Decoder(Found)
        self._used_at_s = 0.0
        self._asked: set[asyncio.Task[Found]] = set()
        self.questions = 0

    async def find(self, wanted: Wanted) -> Found:
        """Ask for a page. ArchiveError: it cannot be read. A caller that is cancelled while it waits never asks."""
        await self._turn.acquire()
        task = asyncio.create_task(self._find(wanted))  # shielded: an answer half read would be taken for the next one
        self._asked.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[Found]) -> None:
        self._asked.discard(task)
        self._turn.release()
        if not task.cancelled():
            task.exception()  # seen, also where the caller is gone

    async def _find(self, wanted: Wanted) -> Found:
        self.questions += 1
        for _ in range(2):
            try:
                return await self._ask(wanted)
            except (OSError, asyncio.IncompleteReadError) as error:
                self._log.warning("the reader of the journal died: %s", error)
                self._let_go()
        raise ArchiveError("history cannot be read now; the log of the broadcaster says why")

    def rest(self, now_s: float) -> None:
        """Let an idle process go; to be called now and then. now_s: the event loop's time."""
        if self._process is not None and not self._turn.locked() and now_s - self._used_at_s > IDLE_S:
            self._let_go()

    async def close(self) -> None:
        """End the process."""
        for task in self._asked:
            task.cancel()
        await asyncio.gather(*self._asked, return_exceptions=True)
        self._let_go()

    async def _ask(self, wanted: Wanted) -> Found:
        reader, writer = self._streams or await self._start()
        writer.write(framed(wanted))
        await writer.drain()
        size = int.from_bytes(await reader.readexactly(HEAD_BYTES), "little")
        found = self._decoder.decode(await reader.readexactly(size))
        self._used_at_s = asyncio.get_running_loop().time()
        return found

    async def _start(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        command = [sys.executable, "-P", "-m", "actors.broadcaster.archivist", str(self._data_dir), str(os.getpid())]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}
        with theirs:
            self._process = subprocess.Popen(command, stdin=theirs.fileno(), env=environment)  # noqa: ASYNC220 - 2 ms, vfork
        self._streams = await asyncio.open_connection(sock=ours)
        return self._streams

    def _let_go(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
