"""Notes of the journal become system events, and the recording switch among them decides what is stored."""

import pytest

from actors.core.messages import Note
from actors.rugs.normalize import derive
from tests.rugs.playbook import Play, only, rows, std, types


def test_a_note_becomes_a_system_event_and_its_row() -> None:
    derived = Play(recording=False).note("gap", from_us=1, to_us=2, cause="browser gone")
    assert only(derived, "system.gap") == {"from_us": 1, "to_us": 2, "cause": "browser gone"}
    (row,) = rows(derived, "system_event")
    assert (row["seq"], row["event"]) == (derived.events[0].seq, "gap")
    assert row["data"] == '{"from_us":1,"to_us":2,"cause":"browser gone"}'


def test_with_no_switch_ever_recorded_frames_are_not_stored() -> None:
    playing = Play(recording=None)
    derived = playing.frame(std(3, 5))
    assert types(derived) == ["game.tick"]
    assert derived.rows == []


def test_the_switch_holds_from_its_place_on() -> None:
    playing = Play(recording=None)
    stored = []
    for on in (True, False, True):
        assert only(playing.note("recording", on=on, by="ui"), "system.recording")["on"] is on
        stored.append([row.doc_type for row in playing.received("playerUpdate", {"cash": 1}).rows])
    assert stored == [["ws_event", "server_state"], [], ["ws_event", "server_state"]]


def test_the_time_off_is_remembered() -> None:
    playing = Play()
    playing.at_us = 1_000
    playing.note("recording", on=False)
    playing.at_us = 1_500
    playing.note("recording", on=False)
    assert playing.memory.was_off(5_000)
    playing.at_us = 2_000
    playing.note("recording", on=True)
    assert [playing.memory.was_off(at_us) for at_us in (999, 1_000, 1_999, 2_000)] == [False, True, True, False]


@pytest.mark.parametrize("data", [b"", b"[1]", b"7", b"{", b"\xff", b'{"on":"yes"}', b'{"on":1}'])
def test_a_note_with_strange_data_is_kept_and_switches_nothing(data: bytes) -> None:
    playing = Play()
    derived = derive(playing.memory, Note(256, 1, "recording", data))
    assert types(derived) == ["system.recording"]
    assert [row.doc_type for row in derived.rows] == ["system_event"]
    assert playing.memory.recording is True
