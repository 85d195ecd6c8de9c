"""The server speaks to a real Socket.IO client: connect, log in, order, acknowledge, poll, disconnect, load."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import socketio

from actors.core.config import Simulator
from actors.simulator.server import SimulatorServer

LIMIT_S = 10.0
TRACE = {"__trace": True, "traceparent": f"00-{'c' * 32}-{'d' * 16}-01"}


class Visitor:
    """A Socket.IO client that keeps what it receives and waits for what it wants."""

    def __init__(self) -> None:
        self.client = socketio.AsyncClient(reconnection=False)
        self.events: list[tuple[str, tuple[Any, ...]]] = []
        self._changed = asyncio.Condition()
        self.client.on("*", self._keep)
        self.gone = asyncio.Event()
        self.client.on("disconnect", self.gone.set)

    async def _keep(self, name: str, *args: Any) -> None:
        async with self._changed:
            self.events.append((name, args))
            self._changed.notify_all()

    async def until(self, condition: Callable[[], object]) -> None:
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(condition), LIMIT_S)

    async def until_named(self, name: str) -> tuple[Any, ...]:
        await self.until(lambda: name in self.names())
        return next(args for known, args in self.events if known == name)

    def names(self) -> list[str]:
        return [name for name, _ in self.events]

    async def call(self, name: str, *args: Any) -> Any:
        return await self.client.call(name, args, timeout=LIMIT_S)


@asynccontextmanager
async def visiting(server: SimulatorServer, transports: list[str] | None = None) -> AsyncIterator[Visitor]:
    visitor = Visitor()
    url = f"{server.url}?frontend-version=1.0"
    await visitor.client.connect(url, transports=transports or ["polling", "websocket"], wait_timeout=LIMIT_S)
    try:
        yield visitor
    finally:
        if visitor.client.connected and visitor.client.transport() == "polling":
            await server.disconnect_clients()  # this client library's own goodbye waits for its last poll to time out
        await visitor.client.disconnect()


def serve(story: Callable[[SimulatorServer], Awaitable[None]], **settings: Any) -> None:
    async def run() -> None:
        async with SimulatorServer(Simulator(**{"seed": "server", **settings})) as server:
            await asyncio.wait_for(story(server), 4 * LIMIT_S)

    asyncio.run(run())


@pytest.mark.parametrize("transports", [["polling"], ["websocket"], ["polling", "websocket"]])
def test_a_client_is_welcomed_logs_in_and_orders(transports: list[str]) -> None:
    async def story(server: SimulatorServer) -> None:
        async with visiting(server, transports) as visitor:
            await visitor.until_named("maintenanceUpdate")
            assert visitor.names()[0] == "gameStateUpdate"
            assert "prices" in visitor.events[0][1][0]
            await visitor.client.emit("authenticate", (TRACE, "credential"))
            status = await visitor.until_named("usernameStatus")
            assert status[0]["traceparent"].split("-")[1] == "c" * 32
            assert await visitor.call("buyOrder", TRACE, {"amount": 0.03}) == {"success": True}
            await visitor.until_named("gameStatePlayerUpdate")
            refused = await visitor.call("sellOrder", TRACE, {"percentage": 500})
            assert refused["success"] is False

    serve(story)


def test_an_order_is_told_before_it_is_acknowledged() -> None:
    async def story(server: SimulatorServer) -> None:
        async with visiting(server) as visitor:
            await visitor.client.emit("authenticate", (TRACE, "credential"))
            await visitor.until_named("usernameStatus")
            told = len(visitor.events)
            await visitor.call("requestSidebet", TRACE, {"amount": 0.01, "xPayout": 5})
            assert "playerUpdate" in visitor.names()[told:]
            assert "currentSidebet" in visitor.names()[told:]

    serve(story)


def test_a_client_that_has_not_logged_in_sees_public_events_only() -> None:
    async def story(server: SimulatorServer) -> None:
        async with visiting(server) as player, visiting(server) as guest:
            await player.client.emit("authenticate", (TRACE, "credential"))
            await player.until_named("usernameStatus")
            await player.until(lambda: player.names().count("gameStatePlayerUpdate") > 5)
            answer = await guest.call("buyOrder", TRACE, {"amount": 0.03})
            assert answer["message"] == "Log in first"
            assert not {"playerUpdate", "gameStatePlayerUpdate", "usernameStatus"} & set(guest.names())

    serve(story, speed=10)


def test_without_the_frontend_version_the_connection_is_refused() -> None:
    async def story(server: SimulatorServer) -> None:
        with pytest.raises(socketio.exceptions.ConnectionError):
            await socketio.AsyncClient(reconnection=False).connect(server.url, wait_timeout=LIMIT_S)

    serve(story)


@asynccontextmanager
async def raw_socket(server: SimulatorServer) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A WebSocket with the namespace connected, so that frames can be read as text."""
    url = f"{server.url}socket.io/?EIO=4&transport=websocket&frontend-version=1.0"
    async with aiohttp.ClientSession() as session, session.ws_connect(url, max_msg_size=0, compress=15) as socket:
        assert (await socket.receive_str(timeout=LIMIT_S)).startswith('0{"sid"')
        await socket.send_str("40")
        assert (await socket.receive_str(timeout=LIMIT_S)).startswith('40{"sid"')
        yield socket


async def frame_where(socket: aiohttp.ClientWebSocketResponse, start: str) -> str:
    while True:
        text = await socket.receive_str(timeout=LIMIT_S)
        if text.startswith(start):
            return text


def test_the_wire_looks_as_the_games() -> None:
    async def story(server: SimulatorServer) -> None:
        async with raw_socket(server) as socket:
            first = await socket.receive_str(timeout=LIMIT_S)  # right after the connect packet, nothing before it
            assert first.startswith('42["gameStateUpdate",{"gameHistory":[{"id":"20260101-')
            assert socket.compress == 0  # offered by the client, refused
            await socket.send_str('4258["ping",{"lastPing":41.20000000298023}]')
            assert await frame_where(socket, "43") == "4358[]"
            await socket.send_str('4259["buyOrder",{"__trace":true,"traceparent":"x"},{"amount":1}]')
            assert json.loads((await frame_where(socket, "4359"))[4:])[0]["success"] is False

    serve(story)


@pytest.mark.parametrize("frame", ['42["no end', "42", "4", '42{"a":1}', '4299999["x"', "49", "garbage"])
def test_a_malformed_frame_of_one_client_does_not_disturb_another(frame: str) -> None:
    async def story(server: SimulatorServer) -> None:
        async with visiting(server) as visitor, raw_socket(server) as socket:
            await socket.send_str(frame)
            seen = len(visitor.events)
            await visitor.until(lambda: len(visitor.events) > seen + 3)

    serve(story, speed=10)


def test_a_frame_and_an_event_of_ones_own_can_be_sent() -> None:
    async def story(server: SimulatorServer) -> None:
        async with raw_socket(server) as socket:
            await server.send_frame('42["odd" , {"spaces" :1.0}]')
            assert await frame_where(socket, '42["odd"') == '42["odd" , {"spaces" :1.0}]'
            await server.emit("even", {"a": 1}, "é")
            assert await frame_where(socket, '42["even"') == '42["even",{"a":1},"é"]'

    serve(story)


def test_clients_can_be_disconnected_and_cut() -> None:
    async def story(server: SimulatorServer) -> None:
        async with visiting(server) as visitor:
            await visitor.until_named("maintenanceUpdate")
            await server.disconnect_clients()
            await asyncio.wait_for(visitor.gone.wait(), LIMIT_S)
        async with raw_socket(server) as socket:
            server.cut_connections()
            kinds = {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.ERROR}
            while (await socket.receive(timeout=LIMIT_S)).type not in kinds:
                pass
        async with visiting(server) as again:
            await again.until_named("maintenanceUpdate")

    serve(story)


def test_load_is_numbered_from_0_without_a_hole_and_goes_round_the_sizes() -> None:
    async def story(server: SimulatorServer) -> None:
        async with raw_socket(server) as socket:
            frames = [await frame_where(socket, '42["load"') for _ in range(100)]
        payloads = [json.loads(frame[2:])[1] for frame in frames]
        assert [payload["n"] for payload in payloads] == list(range(100))
        assert all(payload["sentAt"] > 1e12 for payload in payloads)
        assert [round(len(frame), -2) for frame in frames[:4]] == [2000, 4000, 8000, 15000]

    serve(story, rate=1000)


def test_load_of_a_given_size_has_that_size() -> None:
    async def story(server: SimulatorServer) -> None:
        async with raw_socket(server) as socket:
            frame = await frame_where(socket, '42["load"')
        assert abs(len(frame) - 5000) < 64

    serve(story, rate=50, payload_bytes=5000)


def test_the_page_and_the_client_script_are_served_and_nothing_else() -> None:
    async def story(server: SimulatorServer) -> None:
        async with aiohttp.ClientSession() as session:
            for path in ("", "page.css", "page.js", "chart.js", "static/vendor/socket.io.min.js"):
                async with session.get(server.url + path) as answer:
                    assert answer.status == 200
                    assert "http://" not in (text := await answer.text()) or path.startswith("static")
                    assert "https://" not in text or path.startswith("static")
            for path in ("game.py", "static/vendor/VERSIONS.md", "..%2fserver.py"):
                async with session.get(server.url + path) as answer:
                    assert answer.status == 404

    serve(story)


def test_a_taken_port_is_an_error_and_a_preferred_one_gives_way() -> None:
    async def story(server: SimulatorServer) -> None:
        with pytest.raises(OSError, match="address already in use"):
            await SimulatorServer(Simulator(port=server.port)).__aenter__()
        async with SimulatorServer(Simulator(), preferred_port=server.port) as other:
            assert other.port != server.port

    serve(story)


def test_stopping_with_clients_on_both_transports_takes_no_time() -> None:
    async def story() -> float:
        loop = asyncio.get_running_loop()
        server = SimulatorServer(Simulator(seed="stop"))
        visitors = [Visitor(), Visitor()]
        async with server:
            for visitor, transport in zip(visitors, ("polling", "websocket"), strict=True):
                url = f"{server.url}?frontend-version=1.0"
                await visitor.client.connect(url, transports=[transport], wait_timeout=LIMIT_S)
                await visitor.until_named("maintenanceUpdate")
            began = loop.time()
        took = loop.time() - began
        for visitor in visitors:
            await visitor.client.disconnect()
        return took

    assert asyncio.run(asyncio.wait_for(story(), LIMIT_S)) < 2.0
