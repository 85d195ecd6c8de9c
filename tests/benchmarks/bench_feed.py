"""Fan-out of the feed beside bare aiohttp and bare `websockets.broadcast`, in one run on one machine.

    python tests/benchmarks/bench_feed.py [--clients 500] [--rate 20] [--bytes 500] [--seconds 10] [--stuck 0]

Each server sends the same messages at the same rate to the same clients (one process, raw sockets, epoll). Printed:
delay from the moment of sending to a client's read (p50, p99), the server's share of one core, and the ratio to the
bare ones. Ours includes the hop over the live stream from another process, `prev`, envelopes and bounded queues.
`--stuck` clients connect and never read. Other work on the machine moves p99 most: compare within one run.
"""

import argparse
import asyncio
import contextlib
import json
import select
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import psutil
import websockets
from aiohttp import web

from actors.core.messages import SEQ_STEP, Event
from tests.broadcaster.stage import Stage, stage

STAMP = b'"t":'
SERVERS = ("websockets", "aiohttp", "vectra")


def message(size: int) -> bytes:
    """Return JSON of about `size` bytes that bears the time."""
    head = b'{"t":%019d,"pad":"' % time.monotonic_ns()
    return head + b"x" * max(0, size - len(head) - 2) + b'"}'


async def every(interval_s: float, send: Callable[[], Any]) -> None:
    """Call `send` at a steady rate, for ever."""
    loop, due_s = asyncio.get_running_loop(), time.monotonic()
    while True:
        due_s += interval_s
        reached: asyncio.Future[None] = loop.create_future()
        loop.call_at(due_s, reached.set_result, None)
        await reached
        await send()


async def serve_aiohttp(rate: float, size: int) -> None:
    """Serve as the library's own documentation would: a loop over all clients."""
    clients: set[web.WebSocketResponse] = set()

    async def feed(request: web.Request) -> web.WebSocketResponse:
        response = web.WebSocketResponse(compress=False)
        await response.prepare(request)
        clients.add(response)
        async for _ in response:
            pass
        clients.discard(response)
        return response

    async def send() -> None:
        text = message(size).decode()
        for client in list(clients):
            with contextlib.suppress(ConnectionError):
                await client.send_str(text)

    application = web.Application()
    application.router.add_get("/feed", feed)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await every(1 / rate, send)


async def serve_websockets(rate: float, size: int) -> None:
    """Serve with the library's own broadcast."""
    clients: set[websockets.ServerConnection] = set()

    async def feed(connection: websockets.ServerConnection) -> None:
        clients.add(connection)
        await connection.wait_closed()
        clients.discard(connection)

    async def send() -> None:
        websockets.broadcast(clients, message(size).decode())

    async with websockets.serve(feed, "127.0.0.1", 0, compression=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await every(1 / rate, send)


def drive_vectra(house: Stage, rate: float, size: int, end: threading.Event) -> None:
    """Send live batches at a steady rate, each one event."""
    due_s, head = time.monotonic(), house.head
    while not end.is_set():
        due_s += 1 / rate
        select.select([], [], [], max(0.0, due_s - time.monotonic()))
        after, head = head, head + SEQ_STEP
        house.send(after, head, [Event(head, "raw.bench", time.time_ns() // 1_000_000, None, message(size - 100))])
    house.head = head


def connect(port: int, count: int) -> list[socket.socket]:
    """Open WebSockets."""
    found = []
    for _ in range(count):
        client = socket.create_connection(("127.0.0.1", port), 10)
        client.sendall(
            b"GET /feed HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        found.append(client)
    return found


def clients(port: int, count: int, stuck: int, seconds: float) -> None:
    """Be all clients: read for so long, then print the delays in ms as JSON."""
    sleepers = connect(port, stuck)
    readers = {client.fileno(): client for client in connect(port, count)}
    poller = select.epoll()
    for fd, client in readers.items():
        client.setblocking(False)
        poller.register(fd, select.EPOLLIN)
    delays: list[float] = []
    settle_s = time.monotonic() + 1.0
    end_s = settle_s + seconds
    while (now_s := time.monotonic()) < end_s:
        for fd, _ in poller.poll(end_s - now_s):
            received = readers[fd].recv(262_144)
            now_ns = time.monotonic_ns()
            at = received.find(STAMP)
            while at >= 0 and at + 23 <= len(received):
                if now_ns > settle_s * 1e9:
                    delays.append((now_ns - int(received[at + 4 : at + 23])) / 1e6)
                at = received.find(STAMP, at + 23)
    print(json.dumps(delays), flush=True)
    for client in [*sleepers, *readers.values()]:
        client.close()


def measure(port: int, server: psutil.Process, options: argparse.Namespace) -> dict[str, float]:
    """Run the clients against a server; return its figures."""
    role = ["clients", str(port), str(options.clients), str(options.stuck), str(options.seconds)]
    running = subprocess.Popen([sys.executable, __file__, *role], stdout=subprocess.PIPE)
    before, begin_s, memory = server.cpu_times(), time.monotonic(), server.memory_info().rss
    output, _ = running.communicate()
    after, took_s = server.cpu_times(), time.monotonic() - begin_s
    delays = sorted(json.loads(output))
    cpu_s = after.user + after.system - before.user - before.system
    return {
        "p50_ms": statistics.median(delays),
        "p99_ms": delays[int(len(delays) * 0.99)],
        "core_percent": 100 * cpu_s / took_s,
        "messages_per_s": len(delays) / options.seconds,
        "growth_mb": (server.memory_info().rss - memory) / 1e6,
    }


def measure_bare(name: str, options: argparse.Namespace) -> dict[str, float]:
    """Measure a bare library."""
    role = [name, str(options.rate), str(options.bytes)]
    server = subprocess.Popen([sys.executable, __file__, *role], stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        return measure(int(server.stdout.readline()), psutil.Process(server.pid), options)
    finally:
        server.kill()
        server.wait()


def measure_vectra(options: argparse.Namespace) -> dict[str, float]:
    """Measure the real broadcaster."""
    with stage() as house, house.broadcaster() as running:
        port = int(house.endpoint("feed").rsplit(":", 1)[1].split("/")[0])
        end = threading.Event()
        driver = threading.Thread(target=drive_vectra, args=(house, options.rate, options.bytes, end))
        driver.start()  # this process only waits for the clients meanwhile
        try:
            return measure(port, psutil.Process(running.pid), options)
        finally:
            end.set()
            driver.join()


def main() -> None:
    """Measure all servers in turn and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--stuck", type=int, default=0)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--bytes", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=SERVERS)
    options = parser.parse_args()
    print(f"{options.clients} clients x {options.rate:g}/s of {options.bytes} B, {options.stuck} stuck")
    found = {}
    for name in options.servers:
        figures = found[name] = measure_vectra(options) if name == "vectra" else measure_bare(name, options)
        print(f"{name:11}", "  ".join(f"{key} {value:.1f}" for key, value in figures.items()), flush=True)
    for name in [name for name in found if name != "vectra" and "vectra" in found]:
        ratio = {key: found["vectra"][key] / found[name][key] for key in ("p50_ms", "p99_ms", "core_percent")}
        print(f"vectra / {name}:", "  ".join(f"{key} {value:.2f}" for key, value in ratio.items()))


if __name__ == "__main__":
    if sys.argv[1:2] == ["clients"]:
        clients(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
    elif sys.argv[1:2] == ["aiohttp"]:
        asyncio.run(serve_aiohttp(float(sys.argv[2]), int(sys.argv[3])))
    elif sys.argv[1:2] == ["websockets"]:
        asyncio.run(serve_websockets(float(sys.argv[2]), int(sys.argv[3])))
    else:
        main()
