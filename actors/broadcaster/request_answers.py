"""The answers of contract 4.6 to requests over ZeroMQ: snapshots, and replays in bounded batches, as msgpack.

In: the body of a request. Out: bytes, whatever the request is: what cannot be understood gets an error with the rule
and the way out, never an exception.
"""

import msgspec

from actors.broadcaster.archive import Archive, ArchiveError
from actors.broadcaster.archivist import Wanted, replay_answer
from actors.broadcaster.envelope import pack
from actors.broadcaster.history import Page
from actors.broadcaster.position_check import LARGEST_SEQ, refusal
from actors.broadcaster.request_queue import DoorRequest
from actors.broadcaster.snapshots import Snapshots
from actors.broadcaster.subscription import TYPES_MAX, Subscription
from actors.broadcaster.timeline import Timeline

BATCH_EVENTS = 1000
RING_EVENTS = 64  # encoded here, on the event loop; more than that is the archive's work
NOT_A_REQUEST = "must be a msgpack map with 'request': 'snapshot' or 'replay'"
_SHOWN = 200  # characters of a client's own words
_decoder = msgspec.msgpack.Decoder(DoorRequest)


def decode_request(body: bytes) -> DoorRequest | str:
    """Return the request, or why it is none."""
    try:
        return _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, OverflowError, ValueError) as problem:
        return f"{NOT_A_REQUEST}: {_shown(str(problem))}"


class RequestAnswers:
    """Knows what the doors know."""

    def __init__(self, timeline: Timeline, snapshots: Snapshots, archive: Archive) -> None:
        self._timeline = timeline
        self._snapshots = snapshots
        self._archive = archive

    async def answer(self, request: DoorRequest | str, bytes_max: int) -> bytes:
        """Return the encoded answer; bytes_max: of a batch's events, about."""
        if isinstance(request, str):
            return pack({"error": request})
        if request.request == "snapshot":
            return await self._snapshot()
        if request.request == "replay":
            return await self._replay(request, bytes_max)
        return pack({"error": f"request is {_shown(repr(request.request))}, {NOT_A_REQUEST}"})

    async def _snapshot(self) -> bytes:
        state, timeline = await self._snapshots.get(), self._timeline
        return pack(
            {
                "seq": max([state.seq, *state.last.values()]),
                "state": msgspec.json.decode(state.state),
                "head": timeline.seq,
                "last": timeline.last,
                "recording": timeline.recording,
            }
        )

    async def _replay(self, request: DoorRequest, bytes_max: int) -> bytes:
        since = 0 if request.since is None else request.since
        head = self._timeline.seq
        if (refused := self._refusal(request)) is not None:
            return pack({"error": refused, "recording": self._timeline.recording})
        upto = head if request.until is None else min(request.until, head)
        if since >= upto:
            return pack({"events": [], "next": None, "upto": since, "recording": self._timeline.recording})
        if since >= self._timeline.ring.floor:
            return self._from_ring(since, upto, Subscription(request.types), bytes_max)
        wanted = Wanted(
            since=since, upto=upto, types=request.types, events_max=BATCH_EVENTS, bytes_max=bytes_max,
            packed=True, recording=self._timeline.recording,
        )  # fmt: skip
        try:
            found = await self._archive.find(wanted)
        except ArchiveError as problem:
            return pack({"error": str(problem)})
        return self._too_old(since, found.floor) if found.too_old else found.answer

    def _refusal(self, request: DoorRequest) -> str | None:
        if request.until is not None and request.until < 0:
            return f"until is {request.until}, must be 0 to {LARGEST_SEQ - 1}, or null"
        if request.types is not None and len(request.types) > TYPES_MAX:
            return f"types has {len(request.types)} names, must be at most {TYPES_MAX}"
        return refusal(request.since, request.recording, self._snapshots.head, self._timeline.recording)

    def _from_ring(self, since: int, upto: int, wanted: Subscription, bytes_max: int) -> bytes:
        ring, chosen, at, size = self._timeline.ring, [], upto, 0
        events = [event for event in ring.after(since, RING_EVENTS) if event.seq <= upto]
        for count, event in enumerate(events, 1):
            if wanted.matches(event.type):
                chosen.append(event)
                size += len(event.data)
            if count == RING_EVENTS or size >= bytes_max:
                at = event.seq
                break
        page = Page(after=since, upto=at, last=ring.last_at(since), events=chosen, done=at >= upto)
        return pack(replay_answer(page, upto, self._timeline.recording))

    def _too_old(self, since: int, floor: int | None) -> bytes:
        kept = self._timeline.ring.below_oldest if floor is None else floor
        lost = {"count": None, "from": since + 1, "to": kept}
        recording = self._timeline.recording
        return pack({"events": [], "next": kept, "upto": kept, "dropped": lost, "recording": recording})


def _shown(text: str) -> str:
    text = text.encode(errors="replace").decode()
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
