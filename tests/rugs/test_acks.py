"""What a capture that came late learns of the requests that it missed."""

import json
from pathlib import Path

import msgspec

from actors.capture.notes_file import read_notes, write_notes
from actors.rugs.acks import KEPT_ACKS, KEPT_SESSIONS, Acks, Notes
from actors.rugs.redact import MARK, Redactor

STREAM = "guid/target/9.1"
SECRET = "planted-credential"


def early() -> Acks:
    """A capture that saw both requests, over a session that has a better name than its stream."""
    acks = Acks(Notes(guid="guid"))
    redactor = Redactor(acks, "session")
    redactor.clean(True, 1, f'427["authenticate","{SECRET}"]'.encode(), STREAM)
    redactor.clean(True, 1, b'428["buyOrder",{"amount":1}]', STREAM)
    return acks


def answers(acks: Acks, session: str) -> list[bytes]:
    redactor = Redactor(acks, session)
    packets = (f'437[{{"session":"{SECRET}"}}]', '438[{"success":true}]', f'439["{SECRET}"]')
    return [redactor.clean(False, 1, packet.encode(), STREAM)[0] for packet in packets]


def test_who_came_between_a_request_and_its_answer_hides_the_same_as_who_saw_both() -> None:
    first = early()
    late = Acks(Notes(guid="guid"), lambda: [first.notes])
    expected = [f'437["{MARK}"]'.encode(), b'438[{"success":true}]', f'439["{MARK}"]'.encode()]
    assert answers(first, "session") == expected
    assert answers(late, STREAM) == expected


def test_who_is_alone_and_came_late_hides_every_answer() -> None:
    assert answers(Acks(), STREAM) == [f'43{n}["{MARK}"]'.encode() for n in (7, 8, 9)]


def test_a_successor_goes_on_with_what_its_predecessor_noted(tmp_path: Path) -> None:
    write_notes(tmp_path, "capture-a", early().notes)
    assert answers(Acks(read_notes(tmp_path, "capture-a")), STREAM)[1] == f'438["{MARK}"]'.encode()
    others = [notes for name in ("capture-a", "capture-b") if (notes := read_notes(tmp_path, name)) is not None]
    assert answers(Acks(None, lambda: others), STREAM)[1] == b'438[{"success":true}]'


def test_one_word_for_secret_outweighs_another() -> None:
    harmless = Notes(guid="guid", sessions={"s": {"page  7": False}})
    secret = Notes(guid="guid", sessions={"s": {"page  7": True}})
    assert Acks(None, lambda: [harmless, secret]).is_secret("s", "x", "page  7")
    assert not Acks(None, lambda: [harmless]).is_secret("s", "x", "page  7")


def test_notes_hold_no_content_and_no_query() -> None:
    acks = Acks(Notes(guid="guid"))
    Redactor(acks, "s").clean(True, 1, f'42/ns?token={SECRET},7["authenticate","{SECRET}"]'.encode(), STREAM)
    noted = msgspec.json.encode(acks.notes)
    assert SECRET.encode() not in noted
    assert json.loads(noted)["sessions"] == {"s": {"page /ns 7": True}}


def test_what_is_noted_is_bounded_and_ends_with_its_session() -> None:
    acks = Acks()
    for number in range(KEPT_ACKS + 10):
        acks.asked("s", STREAM, str(number), secret=False)
    assert len(acks.notes.sessions["s"]) == KEPT_ACKS
    assert acks.is_secret("s", STREAM, "0")
    assert not acks.is_secret("s", STREAM, str(KEPT_ACKS))
    for number in range(KEPT_SESSIONS + 10):
        acks.asked(f"s{number}", f"stream{number}", "1", secret=False)
    assert len(acks.notes.sessions) == len(acks.notes.streams) == KEPT_SESSIONS
    acks.changed = False
    acks.forget(f"s{KEPT_SESSIONS}")
    assert acks.changed
    assert f"stream{KEPT_SESSIONS}" not in acks.notes.streams


def test_notes_that_cannot_be_read_or_written_are_none(tmp_path: Path) -> None:
    assert read_notes(tmp_path, "capture-a") is None
    (tmp_path / "acks").write_text("in the way")
    write_notes(tmp_path, "capture-a", Notes(guid="g"))
    (tmp_path / "acks").unlink()
    write_notes(tmp_path, "capture-a", Notes(guid="g"))
    assert read_notes(tmp_path, "capture-a") == Notes(guid="g")
    (tmp_path / "acks" / "capture-a").write_text("{")
    assert read_notes(tmp_path, "capture-a") is None
