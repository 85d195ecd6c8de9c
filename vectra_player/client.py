"""Subscribe to VECTRA in a `for` loop.

    for event in vectra_player.subscribe("game.tick", "player.*"):
        print(event.seq, event.data["price"])

Each event once, in the order of its type, without a hole while the journal still has it: a lost connection, a restarted
VECTRA, a slow loop are healed by replays. Needs pyzmq and msgspec only. Blocks while there is nothing new.
"""

import time
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, Self

import zmq

from vectra_player.event import Event, Hole, Snapshot
from vectra_player.follow import (
    CONNECTED,
    Answer,
    Ask,
    Connected,
    Follower,
    Listen,
    decode_answer,
    decode_event,
    replay_request,
    snapshot_of,
    topics,
)
from vectra_player.sockets import Keys, Sockets, tries_s

TIMEOUT_S = 10.0


class Client:
    """A connection to VECTRA's ZeroMQ door. Not for sharing between threads."""

    def __init__(
        self, *types: str, events: str | None = None, requests: str | None = None, keys: Keys | None = None
    ) -> None:
        """types: what `follow` gives, a trailing `*` is a wildcard, none means all; addresses: None finds them."""
        self._types = types
        self._context = zmq.Context()
        self._sockets = Sockets(self._context, topics(types), events, requests, keys)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def snapshot(self, timeout_s: float | None = TIMEOUT_S) -> Snapshot:
        """Return the current state. TimeoutError: nobody answers."""
        return snapshot_of(self._ask({"request": "snapshot"}, timeout_s))

    def replay(
        self,
        since: int,
        until: int | None = None,
        timeout_s: float | None = TIMEOUT_S,
        recording: str | None = None,
    ) -> Generator[Event, None, None]:
        """Yield recorded events after `since`, up to `until` or now.

        timeout_s: for each batch; recording: which one `since` belongs to. Unanswerable: another one runs now.
        """
        at: int | None = since
        while at is not None:
            answer = self._ask(replay_request(at, until, self._types, recording), timeout_s)
            yield from answer.events
            at = answer.next

    def follow(
        self,
        since: int | None = None,
        on_hole: Callable[[Hole], None] | None = None,
        recording: str | None = None,
    ) -> Generator[Event, None, None]:
        """Yield every event from now on, or after `since`, for ever.

        on_hole: called with what is not kept any more, and where another recording than `recording`, of which `since`
        is, runs now; without it, `since` is taken for a number of the one that runs.
        """
        steps = Follower(self._types, since, on_hole, recording).run()
        result: Any = None
        while True:
            step = steps.send(result)
            if isinstance(step, Event):
                result = yield step
            elif isinstance(step, Ask):
                result = self._ask(step.request, None, may_move=True)
            else:
                result = self._listen(step)

    def close(self) -> None:
        """Disconnect."""
        self._sockets.close()
        self._context.destroy(linger=0)

    def _listen(self, step: Listen) -> Event | Connected | None:
        is_there = self._sockets.events.poll(int(step.wait_s * 1000))
        if self._sockets.connected_anew():
            return CONNECTED
        if not is_there:
            return None
        return decode_event(self._sockets.events.recv_multipart()[-1])

    def _ask(self, request: dict[str, Any], timeout_s: float | None, *, may_move: bool = False) -> Answer:
        until_s = time.monotonic() + (timeout_s if timeout_s is not None else float("inf"))
        tries = tries_s()
        while time.monotonic() < until_s:
            number, frames = self._sockets.question(request)
            self._sockets.requests.send_multipart(frames)
            try_until_s = min(until_s, time.monotonic() + next(tries))
            while (wait_s := try_until_s - time.monotonic()) > 0 and self._sockets.requests.poll(int(wait_s * 1000)):
                answered, *_, body = self._sockets.requests.recv_multipart()
                if answered == number:
                    self._sockets.answered()
                    return decode_answer(body, request, may_move=may_move)
            self._sockets.follow_moves()
        raise TimeoutError(f"VECTRA does not answer within {timeout_s} s; is it running? (vectra-supervisor status)")


def subscribe(
    *types: str,
    since: int | None = None,
    on_hole: Callable[[Hole], None] | None = None,
    recording: str | None = None,
    events: str | None = None,
    requests: str | None = None,
    keys: Keys | None = None,
) -> Generator[Event, None, None]:
    """Yield every event of these types from now on, or after `since`, for ever; a trailing `*` is a wildcard."""
    with Client(*types, events=events, requests=requests, keys=keys) as client:
        yield from client.follow(since, on_hole, recording)


def snapshot(
    *, events: str | None = None, requests: str | None = None, keys: Keys | None = None, timeout_s: float = TIMEOUT_S
) -> Snapshot:
    """Return the current state. TimeoutError: nobody answers."""
    with Client(events=events, requests=requests, keys=keys) as client:
        return client.snapshot(timeout_s)


def replay(
    since: int,
    *types: str,
    until: int | None = None,
    recording: str | None = None,
    events: str | None = None,
    requests: str | None = None,
    keys: Keys | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Generator[Event, None, None]:
    """Yield recorded events after `since`, up to `until` or now, then end. TimeoutError: nobody answers."""
    with Client(*types, events=events, requests=requests, keys=keys) as client:
        yield from client.replay(since, until, timeout_s, recording)
