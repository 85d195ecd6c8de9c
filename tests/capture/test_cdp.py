"""The DevTools socket against a real WebSocket server: whole messages, no waiting, honest read marks."""

import select
import socket
import time
from collections.abc import Iterator

import pytest

from actors.capture.cdp import OPEN_TIMEOUT_S, TURN_BYTES, CdpSocket, ConnectionGone
from tests.capture.house import CAP_S, Website, served


@pytest.fixture(scope="module")
def site() -> Iterator[Website]:
    with served() as site:
        yield site


@pytest.fixture
def connection(site: Website) -> Iterator[CdpSocket]:
    connection = CdpSocket(f"ws://127.0.0.1:{site.port}/ws")
    yield connection
    connection.close()


def read(connection: CdpSocket, count: int) -> list[bytes]:
    got: list[bytes] = []
    deadline_s = time.monotonic() + CAP_S
    while len(got) < count:
        assert time.monotonic() < deadline_s
        select.select([connection], [], [], 0.1)
        got += connection.messages()
    return got


def test_messages_arrive_whole_and_in_order(site: Website, connection: CdpSocket) -> None:
    texts = [str(number) * 997 for number in range(200)]
    for text in texts:
        site.send(text)
    assert read(connection, 200) == [text.encode() for text in texts]


def test_nothing_there_is_nothing_and_moves_the_read_mark(connection: CdpSocket) -> None:
    before_s = time.monotonic()
    assert list(connection.messages()) == []
    assert before_s <= connection.read_until_s <= time.monotonic()


def test_a_huge_message_is_read_over_several_turns(site: Website, connection: CdpSocket) -> None:
    work = site.post(b"x" * (3 * TURN_BYTES))
    got: list[bytes] = []
    turns = 0
    while not got:
        select.select([connection], [], [], CAP_S)
        got += connection.messages()
        turns += 1
    assert turns >= 3
    assert [len(message) for message in got] == [3 * TURN_BYTES]
    work.result(CAP_S)


def test_what_is_sent_arrives(site: Website, connection: CdpSocket) -> None:
    site.received.clear()
    large = b"y" * 3_000_000
    connection.send(b"first")
    connection.send(large)
    deadline_s = time.monotonic() + CAP_S
    while len(site.received) < 2:
        assert time.monotonic() < deadline_s
        select.select([], [connection], [], 0.1)
        connection.flush()
    assert site.received == ["first", large.decode()]


def test_an_end_is_told(site: Website, connection: CdpSocket) -> None:
    site.do(site.close_sockets())
    select.select([connection], [], [], CAP_S)
    with pytest.raises(ConnectionGone):
        list(connection.messages())


def test_nobody_there_and_nobody_answering_are_told_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionGone, match="cannot connect"):
            CdpSocket(f"ws://127.0.0.1:{silent.getsockname()[1]}/x")
        silent.listen()
        before_s = time.monotonic()
        with pytest.raises(ConnectionGone, match="cannot connect"):
            CdpSocket(f"ws://127.0.0.1:{silent.getsockname()[1]}/x")
        assert time.monotonic() - before_s < OPEN_TIMEOUT_S + 0.5
