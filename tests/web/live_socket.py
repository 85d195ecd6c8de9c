"""The live socket of the control room as a page or a program opens and reads it."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
import websocket

Connect = Callable[..., websocket.WebSocket]


@contextmanager
def live_sockets(port: int, token: str) -> Iterator[Connect]:
    """Open live sockets for the length of a with block; header names are given with underscores."""
    with contextlib.ExitStack() as opened:

        def open_one(view: str = "all", **headers: str) -> websocket.WebSocket:
            host = headers.pop("Host", None)
            sent = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
            if not any(line.startswith(("Authorization", "Cookie")) for line in sent):
                sent.append(f"Authorization: Bearer {token}")
            page = websocket.create_connection(
                f"ws://127.0.0.1:{port}/ws/live?view={view}",
                header=sent, suppress_origin=True, timeout=5, host=host,
                sockopt=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)],
            )  # fmt: skip
            opened.callback(page.shutdown)
            return page

        yield open_one


def receive(page: websocket.WebSocket) -> dict[str, Any]:
    message: dict[str, Any] = msgspec.json.decode(page.recv())
    return message


def until(page: websocket.WebSocket, wanted: Callable[[dict[str, Any]], bool], limit_s: float = 5) -> int:
    """Receive until a message is as wanted; return how many came."""
    end, count = time.monotonic() + limit_s, 0
    while time.monotonic() < end:
        message, count = receive(page), count + 1
        if wanted(message):
            return count
    raise AssertionError(f"not within {limit_s} s; the last of {count} messages: {str(message)[:500]}")


def price_is(price: float) -> Callable[[dict[str, Any]], bool]:
    return lambda message: message.get("state", {}).get("price") == price


def refused(connect: Connect, **headers: str) -> int:
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        connect(**headers)
    return int(caught.value.status_code)
