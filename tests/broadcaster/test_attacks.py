"""Attacks on the feed's and the monitor's ports: silence, floods, bodies, questions without end, nonsense."""

import asyncio
import contextlib
import json
import logging
import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from actors.broadcaster.actor import MONITOR_GUESTS
from actors.broadcaster.archive import Archive
from actors.broadcaster.entrance import Entrance, serve
from actors.broadcaster.feed import FeedServer
from actors.broadcaster.hub import Hub
from actors.broadcaster.ring import Ring
from actors.broadcaster.snapshots import Snapshots
from actors.broadcaster.timeline import Timeline
from actors.core.config import Feed
from actors.core.turn import turn
from tests.broadcaster.feed_client import connect
from tests.broadcaster.stage import Stage, frames, stage
from tests.broadcaster.test_monitor import get
from tests.broadcaster.test_slow import Sleeper, masked
from tests.processes import Process, wait_for

pytestmark = pytest.mark.system

GROWTH_MAX = 24_000_000
SILENT = 600


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Stage, Process]]:
    with stage() as house:
        for first in range(0, 3000, 500):
            house.write(frames(500, first=first))
            house.checkpoint()
        with house.broadcaster() as process:
            yield house, process


def rss(process: Process) -> int:
    return int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * 4096


def descriptors(process: Process) -> int:
    return len(list(Path(f"/proc/{process.pid}/fd").iterdir()))


def bare(url: str, words: bytes) -> socket.socket:
    parts = urlsplit(url)
    one = socket.create_connection((str(parts.hostname), parts.port or 0), 20)
    one.sendall(words)
    return one


async def greeted(house: Stage) -> str:
    async with connect(house.endpoint("feed")) as client:
        return str((await client.next())["type"])


def test_600_half_open_connections_lock_out_nobody_and_are_gone_within_seconds(
    running: tuple[Stage, Process],
) -> None:
    house, process = running
    before = descriptors(process)
    begin_s = time.monotonic()
    silent: dict[int, socket.socket] = {}
    poller = select.poll()
    for url in (house.endpoint("monitor"), house.endpoint("feed")):
        for _ in range(SILENT):
            one = bare(url, b"GET /feed HTTP/1.1\r\nHost: 127")
            silent[one.fileno()] = one
            poller.register(one, select.POLLIN)
    assert get(house.endpoint("monitor") + "/")[0] == 200
    assert asyncio.run(greeted(house)) == "hello"
    assert descriptors(process) <= before + MONITOR_GUESTS + SILENT + 10
    while silent:
        assert time.monotonic() - begin_s < 30
        for fd, _ in poller.poll(200):
            poller.unregister(fd)
            with silent.pop(fd) as one, contextlib.suppress(ConnectionResetError):
                assert one.recv(1000) == b""
        for one in silent.values():
            with contextlib.suppress(OSError):
                one.send(b"x")  # a letter at a time keeps nobody inside
    wait_for(lambda: descriptors(process) <= before + 3)


@pytest.mark.parametrize("line", ["GET /health", "POST /health", "GET /shared/vectra-client.js"])
@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_of_a_gigabyte_is_not_kept(running: tuple[Stage, Process], line: str, chunked: bool) -> None:
    house, process = running
    before = rss(process)
    length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 1000000000"
    one = bare(house.endpoint("monitor"), f"{line} HTTP/1.1\r\nHost: 127.0.0.1\r\n{length}\r\n\r\n".encode())
    piece = b"y" * 65_536
    one.settimeout(3)
    begin_s = time.monotonic()
    with contextlib.suppress(ConnectionError, TimeoutError):
        while True:
            one.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            assert time.monotonic() - begin_s < 15
    one.close()
    assert rss(process) - before < GROWTH_MAX


def test_a_head_without_end_is_refused(running: tuple[Stage, Process]) -> None:
    house, process = running
    before = rss(process)
    for url in (house.endpoint("monitor"), house.endpoint("feed")):
        one = bare(url, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        with pytest.raises(ConnectionError):
            send_headers(one)
        one.close()
    assert rss(process) - before < GROWTH_MAX


def send_headers(one: socket.socket) -> None:
    for number in range(1_000_000):
        one.sendall(b"X-%d: %s\r\n" % (number, b"y" * 1000))


def test_ten_thousand_questions_for_history_hold_up_nobody_else(running: tuple[Stage, Process]) -> None:
    house, process = running
    before = rss(process)
    flood = Sleeper(house.endpoint("feed"))
    ask = b"".join(masked(b'{"action":"subscribe","since":%d,"types":["player.*"]}' % since) for since in range(1000))
    flood.socket.settimeout(5)
    with contextlib.suppress(ConnectionError, TimeoutError):
        for _ in range(10):
            flood.socket.sendall(ask)

    async def another() -> float:
        async with connect(house.endpoint("feed")) as client:
            begin_s = time.monotonic()
            await client.subscribe(["game.tick"], 0)
            await client.next()
            return time.monotonic() - begin_s

    took_s = asyncio.run(another())
    flood.close()
    assert took_s < 5
    assert rss(process) - before < GROWTH_MAX


DEEP = b"[" * 30_000 + b"]" * 30_000


@pytest.mark.parametrize(
    "words",
    [
        b'{"action":"ping","ts":' + DEEP + b"}",
        b'{"action":"dance","x":' + DEEP + b"}",
        DEEP,
        b'{"action":"\\ud800"}',
        b'{"action":"subscribe","types":["\\ud800"]}',
        b'{"action":"subscribe","types":["' + b"x" * 60_000 + b'"]}',
        b'{"action":"subscribe","since":' + b"9" * 5000 + b"}",
        b'{"action":"subscribe","since":true}',
        b'{"action":"subscribe","since":1.5}',
        b'{"action":null}',
        b'{"action":"ping","action":"ping"}',
        b"\xef\xbb\xbf{}",
        b"",
    ],
    ids=range(13),
)
def test_nonsense_is_answered_and_the_connection_stays(running: tuple[Stage, Process], words: bytes) -> None:
    house, _ = running

    async def play() -> None:
        async with connect(house.endpoint("feed")) as client:
            await client.subscribe([])
            await client.say(words.decode())
            answer = await client.next()
            assert answer["type"] in ("error", "pong", "subscribed")
            assert len(json.dumps(answer)) < 130_000
            await client.say({"action": "ping", "ts": 7})
            assert await client.next() == {"type": "pong", "ts": 7}

    asyncio.run(play())
    assert "Traceback" not in house.log


KEY = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}==\r\n"


def answer(url: str, line: str, headers: str, host: str = "127.0.0.1") -> str:
    """The head of what comes back."""
    with (
        bare(url, f"{line} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n".encode("latin1")) as one,
        one.makefile("rb") as words,
    ):
        return b"".join(iter(words.readline, b"\r\n")).decode("latin1")


@pytest.mark.parametrize("key", ["\xe9" * 22, "A" * 21, "=" * 22, ""])
def test_a_key_that_is_none_is_refused_and_not_logged(running: tuple[Stage, Process], key: str) -> None:
    house, _ = running
    before = house.log
    assert answer(house.endpoint("feed"), "GET /feed", KEY.format(key)).startswith("HTTP/1.1 400")
    assert house.log == before


def test_clients_that_leave_at_the_door_fill_no_log(running: tuple[Stage, Process]) -> None:
    house, process = running
    before = house.log
    hello = f"GET /feed HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-WebSocket-Protocol: x\r\n{KEY.format('A' * 22)}\r\n".encode()
    os.kill(process.pid, signal.SIGSTOP)
    try:
        for _ in range(50):
            bare(house.endpoint("feed"), hello).close()
    finally:
        os.kill(process.pid, signal.SIGCONT)
    assert asyncio.run(greeted(house)) == "hello"
    assert house.log == before


class NothingKnown:
    """No state was ever heard of."""

    async def message(self) -> tuple[int, bytes]:
        return 0, b"{}"


@pytest.mark.parametrize("words", [masked(b'{"action":"ping","ts":1}'), b"\x89\x81\0\0\0\0x"], ids=["text", "ping"])
def test_between_two_messages_of_a_flood_everybody_else_has_a_turn(tmp_path: Path, words: bytes) -> None:
    async def play() -> int:
        log, turns, count = logging.getLogger("test"), 0, 2000
        feed = FeedServer(
            Feed(), Hub(Timeline(Ring())), cast(Snapshots, NothingKnown()), Archive(tmp_path, log), "0", log
        )
        application = web.Application()
        application.router.add_get("/feed", feed.handle)
        runner = await serve(application, tmp_path, Entrance("feed", "127.0.0.1", 0, "{}", 9))
        reader, writer = await asyncio.open_connection(*runner.addresses[0])

        async def count_turns() -> None:
            nonlocal turns
            while True:
                turns += 1
                await turn()

        writer.write(f"GET /feed HTTP/1.1\r\nHost: x\r\n{KEY.format('A' * 22)}\r\n".encode())
        await reader.readuntil(b'"types":[')
        counting = asyncio.create_task(count_turns())
        writer.write(words * count)
        answers, pong = b"", b'"pong"' if b"action" in words else b"\x8a\x01x"
        while answers.count(pong) < count:
            answers += await asyncio.wait_for(reader.read(65_536), 10)
        counting.cancel()
        writer.close()
        await runner.cleanup()
        return turns

    assert asyncio.run(play()) >= 2000


def test_a_second_origin_does_not_hide_behind_ours(running: tuple[Stage, Process]) -> None:
    house, _ = running
    for name, line, more in (("feed", "GET /feed", KEY.format("A" * 22)), ("monitor", "GET /", "")):
        url, own = house.endpoint(name), house.endpoint("monitor")
        both = f"Origin: {own}\r\nOrigin: http://evil.example\r\n{more}"
        assert answer(url, line, both).startswith("HTTP/1.1 403")
        assert answer(url, line, f"Origin: {own}\r\n{more}").startswith(("HTTP/1.1 101", "HTTP/1.1 200"))


def test_a_host_with_a_user_in_front_is_refused(running: tuple[Stage, Process]) -> None:
    house, _ = running
    assert answer(house.endpoint("monitor"), "GET /", "", "evil.example@127.0.0.1").startswith("HTTP/1.1 403")


@pytest.mark.parametrize("name", ["feed", "monitor"])
def test_a_wrong_method_is_told_the_right_ones_and_nobody_our_versions(
    running: tuple[Stage, Process], name: str
) -> None:
    house, _ = running
    head = answer(house.endpoint(name), f"POST {'/feed' if name == 'feed' else '/health'}", "Content-Length: 0\r\n")
    assert head.startswith("HTTP/1.1 405")
    assert "\r\nAllow: GET,HEAD\r\n" in head
    assert "Python" not in head
    assert "Python" not in answer(house.endpoint("feed"), "GET /feed", KEY.format("A" * 22))
