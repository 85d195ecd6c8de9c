"""The simulator as a server: Socket.IO and its page on one port, driven by the game, a recording or a load.

Used as `async with SimulatorServer(settings) as server:` in tests and by the actor's shell. It speaks as the real site:
`frontend-version` is demanded, polling and WebSocket both work, `43<id>` acknowledges. A failed driver ends
`run_until` with its exception; a bad request of a client never does.
"""

import asyncio
import logging
import secrets
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs

import msgspec
import socketio
from aiohttp import web

from actors.core.config import Simulator
from actors.simulator.clients import Clients
from actors.simulator.drivers import now_ms, run_game, run_load, run_replay
from actors.simulator.game import Game
from actors.simulator.messages import Reply
from actors.simulator.pages import Connections, make_app

SHUTDOWN_S = 0.1  # a poll that hangs has nothing to lose
VERSION_QUERY = "frontend-version"
DROP_ME = "simulator:drop"
"""By this event a page asks to be thrown out: "politely", from which it does not come back by itself, or by a reset."""


class SimulatorServer:
    """A local rugs.fun on one port. All methods are for the event loop that entered it."""

    def __init__(self, settings: Simulator, log: logging.Logger | None = None, preferred_port: int = 0) -> None:
        """preferred_port: tried first, before the configured one."""
        self.settings = settings
        self.port = preferred_port or settings.port
        self.game = None if settings.replay else _new_game(settings)
        self._log = log or logging.getLogger("simulator")
        self._sio = socketio.AsyncServer(async_mode="aiohttp", json=_Json, cors_allowed_origins=None)
        self.clients = Clients(self._sio)
        self._connections = Connections()
        self._stop = asyncio.Event()
        self._drivers: list[asyncio.Task[None]] = []
        self._greetings: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None
        self._sio.on("connect", self._on_connect)
        self._sio.on("disconnect", self._on_disconnect)
        self._sio.on("*", self._on_request)

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://{self.settings.host}:{self.port}/"

    async def __aenter__(self) -> Self:
        """Bind the port and begin. OSError: the port is taken, or the recording cannot be read."""
        if self.settings.replay:
            Path(self.settings.replay).expanduser().open("rb").close()
        app = make_app(self._connections)
        self._sio.attach(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
        await self._runner.setup()
        try:
            await self._bind(self._runner)
        except OSError:
            await self._runner.cleanup()
            raise
        self.port = self._runner.addresses[0][1]
        self._start_drivers()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop everything; raise what a driver died of."""
        self._stop.set()
        results = await asyncio.gather(*self._drivers, return_exceptions=True)
        self.cut_connections()
        await self._sio.shutdown()
        if self._runner is not None:
            await self._runner.cleanup()
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def run_until(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set; raise what a driver died of."""
        stopped = asyncio.create_task(stop.wait())
        waiting: set[asyncio.Task[Any]] = {stopped, *self._drivers}
        while not stopped.done():
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    async def send_frame(self, frame: str) -> None:
        """Send a whole frame's text, such as `42["name",…]`, to every client as it stands, well-formed or not."""
        await self.clients.send_packet(frame[1:])

    async def emit(self, name: str, *args: Any) -> None:
        """Emit an event of one's own to every client; bytes among the arguments make it a binary event."""
        await self._sio.emit(name, args)

    async def disconnect_clients(self) -> None:
        """Disconnect every client the polite way; a page does not reconnect from that."""
        await self.clients.disconnect_all()

    def cut_connections(self) -> None:
        """Reset every client's connection; a page reconnects from that."""
        self._connections.cut()

    async def _drop(self, sid: str, *, politely: bool) -> None:
        if politely:
            await self.clients.disconnect(sid)
        elif (engine_id := self.clients.engine_id(sid)) is not None:
            self._connections.cut(engine_id)

    async def _bind(self, runner: web.AppRunner) -> None:
        try:
            await web.TCPSite(runner, self.settings.host, self.port).start()
        except OSError:
            if self.port == self.settings.port:
                raise
            self._log.warning("port %d is taken, trying %d", self.port, self.settings.port)
            await web.TCPSite(runner, self.settings.host, self.settings.port).start()

    def _start_drivers(self) -> None:
        settings, clients, stop = self.settings, self.clients, self._stop
        if settings.replay:
            path = Path(settings.replay).expanduser()
            self._drive(run_replay(path, clients, stop, settings.replay_speed))
        elif self.game is not None:
            self._drive(run_game(self.game, clients, stop, settings.speed))
        if settings.rate > 0:
            self._drive(run_load(clients, stop, settings.rate, settings.payload_bytes))

    def _drive(self, driver: Any) -> None:
        self._drivers.append(asyncio.create_task(driver))

    async def _on_connect(self, sid: str, environ: dict[str, Any], auth: object) -> None:
        if VERSION_QUERY not in parse_qs(environ.get("QUERY_STRING", "")):
            raise ConnectionRefusedError(f"{VERSION_QUERY} is missing")
        # The connect packet is queued when this returns, without a pause in between: what we begin here comes after it.
        greeting = asyncio.create_task(self._greet(sid))
        self._greetings.add(greeting)
        greeting.add_done_callback(self._greetings.discard)

    async def _greet(self, sid: str) -> None:
        if self.game is not None:
            welcome = self.game.welcome(now_ms())
            self.clients.add(sid)
            await self.clients.send(welcome, sid)
        else:
            self.clients.add(sid)
        self._log.info("a client has connected; there are %d", len(self.clients))

    async def _on_disconnect(self, sid: str, reason: object) -> None:
        self.clients.remove(sid)
        self._log.info("a client has gone (%s); there are %d", reason, len(self.clients))

    async def _on_request(self, name: str, sid: str, *args: Any) -> Any:
        """Answer a request; what is returned becomes the acknowledgement, None the empty one."""
        if name == DROP_ME:
            await self._drop(sid, politely="politely" in args)
            return None
        if self.game is None:
            reply = Reply(ack={"success": False, "message": "A recording is being replayed"})
        else:
            authenticated = self.clients.is_authenticated(sid)
            reply = self.game.handle(name, args, now_ms(), authenticated=authenticated)
        if reply.authenticates:
            self.clients.authenticate(sid)
        await self.clients.send(reply.emits, sid)
        return reply.ack if name != "ping" else None


class _Json:
    """msgspec in the shape that python-socketio asks for: several times faster, and text is not escaped to ASCII."""

    @staticmethod
    def dumps(data: Any, **_: Any) -> str:
        return msgspec.json.encode(data).decode()

    @staticmethod
    def loads(text: str | bytes, **_: Any) -> Any:
        return msgspec.json.decode(text)


def _new_game(settings: Simulator) -> Game:
    seed = settings.seed or None
    return Game(seed or secrets.token_hex(16), now_ms(), fixed_date=seed is not None)
