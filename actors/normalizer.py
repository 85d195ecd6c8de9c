"""The normalizer's shell: records in, events and rows out, by the pure core of `actors.rugs.normalize`.

Sends the same derivation to the writer (rows), to state (events) and live to whoever listens. Keeps no buffer: a
consumer that asks for something older makes it go back to a checkpoint of the core's memory and derive again from the
journal; the others drop what they have. A consumer that takes nothing for a while is set aside, so that it cannot hold
up the live stream, and fetched again by such a rewind, to the very place where it was left.
"""

import time

import msgspec

from actors.core import streams
from actors.core.bus import Outbox
from actors.core.checkpoints import Checkpoints
from actors.core.flow import Intake, Outlet, frame_of
from actors.core.messages import Event, Events, Position, Records, Row, Rows
from actors.core.runtime import LEAST_WAIT_S, Context
from actors.core.segments import Reader
from actors.rugs.drift import kinds
from actors.rugs.normalize import Memory, derive

CHECKPOINT_S = 10.0
ROUND_S = 1.0  # at most one checkpoint a second for rounds' ends: in a catch-up there are dozens a second
POSITIONS_S = 0.05
REST_S = 0.25  # between positions when for `QUIET_S` nothing came
QUIET_S = 2.0
THIN_OUT_S = 60.0
TAKEN_PER_TURN = 50
PATIENCE_S = 0.3  # a restart takes 40 ms; who takes nothing for longer must not hold up the rest


class Consumer:
    """One receiver of what is derived, acknowledged: the writer or state."""

    def __init__(self, name: str, outbox: Outbox[Rows | Events]) -> None:
        self.outlet = Outlet(name)
        self.outbox = outbox
        self.set_aside = False
        self.owed: Rows | Events | None = None  # what it did not take when it was set aside
        self.left_at: tuple[int, bytes] | None = None  # the core's memory behind that

    def leave(self, owed: Rows | Events, memory: bytes) -> None:
        """Set it aside. memory: after all of `owed`."""
        self.set_aside, self.owed, self.left_at = True, owed, (owed.upto, memory)

    def lacks(self, have: int) -> bool:
        """Whether it can take something that was derived before `have`."""
        return self.outlet.known and self.outlet.at < have and not self.set_aside


class Normalizer:
    """Ties the pure core to the streams."""

    def __init__(self, context: Context) -> None:
        bus = context.bus
        self._context = context
        self._checkpoints = Checkpoints(context.data_dir / "checkpoints")
        self._reader = Reader(context.data_dir / "journal")
        self._records = bus.inbox(streams.RECORDS)
        self._record_positions = bus.outbox(streams.RECORD_POSITIONS)
        self._event_positions = bus.inbox(streams.EVENT_POSITIONS)
        self._live = bus.outbox(streams.LIVE)
        self._writer = Consumer("writer", bus.outbox(streams.ROWS))
        self._state = Consumer("state", bus.outbox(streams.EVENTS))
        self._consumers = (self._writer, self._state)
        have, self._memory = self._load(at_or_below=1 << 62)
        self._intake = Intake("normalizer", time.monotonic_ns(), have)
        self._intake.acked = 0  # until the consumers tell what they still need
        self._saved = self._checkpoints.seqs()
        self._published = have
        self._synced = 0  # the highest told to the consumers
        self._pending: tuple[int, bytes] | None = None  # a checkpoint that waits for the journal's sync
        self._checkpointed_s = time.monotonic()
        self._checkpoint_at_s = self._checkpointed_s + CHECKPOINT_S
        self._blocked_since_s: float | None = None
        self._held: list[tuple[Consumer, Rows | Events]] = []
        self._rewinds = 0
        self._stirred_s = self._told_s = time.monotonic()  # the last batch; the last position published

    def run(self) -> None:
        """Work until told to stop."""
        loop = self._context.loop
        loop.read(self._records, self._on_records)
        loop.read(self._event_positions, self._on_positions)
        loop.each_turn(self._after_turn)
        loop.every(THIN_OUT_S, self._thin_out)
        self._publish_position()
        self._context.ready()
        self._context.run_loop()

    def _load(self, at_or_below: int) -> tuple[int, Memory]:
        kept = [left for consumer in self._consumers if (left := consumer.left_at) and left[0] <= at_or_below]
        found = max([*kept, self._checkpoints.newest(at_or_below) or (0, b"")], key=lambda known: known[0])
        if not found[1]:
            return 0, Memory()
        try:
            return found[0], msgspec.msgpack.decode(found[1], type=Memory)
        except msgspec.MsgspecError:
            self._context.log.warning("checkpoint %d is of another version; going back to an older one", found[0])
            return self._load(found[0] - 1)

    def _on_positions(self) -> None:
        position: Position | None
        while (position := self._event_positions.receive()) is not None:
            for consumer in self._consumers:
                if consumer.outlet.hear(position):
                    consumer.set_aside, consumer.owed = False, None
                    self._held = [(held, message) for held, message in self._held if held is not consumer]

    def _on_records(self) -> None:
        for _ in range(TAKEN_PER_TURN):
            if self._held:
                return
            batch: Records | None = self._records.receive()
            if batch is None:
                return
            self._stirred_s = time.monotonic()
            nack = self._intake.nack
            after = self._intake.take(batch)
            if after is not None:
                self._derive(batch, after)
            elif self._intake.nack != nack:
                self._publish_position()
        self._context.loop.again()

    def _derive(self, batch: Records, after: int) -> None:
        events: list[Event] = []
        rows: list[Row] = []
        for record in batch.records:
            if record.seq > after:
                derived = derive(self._memory, record)
                events += derived.events
                rows += derived.rows
        self._publish(after, batch.upto, events)
        self._pass_on(after, batch.upto, events, rows)
        self._count(events, rows)
        if any(event.type == "game.completed" for event in events):
            self._checkpoint_at_s = min(self._checkpoint_at_s, self._checkpointed_s + ROUND_S)

    def _publish(self, after: int, upto: int, events: list[Event]) -> None:
        if upto <= self._published:
            return
        news = [event for event in events if frame_of(event.seq) > self._published]
        self._live.send(Events(epoch=0, nack=0, after=max(after, self._published), upto=upto,
                               synced=self._intake.synced, events=news))  # fmt: skip
        self._published = upto

    def _pass_on(self, after: int, upto: int, events: list[Event], rows: list[Row]) -> None:
        for consumer in self._consumers:
            at = consumer.outlet.at
            if not consumer.outlet.known or consumer.set_aside or not after <= at < upto:
                continue
            message = self._message(consumer, at, upto, events, rows)
            if consumer.outbox.send(message):
                consumer.outlet.at = upto
            else:
                self._hold(consumer, message)

    def _hold(self, consumer: Consumer, message: Rows | Events) -> None:
        """Keep what was not taken, and read nothing more until it is."""
        if not self._held:
            self._context.loop.forget(self._records)
            self._blocked_since_s = time.monotonic()
        self._held.append((consumer, message))

    def _message(
        self, consumer: Consumer, after: int, upto: int, events: list[Event], rows: list[Row]
    ) -> Rows | Events:
        outlet, synced = consumer.outlet, self._intake.synced
        if consumer is self._writer:
            news = [row for row in rows if frame_of(row.seq) > after]
            return Rows(epoch=outlet.epoch, nack=outlet.nack, after=after, upto=upto, synced=synced, rows=news)
        fresh = [event for event in events if frame_of(event.seq) > after]
        return Events(epoch=outlet.epoch, nack=outlet.nack, after=after, upto=upto, synced=synced, events=fresh)

    def _after_turn(self) -> None:
        self._send_held()
        self._fetch_back()
        self._tell_synced()
        self._checkpoint()
        self._repeat_position()

    def _send_held(self) -> None:
        """Try again what a consumer did not take; set it aside when it has had its time."""
        if self._blocked_since_s is None:
            return
        self._held = [(consumer, message) for consumer, message in self._held if not self._sent(consumer, message)]
        if self._held and time.monotonic() - self._blocked_since_s > PATIENCE_S:
            memory = msgspec.msgpack.encode(self._memory)
            for consumer, message in self._held:
                consumer.leave(message, memory)
                self._context.log.warning("%s takes nothing; going on without it", consumer.outlet.receiver)
            self._held = []
        if self._held:
            self._context.loop.again(0.002)
        else:
            self._blocked_since_s = None
            self._context.loop.read(self._records, self._on_records)

    def _sent(self, consumer: Consumer, message: Rows | Events) -> bool:
        if not consumer.outbox.send(message):
            return False
        consumer.outlet.at = message.upto
        return True

    def _fetch_back(self) -> None:
        """Go back to a checkpoint for consumers that lack something; for all of them at once."""
        for consumer in self._consumers:
            owed = consumer.owed
            if owed is not None and consumer.outbox.writable and self._sent(consumer, owed):
                consumer.set_aside, consumer.owed = False, None
        if self._held:
            return
        lacking = [consumer.outlet.at for consumer in self._consumers if consumer.lacks(self._intake.have)]
        if not lacking:
            return
        have, self._memory = self._load(min(lacking))
        self._intake.rewind(have)
        self._pending = None
        self._rewinds += 1
        self._publish_position()

    def _tell_synced(self) -> None:
        """Pass on that the journal has synced more, though there is nothing new to send with it."""
        if self._intake.synced <= self._synced or self._held:
            return
        told = [self._tell(consumer) for consumer in self._consumers if consumer.outlet.known]
        if all(told):
            self._synced = self._intake.synced
            at = self._published
            self._live.send(Events(epoch=0, nack=0, after=at, upto=at, synced=self._synced, events=[]))

    def _tell(self, consumer: Consumer) -> bool:
        at = consumer.outlet.at
        return consumer.set_aside or consumer.outbox.send(self._message(consumer, at, at, [], []))

    def _checkpoint(self) -> None:
        """Encode the memory when it is time; write it once the journal has synced that far."""
        now_s = time.monotonic()
        if self._pending is None and now_s >= self._checkpoint_at_s:
            self._pending = (self._intake.have, msgspec.msgpack.encode(self._memory))
            self._checkpointed_s, self._checkpoint_at_s = now_s, now_s + CHECKPOINT_S
        if self._pending is not None and self._pending[0] <= self._intake.synced:
            (seq, memory), self._pending = self._pending, None
            try:
                self._checkpoints.save(seq, memory)
                self._saved.append(seq)
            except OSError as error:
                self._context.log.error("cannot write a checkpoint: %s", error.strerror)

    def _thin_out(self) -> None:
        self._checkpoints.thin_out(min(self._reader.oldest() or 0, self._needed()), time.time())
        self._saved = self._checkpoints.seqs()

    def _needed(self) -> int:
        """Return the number from which on a consumer may still ask again."""
        if not all(consumer.outlet.known for consumer in self._consumers):
            return 0
        return min(consumer.outlet.acked for consumer in self._consumers)

    def _repeat_position(self) -> None:
        """Publish the position where it is time, and be woken when it will be: a new journal knows nothing of us."""
        now_s = time.monotonic()
        every_s = POSITIONS_S if now_s - self._stirred_s < QUIET_S else REST_S
        if (wait_s := self._told_s + every_s - now_s) <= 0:
            self._publish_position()
            wait_s = every_s
        self._context.loop.again(max(LEAST_WAIT_S, wait_s))

    def _publish_position(self) -> None:
        self._told_s = time.monotonic()
        needed = self._needed()
        if needed > self._intake.acked:
            self._intake.acked = max((seq for seq in self._saved if seq <= needed), default=0)
        self._record_positions.send(self._intake.position())

    def _count(self, events: list[Event], rows: list[Row]) -> None:
        stats = self._context.stats
        stats["events"] = stats.get("events", 0) + len(events)
        stats["rows"] = stats.get("rows", 0) + len(rows)
        stats["at"] = self._intake.have
        stats["rewinds"] = self._rewinds
        stats["malformed"] = self._memory.malformed
        stats["failures"] = self._memory.failures
        if (drift := sum(map(len, self._memory.drifts.values()))) != stats.get("drift"):
            stats.update(drift=drift, drift_kinds=kinds(self._memory))
        stats["drift_frames"] = dict(self._memory.differed)
        stats["set_aside"] = [consumer.outlet.receiver for consumer in self._consumers if consumer.set_aside]


def run(context: Context) -> None:
    """Be the normalizer until told to stop."""
    Normalizer(context).run()
