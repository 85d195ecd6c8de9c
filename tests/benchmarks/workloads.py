"""The hot paths as functions of given input, for benchmarks that compare two checkouts: one turn each, no printing.

Run as a program by `compare.py`, with `PYTHONPATH` naming the checkout whose code is measured: reads the inputs' file,
then one line `PATH` a turn on standard input, and answers each with processor seconds. Imports nothing of the tests,
so that both checkouts get the same input and the same way of calling.
"""

import gc
import inspect
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

GAME_URL = "wss://backend.rugs.fun/socket.io/?EIO=4&transport=websocket"
PATTERN = r"^wss?://([^/]+\.)?rugs\.fun/socket\.io/"
A_BATCH = 200
MEMORY = Path("/dev/shm")


class Work(msgspec.Struct, array_like=True):
    """What one turn is: a path, how many times over, with which payloads."""

    path: str
    repeats: int
    payloads: list[bytes]

    @property
    def frames(self) -> int:
        """Frames of a turn."""
        return self.repeats * len(self.payloads)


class CdpSession:
    """A browser that was attached to, with the game's socket and a foreign one: messages in, items in the ring out."""

    def __init__(self) -> None:
        from actors.capture.ring import Ring
        from actors.capture.tap import Tap
        from actors.capture.wire import Command

        self._command = Command
        more: dict[str, Any] = {}
        if "sockets" in inspect.signature(Tap).parameters:  # an older checkout hands on what does not count
            from actors.capture.socket_filter import SocketFilter

            more["sockets"] = SocketFilter(PATTERN)
        self.tap = Tap("guid", 1000.0, **more)
        self.ring = Ring("capture-a", 1, 64_000_000)
        self.take(self.tap.begin(10.0))
        target = {"targetId": "T1", "type": "page", "url": "https://rugs.fun/"}
        self.handle(event("Target.attachedToTarget", "", sessionId="S1", targetInfo=target, waitingForDebugger=True))
        for number in range(1, 40):
            self.handle(msgspec.json.encode({"id": number, "result": {}}))
        for id_, url in (("game.1", GAME_URL), ("other.1", "wss://other.example/feed")):
            self.handle(event("Network.webSocketCreated", requestId=id_, url=url))

    def handle(self, message: bytes) -> None:
        """Take a message of the browser."""
        self.take(self.tap.handle(message, 10.0))

    def take(self, out: Any) -> None:
        """Keep the items, drop the commands."""
        for each in out:
            if not isinstance(each, self._command):
                self.ring.add(each)


def event(method: str, session: str = "S1", **params: Any) -> bytes:
    """Return a CDP event as Chromium writes it."""
    return msgspec.json.encode({"method": method, "params": params, "sessionId": session})


def cdp_frame(payload: bytes, at_s: float, *, socket: str = "game.1", sent: bool = False) -> bytes:
    """Return the CDP event of one text frame."""
    response = {"opcode": 1, "mask": sent, "payloadData": payload.decode()}
    kind = "Sent" if sent else "Received"
    return event(f"Network.webSocketFrame{kind}", requestId=socket, timestamp=at_s, response=response)


def capture_turn(payloads: list[bytes]) -> Callable[[], None]:
    """The capture's whole way: CDP messages to items in the ring."""
    messages = [cdp_frame(one, 20.0 + at / 100, sent=at % 50 == 0) for at, one in enumerate(payloads)]

    def turn() -> None:
        session = CdpSession()
        for message in messages:
            session.handle(message)
        assert session.ring.n >= len(messages)

    return turn


def foreign_turn(payloads: list[bytes]) -> Callable[[], None]:
    """The same for a socket that does not count."""
    messages = [cdp_frame(one, 20.0 + at / 100, socket="other.1") for at, one in enumerate(payloads)]

    def turn() -> None:
        session = CdpSession()
        for message in messages:
            session.handle(message)

    return turn


def redact_turn(payloads: list[bytes]) -> Callable[[], None]:
    """The redactor alone."""
    from actors.rugs.redact import Redactor

    def turn() -> None:
        redactor = Redactor()
        for payload in payloads:
            redactor.clean(False, 1, payload, "s")

    return turn


def normalize_turn(payloads: list[bytes]) -> Callable[[], None]:
    """Frames to events and rows, by a normalizer that has been running."""
    from actors.core.messages import Frame
    from actors.rugs.normalize import Memory, derive

    memory = Memory(recording=True)
    derive(memory, Frame(256, 0, "browser/page/1", False, 1, payloads[0]))
    warm = msgspec.msgpack.encode(memory)

    def turn() -> None:
        memory = msgspec.msgpack.decode(warm, type=Memory)
        for place, payload in enumerate(payloads):
            derive(memory, Frame(512 + 256 * place, 250_000 * place, "browser/page/1", False, 1, payload))

    return turn


def journal_turn(payloads: list[bytes]) -> Callable[[], None]:
    """Batches of one capture through the journal's core and store, onto files in memory."""
    from actors.core import messages as m
    from actors.core.config import Journal
    from actors.journal.core import JournalCore
    from actors.journal.store import Store

    now_us = 1_700_000_000_000_000
    items: list[Any] = [
        m.Attached(1, now_us, 0.0, "G"), m.StreamOpened(2, now_us, 0.0, "G/T/1", GAME_URL, "websocket"),
        *(m.FrameSeen(n + 3, now_us + n, n / 1e6, "G/T/1", False, 1, one) for n, one in enumerate(payloads)),
    ]  # fmt: skip
    batches = [
        m.CaptureBatch(capture="capture-a", incarnation=1, epoch=1, nack=0, after=at, upto=at + len(part),
                       read_until_s=1.0, attached="G", items=part)
        for at in range(0, len(items), A_BATCH) if (part := items[at : at + A_BATCH])
    ]  # fmt: skip

    def turn() -> None:
        with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as home:
            store = Store(Path(home) / "journal", Journal())
            core = JournalCore(store.memory, PATTERN, 1)
            for batch in batches:
                assert core.take(batch, 0.0, 0.0)
                written = core.batch()
                assert written is not None
                store.write(written)
                store.sync()
            store.close()

    return turn


TURNS = {
    "normalize": normalize_turn, "journal": journal_turn, "redact": redact_turn, "capture": capture_turn,
    "foreign": foreign_turn,
}  # fmt: skip


def seconds_of(turn: Callable[[], None], repeats: int = 1) -> float:
    """Return the processor's seconds of so many turns."""
    gc.collect()
    began_s = time.process_time()
    for _ in range(repeats):
        turn()
    return time.process_time() - began_s


def main() -> None:
    """Answer each line with the seconds of one turn of the path that it names."""
    inputs = msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=dict[str, Work])
    turns = {name: TURNS[work.path](work.payloads) for name, work in inputs.items()}
    for turn in turns.values():
        turn()  # what is imported and compiled at first
    gc.freeze()
    gc.disable()
    import actors

    print(Path(actors.__file__ or "").parents[1], flush=True)
    for line in sys.stdin:
        name = line.strip()
        print(seconds_of(turns[name], inputs[name].repeats), flush=True)


if __name__ == "__main__":
    main()
