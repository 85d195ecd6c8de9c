"""Clients that do not read: they lose the oldest, are told what, and slow nobody."""

import asyncio
import json
import socket
import struct
import time
from urllib.parse import urlsplit

import pytest

from actors.core.config import Feed
from tests.broadcaster.feed_client import Message, connect
from tests.broadcaster.stage import Stage, chat_frame, stage

pytestmark = pytest.mark.system

LETTER = "x" * 4000
BURST = 500  # of 4 KB: more than the kernel's buffers and the client's own take


class Sleeper:
    """A client with a small receive buffer that reads only when told."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        assert parts.port
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self.socket.settimeout(15)
        self.socket.connect((parts.hostname, parts.port))
        self.socket.sendall(
            b"GET /feed HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        self._file = self.socket.makefile("rb")
        while self._file.readline() != b"\r\n":
            pass

    def read(self) -> Message | int:
        """Return the next message, or the close code."""
        first, size = self._file.read(2)
        if size == 126:
            (size,) = struct.unpack("!H", self._file.read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._file.read(8))
        body = self._file.read(size)
        if first == 0x88:
            return int(struct.unpack("!H", body[:2])[0])
        message: Message = json.loads(body)
        return message

    def close(self) -> None:
        self._file.close()
        self.socket.close()


def burst(house: Stage, count: int) -> None:
    house.write([chat_frame(len(house.events) + number, LETTER) for number in range(count)])


async def reader(house: Stage) -> list[Message]:
    async with connect(house.endpoint("feed")) as client:
        await client.subscribe(None)
        messages = []
        for _ in range(0, BURST, 20):
            burst(house, 20)
            messages += await client.until(house.events[-1].seq)
        return messages


def read_elsewhere(house: Stage, at_least_s: float) -> None:
    """Let others get events for that long."""
    begin_s = time.monotonic()
    while time.monotonic() - begin_s < at_least_s:
        asyncio.run(reader(house))


def test_a_client_that_stops_reading_is_told_what_it_lost_and_the_others_get_all() -> None:
    with stage(feed=Feed(port=0, client_bytes=200_000)) as house:
        burst(house, 1)
        with house.broadcaster():
            sleeper = Sleeper(house.endpoint("feed"))
            assert isinstance(sleeper.read(), dict)
            assert isinstance(sleeper.read(), dict)
            for _ in range(3):
                messages = asyncio.run(reader(house))
                assert [message["seq"] for message in messages] == [event.seq for event in house.events[-BURST:]]
            known = [event.seq for event in house.events]
            at, lost = 1, 0  # the first came before the snapshot
            while at < len(known):
                message = sleeper.read()
                assert isinstance(message, dict)
                if message["type"] == "dropped":
                    assert message["from"] == known[at]
                    at += message["count"]
                    lost += message["count"]
                    assert message["to"] == known[at - 1]
                else:
                    assert message["seq"] == known[at]
                    assert message["prev"] == known[at - 1]
                    at += 1
            sleeper.close()
            assert lost > BURST


def test_the_oldest_go_by_age_too() -> None:
    with stage(feed=Feed(port=0, client_age_s=1.0)) as house:
        burst(house, 1)
        with house.broadcaster():
            sleeper = Sleeper(house.endpoint("feed"))
            read_elsewhere(house, 2.0)
            found = sleeper.read()
            while isinstance(found, dict) and found["type"] != "dropped":
                found = sleeper.read()
            assert isinstance(found, dict)
            assert found["count"] > 0
            sleeper.close()


def test_a_client_that_reads_nothing_at_all_is_closed_with_1013() -> None:
    with stage(feed=Feed(port=0, client_age_s=0.4)) as house:
        burst(house, 1)
        with house.broadcaster():
            sleeper = Sleeper(house.endpoint("feed"))
            read_elsewhere(house, 2.5)  # three ages, and the look once in half a second
            found: Message | int = {}
            dropped = []
            while isinstance(found, dict):
                found = sleeper.read()
                dropped += [found] if isinstance(found, dict) and found["type"] == "dropped" else []
            assert found == 1013
            assert len(dropped) == 1
            sleeper.close()


def test_history_is_never_dropped_however_slowly_it_is_read() -> None:
    with stage(feed=Feed(port=0, client_age_s=0.3, client_bytes=65_536)) as house:
        burst(house, BURST)
        with house.broadcaster():
            sleeper = Sleeper(house.endpoint("feed"))
            sleeper.socket.sendall(masked(b'{"action": "subscribe", "since": 0}'))
            found = sleeper.read()
            while isinstance(found, dict) and found["type"] != "subscribed":
                found = sleeper.read()
            for event in house.events:
                message = sleeper.read()
                assert isinstance(message, dict)
                assert message["seq"] == event.seq
            sleeper.close()


def test_a_client_that_asks_and_never_reads_is_closed() -> None:
    with stage(feed=Feed(port=0, client_bytes=65_536)) as house:
        burst(house, 1)
        with house.broadcaster():
            sleeper = Sleeper(house.endpoint("feed"))
            ping = masked(json.dumps({"action": "ping", "ts": "x" * 60_000}).encode())
            refused = False
            for _ in range(2000):
                try:
                    sleeper.socket.sendall(ping)
                except ConnectionError:
                    refused = True
                    break
            assert refused
            sleeper.close()
            asyncio.run(reader(house))


def masked(payload: bytes) -> bytes:
    """A text frame of a client, with a mask of zeros."""
    size = len(payload)
    head = bytes((0x81, 0x80 | size)) if size < 126 else struct.pack("!BBH", 0x81, 0xFE, size)
    return head + b"\0\0\0\0" + payload
