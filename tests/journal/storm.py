"""Two captures and a journal in a made-up time, killed at random instants: the pure parts, and nothing between them.

Real `Ring`s, a real `JournalCore`, what it wrote folded anew after each of its deaths. Pipes hold what was sent and
lose it with the journal; what a dead capture had sent still arrives.
"""

import random
from collections import deque

from msgspec import msgpack

from actors.capture.ring import Ring
from actors.core import messages as m
from actors.core.segments import Batch
from actors.journal.core import JournalCore
from actors.journal.memory import Memory

STEP_S = 0.005  # a frame each
STREAM = "G/T/1"
URL = "wss://backend.rugs.fun/socket.io/?EIO=4&transport=websocket"
PATTERN = r"^wss?://([^/]+\.)?rugs\.fun/socket\.io/"
NAMES = ("capture-a", "capture-b")
BACK_S = 0.05  # a restart takes so long, at least


class Storm:
    """Plays `steps` of 5 ms; `stored` are the numbers of the frames in the journal."""

    def __init__(self, dice: random.Random, *, blows_s: float, at_once: int, jitter_s: float = 0.0005) -> None:
        self._dice = dice
        self._blows_s = blows_s
        self._at_once = at_once
        self._jitter_s = jitter_s
        self.now_s = 100.0
        self.batches: list[Batch] = []
        self.sent: list[tuple[int, float]] = []
        self._rings: dict[str, Ring | None] = dict.fromkeys(NAMES)
        self._back_s = dict.fromkeys((*NAMES, "journal"), 0.0)
        self._pipe: deque[m.CaptureBatch] = deque()
        self._incarnation = 0
        self._core: JournalCore | None = None
        self._acked: dict[int, int] = {}  # as of the last write
        self._next_blow_s = self.now_s + 2.0
        self._silent = False

    def play(self, seconds: float, calm_s: float) -> None:
        """Let blows fall for `seconds`, then let everything come to rest, at the end without frames."""
        until_s = self.now_s + seconds
        while self.now_s < until_s + calm_s:
            self._silent = self.now_s > until_s + calm_s / 2
            if self._next_blow_s <= self.now_s < until_s:
                self._next_blow_s = self.now_s + self._dice.uniform(0.5, 1.5) * self._blows_s
                for name in self._dice.sample((*NAMES, "journal"), self._at_once):
                    self._kill(name)
            self._step()

    def _kill(self, name: str) -> None:
        self._back_s[name] = self.now_s + BACK_S + self._dice.random() * 0.3
        if name == "journal":
            if self._core is not None and self._dice.random() < 0.5:  # it dies before or after its write
                self._write()
            self._core = None
            self._pipe.clear()
        else:
            self._rings[name] = None

    def _step(self) -> None:
        self.now_s += STEP_S
        if self._core is None and self.now_s >= self._back_s["journal"]:
            self._core = self._journal()
        number = len(self.sent)
        if not self._silent:
            self.sent.append((number, self.now_s))
        for place, name in enumerate(NAMES):
            if self._rings[name] is None and self.now_s >= self._back_s[name]:
                self._begin(name)
            ring = self._rings[name]
            if ring is not None and not self._silent:
                at_s = self.now_s + place * self._dice.uniform(0, self._jitter_s)
                ring.add(self._frame(number, at_s))
        if self._dice.random() < 0.8:
            self._turn_journal()
        for name in self._dice.sample(NAMES, 2):
            if self._dice.random() < 0.8:
                self._turn_capture(name)

    def _frame(self, number: int, at_s: float) -> m.FrameSeen:
        return m.FrameSeen(0, int(at_s * 1e6), at_s, STREAM, False, 1, b'42["n",%d]' % number)

    def _begin(self, name: str) -> None:
        self._incarnation += 1
        ring = self._rings[name] = Ring(name, self._incarnation, 64_000_000)
        ring.add(m.Attached(0, int(self.now_s * 1e6), self.now_s, "G"))
        if len(self.sent) < 10:
            ring.add(m.StreamOpened(0, int(self.now_s * 1e6), self.now_s, STREAM, URL, "websocket"))

    def _journal(self) -> JournalCore:
        memory = Memory()
        for batch in self.batches:
            memory.apply(msgpack.decode(msgpack.encode(batch), type=Batch))
        core = JournalCore(memory, PATTERN, int(self.now_s * 1e6), standby=True)
        frames = [record for batch in self.batches for record in batch.records if isinstance(record, m.Frame)]
        core.restore(frames[-8192:], self.now_s)
        for ring in self._rings.values():
            if ring is not None:
                ring.hear(core.positions({}))
        return core

    def _turn_capture(self, name: str) -> None:
        ring = self._rings[name]
        if ring is None or self._core is None:
            return
        ring.hear(self._core.positions(self._acked))
        batch = ring.next_batch(self.now_s, None)
        self._pipe.append(batch)
        ring.sent(batch)

    def _turn_journal(self) -> None:
        if self._core is None:
            return
        while self._pipe:
            self._core.take(self._pipe.popleft(), 0.0, self.now_s)
        self._core.watch(self.now_s)
        self._core.tick(self.now_s)
        if self._dice.random() < 0.9:
            self._write()

    def _write(self) -> None:
        batch = self._core.batch() if self._core is not None else None
        if batch is not None and self._core is not None:
            self.batches.append(batch)
            self._acked = {session.incarnation: session.n for session in self._core.memory.sessions.values()}

    @property
    def stored(self) -> list[int]:
        """The numbers of the frames in the journal, in its order."""
        records = [record for batch in self.batches for record in batch.records]
        return [int(record.payload[7:-1]) for record in records if isinstance(record, m.Frame)]
