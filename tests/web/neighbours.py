"""The web actor's neighbours for tests: the real sockets of normalizer, state, journal and supervisor, told by the test
what to say.

`Neighbours` binds the sending and answering ends in a thread of its own; the test calls `tick`, `state`, `complete` and
sets `status`. Everything goes over the real bus, so the web actor cannot tell the difference.
"""

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import zmq

from actors.core import streams
from actors.core.bus import Bus
from actors.core.config import Config
from actors.core.messages import Answer, Ask, Committed, Event, Events, LiveState, SnapshotQuery, Submit

ACTORS = ("browser", "pilot", "capture-a", "journal", "normalizer", "writer", "state", "broadcaster", "web")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def actor_entry(name: str, pid: int, **changes: Any) -> dict[str, Any]:
    entry = {"name": name, "state": "ready", "pid": pid, "uptime_s": 8077.4, "restarts": 0, "last_exit": None}
    return entry | {"rss_bytes": 41_500_000, "cpu_percent": 1.2, "progress": 512, "stats": {}} | changes


def good_status() -> dict[str, Any]:
    exit_ = {"code": None, "signal": 9, "at": now_ms() - 3 * 3_600_000, "last_lines": ["ready", "serving rows"]}
    actors = [actor_entry(name, 4000 + number) for number, name in enumerate(ACTORS)]
    actors[5] |= {"restarts": 1, "last_exit": exit_}
    supervisor = {"pid": 3999, "state": "running", "uptime_s": 8078.0, "version": "1.0", "demo": True}
    return {
        "supervisor": supervisor | {"data_dir": "/data", "runtime_dir": "/data/run"},
        "actors": actors,
        "recording": {"on": True, "since": now_ms() - 8_077_000},
        "source": {"connected": True, "url": "ws://127.0.0.1:1/socket.io/", "last_frame_age_s": 0.1},
        "journal": {"seq": 4_812_032, "bytes": 61_200_000, "unacked": 0},
        "gaps": {"count": 1, "seconds": 0.6},
        "endpoints": {"web": "http://127.0.0.1:5000/", "feed": "ws://127.0.0.1:9000/feed", "cdp": None},
    }


class Neighbours:
    """All that the web actor talks to."""

    def __init__(self, runtime_dir: Path) -> None:
        self.bus = Bus(runtime_dir)
        self.status: dict[str, Any] | None = good_status()
        self.commits = True  # whether the journal confirms commands
        self.refusal: str | None = None
        self.submitted: list[Submit] = []
        self.restarted: list[str] = []
        self.snapshot = LiveState(seq=0, last={}, state=b"{}")
        self.seq = 256 * 100_000  # above what the tests put on disk
        self._upto = 0
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._stopping = False
        self._wake_read, self._wake_write = self._pair()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="neighbours")
        self._thread.start()
        assert self._started.wait(5)

    def close(self) -> None:
        self._stopping = True
        self._wake_write.send(b"")
        self._thread.join(5)
        self._wake_read.close()
        self._wake_write.close()
        self.bus.close()

    # What the test says.

    def tick(self, game_id: str, tick: int, price: float, phase: str = "ACTIVE", **state: Any) -> int:
        """Publish a game.tick and the state that follows from it; return its number."""
        data = {"gameId": game_id, "tickCount": tick, "price": price, "phase": phase}
        seq = self.events([("game.tick", game_id, data)])
        self.state(seq, gameId=game_id, tick=tick, price=price, phase=phase, **state)
        return seq

    def state(self, seq: int, **values: Any) -> None:
        values = {"connected": True, "lastFrameAt": now_ms(), "cooldownMs": 0} | values
        message = self.snapshot = LiveState(seq=seq, last={}, state=msgspec.json.encode(values))
        self._say(lambda: self._live_state.send(message))

    def complete(self, game_id: str, prices: list[float], verified: bool | None = True) -> int:
        """Publish a game.completed; return its number."""
        fair = {"serverSeed": "ab" * 32, "serverSeedHash": "cd" * 32}
        data = {"id": game_id, "timestamp": now_ms(), "prices": prices, "peakMultiplier": max(prices[:-1])}
        data |= {"provablyFair": fair, "gameVersion": "v3", "globalSidebets": [], "verified": verified}
        return self.events([("game.completed", game_id, data | {"verifyReason": "seed, prices and peak agree"})])

    def events(self, events: list[tuple[str, str | None, dict[str, Any]]], hole: int = 0) -> int:
        """Publish events as one live batch, `hole` numbers after the last; return the last one's number."""
        after, made = self._upto + hole, []
        for kind, game_id, data in events:
            self.seq += 256
            made.append(Event(self.seq, kind, now_ms(), game_id, msgspec.json.encode(data)))
        self._upto = self.seq
        batch = Events(epoch=0, nack=0, after=after, upto=self.seq, synced=after, events=made)
        self._say(lambda: self._live.send(batch))
        return self.seq

    # The thread.

    def _pair(self) -> tuple[Any, Any]:
        context: zmq.Context[Any] = zmq.Context.instance()
        name = f"inproc://neighbours-{id(self)}"
        read, write = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
        read.bind(name)
        write.connect(name)
        return read, write

    def _say(self, work: Callable[[], Any]) -> None:
        self._work.put(work)
        self._wake_write.send(b"")

    def _run(self) -> None:
        self._live = self.bus.outbox(streams.LIVE)
        self._live_state = self.bus.outbox(streams.LIVE_STATE)
        self._results = self.bus.outbox(streams.RESULTS)
        reports = self.bus.inbox(streams.REPORTS)
        handlers: dict[Any, Callable[[], Any]] = {
            reports: reports.receive,
            (commands := self.bus.inbox(streams.COMMANDS)): lambda: self._commit(commands.receive()),
            (queries := self.bus.router(streams.QUERIES)): lambda: self._answer_query(queries),
            (control := self.bus.router(streams.CONTROL)): lambda: self._answer_ask(control),
        }
        poller = zmq.Poller()
        poller.register(self._wake_read, zmq.POLLIN)
        for end in handlers:
            poller.register(end.socket, zmq.POLLIN)
        self._started.set()
        while not self._stopping:
            ready = dict(poller.poll(1000))
            if self._wake_read in ready:
                self._wake_read.recv()
                if not self._work.empty():
                    self._work.get()()
            for end, handle in handlers.items():
                if end.socket in ready:
                    handle()
        for end in (*handlers, self._live, self._live_state, self._results):
            end.close()

    def _commit(self, submit: Submit | None) -> None:
        if submit is None:
            return
        self.submitted.append(submit)
        if not self.commits:
            return
        self.seq += 256
        self._results.send(Committed(id=submit.id, seq=self.seq, error=self.refusal))
        if self.refusal is None and self.status is not None:
            on = msgspec.json.decode(submit.data)["on"]
            self.status = self.status | {"recording": {"on": on, "since": now_ms() if on else None}}

    def _answer_query(self, queries: Any) -> None:
        asked = queries.receive()
        if asked is not None:
            client, query = asked
            assert isinstance(query, SnapshotQuery)
            queries.send(client, msgspec.structs.replace(self.snapshot, id=query.id))

    def _answer_ask(self, control: Any) -> None:
        asked = control.receive()
        if asked is None or self.status is None:
            return
        client, ask = asked
        assert isinstance(ask, Ask)
        if ask.op == "status":
            control.send(client, Answer(id=ask.id, data=msgspec.json.encode(self.status)))
            return
        if ask.op == "config":
            view = {
                "path": "vectra.yaml",
                "config": msgspec.to_builtins(Config()),
                "sources": {"web.port": "command line"},
            }
            control.send(client, Answer(id=ask.id, data=msgspec.json.encode(view)))
            return
        name = ask.args["actor"]
        self.restarted.append(name)
        actors = [
            one | {"pid": one["pid"] + 1000, "restarts": one["restarts"] + 1} if one["name"] == name else one
            for one in self.status["actors"]
        ]
        self.status = self.status | {"actors": actors}
        control.send(client, Answer(id=ask.id, data=msgspec.json.encode({"actors": {name: 1}})))
