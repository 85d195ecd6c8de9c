"""`/ws/live`: one WebSocket per open page, carrying what changed, at most 20 times a second, and a beat each second.

A page that reads slowly holds up only itself: nothing is queued for it, and when it is ready it gets the newest values.
On stop it is told to go (1001), so that the server ends at once.
"""

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from typing import Any

import msgspec
from quart import Blueprint, websocket

from web.board import view
from web.hub import Hub, Page, pause

BEAT_S = 1.0
GATHER_S = 0.01  # the tick and the state made of it arrive within a few ms: one message for both
PACE_S = 0.05
STUCK_S = 20.0  # a page that takes nothing for so long is gone
GOING_AWAY = 1001


def socket_routes(hub: Hub, stop: asyncio.Event, count: dict[str, Any]) -> Blueprint:
    """Return the blueprint. count: the actor's stats, in which `pages` and `messages` are kept."""
    routes = Blueprint("socket", __name__)

    @routes.websocket("/ws/live")
    async def live() -> None:
        page = hub.open(view(websocket.args.get("view")))
        count["pages"] = len(hub.pages)
        try:
            await websocket.accept()
            await first_of(stop.wait(), _send(hub, page, count), _read())
            if stop.is_set():
                await websocket.close(GOING_AWAY, "the control room is stopping")
        finally:
            hub.close(page)
            count["pages"] = len(hub.pages)

    return routes


async def _send(hub: Hub, page: Page, count: dict[str, Any]) -> None:
    kind, sent_s = "full", -BEAT_S
    while True:
        page.wake.clear()  # before looking: what comes while we send must ring again
        news, page.known = hub.board.since(page.known, page.view)
        if news or time.monotonic() - sent_s >= BEAT_S:  # most of what rings changes nothing that this page shows
            message = {"type": kind if news else "beat", "now": time.time_ns() // 1_000_000, **news}
            async with asyncio.timeout(STUCK_S):
                await websocket.send(msgspec.json.encode(message).decode())
            count["messages"] = count.get("messages", 0) + 1
            kind, sent_s = "update", time.monotonic()
        await _next(page, sent_s)


async def _next(page: Page, sent_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(page.wake.wait(), max(0.0, sent_s + BEAT_S - time.monotonic()))
    await pause(max(GATHER_S, sent_s + PACE_S - time.monotonic()))


async def _read() -> None:
    while True:  # pages have nothing to say; reading keeps what they send from piling up
        await websocket.receive()


async def first_of(*works: Coroutine[Any, Any, Any]) -> None:
    """Run all until the first ends, then end the others; raise what the first raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
