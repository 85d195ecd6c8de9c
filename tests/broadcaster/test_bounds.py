"""Every door of the broadcaster beside a client that never reads, and one that wants too much: bytes are bounded.

Growth is measured on the broadcaster's process; a healthy client beside the attacker gets all it asks for. How fast it
does is a benchmark's matter (`benchmarks/bench_doors.py`).
"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zmq

from tests.broadcaster.feed_client import connect
from tests.broadcaster.stage import Stage, chat_frame, stage, tick_frame
from tests.broadcaster.test_slow import Sleeper, masked
from tests.broadcaster.zmq_attackers import attacker
from tests.processes import Process, wait_for

pytestmark = pytest.mark.system

GROWTH_MAX = 20_000_000  # 16 MB, and what a malloc does not give back at once
CAP_MS = 20_000  # only caps a failure
LETTER = "x" * 4000


@pytest.fixture
def running() -> Iterator[tuple[Stage, Process]]:
    """A broadcaster with 16 MB of events in memory and as many only in the journal."""
    with stage() as house:
        for first in range(0, 8000, 500):
            house.write([chat_frame(first + number, LETTER) for number in range(500)], live=False)
            house.checkpoint()
        with house.broadcaster() as process:
            house.write([chat_frame(9000 + number, LETTER) for number in range(4500)])
            with Healthy(house) as healthy:
                healthy.gets_everything(0)  # what it allocates once it has allocated
            yield house, process


class Healthy:
    """A client that asks, subscribes and reads as it should."""

    def __init__(self, house: Stage) -> None:
        self._house = house
        self._context = zmq.Context()
        self._number = 0

    def __enter__(self) -> "Healthy":
        return self

    def __exit__(self, *error: object) -> None:
        self._context.destroy(linger=0)

    def gets_everything(self, first: int) -> None:
        """A snapshot, the newest events, a replay from the journal, live events; first: of frames of its own."""
        with self._context.socket(zmq.DEALER) as socket:
            socket.setsockopt(zmq.LINGER, 0)
            socket.connect(self._house.endpoint("requests"))
            last = self._house.events[-1].seq
            assert "state" in self._ask(socket, {"request": "snapshot"})
            at, got = self._house.events[100].seq, 0
            while got < 2000:
                answer = self._ask(socket, {"request": "replay", "since": at, "until": last})
                got, at = got + len(answer["events"]), answer["next"]
        with self._context.socket(zmq.SUB) as subscriber:
            self._follows(subscriber, first)

    def _follows(self, subscriber: Any, first: int) -> None:
        subscriber.setsockopt(zmq.SUBSCRIBE, b"game.tick")
        subscriber.connect(self._house.endpoint("events"))
        numbers = iter(range(first, first + 5000))
        wait_for(lambda: bool(self._house.write([tick_frame(next(numbers))]) and subscriber.poll(20)))
        sent = [self._house.write([tick_frame(next(numbers))])[0].seq for _ in range(20)]
        got: list[int] = []
        while not got or got[-1] != sent[-1]:
            assert subscriber.poll(CAP_MS)
            got.append(msgspec.msgpack.decode(subscriber.recv_multipart()[1])["seq"])
        assert got[-len(sent) :] == sent

    def _ask(self, socket: Any, request: dict[str, object]) -> Any:
        socket.send(msgspec.msgpack.encode(request))
        assert socket.poll(CAP_MS)
        return msgspec.msgpack.decode(socket.recv())


def rss(process: Process) -> int:
    return int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize(
    ("kind", "door", "count"),
    [
        ("unread", "requests", 1500),
        ("topics", "events", 1_000_000),
        ("long_topics", "events", 20_000),
        ("silent", "events", 3),
        ("connections", "events", 1500),
        ("connections", "requests", 1500),
    ],
)
def test_one_bad_client_of_zmq_costs_few_bytes_and_the_others_nothing(
    running: tuple[Stage, Process], kind: str, door: str, count: int
) -> None:
    house, process = running
    before = rss(process)
    with attacker(kind, house.endpoint(door), count), Healthy(house) as healthy:
        for life in range(1, 4):
            healthy.gets_everything(life * 5000)
        wait_for(lambda: rss(process) - before < GROWTH_MAX, 10)  # what was cut is given back within 1 s
    assert "Traceback" not in house.log


def test_a_message_without_end_ends_its_connection(running: tuple[Stage, Process]) -> None:
    house, process = running
    before = rss(process)
    with attacker("endless", house.endpoint("requests"), 2000):  # megabytes; it gives up where it is cut off
        wait_for(lambda: "it sent a message without end" in house.log, 30)
        with Healthy(house) as healthy:
            healthy.gets_everything(5000)
        assert rss(process) - before < 2 * GROWTH_MAX  # 50 ms of a sender on this machine


def test_three_hundred_names_that_ask_and_do_not_read_are_bounded_together(running: tuple[Stage, Process]) -> None:
    house, process = running
    before = rss(process)
    with attacker("crowd", house.endpoint("requests"), 300):
        wait_for(lambda: "more than 256 are connected" in house.log, 30)
        assert rss(process) - before < 2 * GROWTH_MAX  # of it, 256 connections of 33 KB, made and taken down again
    with Healthy(house) as healthy:
        healthy.gets_everything(5000)


def test_a_client_that_asks_ahead_and_reads_gets_every_answer_in_order(running: tuple[Stage, Process]) -> None:
    house, _ = running
    context = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.connect(house.endpoint("requests"))
    for number in range(150):
        request: dict[str, Any] = (
            {"request": "snapshot"} if number % 3 else {"request": "replay", "since": house.events[-9].seq}
        )
        socket.send_multipart([b"%d" % number, b"", msgspec.msgpack.encode(request)])
    for number in range(150):
        assert socket.poll(CAP_MS)
        name, _, body = socket.recv_multipart()
        assert name == b"%d" % number
        assert ("state" if number % 3 else "events") in msgspec.msgpack.decode(body)
    context.destroy(linger=0)


def test_who_asks_too_far_ahead_is_told_so_for_each_that_is_not_answered(running: tuple[Stage, Process]) -> None:
    house, _ = running
    context = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.connect(house.endpoint("requests"))
    count = 1000
    for number in range(count):
        socket.send_multipart([b"%d" % number, b"", msgspec.msgpack.encode({"request": "replay", "since": 0})])
    refused: set[bytes] = set()
    while not refused:
        assert socket.poll(CAP_MS)
        name, _, body = socket.recv_multipart()
        if "too many requests wait" in str(msgspec.msgpack.decode(body).get("error")):
            refused.add(name)
    assert b"0" not in refused
    context.destroy(linger=0)


def test_a_subscriber_with_a_thousand_types_gets_its_events(running: tuple[Stage, Process]) -> None:
    house, _ = running
    context = zmq.Context()
    subscriber = context.socket(zmq.SUB)
    for number in range(999):
        subscriber.setsockopt(zmq.SUBSCRIBE, b"no.%d" % number)
    subscriber.setsockopt(zmq.SUBSCRIBE, b"game.tick")
    subscriber.connect(house.endpoint("events"))
    numbers = iter(range(5000, 9000))
    wait_for(lambda: bool(house.write([tick_frame(next(numbers))]) and subscriber.poll(20)), 30)
    context.destroy(linger=0)
    assert "disconnected" not in house.log


def test_a_feed_client_that_never_reads_and_one_that_wants_all_types_cost_few_bytes(
    running: tuple[Stage, Process],
) -> None:
    house, process = running
    before = rss(process)
    sleepers = [Sleeper(house.endpoint("feed")) for _ in range(3)]
    types = json.dumps({"action": "subscribe", "types": [f"no.such.{number}" for number in range(1000)]}).encode()
    for one in sleepers:
        one.socket.sendall(masked(types) + masked(b'{"action": "subscribe", "since": 0}'))
    with Healthy(house) as healthy:
        for life in range(1, 4):
            healthy.gets_everything(life * 5000)

    async def reads() -> int:
        async with connect(house.endpoint("feed")) as client:
            await client.subscribe(["game.tick"], house.events[-1].seq)
            new = house.write([tick_frame(20_000 + number) for number in range(20)])
            return len([one for one in await client.until(new[-1].seq) if one["type"] == "game.tick"])

    assert asyncio.run(reads()) == 20
    assert rss(process) - before < GROWTH_MAX
    for one in sleepers:
        one.close()


def deep(levels: int) -> bytes:
    return b"\x82\xa7request\xa8snapshot\xa1x" + b"\x91" * levels + b"\x90"


REPLAY = b"\x82\xa7request\xa6replay"
ODD_BODIES = [
    deep(60_000), deep(10_000), b"\x91" * 65_000, b"\x81\xa1x" * 20_000, b"", b"\xc1", b"\xc0", b"\x80",
    b"\xdf\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff", b"\xc9\xff\xff\xff\xff\x01", b"\xd4\x01\x00",
    b"\xc7\x0c\xff" + b"\xff" * 12, b"\x81\xa7request\xd9\x02\xed\xa0", b"\x81\xa7request\xa3\xed\xa0\x80",
    REPLAY + b"\xa5since\xcf" + b"\xff" * 8, REPLAY + b"\xa5since\xd3\x80" + b"\0" * 7,
    REPLAY + b"\xa5since\xcb\x7f\xf8" + b"\0" * 6, REPLAY + b"\xa5types\xdd\x00\x00\xff\x00" + b"\xa0" * 60_000,
    REPLAY + b"\xa9recording\x01", b'{"request":"snapshot"}',
    msgspec.msgpack.encode({"request": "replay", "since": 0, "until": -1}),
    msgspec.msgpack.encode({"request": "replay", "since": 0, "types": [f"t{number}" for number in range(1001)]}),
    msgspec.msgpack.encode({"request": "x" * 60_000}), msgspec.msgpack.encode([{"request": "snapshot"}]),
]  # fmt: skip


@pytest.fixture(scope="module")
def small() -> Iterator[Stage]:
    with stage() as house:
        house.write([tick_frame(number) for number in range(20)])
        with house.broadcaster():
            yield house


@pytest.mark.parametrize("place", range(len(ODD_BODIES)))
def test_an_odd_request_gets_an_error_and_no_line_in_the_log(small: Stage, place: int) -> None:
    before = small.log
    context = zmq.Context()
    socket = context.socket(zmq.REQ)
    socket.connect(small.endpoint("requests"))
    socket.send(ODD_BODIES[place])
    assert socket.poll(CAP_MS)
    answer = msgspec.msgpack.decode(socket.recv())
    assert answer.get("error"), answer
    assert len(answer["error"]) < 1000
    context.destroy(linger=0)
    assert small.log == before


@pytest.mark.parametrize(
    "parts",
    [[b"x"] * 17, [b""] * 200, [b"y" * 60_000] * 2, [b"", *[b"z" * 100] * 3000], [b"a" * 255] * 10],
    ids=range(5),
)
def test_a_request_of_many_parts_is_answered_and_bounded(small: Stage, parts: list[bytes]) -> None:
    before = small.log
    context = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.connect(small.endpoint("requests"))
    socket.send_multipart([*parts, b"", b"\x81\xa7request\xa8snapshot"])
    assert socket.poll(CAP_MS)
    answer = msgspec.msgpack.decode(socket.recv_multipart()[-1])
    assert "error" in answer or "state" in answer
    socket.send(b"\x81\xa7request\xa8snapshot")
    assert socket.poll(CAP_MS)
    assert "state" in msgspec.msgpack.decode(socket.recv_multipart()[-1])
    context.destroy(linger=0)
    assert small.log == before
