"""The writer's shell: reads the rows stream, flushes to Parquet, acknowledges what is durable.

In: Rows from the normalizer. Out: files of contract 4.7, and Position. Flushes on its interval, at a number of rows, at
a round's end and at stop, and only what the journal has synced; between flushes what is finished is compacted. When the
disk refuses, everything is kept, tried again each second and shown in the stats; when too much is kept the stream is
not read, and waits upstream, on disk.
Never makes anything durable twice, never acknowledges what is not.
"""

import errno
import gc
import time

from msgspec.structs import asdict

from actors.core import streams
from actors.core.messages import Rows
from actors.core.receiver import Receiver
from actors.core.runtime import Context
from actors.writer import placing
from actors.writer.buffer import Buffer, Chunk
from actors.writer.compaction import Compaction
from actors.writer.flush import Store

CHECK_S = 0.05
RETRY_S = 1.0
ROUND_S = 1.0  # at most one flush a second for rounds' ends: in a catch-up there are dozens a second
FLUSH_BYTES = 32_000_000  # large frames: flush before the number of rows is reached
KEPT_BYTES = 64_000_000  # above this the stream is not read while the disk refuses
DRAIN_S = 1.0
GC_OBJECTS = 50_000  # rows hold no cycles; the default of 700 makes decoding them cost 5 us each instead of 3


class Writer:
    """Buffers, decides when to flush, and does it within the loop: 5,000 rows of 3 KB take well under 100 ms."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._settings = context.config.recording
        self._complete_import()
        self._store = Store(context.data_dir)
        self._compaction = Compaction(context.loop, context.data_dir, context.runtime_dir, self._settings.compact_s)
        self._buffer = Buffer()
        self._receiver = Receiver(context, streams.ROWS, "writer", self._store.position)
        self._error: str | None = None
        self._last_try_s = time.monotonic()
        self._last_flush_ms = 0.0
        self._describe()

    def run(self) -> None:
        """Work until told to stop; then flush what may be flushed."""
        self._receiver.start(self._take, self._settle)
        self._context.loop.every(CHECK_S, self._settle)
        self._context.ready()
        self._context.run_loop()
        self._compaction.stop()
        self._receiver.drain(DRAIN_S)
        self._flush()
        self._receiver.publish()

    def _complete_import(self) -> None:
        """Complete an import that was killed while its files went to their places: readers see all of it, or none."""
        if placing.aside(self._context.data_dir).is_dir():
            try:
                placing.complete(self._context.data_dir)
            except OSError as error:
                self._context.log.error("an import is half done, and completing it failed: %s; import again", error)

    def _take(self, batch: Rows, after: int) -> None:
        self._buffer.add(batch, after)
        if self._buffer.size_bytes > KEPT_BYTES:
            self._receiver.pause()  # until `_settle` has looked

    def _settle(self) -> None:
        """Flush where it is time to, and read on or not."""
        if self._is_due():
            self._flush()
        if self._error is not None and self._buffer.size_bytes > KEPT_BYTES:
            self._receiver.pause()
        else:
            self._receiver.resume()
        self._describe()

    def _is_due(self) -> bool:
        age_s = time.monotonic() - self._last_try_s
        if self._error is not None:
            return age_s >= RETRY_S
        if age_s >= self._settings.flush_s:
            return True
        ready = self._buffer.ready(self._receiver.intake.synced)
        if sum(len(chunk.rows) for chunk in ready) >= self._settings.flush_rows:
            return True
        if age_s >= ROUND_S and any(chunk.ends_round for chunk in ready):
            return True
        return sum(chunk.size_bytes for chunk in ready) >= FLUSH_BYTES

    def _flush(self) -> None:
        self._last_try_s = began_s = time.monotonic()
        chunks = self._buffer.ready(self._receiver.intake.synced)
        if not chunks:
            return
        try:
            self._write(chunks)
        except OSError as error:
            self._report(error)
            return
        if self._error is not None:
            self._context.log.info("the disk takes rows again")
            self._error = None
            self._compaction.hold(None)
        self._last_flush_ms = (time.monotonic() - began_s) * 1000

    def _write(self, chunks: list[Chunk]) -> None:
        upto = chunks[-1].upto
        self._store.flush((row for chunk in chunks for row in chunk.rows), upto)
        newest_us = next((chunk.rows[-1].at_us for chunk in reversed(chunks) if chunk.rows), None)
        if newest_us is not None:
            self._compaction.flushed(newest_us)
        self._buffer.drop(upto)
        self._receiver.acknowledge(upto)

    def _report(self, error: OSError) -> None:
        said = "disk full" if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else f"disk error: {error}"
        if self._error is None:
            self._context.log.error("%s: rows are kept and tried again each second (%s)", said, error)
        self._error = said
        self._compaction.hold(said)

    def _describe(self) -> None:
        self._context.stats.update(
            rows=self._store.rows,
            files=self._store.files,
            bytes_written=self._store.bytes_written,
            bad_values=self._store.bad_values,
            strays=self._buffer.strays,
            buffered_rows=self._buffer.rows,
            buffered_bytes=self._buffer.size_bytes,
            last_flush_ms=round(self._last_flush_ms, 1),
            position=self._store.position,
            have=self._receiver.intake.have,
            paused=self._receiver.paused,
            error=self._error,
            compaction=asdict(self._compaction.figures),
        )


def run(context: Context) -> None:
    """Be the writer until SIGTERM."""
    gc.freeze()
    gc.set_threshold(GC_OBJECTS)
    Writer(context).run()
