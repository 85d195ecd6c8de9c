"""A recorded data directory without any process: the simulator's game, derived and written as the live system does.

`records` plays rounds of a logged-in player who presses buttons, orders and bets; `write` derives them and has the
writer's own store flush them. The same call gives the same data.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from actors.core.messages import SEQ_STEP, Frame, Note, Record
from actors.rugs.memory import Memory
from actors.rugs.normalize import derive
from actors.simulator.game import Game
from actors.simulator.messages import Emit, Reply
from actors.writer.flush import Store

START_US = 1_767_225_600_000_000  # 2026-01-01 00:00 UTC
MIDNIGHT_US = START_US + 86_400_000_000
STREAM = "guid/page/1"
FLUSH = 400  # records a flush


class Session:
    """A page at the simulated game, with what its captures and the journal would make of it."""

    def __init__(self, seed: str = "recorded", at_us: int = MIDNIGHT_US - 60_000_000) -> None:
        self.at_us = at_us
        self.seq = 0
        self.game = Game(seed, at_us // 1000, first_timer_ms=2000)
        self._ack_id = 0
        self._presses = 0

    def note(self, event: str, **data: Any) -> Note:
        return Note(self._next(), self.at_us, event, json.dumps(data).encode())

    def frame(self, text: str, *, sent: bool = False) -> Frame:
        return Frame(self._next(), self.at_us, STREAM, sent, 1, text.encode())

    def start(self) -> Iterator[Record]:
        yield self.note("connection", what="opened", stream=STREAM, url="wss://localhost/socket.io/")
        yield self.note("recording", on=True, by="test")
        yield self.frame('0{"sid":"x","pingInterval":25000}')
        yield from self._emits(self.game.welcome(self.at_us // 1000))
        yield from self.ask("authenticate", "[redacted]")

    def ask(self, name: str, *args: Any) -> Iterator[Record]:
        """Send a request, and take its answer."""
        self._ack_id += 1
        trace = {"__trace": True, "traceparent": f"00-{self._ack_id:032x}-7365549278738270-01"}
        yield self.frame(f"42{self._ack_id}{json.dumps([name, trace, *args])}", sent=True)
        self.at_us += 20_000
        reply: Reply = self.game.handle(name, [trace, *args], self.at_us // 1000)
        yield from self._emits(reply.emits)
        self.at_us += 1000
        yield self.frame(f"43{self._ack_id}{json.dumps([] if reply.ack is None else [reply.ack])}")

    def press(self, text: str, classes: str = "") -> Note:
        self._presses += 1
        told = {"key": f"guid/page/x/{self._presses}", "target": "page", "trusted": True, "text": text}
        return self.note("press", **told, classes=classes, isButton=True, amount="0.010", percent="100%")

    def rounds(self, count: int) -> Iterator[Record]:
        """Play until so many rounds are revealed; order, bet and press on the way."""
        steps = 0
        while count:
            before = self.game.live.game_id
            step = self.game.step(self.at_us // 1000)
            yield from self._emits(step.emits)
            self.at_us += round(step.delay_s * 1e6)
            count -= self.game.live.game_id != before
            steps += 1
            if steps % 40 == 0:
                yield from self.trade(steps // 40)
            if steps % 100 == 0:
                yield self.frame("2")

    def trade(self, number: int) -> Iterator[Record]:
        """Press a button and send what it sends."""
        yield self.press("+0.001", "_controlBtn_x1 _buySection_x1")
        kind = number % 3
        yield self.press(("BUY+0.010 SOL", "SELL", "SIDE BET Win 0.05")[kind], "bet-button" if kind == 2 else "")
        self.at_us += 3000
        name = ("buyOrder", "sellOrder", "requestSidebet")[kind]
        told = ({"amount": 0.01}, {"percentage": 50}, {"amount": 0.01, "coinAddress": None, "xPayout": 5})[kind]
        yield from self.ask(name, told)

    def _emits(self, emits: Iterable[Emit]) -> Iterator[Record]:
        for emit in emits:
            self.at_us += 700
            yield self.frame(f"4{emit.packet()}")

    def _next(self) -> int:
        self.seq += SEQ_STEP
        return self.seq


def records(rounds: int = 3, seed: str = "recorded") -> list[Record]:
    """Return a session that goes past midnight."""
    session = Session(seed)
    return [*session.start(), *session.rounds(rounds)]


def write(data_dir: Path, journaled: list[Record], flush: int = FLUSH) -> Memory:
    """Derive and write all of it; return the memory behind it."""
    memory, store = Memory(), Store(data_dir)
    for begin in range(0, len(journaled), flush):
        part = journaled[begin : begin + flush]
        rows = [row for record in part for row in derive(memory, record).rows]
        store.flush(rows, part[-1].seq)
    return memory
