"""The gate under a bare asyncio server: who stays, who goes, and that nothing is counted twice."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from actors.core.gate import Gate, listen

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def served(limit: int, head_s: float = 30.0) -> AsyncIterator[Gate]:
    """A server that takes the first line for a request: `keep` stays for good, anything else is answered."""
    gate = Gate(listen("127.0.0.1", 0), limit, head_s)
    address = gate.getsockname()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            (gate.keep if line == b"keep\n" else gate.arrived)(writer.get_extra_info("peername"))
            writer.write(line)
        writer.close()

    server = await asyncio.start_server(talk, sock=gate)
    try:
        assert gate.getsockname() == address
        yield gate
    finally:
        await emptied(gate)
        server.close()
        await server.wait_closed()


async def emptied(gate: Gate) -> None:
    """Wait until nobody is inside."""
    async with asyncio.timeout(10):
        while gate.guests:
            await asyncio.to_thread(lambda: None)


async def visit(gate: Gate, word: bytes = b"") -> Streams:
    reader, writer = await asyncio.open_connection(*gate.getsockname())
    if word:
        writer.write(word)
        assert await asyncio.wait_for(reader.readline(), 10) == word
    return reader, writer


async def gone(guest: Streams) -> bool:
    """Whether the server ended this connection; waits for it."""
    try:
        return await asyncio.wait_for(guest[0].read(), 10) == b""
    except ConnectionResetError:
        return True


async def stays(guest: Streams) -> bool:
    guest[1].write(b"still\n")
    return await asyncio.wait_for(guest[0].readline(), 10) == b"still\n"


def close(*guests: Streams) -> None:
    for _, writer in guests:
        writer.close()


def test_who_says_nothing_is_turned_out_and_who_asked_in_time_stays() -> None:
    async def play() -> None:
        async with served(10, head_s=0.2) as gate:
            silent, quick = await visit(gate), await visit(gate, b"hello\n")
            assert await gone(silent)
            assert await stays(quick)
            assert gate.turned_out == 1
            close(silent, quick)

    asyncio.run(play())


def test_a_guest_whose_words_wait_because_the_server_was_held_up_is_not_turned_out() -> None:
    async def play() -> None:
        async with served(10, head_s=0.2) as gate:
            guest = await visit(gate)
            while not gate.guests:
                await asyncio.to_thread(lambda: None)
            guest[1].write(b"hello\n")
            until_s = time.monotonic() + 0.5
            while time.monotonic() < until_s:
                pass
            assert await asyncio.wait_for(guest[0].readline(), 10) == b"hello\n"
            assert gate.turned_out == 0
            close(guest)

    asyncio.run(play())


def test_where_it_is_full_the_oldest_silent_one_makes_room() -> None:
    async def play() -> None:
        async with served(3) as gate:
            asked = await visit(gate, b"hello\n")
            silent = [await visit(gate) for _ in range(4)]
            newcomer = await visit(gate, b"hello\n")
            assert await gone(silent[0])
            assert await gone(silent[1])
            assert await stays(asked)
            assert await stays(newcomer)
            assert gate.guests <= 3
            close(asked, newcomer, *silent)

    asyncio.run(play())


def test_then_the_one_that_asked_longest_ago() -> None:
    async def play() -> None:
        async with served(3) as gate:
            guests = [await visit(gate, b"hello\n") for _ in range(3)]
            assert await stays(guests[0])
            newcomer = await visit(gate, b"hello\n")
            assert await gone(guests[1])
            for guest in (guests[0], guests[2], newcomer):
                assert await stays(guest)
            close(newcomer, *guests)

    asyncio.run(play())


def test_where_all_are_kept_the_newcomer_goes() -> None:
    async def play() -> None:
        async with served(2) as gate:
            kept = [await visit(gate, b"keep\n") for _ in range(2)]
            newcomer = await visit(gate)
            assert await gone(newcomer)
            assert await stays(kept[0])
            assert await stays(kept[1])
            close(newcomer, *kept)

    asyncio.run(play())


def test_who_leaves_is_forgotten_at_every_stage() -> None:
    async def play() -> None:
        async with served(100) as gate:
            guests = [await visit(gate, word) for word in (b"", b"hello\n", b"keep\n") for _ in range(5)]
            assert gate.guests == 15
            assert gate.half_open == 5
            close(*guests)
            await emptied(gate)
            assert gate.half_open == 0
            assert gate.turned_out == 0

    asyncio.run(play())


def test_ipv6_addresses_are_known_again() -> None:
    async def play() -> None:
        try:
            listener = listen("::1", 0)
        except OSError:
            return
        gate = Gate(listener, 2, 30.0)
        with gate, socket.create_connection(gate.getsockname()[:2]) as client:
            connection, address = gate.accept()
            gate.keep(address[:2])
            assert gate.guests == 1
            assert connection.proto == socket.IPPROTO_TCP  # what asyncio asks before it switches Nagle off
            connection.close()
            assert gate.guests == 0
            assert client.recv(1) == b""

    asyncio.run(play())
