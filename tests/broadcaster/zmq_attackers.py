"""ZeroMQ clients that misbehave, each in a process of its own, so that its memory is not counted as the broadcaster's.

Run as `python -m tests.broadcaster.zmq_attackers KIND ADDRESS [COUNT]`: prints "ready" when it has done its worst,
then stays, reading nothing, until it is killed.
"""

import contextlib
import os
import selectors
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import zmq

REPLAY = msgspec.msgpack.encode({"request": "replay", "since": 0})
SNAPSHOT = msgspec.msgpack.encode({"request": "snapshot"})
ROOT = Path(__file__).parents[2]
GREETING = b"\xff" + b"\0" * 8 + b"\x7f\x03\x00NULL" + b"\0" * 16 + b"\0" * 32


def dealer(context: "zmq.Context[zmq.Socket[bytes]]", address: str) -> "zmq.Socket[bytes]":
    """A client that takes one message and then no more."""
    made = context.socket(zmq.DEALER)
    for option, value in ((zmq.LINGER, 0), (zmq.RCVHWM, 1), (zmq.SNDHWM, 0), (zmq.RCVBUF, 8192)):
        made.setsockopt(option, value)
    made.connect(address)
    return made


def unread(address: str, count: int) -> list[object]:
    """Ask for everything, often, and read nothing."""
    context = zmq.Context()
    asking = dealer(context, address)
    for number in range(count):
        asking.send_multipart([b"%d" % number, b"", REPLAY])
    return [context, asking]


def crowd(address: str, count: int) -> list[object]:
    """Ask for everything under many names, and read nothing."""
    context = zmq.Context()
    context.set(zmq.MAX_SOCKETS, 2 * count + 10)
    asking = [dealer(context, address) for _ in range(count)]
    for one in asking:
        for body in (REPLAY, SNAPSHOT, REPLAY):
            one.send(body)
    return [context, asking]


def topics(address: str, count: int) -> list[object]:
    """Subscribe to everything that does not exist."""
    context = zmq.Context()
    subscriber = context.socket(zmq.SUB)
    subscriber.setsockopt(zmq.LINGER, 0)
    subscriber.setsockopt(zmq.SNDHWM, 0)
    subscriber.connect(address)
    for number in range(count):
        subscriber.setsockopt(zmq.SUBSCRIBE, b"no.such.type.%d" % number)
    return [context, subscriber]


def long_topics(address: str, count: int) -> list[object]:
    """Subscribe to long beginnings, each of which takes a tree's branch."""
    context = zmq.Context()
    subscriber = context.socket(zmq.XSUB)
    subscriber.setsockopt(zmq.SNDHWM, 0)
    subscriber.connect(address)
    for _ in range(count):
        subscriber.send(b"\x01" + os.urandom(100))
    return [context, subscriber]


def silent(address: str, count: int) -> list[object]:
    """Subscribe to all events and read none."""
    context = zmq.Context()
    subscribers = []
    for _ in range(count):
        subscriber = context.socket(zmq.SUB)
        subscriber.setsockopt(zmq.RCVHWM, 1)
        subscriber.setsockopt(zmq.RCVBUF, 8192)
        subscriber.setsockopt(zmq.SUBSCRIBE, b"")
        subscriber.connect(address)
        subscribers.append(subscriber)
    return [context, subscribers]


def endless(address: str, count: int) -> list[object]:
    """Send one message of parts without end, as ZMTP, on a bare socket; count: megabytes."""
    parts = urlsplit(address)
    one = socket.create_connection((str(parts.hostname), parts.port or 0), 20)
    one.sendall(GREETING)
    for _ in range(64):
        one.recv(1)
    kind = b"\x0bSocket-Type" + (6).to_bytes(4, "big") + b"DEALER"
    ready = b"\x05READY" + kind
    one.sendall(bytes((4, len(ready))) + ready)
    part = b"\x03" + (60_000).to_bytes(8, "big") + b"x" * 60_000  # long, and more to come
    with contextlib.suppress(OSError):
        for _ in range(count * 16):
            one.sendall(part)
    return [one]


def connections(address: str, count: int) -> list[object]:
    """Connect, many times, and say nothing."""
    parts = urlsplit(address)
    place = (str(parts.hostname), parts.port or 0)
    opened: list[object] = []
    for _ in range(count):
        with contextlib.suppress(OSError):
            opened.append(socket.create_connection(place, 20))
    return opened


KINDS: dict[str, Callable[[str, int], list[object]]] = {
    one.__name__: one for one in (unread, crowd, topics, long_topics, silent, endless, connections)
}


@contextlib.contextmanager
def attacker(kind: str, address: str, count: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run one until the block ends; it has done its worst, or is at it after 10 s, when the block begins."""
    command = [sys.executable, "-m", "tests.broadcaster.zmq_attackers", kind, address, str(count)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        selector.select(10)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


def main() -> None:
    """Be an attacker until killed."""
    kept = KINDS[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
    print("ready", flush=True)
    sys.stdin.read() if not sys.stdin.isatty() else None
    selectors.DefaultSelector().select(600)
    print(len(kept))


if __name__ == "__main__":
    main()
