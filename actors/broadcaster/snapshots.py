"""The current state, as told to whoever comes: the newest `LiveState`, encoded once for all.

In: what state publishes, or its answer when it is asked. Out: the snapshot as JSON and as a struct. While the state is
away and nothing was ever heard, everything in it is null: a client is never kept waiting for it.
"""

import asyncio
import itertools

from actors.broadcaster.envelope import NOTHING_KNOWN, snapshot
from actors.broadcaster.timeline import Timeline
from actors.core.bus import AsyncDealer
from actors.core.messages import LiveState, SnapshotQuery

ASK_S = 0.5  # state answers in a millisecond, or is away


class Snapshots:
    """Keeps the newest state."""

    def __init__(self, timeline: Timeline, dealer: AsyncDealer[LiveState]) -> None:
        self._timeline = timeline
        self._dealer = dealer
        self._newest: LiveState | None = None
        self._encoded: bytes | None = None
        self._asked: asyncio.Task[LiveState | None] | None = None
        self._ids = itertools.count(1)

    def hear(self, state: LiveState) -> None:
        """Keep what state published, unless it is older than what is known."""
        if self._newest is None or state.seq >= self._newest.seq:
            self._newest, self._encoded = state, None

    @property
    def head(self) -> int:
        """The highest number that any client can have been told: state may be a moment ahead of the events here."""
        newest = self._newest
        return max([self._timeline.seq, *([newest.seq, *newest.last.values()] if newest is not None else [])])

    async def get(self) -> LiveState:
        """Return the newest state; one without any knowledge where there is none."""
        if self._newest is None:
            if self._asked is None or self._asked.done():
                self._asked = asyncio.create_task(self._ask())
            await asyncio.shield(self._asked)
        if self._newest is not None:
            return self._newest
        return LiveState(seq=self._timeline.seq, last=dict(self._timeline.last), state=NOTHING_KNOWN)

    async def message(self) -> tuple[int, bytes]:
        """Return (its number, the feed's `snapshot` message)."""
        state = await self.get()
        seq = max([state.seq, *state.last.values()])
        recording = self._timeline.recording
        if state is not self._newest:
            return seq, snapshot(seq, state.state, state.last, recording)
        if self._encoded is None:
            self._encoded = snapshot(seq, state.state, state.last, recording)
        return seq, self._encoded

    async def _ask(self) -> LiveState | None:
        try:
            async with asyncio.timeout(ASK_S):
                answer = await self._dealer.ask(SnapshotQuery(id=f"broadcaster-{next(self._ids)}"), ASK_S)
        except TimeoutError:
            return None
        if answer is not None:
            self.hear(answer)
        return answer
