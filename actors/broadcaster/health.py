"""Is everything all right? The answer of `/health`, and the supervisor's status behind it.

In: the time of the last frame, the supervisor's status. Out: reasons why not, in plain words; none means yes. The
status is asked for at most once a second, however many ask.
"""

import asyncio
import itertools
from typing import Any

import msgspec

from actors.core.bus import AsyncDealer
from actors.core.messages import Answer, Ask

FRESH_S = 10.0  # contract 4.8
ASK_S = 0.5  # the supervisor answers within 300 ms, or not at all
CACHED_S = 1.0
NOT_FRAMES = "system."  # events of ours; all others were made of frames, and Engine.IO's pings make none


class StatusSource:
    """The supervisor's status (contract 4.2), at most a second old."""

    def __init__(self, dealer: AsyncDealer[Answer]) -> None:
        self._dealer = dealer
        self._known: dict[str, Any] | None = None
        self._asked_at_s = float("-inf")
        self._asked: asyncio.Task[None] | None = None
        self._ids = itertools.count(1)

    async def get(self) -> dict[str, Any] | None:
        """Return the status, None where the supervisor does not answer."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._asked_at_s > CACHED_S and (self._asked is None or self._asked.done()):
            self._asked = asyncio.create_task(self._ask())
        if self._asked is not None:
            await asyncio.shield(self._asked)
        return self._known

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(ASK_S):
                answer = await self._dealer.ask(Ask(id=f"broadcaster-{next(self._ids)}", op="status"), ASK_S)
        except TimeoutError:
            answer = None
        self._known = _decoded(answer)
        self._asked_at_s = asyncio.get_running_loop().time()


def reasons(last_frame_ms: int | None, now_ms: int, status: dict[str, Any] | None) -> list[str]:
    """Return why the house is not healthy, nothing where it is."""
    found = []
    if last_frame_ms is None:
        found.append("no frame has been seen yet")
    elif now_ms - last_frame_ms > FRESH_S * 1000:
        found.append(f"the last frame came {(now_ms - last_frame_ms) / 1000:.0f} s ago")
    if status is None:
        found.append("the supervisor does not answer")
        return found
    if (state := (status.get("supervisor") or {}).get("state", "running")) != "running":
        found.append(f"the supervisor is {state}")
    if (status.get("source") or {}).get("connected") is False:
        found.append("no socket of the game is seen")
    for actor in status.get("actors", []):
        if actor.get("state") != "ready":
            found.append(f"{actor.get('name')} is {actor.get('state')}")
        elif wrong := (actor.get("stats") or {}).get("error"):  # the pilot's is a whole sentence
            found.append(str(wrong) if actor.get("name") == "pilot" else f"{actor.get('name')}: {wrong}")
    return found


def _decoded(answer: Answer | None) -> dict[str, Any] | None:
    if answer is None or answer.error is not None:
        return None
    status = msgspec.json.decode(answer.data)
    return status if isinstance(status, dict) else None
