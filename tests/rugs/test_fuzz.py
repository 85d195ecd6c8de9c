"""Anything at all may arrive: nothing makes the parser or the normalizer's core raise, and their memory stays small.

`FUZZ_INPUTS` says how many inputs there are: 20,000 by default, 1,000,000 in `make soak`. The same number gives the
same inputs; `FUZZ_SEED` gives others.
"""

import json
import os
import random
import resource
import time
import tracemalloc
from typing import Any

import msgspec
import pytest

from actors.core.messages import SEQ_STEP, Frame, Note
from actors.rugs.memory import Memory
from actors.rugs.normalize import derive
from actors.rugs.packets import MAX_BYTES, Packet, Unknown, parse
from tests.rugs.playbook import TRACE, countdown, packet, std, types
from tests.rugs.playbook import Play as Game

INPUTS = int(os.environ.get("FUZZ_INPUTS", "20000"))
SEED = int(os.environ.get("FUZZ_SEED", "5"))
START_US = 1_765_000_000_000_000

VALID = [
    b"2", b"3probe", b"40", b'40{"sid":"x"}', b'0{"sid":"x","pingInterval":25000}', b'44/ns,{"message":"no"}',
    b"41/ns,",
    b'43/ns,7[{"success":true}]', b'437[{"success":true,"message":"ok"}]', b"431[]",
    std(3, 5).encode(), std(3, 9).encode(), countdown(4, 9000).encode(),
    packet("buyOrder", TRACE, {"amount": 0.1}, ack_id=7).encode(),
    packet("sellOrder", TRACE, {"percentage": 50}, ack_id=1).encode(),
    packet("standard/newTrade", TRACE, {"id": "t", "type": "buy", "price": 1.5, "tickIndex": 3}).encode(),
    packet("playerUpdate", {"id": "me", "cash": 1, "positionQty": 2.5, "sideBet": None}).encode(),
    packet("currentSidebet", TRACE, {"playerId": "me", "betAmount": 0.1, "startTick": 3, "endTick": 43}).encode(),
    b'452-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', b'461-7[{"_placeholder":true,"num":0}]',
]  # fmt: skip
PIECES = [
    b"4", b"42", b"43", b"451-", b"/ns,", b"12", b"[", b"]", b"{", b"}", b'"', b":", b",", b"\\", b'"a"', b"null",
    b"-1",
    b'"gameStateUpdate"', b'"gameId"', b'"tickCount"', b'"price"', b'"gameHistory"', b'"__trace":true', b"\\ud800",
    b"\\u0000", b"\xff", b"\x00", b"\x1e", b"1e999", b"9" * 30, b"NaN", b"[" * 200, b'{"a":' * 150, b"\xf0\x9f\x98\x80",
    b'{"_placeholder":true,"num":0}', b"false", b"1.5", b"-0", b"99999999999999999999-",
]  # fmt: skip


def mutated(dice: random.Random) -> bytes:
    """Return a valid frame with a few changes, or a mixture of pieces, or mere bytes."""
    kind = dice.random()
    if kind < 0.15:
        return dice.randbytes(dice.randrange(60))
    if kind < 0.35:
        return b"42" * dice.randrange(2) + b"".join(dice.choices(PIECES, k=dice.randrange(25)))
    frame = bytearray(dice.choice(VALID))
    for _ in range(dice.randrange(4)):
        at = dice.randrange(len(frame) + 1)
        match dice.randrange(4):
            case 0:
                frame[at : at + dice.randrange(1, 9)] = b""
            case 1:
                frame[at:at] = dice.choice(PIECES)
            case 2:
                frame[at : at + 1] = dice.randbytes(1)
            case _:
                frame[at:at] = frame[dice.randrange(len(frame) + 1) :][: dice.randrange(40)]
    return bytes(frame)


def press(dice: random.Random, number: int) -> bytes:
    values: list[Any] = ["BUY", "", None, 3, "x" * 70, True, [1], {"a": 1}, "0.03", "25%"]
    told = {name: dice.choice(values) for name in ("text", "classes", "target", "isButton", "amount", "percent")}
    return json.dumps({"key": f"k{number}", **told}).encode()


def test_no_input_at_all_makes_the_core_fail_or_grow() -> None:
    dice, memory = random.Random(SEED), Memory(recording=True)
    events = 0
    for number in range(1, INPUTS + 1):
        seq, at_us, stream = number * SEQ_STEP, START_US + number * 50_000, f"g/page/{dice.randrange(3)}"
        payload = mutated(dice)
        opcode = 2 if dice.random() < 0.05 else 1
        assert isinstance(parse(payload, opcode), Packet)
        frame = Frame(seq, at_us, stream, dice.random() < 0.4, opcode, payload)
        derived = derive(memory, frame if dice.random() < 0.98 else Note(seq, at_us, "press", press(dice, number)))
        assert memory.failures == 0, payload
        for event in derived.events:
            assert seq <= event.seq < seq + SEQ_STEP
            assert isinstance(msgspec.json.decode(event.data), dict)
        for row in derived.rows:
            assert msgspec.msgpack.encode(row)
        events += len(derived.events)
        if number % 20_000 == 0:
            text = msgspec.msgpack.encode(memory)
            assert len(text) < 8_000_000
            memory = msgspec.msgpack.decode(text, type=Memory)
    assert events > INPUTS / 10, "the inputs reach beyond the parser"
    assert memory.malformed > INPUTS / 10


@pytest.mark.parametrize(
    ("piece", "name"),
    [(b",[]", "a"), (b',{"a":[1.5]}', "gameStateUpdate"), (b',"\xc3\xa4"', "load")],
    ids=["a", "b", "c"],
)
def test_a_frame_of_100_mb_is_kept_and_counted_in_bounded_time_and_memory(piece: bytes, name: str) -> None:
    payload = b'42["' + name.encode() + b'"' + piece * (100_000_000 // len(piece)) + b"]"
    before_kb, began_s = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    game = Game()
    derived = game.frame(payload)
    spent_s = time.process_time() - began_s
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    assert types(derived) == [f"raw.{name}"]
    assert msgspec.json.decode(derived.events[0].data) == {"args": [], "unreadBytes": len(payload)}
    assert derived.rows[0].values[3:] == [name, payload]
    assert game.memory.malformed == 1
    assert spent_s < 5
    assert grown_kb < 600_000
    print(f"{spent_s:.2f} s, {grown_kb // 1024} MB")


@pytest.mark.parametrize("filling", [b",[]", b',{"a":[1.5]}'], ids=["arrays", "objects"])
def test_a_state_frame_of_100_mb_is_a_tick_without_its_monstrous_field(filling: bytes) -> None:
    head = b'42["gameStateUpdate",{"gameId":"g","active":true,"tickCount":1,"price":1.5,"blob":[0'
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    game = Game()
    derived = game.frame(head + filling * (100_000_000 // len(filling)) + b"]}]")
    assert types(derived) == (["game.tick"] if b":" not in filling else ["raw.gameStateUpdate"])
    assert "blob" not in json.loads(derived.events[0].data)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 900_000


def test_the_largest_frame_that_is_read_takes_bounded_memory() -> None:
    payload = b'42["a"' + b",[]" * ((MAX_BYTES - 7) // 3) + b"]"
    assert not isinstance(parse(payload), Unknown)
    assert isinstance(parse(payload + b" " * 10), Unknown)
    tenth = b'42["a"' + b",[]" * (MAX_BYTES // 30) + b"]"
    tracemalloc.start()  # makes it ten times as slow
    try:
        parse(tenth)
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()
