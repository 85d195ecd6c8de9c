"""The asyncio twin of `client`: the same events, in an `async for` loop.

async for event in vectra_player.asubscribe("game.tick"):
    ...
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from types import TracebackType
from typing import Any, Self

import zmq.asyncio

from vectra_player.client import TIMEOUT_S
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


class AsyncClient:
    """A connection to VECTRA's ZeroMQ door for one event loop."""

    def __init__(
        self, *types: str, events: str | None = None, requests: str | None = None, keys: Keys | None = None
    ) -> None:
        """types: what `follow` gives, a trailing `*` is a wildcard, none means all; addresses: None finds them."""
        self._types = types
        self._context = zmq.asyncio.Context()
        self._sockets = Sockets(self._context, topics(types), events, requests, keys)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def snapshot(self, timeout_s: float | None = TIMEOUT_S) -> Snapshot:
        """Return the current state. TimeoutError: nobody answers."""
        async with asyncio.timeout(timeout_s):
            return snapshot_of(await self._ask({"request": "snapshot"}))

    async def replay(
        self,
        since: int,
        until: int | None = None,
        timeout_s: float | None = TIMEOUT_S,
        recording: str | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Yield recorded events after `since`, up to `until` or now.

        timeout_s: for each batch; recording: which one `since` belongs to. Unanswerable: another one runs now.
        """
        at: int | None = since
        while at is not None:
            async with asyncio.timeout(timeout_s):
                answer = await self._ask(replay_request(at, until, self._types, recording))
            for event in answer.events:
                yield event
            at = answer.next

    async def follow(
        self,
        since: int | None = None,
        on_hole: Callable[[Hole], None] | None = None,
        recording: str | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Yield every event from now on, or after `since`, for ever.

        on_hole: called with what is not kept any more, and where another recording than `recording`, of which `since`
        is, runs now; without it, `since` is taken for a number of the one that runs.
        """
        steps = Follower(self._types, since, on_hole, recording).run()
        result: Any = None
        while True:
            step = steps.send(result)
            if isinstance(step, Event):
                yield step
                result = None
            elif isinstance(step, Ask):
                result = await self._ask(step.request, may_move=True)
            else:
                result = await self._listen(step)

    def close(self) -> None:
        """Disconnect."""
        self._sockets.close()
        self._context.destroy(linger=0)

    async def _listen(self, step: Listen) -> Event | Connected | None:
        is_there = await self._sockets.events.poll(int(step.wait_s * 1000))
        if self._sockets.connected_anew():
            return CONNECTED
        if not is_there:
            return None
        return decode_event((await self._sockets.events.recv_multipart())[-1])

    async def _ask(self, request: dict[str, Any], *, may_move: bool = False) -> Answer:
        tries = tries_s()
        while True:
            number, frames = self._sockets.question(request)
            try:
                async with asyncio.timeout(next(tries)):
                    await self._sockets.requests.send_multipart(frames)
                    while True:
                        answered, *_, body = await self._sockets.requests.recv_multipart()
                        if answered == number:
                            self._sockets.answered()
                            return decode_answer(body, request, may_move=may_move)
            except TimeoutError:
                self._sockets.follow_moves()


async def asubscribe(
    *types: str,
    since: int | None = None,
    on_hole: Callable[[Hole], None] | None = None,
    recording: str | None = None,
    events: str | None = None,
    requests: str | None = None,
    keys: Keys | None = None,
) -> AsyncGenerator[Event, None]:
    """Yield every event of these types from now on, or after `since`, for ever; a trailing `*` is a wildcard."""
    async with AsyncClient(*types, events=events, requests=requests, keys=keys) as client:
        async for event in client.follow(since, on_hole, recording):
            yield event
