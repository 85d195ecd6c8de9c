"""All streams of all captures, braided: one `StreamMerge` a stream. Pure.

In: frames as the captures read them, their attaches and ends. Out: each frame once, in the order of its stream, with
the number of the record it is or was stored under. Made anew after a restart from the journal's own tail.
"""

from collections.abc import Iterable, Iterator

from actors.core.messages import Frame, FrameSeen
from actors.journal.memory import Session
from actors.journal.merge import Merged, Seen, StreamMerge

STREAMS_KEPT = 64
IDLE_S = 30.0  # a stream heard of since then is never forgotten: the other capture may be about to tell of it too
LATE_S = 1.0  # after a capture's read mark: how much later than Chromium's time of a frame the frame may come
_KINDS = [[bytes((sent, opcode)) for opcode in range(256)] for sent in (False, True)]


def digest(sent: bool, opcode: int, payload: bytes) -> bytes:
    """Return what two copies of a frame have in common; of this process only, never to be stored.

    64 bits of SipHash under a key that Python draws anew for each process: nobody outside can make payloads collide.
    """
    return _KINDS[sent][opcode & 0xFF] + hash(payload).to_bytes(8, "little", signed=True)  # 2 KB: 0.6 us; sha256 1.7


class Braid:
    """The merges of all streams, by stream."""

    def __init__(self, skew_s: float) -> None:
        """skew_s: how long to wait for an older attach; 0 where there is one capture only."""
        self._skew_s = skew_s
        self.covered_s = float("inf")  # CDP seconds: of what came before, no capture can bring another copy
        self._merges: dict[str, StreamMerge] = {}  # the one heard of last stands last
        self._last = ""
        self._heard_s: dict[str, float] = {}
        self._retired = 0  # guesses in streams that are long gone

    def restore(self, frames: Iterable[Frame], sessions: Iterable[Session], now_s: float) -> None:
        """Take up the merges where an earlier process left them. frames: the journal's tail, rising."""
        for frame in frames:
            merge = self._merge(frame.stream, now_s)
            merge.restore(digest(frame.sent, frame.opcode, frame.payload), frame.cdp_s, frame.seq)
        for session in sessions:
            for stream, (_, seq) in session.places.items():
                place = self._merges[stream].place_after(seq) if stream in self._merges else None
                if session.guid is not None and place is not None:
                    self._merges[stream].attach(session.incarnation, 0.0, now_s, place)

    def opened(self, stream: str, incarnation: int, at_s: float, now_s: float, *, whole: bool = False) -> None:
        """A capture saw a stream begin. whole: for certain, as of a WebSocket."""
        self._merge(stream, now_s).opened(incarnation, at_s, now_s, whole=whole)

    def frame(self, incarnation: int, item: FrameSeen, since_s: float, now_s: float) -> Iterable[Merged]:
        """A capture read a frame. since_s: its attach, CDP seconds."""
        merge = self._merge(item.stream, now_s)
        if not merge.knows(incarnation):
            merge.meet(incarnation, since_s, item.cdp_s, now_s)
        seen = Seen(digest(item.sent, item.opcode, item.payload), item.cdp_s, item)
        return merge.frame(incarnation, seen, now_s)

    def silence(self, incarnation: int, silent: bool) -> None:
        """Say whether nothing is heard of a capture any more; nobody waits for it then."""
        for merge in self._merges.values():
            merge.silence(incarnation, silent)

    def detach(self, incarnation: int, now_s: float) -> Iterator[Merged]:
        """A capture is gone; what it read stays until it has its place."""
        for merge in list(self._merges.values()):
            yield from merge.detach(incarnation, now_s)

    def decide(self, now_s: float) -> Iterator[Merged]:
        """Place what can be placed by now."""
        for merge in list(self._merges.values()):
            if merge.holding:
                yield from merge.decide(now_s)

    def number(self, merged: Merged, seq: int) -> None:
        """Remember under which number a fresh frame was stored."""
        self._merges[merged.item.stream].tag(merged.place, seq)

    def number_of(self, merged: Merged) -> int | None:
        """Return the number under which a frame seen again is stored."""
        return self._merges[merged.item.stream].tag_of(merged.place)

    def first_held(self, incarnation: int) -> FrameSeen | None:
        """Return the earliest item of a capture that waits for its place."""
        held = [seen.item for merge in self._merges.values() if (seen := merge.first_held(incarnation)) is not None]
        return min(held, key=lambda item: item.n, default=None)

    @property
    def streams(self) -> list[str]:
        """The streams that are kept, the one heard of last at the end."""
        return list(self._merges)

    @property
    def holding(self) -> bool:
        """Whether frames wait for a decision: call `decide` again soon."""
        return any(merge.holding for merge in self._merges.values())

    @property
    def ambiguous(self) -> int:
        """How many sessions were placed by a guess."""
        return self._retired + sum(merge.ambiguous for merge in self._merges.values())

    def _merge(self, stream: str, now_s: float) -> StreamMerge:
        if stream == self._last:
            self._heard_s[stream] = now_s
            return self._merges[stream]
        merge = self._merges.pop(stream, None)
        if merge is None:
            merge = StreamMerge(skew_s=self._skew_s)
            self._forget_idle(now_s)
        self._merges[stream] = merge
        self._last = stream
        self._heard_s[stream] = now_s
        return merge

    def _forget_idle(self, now_s: float) -> None:
        """Make room for one more, as far as there is a stream of which no capture can bring another copy.

        A merge that was forgotten too early would take the other capture's copies for new frames.
        """
        surplus = len(self._merges) + 1 - STREAMS_KEPT
        for name in list(self._merges)[: max(0, surplus)]:
            done = self._merges[name].latest_s < self.covered_s - LATE_S
            if done and not self._merges[name].holding and now_s - self._heard_s[name] > IDLE_S:
                self._retired += self._merges.pop(name).ambiguous
                del self._heard_s[name]
