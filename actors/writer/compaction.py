"""The writer's side of compaction: when a pass is due, what its process says, and the swaps between two flushes.

A pass is due when the rows flushed have reached another hour, at most once in `recording.compact_s`, and when a request
lies in the runtime directory (`vectra-supervisor compact`, the control room); it ends when its request is taken away.
In: lines of the merger's process. Out: exchanged date directories, and `figures` for the stats. A pass that dies, hangs
or is refused by the disk costs nothing but itself: the next one begins anew. Never waits, never swaps during a flush.
"""

import logging
import os
import subprocess
import sys
import time
from io import FileIO
from pathlib import Path

import msgspec
from msgspec import Struct

from actors.core.files import is_plain_file
from actors.core.loop import Loop
from actors.writer import layout
from actors.writer.merger import Beat, Built, Planned, Refused, Said, Skipped, newest_time
from actors.writer.planning import HOUR_US
from actors.writer.swap import Remover, Stale, leftovers, swap

REQUEST = "compact.request"  # in the runtime directory; holds the id under which the figures are reported
TICK_S = 0.1
FAILED = -1  # an hour that never comes: the next pass is due when its time comes
MOST_A_READ = 1 << 20
MOST_REASONS = 5
SILENT_S = 120.0  # a merger that says nothing for so long is stuck; a row group takes it a fraction of a second
_CODE = Path(__file__).parents[2]  # where our packages lie
_log = logging.getLogger("writer")


class Figures(Struct, kw_only=True):
    """What the running pass, or the last one, did."""

    id: str = ""  # of the request it answers, "" for one by itself
    state: str = "none"  # none, running, done, failed
    reason: str = ""
    files_planned: int = 0
    files_read: int = 0  # of these; what was read is merged once its day is whole
    files_before: int = 0  # merged
    files_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    longest_swap_ms: float = 0.0
    skipped_files: int = 0  # that cannot be merged and stay as they are
    skipped: list[str] = []  # why, of the first few
    passes: int = 0  # since the writer's start
    before: list["Figures"] = []  # of the pass before, or none: whoever asked for it may look only now


class Tally:
    """Swaps what is built, and counts. Shared by the writer and by the pass without one."""

    def __init__(self, data_dir: Path) -> None:
        self.root = layout.events_dir(data_dir)
        self.remover = Remover(self.root)
        self.figures = Figures()
        for folder in leftovers(layout.staging_dir(data_dir)):
            self.remover.add(folder, time.monotonic())

    def begin(self, request: str) -> None:
        """Start counting a new pass."""
        before = [msgspec.structs.replace(self.figures, before=[])] if self.figures.passes else []
        self.figures = Figures(id=request, state="running", passes=self.figures.passes + 1, before=before)

    def hear(self, said: Said) -> None:
        """Act on what the merger says."""
        if isinstance(said, Planned):
            self.figures.files_planned = said.files
        elif isinstance(said, Beat):
            self.figures.files_read += said.files
        elif isinstance(said, Built):
            self._swap(said)
        elif isinstance(said, Skipped):
            self._skip(said.why)
        elif isinstance(said, Refused):
            self.fail(said.why)

    def _skip(self, why: str) -> None:
        self.figures.skipped_files += 1
        if len(self.figures.skipped) < MOST_REASONS:
            self.figures.skipped.append(why)
        _log.warning("not compacted, left as it is: %s", why)

    def fail(self, reason: str) -> None:
        """Say why the pass did not work out; the first reason stands."""
        if self.figures.state != "failed":
            self.figures.state, self.figures.reason = "failed", reason
            _log.warning("compaction put off, nothing is lost: %s", reason)

    def end(self) -> None:
        """Finish counting."""
        figures = self.figures
        if figures.state == "running":
            figures.state = "done"
        if figures.files_before:
            before, after = (
                f"{figures.files_before} files, {figures.bytes_before} bytes",
                f"{figures.files_after} files",
            )
            _log.info("compacted %s into %s, %d bytes", before, after, figures.bytes_after)

    def _swap(self, built: Built) -> None:
        began_s = time.monotonic()
        folder = Path(built.folder)
        try:
            swap(self.root, folder, set(built.inputs))
        except (Stale, OSError) as error:
            self.fail(str(error))
        else:
            self.figures.files_before += len(built.inputs)
            self.figures.files_after += built.outputs
            self.figures.bytes_before += built.bytes_before
            self.figures.bytes_after += built.bytes_after
        now_s = time.monotonic()
        self.figures.longest_swap_ms = max(self.figures.longest_swap_ms, round((now_s - began_s) * 1000, 1))
        self.remover.add(folder, now_s)


class Compaction:
    """Starts passes and listens to them, within the writer's loop."""

    def __init__(self, loop: Loop, data_dir: Path, runtime_dir: Path, every_s: float) -> None:
        """every_s: the shortest time between passes that begin by themselves; 0 for none."""
        self._loop = loop
        self._data_dir = data_dir
        self._request = runtime_dir / REQUEST
        self._every_s = every_s
        self._tally = Tally(data_dir)
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: FileIO | None = None
        self._held: str | None = None
        self._unread = b""
        self._heard_s = 0.0
        self._last_pass_s: float | None = None
        self._decoder = msgspec.json.Decoder(Said)
        newest_us = newest_time(self._tally.root)
        self._hour = None if newest_us is None else newest_us // HOUR_US
        self._done_hour = self._hour  # of the last pass; None: nothing is known yet
        loop.every(TICK_S, self._tick)

    @property
    def figures(self) -> Figures:
        """What the running pass, or the last one, did."""
        return self._tally.figures

    def flushed(self, newest_us: int) -> None:
        """Take note of the time of the newest row on disk."""
        self._hour = newest_us // HOUR_US
        if self._done_hour is None:
            self._done_hour = self._hour

    def hold(self, reason: str | None) -> None:
        """Begin no pass for as long as there is a reason: the disk refuses."""
        self._held = reason

    def stop(self) -> None:
        """End a running pass; the next start removes what it leaves in staging, and takes up its request."""
        if self._process is not None:
            self._process.kill()
            self._let_go(self._process)

    def _tick(self) -> None:
        now_s = time.monotonic()
        self._tally.remover.step(now_s)
        if self._process is not None:
            if now_s - self._heard_s > SILENT_S:
                self._tally.fail(f"the merger said nothing for {SILENT_S:g} s and was ended")
                self._process.kill()
            elif self.figures.id and self._requested() is None:
                self._tally.fail("its request was taken away")
                self._process.kill()
        elif (request := self._requested()) is not None:
            self._begin(request, now_s)
        elif self._is_due(now_s):
            self._begin("", now_s)

    def _requested(self) -> str | None:
        try:
            return self._request.read_text() if is_plain_file(self._request) else None
        except (OSError, UnicodeDecodeError):  # absent, or no request of ours
            return None

    def _is_due(self, now_s: float) -> bool:
        if not self._every_s or self._hour == self._done_hour:
            return False
        return self._last_pass_s is None or now_s - self._last_pass_s >= self._every_s

    def _begin(self, request: str, now_s: float) -> None:
        self._tally.begin(request)
        self._last_pass_s = now_s
        self._done_hour = self._hour
        try:
            if self._held is not None:
                raise OSError(self._held)
            self._start(now_s)
        except OSError as error:
            self._tally.fail(str(error))
            self._conclude()

    def _start(self, now_s: float) -> None:
        command = [sys.executable, "-P", "-m", "actors.writer.merger", str(self._data_dir), str(os.getpid())]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_CODE), *filter(None, sys.path)])}
        ours, theirs = os.pipe()
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, env=environment)
        except OSError:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        os.set_blocking(ours, False)
        self._process, self._pipe, self._heard_s = process, FileIO(ours, "rb"), now_s
        self._loop.read(self._pipe, lambda: self._read(process, ours))

    def _read(self, process: "subprocess.Popen[bytes]", pipe: int) -> None:
        try:
            more = os.read(pipe, MOST_A_READ)
        except BlockingIOError:
            return
        self._heard_s = time.monotonic()
        *lines, self._unread = (self._unread + more).split(b"\n")
        for line in lines:
            self._tally.hear(self._decoder.decode(line))
        if not more:
            self._finish(process)

    def _finish(self, process: "subprocess.Popen[bytes]") -> None:
        code = self._let_go(process)
        if code != 0:
            self._tally.fail(f"the merger ended with code {code}")
            self._put_aside()
        self._conclude()

    def _let_go(self, process: "subprocess.Popen[bytes]") -> int:
        if self._pipe is not None:
            self._loop.forget(self._pipe)
            self._pipe.close()
        self._process, self._pipe, self._unread = None, None, b""
        return process.wait()

    def _put_aside(self) -> None:
        """Have removed what a dead merger left half made."""
        known = self._tally.remover.waiting
        for folder in leftovers(layout.staging_dir(self._data_dir)):
            if folder not in known:
                self._tally.remover.add(folder, time.monotonic())

    def _conclude(self) -> None:
        """Take the request away once its pass has ended: one whose writer died is begun anew by the next.

        What another asked for meanwhile stays, and comes next.
        """
        self._tally.end()
        if self.figures.state == "failed":
            self._done_hour = FAILED
        if self.figures.id and self._requested() == self.figures.id:
            self._request.unlink(missing_ok=True)
