"""How long from the simulator's emit to a client of the feed, beside a bare Socket.IO client in the same run.

Starts all of VECTRA with real Chromium. The simulator plays at its real rate and adds numbered `load` events that carry
the time of their emission. Prints p50, p99 and the ratio. Usage: python tests/benchmarks/bench_latency.py [seconds]
"""

import asyncio
import contextlib
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import aiohttp
import msgspec
import socketio

from tests.house import House

RATE = 10  # a second, beside the game's own 4 to 10
PAYLOAD_BYTES = 4000  # a tick frame's median size


async def bare(url: str, seconds: float) -> list[float]:
    """Return the delays in ms that a plain Socket.IO client sees."""
    delays: list[float] = []
    client = socketio.AsyncClient()

    async def on_load(data: dict[str, float], *_: object) -> None:
        delays.append(time.time() * 1000 - data["sentAt"])

    client.on("load", on_load)
    await client.connect(f"{url}?frontend-version=1.0", transports=["websocket"])
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), seconds)
    await client.disconnect()
    return delays


async def feed(url: str, seconds: float) -> list[float]:
    """Return the delays in ms that a client of the feed sees."""
    delays: list[float] = []
    async with aiohttp.ClientSession() as session, session.ws_connect(url, max_msg_size=0) as socket:
        await socket.send_json({"action": "subscribe", "types": ["raw.load"], "since": None})
        since_ms = time.time() * 1000  # what was emitted before is the catch-up behind the snapshot
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                async for message in socket:
                    event = msgspec.json.decode(message.data)
                    if event["type"] == "raw.load" and (sent_ms := event["data"]["args"][0]["sentAt"]) >= since_ms:
                        delays.append(time.time() * 1000 - sent_ms)
    return delays


async def both(status: dict[str, dict[str, str]], seconds: float) -> tuple[list[float], list[float]]:
    """Measure the two at the same time."""
    endpoints = status["endpoints"]
    first, second = await asyncio.gather(bare(endpoints["simulator"], seconds), feed(endpoints["feed"], seconds))
    return first, second


def percentile(values: list[float], share: float) -> float:
    """Return the value below which `share` of them lie."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def main() -> None:
    """Start, measure, print, stop."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    settings = {"VECTRA_SIMULATOR_RATE": str(RATE), "VECTRA_SIMULATOR_PAYLOAD_BYTES": str(PAYLOAD_BYTES)}
    with tempfile.TemporaryDirectory() as home:
        house = House(Path(home), settings)
        try:
            house.start()
            status = house.wait_until(lambda status: status["source"]["connected"])
            control, ours = asyncio.run(both(status, seconds))
        finally:
            house.end()
    for name, delays in (("bare Socket.IO client", control), ("client of the feed", ours)):
        p50, p99 = percentile(delays, 0.5), percentile(delays, 0.99)
        print(f"{name:22} n {len(delays):5}  p50 {p50:7.2f} ms  p99 {p99:7.2f} ms")
    print(f"ratio of p50           {percentile(ours, 0.5) / percentile(control, 0.5):.2f}")


if __name__ == "__main__":
    main()
