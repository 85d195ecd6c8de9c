"""The ZeroMQ sockets beside peers that read nothing, subscribe to everything, or never come to an end."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zmq

from tests.broadcaster.stage import Stage, frames, stage, tick_frame
from tests.broadcaster.test_door import CAP_MS, Sockets, ask
from tests.processes import Process

GROWTH_MAX = 16_000_000
REPLAY = msgspec.msgpack.encode({"request": "replay", "since": 0})
SNAPSHOT = msgspec.msgpack.encode({"request": "snapshot"})


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Stage, Process]]:
    with stage() as made:
        for first in range(0, 20_000, 2000):  # 10 MB as events, so that no answer is a small one
            made.write(frames(2000, first=first), live=False)
            made.checkpoint()
        with made.broadcaster() as process:
            yield made, process


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    made = Sockets()
    yield made
    made.close()


def rss(process: Process) -> int:
    return int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def replay_all(house: Stage, sockets: Sockets) -> int:
    """Replay everything as a client that reads; return the number of its events."""
    socket, count = sockets.req(house), 0
    at: int | None = 0
    while at is not None:
        answer = ask(socket, {"request": "replay", "since": at})
        at, count = answer["next"], count + len(answer["events"])
    return count


@pytest.mark.system
@pytest.mark.parametrize("peers", [1, 30])
def test_answers_that_nobody_reads_are_bounded_and_hold_up_nobody_else(
    running: tuple[Stage, Process], sockets: Sockets, peers: int
) -> None:
    house, process = running
    whole = replay_all(house, sockets)
    assert whole > 10_000
    before = rss(process)
    for _ in range(peers):
        greedy = sockets.make(zmq.DEALER)
        for option in (zmq.RCVHWM, zmq.RCVBUF):
            greedy.setsockopt(option, 1)
        greedy.setsockopt(zmq.SNDHWM, 0)
        greedy.connect(house.endpoint("requests"))
        for number in range(1500):
            greedy.send_multipart([b"%d" % number, b"", REPLAY])
    for _ in range(3):
        assert replay_all(house, sockets) == whole
    assert rss(process) - before < GROWTH_MAX
    assert Path(f"/proc/{process.pid}").exists()


@pytest.mark.system
def test_a_peer_that_asks_ahead_and_reads_gets_every_answer_in_order(
    running: tuple[Stage, Process], sockets: Sockets
) -> None:
    dealer = sockets.make(zmq.DEALER)
    dealer.connect(running[0].endpoint("requests"))
    for number in range(500):
        dealer.send_multipart([b"%d" % number, b"", SNAPSHOT])
    assert [int(dealer.recv_multipart()[0]) for _ in range(500)] == list(range(500))


@pytest.mark.system
@pytest.mark.parametrize("body", [
    b"\x82\xa7request\xa8snapshot\xa1x" + b"\x91" * 60_000 + b"\xc0",
    b"\x91" * 60_000 + b"\xc0",
    b"\x82\xa7request\xa8snapshot\xa1x" + b"\x81\xa1x" * 20_000 + b"\xc0",
    b"\x81\xa7request\xc7\x01\x05x",
    b"\x82\xa7request\xa6replay\xa5since\xcf" + b"\xff" * 8,
    b"\x82\xa7request\xa6replay\xa5since\xcb\x7f\xf8" + b"\0" * 6,
    b"\x81\xa7request\xa3\xed\xa0\x80",
], ids=range(7))  # fmt: skip
def test_a_deep_or_odd_request_gets_an_error_and_no_traceback(
    running: tuple[Stage, Process], sockets: Sockets, body: bytes
) -> None:
    house, _ = running
    socket = sockets.req(house)
    for _ in range(20):
        assert "error" in ask(socket, body)
    assert "Traceback" not in (house.runtime_dir / "log" / "broadcaster.log").read_text()


@pytest.mark.system
def test_a_message_without_an_end_is_cut_off(running: tuple[Stage, Process], sockets: Sockets) -> None:
    house, process = running
    before = rss(process)
    endless = sockets.make(zmq.DEALER)
    endless.setsockopt(zmq.SNDTIMEO, CAP_MS)
    monitor = endless.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    monitor.setsockopt(zmq.RCVTIMEO, CAP_MS)
    endless.connect(house.endpoint("requests"))
    for _ in range(1000):
        endless.send(b"x" * 60_000, zmq.SNDMORE)
    endless.send(b"")  # libzmq sends whole messages only
    assert monitor.recv_multipart()
    endless.disable_monitor()
    assert "state" in ask(sockets.req(house), {"request": "snapshot"})
    assert rss(process) - before < GROWTH_MAX


def _subscribe(endpoint: str, topic: Callable[[int], bytes], count: int, ready: Any) -> None:
    socket = zmq.Context().socket(zmq.SUB)
    socket.connect(endpoint)
    for number in range(count):
        socket.setsockopt(zmq.SUBSCRIBE, topic(number))
    ready.set()
    while True:
        socket.poll(1000)  # comes back whenever it is disconnected


def _short(number: int) -> bytes:
    return b"%d" % number


def _long(number: int) -> bytes:
    return b"%d" % number * 60


@pytest.mark.system
@pytest.mark.parametrize(("topic", "count"), [(_short, 500_000), (_long, 20_000)])
def test_a_subscriber_to_everything_is_cut_off_and_no_other_one_misses_an_event(
    running: tuple[Stage, Process], sockets: Sockets, topic: Callable[[int], bytes], count: int
) -> None:
    house, process = running
    modest = sockets.make(zmq.SUB)
    modest.setsockopt(zmq.SUBSCRIBE, b"game.tick")
    modest.connect(house.endpoint("events"))
    number = 50_000
    while not modest.poll(100):  # until the subscription has arrived
        number += 1
        house.write([tick_frame(number)])
    before = rss(process)
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    greedy = spawn.Process(target=_subscribe, args=(house.endpoint("events"), topic, count, ready), daemon=True)
    greedy.start()
    while not ready.wait(0.05):
        number += 1
        house.write([tick_frame(number)])
    for _ in range(200):
        number += 1
        newest = house.write([tick_frame(number)])[-1]
    last = None
    while last is None or last["seq"] < newest.seq:
        event = msgspec.msgpack.decode(modest.recv_multipart()[1])
        assert last is None or event["prev"] == last["seq"]
        last = event
    assert rss(process) - before < GROWTH_MAX
    assert Path(f"/proc/{process.pid}").exists()
    greedy.kill()
    greedy.join()
    greedy.close()
