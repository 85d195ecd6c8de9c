"""A press that both captures tell of is one note, also when one of them tells late or the journal restarts."""

import json
from typing import Any

import msgspec

from actors.core.messages import Attached, CaptureBatch, Note, Pressed
from actors.core.segments import Batch
from actors.journal.core import JournalCore
from actors.journal.memory import PRESSES_KEPT, Memory

A, B = 100, 200
PATTERN = "rugs"


def pressed(n: int, key: str) -> Pressed:
    return Pressed(n, 1_000_000 * n, float(n), key, json.dumps({"key": key, "text": "BUY"}).encode())


def told(core: JournalCore, incarnation: int, after: int, *items: Any) -> list[Note]:
    """Give the core a capture's items; return the presses that it stored."""
    batch = CaptureBatch(
        capture=f"capture-{incarnation}", incarnation=incarnation, epoch=7, nack=0, after=after,
        upto=after + len(items), read_until_s=5.0, attached="guid", items=list(items),
    )  # fmt: skip
    assert core.take(batch, 0.0, 1.0)
    written = core.batch()
    notes = written.records if written is not None else []
    return [note for note in notes if isinstance(note, Note) and note.event == "press"]


def test_the_same_press_from_both_captures_is_stored_once() -> None:
    core = JournalCore(Memory(), PATTERN, 7, standby=True)
    told(core, A, 0, Attached(1, 1, 1.0, "guid"))
    told(core, B, 0, Attached(1, 1, 1.0, "guid"))
    (note,) = told(core, A, 1, pressed(2, "page-1"))
    assert (note.at_us, json.loads(note.data)["text"]) == (2_000_000, "BUY")
    assert told(core, B, 1, pressed(2, "page-1")) == []
    (second,) = told(core, B, 2, pressed(3, "page-2"))
    assert second.seq == note.seq + 256
    assert told(core, A, 2, pressed(3, "page-2")) == []


def test_a_restarted_journal_knows_the_presses_it_stored() -> None:
    core = JournalCore(Memory(), PATTERN, 7, standby=True)
    told(core, A, 0, Attached(1, 1, 1.0, "guid"), pressed(2, "page-1"))
    memory = msgspec.msgpack.decode(msgspec.msgpack.encode(core.memory), type=Memory)
    again = JournalCore(memory, PATTERN, 7, standby=True)
    assert told(again, B, 0, Attached(1, 1, 1.0, "guid"), pressed(2, "page-1")) == []


def test_the_presses_that_are_remembered_are_bounded() -> None:
    memory = Memory()
    for number in range(PRESSES_KEPT + 10):
        data = json.dumps({"key": f"page-{number}"}).encode()
        memory.apply(Batch(0, number, [Note(number, 0, "press", data)], [], [], []))
    assert len(memory.presses) == PRESSES_KEPT
    assert f"page-{PRESSES_KEPT + 9}" in memory.presses
