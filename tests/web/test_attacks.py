"""Attacks on the control room's port, played against the real process: it stays up, answers others, and tells nothing.

The rules of Host, Origin, cookie and token are in `test_control_room.py`, hostile names in `test_pages.py`.
"""

import contextlib
import http.client
import select
import socket
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import wait_for
from tests.web.conftest import ControlRoom
from web.server import GUESTS_MAX

pytestmark = pytest.mark.system

GROWTH_MAX = 24_000_000


@pytest.fixture
def sockets(room: ControlRoom) -> Iterator["Sockets"]:
    opened = Sockets(room.port)
    yield opened
    opened.close()


class Sockets:
    """Bare connections to the room."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._opened: list[socket.socket] = []

    def open(self, words: bytes = b"") -> socket.socket:
        one = socket.create_connection(("127.0.0.1", self._port), 20)
        self._opened.append(one)
        one.sendall(words)
        return one

    def close(self) -> None:
        for one in self._opened:
            one.close()


def rss(room: ControlRoom) -> int:
    pages = Path(f"/proc/{room.process.pid}/statm").read_text().split()[1]
    return int(pages) * 4096


def descriptors(room: ControlRoom) -> int:
    return len(list(Path(f"/proc/{room.process.pid}/fd").iterdir()))


def is_closed(one: socket.socket) -> bool:
    """Whether the room ended this connection, without waiting."""
    if not select.select([one], [], [], 0)[0]:
        return False
    try:
        return one.recv(65_536) == b""
    except ConnectionResetError:
        return True


def test_600_half_open_connections_lock_out_nobody_and_are_gone_within_seconds(
    room: ControlRoom, sockets: Sockets
) -> None:
    before = descriptors(room)
    begin_s = time.monotonic()
    silent = [sockets.open(b"GET / HTTP/1.1\r\nHost: 127") for _ in range(600)]
    assert room.ask("/api/status")[0] == 200
    assert descriptors(room) <= before + GUESTS_MAX + 5
    waiting = set(silent)
    while waiting:
        assert time.monotonic() - begin_s < 30  # 5 s, and as much again each time the loop was held up
        for one in [one for one in waiting if is_closed(one)]:
            waiting.discard(one)
        for one in waiting:
            with contextlib.suppress(OSError):
                one.send(b"x")  # a letter at a time keeps nobody inside
        select.select([], [], [], 0.2)
    wait_for(lambda: descriptors(room) <= before + 2)
    assert room.ask("/api/status")[0] == 200


def test_a_thousand_connections_that_idle_after_a_request_do_not_keep_the_user_out(
    room: ControlRoom, sockets: Sockets
) -> None:
    request = f"GET /static/favicon.svg HTTP/1.1\r\nHost: 127.0.0.1:{room.port}\r\n\r\n".encode()
    for _ in range(2 * GUESTS_MAX):
        assert sockets.open(request).recv(12) == b"HTTP/1.1 200"
    assert room.ask("/api/status")[0] == 200


def test_a_head_without_end_is_refused(room: ControlRoom, sockets: Sockets) -> None:
    before = rss(room)
    one = sockets.open(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    with contextlib.suppress(ConnectionError):
        for number in range(100_000):
            one.sendall(b"X-%d: %s\r\n" % (number, b"y" * 1000))
    assert closed_or_refused(one)
    assert rss(room) - before < GROWTH_MAX


@pytest.mark.parametrize("token", [True, False])
@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("line", ["POST /api/recording/start", "GET /api/status", "POST /nowhere"])
def test_a_body_of_a_gigabyte_is_not_read(
    room: ControlRoom, sockets: Sockets, line: str, chunked: bool, token: bool
) -> None:
    before = rss(room)
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {1_000_000_000}"
    bearer = f"Authorization: Bearer {room.token}\r\n" if token else ""
    one = sockets.open(f"{line} HTTP/1.1\r\nHost: 127.0.0.1:{room.port}\r\n{bearer}{length}\r\n\r\n".encode())
    piece = b"y" * 65_536
    sent = 0
    one.settimeout(2)
    with contextlib.suppress(ConnectionError, TimeoutError):
        while sent < 1_000_000_000:
            one.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            sent += len(piece)
    assert sent < 100_000_000
    assert rss(room) - before < GROWTH_MAX
    assert room.ask("/api/status")[0] == 200


def test_a_flood_of_pings_on_the_live_socket_costs_no_memory(room: ControlRoom, sockets: Sockets) -> None:
    one = sockets.open(
        f"GET /ws/live HTTP/1.1\r\nHost: 127.0.0.1:{room.port}\r\nAuthorization: Bearer {room.token}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    assert one.recv(12) == b"HTTP/1.1 101"
    before = rss(room)
    ping = b"\x89\x84\0\0\0\0beat"
    one.settimeout(2)
    with contextlib.suppress(ConnectionError, TimeoutError):
        for _ in range(20):
            one.sendall(ping * 2000)
    assert rss(room) - before < GROWTH_MAX
    assert room.ask("/api/status")[0] == 200


def test_2000_wrong_tokens_are_all_refused_and_cost_the_user_nothing(room: ControlRoom) -> None:
    answers: Counter[int] = Counter()
    before = rss(room)
    for first in range(0, 2000, 500):
        one = http.client.HTTPConnection("127.0.0.1", room.port, timeout=20)
        for number in range(first, first + 500):
            one.request("GET", "/api/status", headers={"Authorization": f"Bearer {number:043d}"})
            with one.getresponse() as answer:
                answer.read()
            answers[answer.status] += 1
        one.close()
    assert set(answers) <= {401, 429}
    assert sum(answers.values()) == 2000
    assert answers[401] < 200
    assert rss(room) - before < GROWTH_MAX
    assert room.ask("/api/status")[0] == 200


def test_no_page_lets_the_token_into_a_referer(room: ControlRoom) -> None:
    status, headers, body = room.ask(f"/games?token={room.token}", token=False)
    assert status == 303
    assert headers["referrer-policy"] == "no-referrer"
    assert room.token not in headers["location"]
    assert room.token.encode() not in body
    assert headers["cache-control"] == "no-store"
    refused, headers, body = room.ask("/games?token=wrong-one", token=False)
    assert refused in (401, 429)
    assert headers["referrer-policy"] == "no-referrer"
    assert b"wrong-one" not in body


def test_the_token_in_a_referer_or_in_a_write_opens_nothing(room: ControlRoom) -> None:
    assert room.ask("/api/status", token=False, Referer=f"{room.url}/?token={room.token}")[0] in (401, 429)
    assert room.ask(f"/api/recording/start?token={room.token}", "POST", token=False)[0] in (401, 429)


UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"


def test_nobody_can_make_it_speak_http_2(room: ControlRoom, sockets: Sockets) -> None:
    one = sockets.open(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
    assert one.recv(12).startswith((b"HTTP/1.1 4", b"HTTP/1.1 5"))
    settings = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
    one = sockets.open(f"GET /static/favicon.svg HTTP/1.1\r\nHost: 127.0.0.1\r\n{settings}\r\n".encode())
    assert one.recv(12) == b"HTTP/1.1 200"


def test_the_live_socket_is_not_compressed_even_where_it_is_offered(room: ControlRoom, sockets: Sockets) -> None:
    one = sockets.open(
        f"GET /ws/live HTTP/1.1\r\nHost: 127.0.0.1:{room.port}\r\nAuthorization: Bearer {room.token}\r\n{UPGRADE}"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n".encode()
    )
    head = b""
    while b"\r\n\r\n" not in head:
        head += one.recv(1)
    assert head.startswith(b"HTTP/1.1 101")
    assert b"extensions" not in head.lower()


@pytest.mark.parametrize("path", ["/", "/api/status", "/nowhere", "/ws/live%C3%A9", "/" + "a" * 3000])
def test_a_web_socket_elsewhere_is_refused_without_a_word_in_the_log(
    room: ControlRoom, sockets: Sockets, path: str
) -> None:
    before = room.log()
    one = sockets.open(
        f"GET {path} HTTP/1.1\r\nHost: {room.host}\r\nAuthorization: Bearer {room.token}\r\n{UPGRADE}"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    assert one.recv(12) in (b"HTTP/1.1 404", b"HTTP/1.1 400")
    assert room.log() == before


def test_a_cookie_tossed_by_a_page_on_another_port_locks_nobody_out(room: ControlRoom) -> None:
    cookie = room.ask(f"/?token={room.token}", token=False)[1]["set-cookie"].partition(";")[0]
    name = cookie.partition("=")[0]
    assert room.ask("/api/status", token=False, Cookie=f"{name}=tossed; {cookie}")[0] == 200
    assert room.ask("/api/status", token=False, Cookie=f"{name}=tossed; {name}=again")[0] == 401


@pytest.mark.parametrize("path", ["/static/" + "a" * 300, "/static/" + "%C3%BC" * 130, "/" + "a/" * 3000])
def test_a_path_too_long_for_any_file_is_refused_without_a_word_in_the_log(room: ControlRoom, path: str) -> None:
    before = room.log()
    assert room.ask(path, token=False)[0] == 414
    assert room.log() == before


def test_the_link_with_the_token_cannot_write_headers(room: ControlRoom) -> None:
    status, headers, _ = room.ask(f"/games%0d%0aX-Mine:%20y?token={room.token}", token=False)
    assert (status, headers["location"]) == (303, "/games%0D%0AX-Mine%3A%20y")
    assert "x-mine" not in headers


def test_a_second_origin_does_not_hide_behind_ours(room: ControlRoom, sockets: Sockets) -> None:
    origins = f"Origin: {room.url}\r\nOrigin: http://evil.example\r\n"
    for line in ("POST /api/recording/start", "GET /ws/live"):
        more = f"{UPGRADE}Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" if "ws" in line else "Content-Length: 0\r\n"
        head = f"{line} HTTP/1.1\r\nHost: {room.host}\r\nAuthorization: Bearer {room.token}\r\n"
        one = sockets.open(f"{head}{origins}{more}\r\n".encode())
        assert one.recv(12) == b"HTTP/1.1 403"


def test_a_wrong_method_is_told_the_right_ones(room: ControlRoom) -> None:
    status, headers, _ = room.ask("/api/recording/start", "DELETE")
    assert status == 405
    assert set(headers["allow"].split(", ")) == {"POST", "OPTIONS"}


def closed_or_refused(one: socket.socket) -> bool:
    one.settimeout(10)
    try:
        answer = one.recv(65_536)
    except ConnectionError:
        return True
    return answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5"))
