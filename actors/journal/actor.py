"""The journal's shell: sockets, files and timers around `JournalCore`.

What has arrived in one turn of the loop is one batch: written at once, and only then sent on. One fdatasync per window
(`journal.commit_ms`), and only then acknowledged to the captures and to whoever submitted a note. While the disk
refuses, nothing more is read: the captures keep what they have, and the loop tries again each second.
"""

import errno
import time
from typing import Any

from actors.core import clock, streams
from actors.core.messages import SEQ_STEP, CaptureBatch, CapturePositions, Committed, Position, Submit
from actors.core.recording_id import recording_id
from actors.core.runtime import LEAST_WAIT_S, Context
from actors.core.segments import Batch, Damage, Reader
from actors.journal.core import JournalCore
from actors.journal.damage import place_of, times_around
from actors.journal.retention import Retention
from actors.journal.sealing import Sealer
from actors.journal.server import RecordServer
from actors.journal.sight import SILENT_S
from actors.journal.store import Store

TAKEN_PER_TURN = 200  # batches of captures; bounds one write to a few megabytes
SENT_PER_TURN = 100  # batches to the normalizer
POSITIONS_S = 0.1
REST_S = 0.5  # between positions when they say nothing new
RETRY_S = 1.0
RETENTION_S = 60.0
DECIDE_S = 0.01  # how often a merge that holds frames is asked again
SEAL_S = 0.02  # a step of some milliseconds each
SEAL_LOOK_S = 1.0  # for a segment to seal
SEAL_AGAIN_S = 30.0


class Journal:
    """Ties the core to the world."""

    def __init__(self, context: Context) -> None:
        settings = context.config.journal
        self._context = context
        self._commit_s = settings.commit_ms / 1000
        directory = context.data_dir / "journal"
        self._directory = directory
        self._store = Store(directory, settings)
        self._recording_id = _recording_id(context)
        self._core = JournalCore(
            self._store.memory,
            context.config.site.socket_pattern,
            time.monotonic_ns(),
            standby=context.config.capture.standby,
        )
        self._core.restore(self._store.tail, time.monotonic())
        self._frames = context.bus.inbox(streams.FRAMES)
        self._positions = context.bus.outbox(streams.FRAME_POSITIONS)
        self._commands = context.bus.inbox(streams.COMMANDS)
        self._results = context.bus.outbox(streams.RESULTS)
        self._record_positions = context.bus.inbox(streams.RECORD_POSITIONS)
        self._reader = Reader(directory)
        self._server = RecordServer(context.bus.outbox(streams.RECORDS), self._reader, "normalizer")
        self._server.synced = self._store.memory.head
        self._sealer = Sealer(directory, self._tell_damage, lambda: self._server.synced)
        self._seal_at_s = 0.0
        self._retention = Retention(directory, settings.retention_days, settings.max_bytes)
        self._kept_bytes = self._retention.size_bytes()
        self._unwritten: tuple[Batch, dict[int, int]] | None = None  # with how far each capture is in it
        self._written = self._acked = self._places()
        self._head = self._store.memory.head  # written
        self._awaited: dict[str, int] = {}  # submitted notes that are not synced yet
        self._retry_at_s = 0.0
        self._refused_since_us = 0
        self._heard_at_s = 0.0
        self._sync_at_s: float | None = None  # when what was written is to be durable
        self._published: CapturePositions | None = None
        self._published_s = 0.0

    def begin(self) -> None:
        """Say what was found on disk, and decide on recording where nobody ever did. OSError: the disk refuses."""
        memory, now_us = self._core.memory, clock.now_us()
        if self._store.first_free > memory.head:
            before = memory.head
            self._core.skip_to(self._store.first_free)
            self._core.note(
                now_us, "journal", what="numbers skipped", after=before, upto=memory.head,
                cause="the machine stopped or files were removed: numbers beyond the journal's end may have been seen",
            )  # fmt: skip
        for damage in self._store.damage:
            self._tell_damage(damage)
        if memory.recording is None:
            self._core.note(now_us, "recording", on=self._context.config.recording.autostart, by="autostart")
        self._flush()
        self._sync()

    def run(self) -> None:
        """Work until told to stop."""
        loop = self._context.loop
        self._read()
        loop.read(self._record_positions, self._on_record_positions)
        loop.each_turn(self._after_turn)
        loop.every(POSITIONS_S, self._watch)
        loop.every(POSITIONS_S, self._repeat_positions)
        loop.every(POSITIONS_S, self._tell_stats)
        loop.every(RETENTION_S, self._retire)
        self._publish_positions()
        self._tell_stats()
        self._context.ready()
        self._context.run_loop()
        self._flush()
        self._sync()
        self._sealer.close()
        self._store.close()

    def _read(self) -> None:
        self._context.loop.read(self._frames, self._on_frames)
        self._context.loop.read(self._commands, self._on_commands)

    def _on_frames(self) -> None:
        offset_s = clock.wall_minus_monotonic_s()
        refused = False
        for _ in range(TAKEN_PER_TURN):
            batch: CaptureBatch | None = self._frames.receive()
            if batch is None:
                break
            self._heard_at_s = time.monotonic()
            refused |= not self._core.take(batch, offset_s, time.monotonic())
        if refused:
            self._publish_positions()

    def _on_commands(self) -> None:
        for _ in range(TAKEN_PER_TURN):
            note: Submit | None = self._commands.receive()
            if note is None:
                break
            answer = self._core.submit(note)
            if answer is None:
                self._awaited[note.id] = self._core.memory.commands[note.id]
            elif answer.error is not None or answer.seq <= self._server.synced:
                self._results.send(answer)

    def _on_record_positions(self) -> None:
        position: Position | None
        while (position := self._record_positions.receive()) is not None:
            self._server.hear(position)

    def _after_turn(self) -> None:
        if self._core.holding:
            self._core.tick(time.monotonic())
            self._context.loop.again(DECIDE_S)
        self._flush()
        self._in_time()
        head = self._head
        if self._server.pump(head, SENT_PER_TURN):
            self._context.loop.again()
        elif self._server.behind(head):
            self._context.loop.again(0.002)  # the stream is full: look again when it may have room
        while self._reader.damage:
            self._tell_damage(self._reader.damage.pop())

    def _in_time(self) -> None:
        """Sync and seal where it is time, and be woken when it will be; with nothing to do there is no timer."""
        now_s = time.monotonic()
        if self._sync_at_s is not None and now_s >= self._sync_at_s:
            self._sync()
        if now_s >= self._seal_at_s:
            self._seal()
        next_s = min(self._seal_at_s, self._sync_at_s or self._seal_at_s)
        self._context.loop.again(max(LEAST_WAIT_S, next_s - now_s))

    def _flush(self) -> None:
        """Write what has come, then pass it on; begin a new segment where it is time."""
        while True:
            if self._unwritten is None:
                batch = self._core.batch()
                if batch is None:
                    break
                self._unwritten = (batch, self._places())
            if time.monotonic() < self._retry_at_s or not self._write(*self._unwritten):
                return
            self._unwritten = None
        if self._store.full:
            self._roll()

    def _write(self, batch: Batch, places: dict[int, int]) -> bool:
        try:
            self._store.write(batch)
        except OSError as error:
            self._refused(error)
            return False
        self._works_again()
        self._head, self._written = max(self._head, batch.upto), places
        if self._sync_at_s is None:
            self._sync_at_s = time.monotonic() + self._commit_s
        self._server.wrote(batch)
        return True

    def _roll(self) -> None:
        """Sync and begin a new segment. Only while nothing waits to be written."""
        self._sync()
        if self._server.synced < self._head:
            return
        try:
            self._store.roll(self._core.memory)
        except OSError as error:
            self._context.log.warning("cannot begin a segment: %s; the old one goes on", error.strerror)
        else:
            self._retire()

    def _refused(self, error: OSError) -> None:
        now_us = clock.now_us()
        if not self._retry_at_s:
            self._refused_since_us = now_us
            self._context.loop.forget(self._frames)
            self._context.loop.forget(self._commands)
            self._context.log.error("cannot write: %s; nothing more is taken until it works", error.strerror)
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        self._context.stats["error"] = "disk full" if full else f"cannot write: {error.strerror}"
        self._core.refused_by_disk(self._refused_since_us, now_us, str(self._context.stats["error"]))
        self._retry_at_s = time.monotonic() + RETRY_S

    def _works_again(self) -> None:
        if self._retry_at_s:
            self._read()
            self._context.log.info("writing again")
            self._context.stats.pop("error", None)
            self._retry_at_s = 0.0
            self._core.refused_by_disk(self._refused_since_us, clock.now_us())

    def _sync(self) -> None:
        """Make what was written durable, and only then say so to everyone."""
        if time.monotonic() < self._retry_at_s:
            self._sync_at_s = self._retry_at_s
            return
        try:
            synced = self._store.sync()
        except OSError as error:
            self._refused(error)
            self._sync_at_s = self._retry_at_s
            return
        self._sync_at_s = None
        if not synced:
            return
        self._works_again()
        self._server.synced, self._acked = self._head, self._written
        if self._awaited:  # whoever asked looks at the figures next
            self._tell_stats()
            self._context.report()
        for id_, seq in list(self._awaited.items()):
            if seq <= self._server.synced:
                self._results.send(Committed(id=id_, seq=seq))
                del self._awaited[id_]
        self._publish_positions()

    def _places(self) -> dict[int, int]:
        """Return how far each capture incarnation is, by what was heard."""
        return {session.incarnation: session.n for session in self._core.memory.sessions.values()}

    def _tell_damage(self, damage: Damage) -> int:
        """Keep what cannot be read and record the gap, once; return a number whose durability includes it."""
        place, cut = place_of(damage), damage.cut
        if place not in self._core.memory.damage:
            self._context.log.warning("%s: %d bytes at %d: %s", damage.segment.name, cut.size, cut.offset, cut.reason)
            try:
                self._store.set_aside(damage)
            except OSError as error:
                self._context.log.warning("cannot keep a copy of the damage: %s", error.strerror)
            self._core.damaged(clock.now_us(), place, cut, times_around(self._directory, cut))
        return self._core.memory.head

    def _seal(self) -> None:
        now_s = time.monotonic()
        if self._retry_at_s:
            self._seal_at_s = now_s + RETRY_S
            return
        try:
            self._seal_at_s = now_s + (SEAL_S if self._sealer.step() else SEAL_LOOK_S)
        except OSError as error:
            self._context.log.warning("cannot seal a segment: %s; it stays as it is", error.strerror)
            self._seal_at_s = now_s + SEAL_AGAIN_S

    def _watch(self) -> None:
        if not self._retry_at_s:  # else we hear nothing, whatever the captures say
            self._core.watch(time.monotonic())

    def _publish_positions(self) -> None:
        self._published, self._published_s = self._core.positions(self._acked), time.monotonic()
        self._positions.send(self._published)

    def _repeat_positions(self) -> None:
        """Repeat them, more rarely while all is durable and they say the same: a capture that is new changes them."""
        at_rest = self._sync_at_s is None and self._core.positions(self._acked) == self._published
        if not at_rest or time.monotonic() - self._published_s >= REST_S - POSITIONS_S / 2:
            self._publish_positions()

    def _retire(self) -> None:
        for path in self._retention.apply(min(self._server.outlet.acked, self._server.synced)):
            self._context.log.info("deleted %s: past its age or the size limit, and derived from everywhere", path.name)
        self._kept_bytes = self._retention.size_bytes()
        self._store.written_bytes = 0

    def _tell_stats(self) -> None:
        memory = self._core.memory
        looking = time.monotonic() - self._heard_at_s < SILENT_S
        self._context.stats.update(self._figures(memory.connected and looking))

    def _figures(self, connected: bool) -> dict[str, Any]:
        memory = self._core.memory
        lost_us = clock.now_us() - memory.lost_since_us if memory.lost_since_us is not None else 0
        return {
            "seq": memory.head,
            "damage": len(memory.damage),
            "synced": self._server.synced,
            "sent": self._server.outlet.at,
            "bytes": self._kept_bytes + self._store.written_bytes,
            "unacked": (memory.head - self._server.synced) // SEQ_STEP,
            "recording_id": self._recording_id,
            "recording_on": memory.recording,
            "recording_since": memory.recording_since_us // 1000 if memory.recording_since_us else None,
            "gaps": memory.gaps,
            "gap_seconds": memory.gap_us / 1e6,
            "lost_for_s": lost_us / 1e6,
            "connected": connected,
            "source_url": memory.source_url,
            "last_frame_us": memory.last_frame_us,
            "refused_batches": self._core.refused,
            "ignored_frames": self._core.ignored_frames,
            "ambiguous": self._core.ambiguous,
        }


def _recording_id(context: Context) -> str | None:
    """Return the recording's identity; None on a disk that takes no file, which must not keep frames from the rest."""
    try:
        return recording_id(context.data_dir)
    except OSError as error:
        context.log.warning("the recording has no id yet: %s; the next start makes one", error)
        return None


def run(context: Context) -> None:
    """Be the journal until told to stop."""
    journal = Journal(context)
    journal.begin()
    journal.run()
