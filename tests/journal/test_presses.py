"""A press that both captures tell of is one note, also when one of them tells late or the journal restarts."""

import json
from typing import Any

import msgspec

from actors.core.messages import Attached, CaptureBatch, Note, Pressed
from actors.core.segments import Batch
from actors.journal.core import JournalCore
from actors.journal.memory import Memory
from actors.journal.presses import DOCUMENTS_KEPT

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


def test_twenty_thousand_presses_in_a_burst_are_stored_once_each() -> None:
    core = JournalCore(Memory(), PATTERN, 7, standby=True)
    told(core, A, 0, Attached(1, 1, 1.0, "guid"))
    told(core, B, 0, Attached(1, 1, 1.0, "guid"))
    burst = [pressed(2 + number, f"guid/T/page/{1 + number}") for number in range(20_000)]
    assert len(told(core, A, 1, *burst)) == 20_000
    assert told(core, B, 1, *burst) == []
    assert len(msgspec.msgpack.encode(core.memory.pressed)) < 100, "one interval, whatever their number"


def test_a_press_that_one_capture_missed_is_taken_from_the_other_however_late() -> None:
    core = JournalCore(Memory(), PATTERN, 7, standby=True)
    told(core, A, 0, Attached(1, 1, 1.0, "guid"))
    told(core, B, 0, Attached(1, 1, 1.0, "guid"))
    seen = [number for number in range(1, 3000) if number % 7]
    told(core, A, 1, *(pressed(1 + place, f"guid/T/page/{count}") for place, count in enumerate(seen, 1)))
    rest = told(core, B, 1, *(pressed(1 + count, f"guid/T/page/{count}") for count in range(1, 3000)))
    assert [json.loads(note.data)["key"].rpartition("/")[2] for note in rest] == [str(n) for n in range(7, 3000, 7)]


def test_presses_of_a_document_that_was_forgotten_are_never_new() -> None:
    memory = Memory()
    for number in range(DOCUMENTS_KEPT + 10):
        data = json.dumps({"key": f"guid/T/frame{number}/1"}).encode()
        memory.apply(Batch(0, number, [Note(number, number, "press", data)], [], [], []))
    assert len(memory.pressed.documents) == DOCUMENTS_KEPT
    assert all(memory.is_pressed(f"guid/T/frame{number}/1", number) for number in range(DOCUMENTS_KEPT + 10))
    assert not memory.is_pressed("guid/T/another/1", DOCUMENTS_KEPT + 20)


def test_presses_in_the_memory_of_an_older_journal_are_known() -> None:
    memory = Memory(presses={"guid/T/page/3": None})
    assert memory.is_pressed("guid/T/page/3", 5)
    assert not memory.is_pressed("guid/T/page/4", 5)
