"""The state actor's shell: folds events into the live state, tells it, and keeps it.

In: Events from the normalizer, snapshot queries. Out: LiveState after each turn that changed something, answers with
the prices of the round in progress, and Position. A durable snapshot every 5 s, at a round's end and at stop, of what
the journal has synced; a restart resumes from it. Never makes durable what the journal has not synced.
"""

import time
from pathlib import Path

import msgspec
from msgspec import Struct

from actors.core import streams
from actors.core.bus import Outbox, Router
from actors.core.checkpoints import Checkpoints
from actors.core.flow import frame_of
from actors.core.messages import Events, LiveState, SnapshotQuery
from actors.core.receiver import Receiver
from actors.core.runtime import Context
from actors.rugs.live import Live

SNAPSHOT_S = 5.0
CHECK_S = 0.1
REPEAT_S = 1.0
DRAIN_S = 1.0


class Kept(Struct, frozen=True):
    """A copy of the state that waits for the journal to sync what it was made of. JSON: its numbers have any size."""

    upto: int
    memory: bytes


class State:
    """Folds and tells."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._checkpoints = Checkpoints(context.data_dir / "state")
        have, self._live = resume(context.data_dir / "state")
        self._receiver = Receiver(context, streams.EVENTS, "state", have)
        self._telling: Outbox[LiveState] = context.bus.outbox(streams.LIVE_STATE)
        self._queries: Router[SnapshotQuery] = context.bus.router(streams.QUERIES)
        self._told = -1
        self._kept: Kept | None = None
        self._copied_s = time.monotonic()
        self._round_ended = False
        self._error: str | None = None
        self._describe()

    def run(self) -> None:
        """Work until told to stop; then keep what may be kept."""
        self._context.loop.read(self._queries, self._answer)
        self._receiver.start(self._take, self._tell)
        self._context.loop.every(CHECK_S, self._keep)
        self._context.loop.every(REPEAT_S, self._repeat)
        self._context.ready()
        self._context.run_loop()
        self._receiver.drain(DRAIN_S)
        self._save()
        self._copy()
        self._save()
        self._receiver.publish()

    def _take(self, batch: Events, after: int) -> None:
        rounds = self._live.last.get("game.completed")
        for event in batch.events:
            if frame_of(event.seq) > after:
                self._live.fold(event)
        self._round_ended |= self._live.last.get("game.completed") != rounds

    def _tell(self) -> None:
        if self._live.seq != self._told:
            self._repeat()
        self._describe()

    def _repeat(self) -> None:
        """Tell the state, also without a change: the last one may have been dropped, or a listener is new."""
        self._told = self._live.seq
        self._telling.send(self._state())

    def _answer(self) -> None:
        while (asked := self._queries.receive()) is not None:
            client, query = asked
            live = self._live
            self._queries.send(client, self._state(id=query.id, prices=live.prices, first_tick=live.first_tick))

    def _state(self, id: str = "", prices: list[float] | None = None, first_tick: int = 0) -> LiveState:
        return LiveState(
            id=id,
            seq=self._live.seq,
            last=self._live.last,
            state=msgspec.json.encode(self._live.data()),
            prices=prices or [],
            first_tick=first_tick,
        )

    def _keep(self) -> None:
        """Copy the state when it is time to, and save the copy as soon as the journal has synced it."""
        if self._kept is None and (self._round_ended or time.monotonic() - self._copied_s >= SNAPSHOT_S):
            self._copy()
        self._save()

    def _copy(self) -> None:
        self._copied_s = time.monotonic()
        self._round_ended = False
        have = self._receiver.intake.have
        if self._kept is None and have > self._receiver.intake.acked:
            self._kept = Kept(have, msgspec.json.encode(self._live))

    def _save(self) -> None:
        kept = self._kept
        if kept is None or frame_of(kept.upto) > self._receiver.intake.synced:
            return
        self._kept = None
        try:
            self._checkpoints.save(kept.upto, kept.memory)
            self._checkpoints.forget_below(kept.upto)
        except OSError as error:
            if self._error is None:
                self._context.log.error("the snapshot could not be kept, tried again in %g s: %s", SNAPSHOT_S, error)
            self._error = str(error)
            return
        self._error = None
        self._receiver.acknowledge(kept.upto)

    def _describe(self) -> None:
        live = self._live
        self._context.stats.update(
            seq=live.seq,
            position=self._receiver.intake.acked,
            game_id=live.game_id,
            tick=live.tick,
            phase=live.phase,
            connected=live.link.connected,
            last_frame_at=live.last_frame_at,
            undecodable=live.undecodable,
            error=self._error,
        )


def resume(directory: Path) -> tuple[int, Live]:
    """Return the newest usable snapshot and the number it stands at; a fresh state at 0 where there is none."""
    checkpoints = Checkpoints(directory)
    below = 2**63
    while (found := checkpoints.newest(below - 1)) is not None:
        below, memory = found
        try:
            return below, msgspec.json.decode(memory, type=Live)
        except msgspec.MsgspecError:
            continue  # of another version: fold again from an older one, or from the oldest record kept
    return 0, Live()


def run(context: Context) -> None:
    """Be the state actor until SIGTERM."""
    State(context).run()
