"""A stage for the real broadcaster: a real journal, real streams, played by the test in place of the other actors.

The journal is written with the journal's own writer, the live stream is derived from it by the normalizer's own core;
state and the supervisor are played by a thread that answers their questions.
"""

import json
import select
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import msgspec

from actors.core import streams
from actors.core.bus import Bus
from actors.core.checkpoints import Checkpoints
from actors.core.config import BusSection, Config, Feed, Monitor
from actors.core.endpoints import lookup
from actors.core.messages import SEQ_STEP, Answer, Event, Events, Frame, LiveState
from actors.core.segment_writer import Writer
from actors.core.segments import Batch
from actors.rugs.normalize import Memory, derive
from tests.processes import Process, process, wait_for

TICKS_A_GAME = 5000  # the game ends a round there


def game_of(number: int) -> str:
    """The id of the round that the frame with this number belongs to."""
    return f"20260101-{number // TICKS_A_GAME:016x}"


def tick_frame(number: int) -> bytes:
    """A `gameStateUpdate` as the game sends it each tick; each number is another tick, of a round of its own time."""
    tick = number % TICKS_A_GAME
    data = {
        "gameId": game_of(number), "cooldownTimer": 0, "cooldownPaused": False, "allowPreRoundBuys": False,
        "leaderboard": [], "connectedPlayers": 200, "provablyFair": {"serverSeedHash": "0" * 64, "version": "v3"},
        "active": True, "price": 1 + tick / 100, "rugged": False, "tickCount": tick, "tradeCount": tick,
    }  # fmt: skip
    return b'42["gameStateUpdate",' + json.dumps(data).encode() + b"]"


def trade_frame(number: int) -> bytes:
    """Another player's trade."""
    data = {
        "id": f"trade-{number}", "gameId": game_of(number), "playerId": "did:privy:x", "username": "x", "level": 1,
        "type": "buy", "price": 1.5, "tickIndex": number % TICKS_A_GAME, "coin": "solana",
        "amount": 0.01, "qty": 0.01, "leverage": 1,
    }  # fmt: skip
    trace = {"__trace": True, "traceparent": f"00-{number:032x}-{number:016x}-01"}
    return b'42["standard/newTrade",' + json.dumps(trace).encode() + b"," + json.dumps(data).encode() + b"]"


def chat_frame(number: int, text: str = "hi") -> bytes:
    """An event without a type of its own."""
    return b'42["newChatMessage",' + json.dumps({"timestamp": number, "message": text}).encode() + b"]"


def frames(count: int, first: int = 0) -> list[bytes]:
    """A mixture: ticks, trades, chat, and pings, which make no event."""
    makers = (tick_frame, trade_frame, tick_frame, chat_frame, lambda number: b"2")
    return [makers[number % 5](number) for number in range(first, first + count)]


class Stage:
    """The house around the broadcaster."""

    def __init__(self, home: Path, **settings: Any) -> None:
        self.config = Config(
            data_dir=str(home / "data"),
            runtime_dir=str(home / "run"),
            feed=settings.pop("feed", Feed(port=0)),
            monitor=Monitor(port=0),
            bus=settings.pop("bus", BusSection(events="tcp://127.0.0.1:*", requests="tcp://127.0.0.1:0")),
            **settings,
        )
        self.runtime_dir = self.config.runtime_path
        self.bus = Bus(self.runtime_dir)
        self.events: list[Event] = []
        self.head = 0
        self.memory = Memory()
        self.status: dict[str, Any] | None = {"actors": [{"name": "journal", "state": "ready"}]}
        self.state_answers = True
        self._writer = Writer(self.config.data_path / "journal", 200_000)
        self._writer.begin_segment(1, b"memory")
        self._live = self.bus.outbox(streams.LIVE)
        self._live_state = self.bus.outbox(streams.LIVE_STATE)
        self._end = threading.Event()
        self._answering = threading.Thread(target=self._answer, daemon=True)
        self._answering.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._answering.join()
        self._writer.close()
        self.bus.close()

    def write(self, payloads: list[bytes], *, live: bool = True, at_us: int | None = None) -> list[Event]:
        """Put frames into the journal, derive their events, and send them live, one batch per frame."""
        new: list[Event] = []
        for payload in payloads:
            after, self.head = self.head, self.head + SEQ_STEP
            record = Frame(self.head, at_us or time.time_ns() // 1000, "G/T/1", False, 1, payload)
            self._writer.append(Batch(after, self.head, [record]))
            if self._writer.full:
                self._writer.begin_segment(self.head + 1, b"memory")
            events = derive(self.memory, record).events
            new += events
            if live:
                self.send(after, self.head, events)
        self.events += new
        return new

    def send(self, after: int, upto: int, events: list[Event]) -> None:
        """Send a live batch."""
        self._live.send(Events(epoch=0, nack=0, after=after, upto=upto, synced=upto, events=events))

    def beat(self) -> bool:
        """Send what the normalizer sends after each sync of the journal: how far it is, nothing else. Always true."""
        self.send(self.head, self.head, [])
        return True

    def checkpoint(self) -> None:
        """Keep the memory as of now, as the normalizer does."""
        Checkpoints(self.config.data_path / "checkpoints").save(self.head, msgspec.msgpack.encode(self.memory))

    def tell_state(self) -> LiveState:
        """Publish the live state as of now."""
        state = self._state("")
        self._live_state.send(state)
        return state

    def endpoint(self, name: str) -> str:
        """Where the broadcaster serves `name`."""
        url = lookup(self.runtime_dir, name)
        assert url is not None
        return url

    @property
    def log(self) -> str:
        """What the broadcaster logged."""
        return (self.runtime_dir / "log" / "broadcaster.log").read_text()

    @contextmanager
    def broadcaster(self) -> Iterator[Process]:
        """Run the real actor; it is ready inside the block."""
        log = self.runtime_dir / "log" / "broadcaster.log"
        log.unlink(missing_ok=True)
        with process("broadcaster", "actors.broadcaster.actor:run", self.config) as running:
            wait_for(lambda: log.exists() and "ready" in log.read_text(), 15)
            yield running

    def _state(self, query: str) -> LiveState:
        data = {"gameId": game_of(0), "tick": len(self.events), "price": 1.5}
        seq = self.events[-1].seq if self.events else 0
        return LiveState(id=query, seq=seq, last=dict(self.memory.last), state=json.dumps(data).encode())

    def _answer(self) -> None:
        bus = Bus(self.runtime_dir)
        queries, control = bus.router(streams.QUERIES), bus.router(streams.CONTROL)
        while not self._end.is_set():
            while self.state_answers and (asked := queries.receive()) is not None:
                queries.send(asked[0], self._state(asked[1].id))
            while self.status is not None and (asked := control.receive()) is not None:
                control.send(asked[0], Answer(id=asked[1].id, data=json.dumps(self.status).encode()))
            select.select([], [], [], 0.005)
        bus.close()


@contextmanager
def stage(**settings: Any) -> Iterator[Stage]:
    """Set a stage in a directory with a short name: ipc paths are limited to 107 bytes."""
    home = Path(tempfile.mkdtemp(prefix="v-"))
    try:
        with Stage(home, **settings) as made:
            yield made
    finally:
        shutil.rmtree(home)
