"""The journal's decisions, played as a script: this was heard, so this is written."""

from typing import Any

import msgspec
from msgspec import msgpack

from actors.core import messages as m
from actors.core.segments import Batch
from actors.journal.core import JournalCore
from actors.journal.memory import Memory

PATTERN = r"^wss?://([^/]+\.)?rugs\.fun/socket\.io/"
URL = "wss://backend.rugs.fun/socket.io/?EIO=4&transport=websocket"
EPOCH = 77


class Play:
    """A journal core with captures around it; `notes` and `frames` are what it wrote."""

    def __init__(self, memory: Memory | None = None, *, standby: bool = False) -> None:
        self.core = JournalCore(memory or Memory(), PATTERN, EPOCH, standby=standby)
        self.batches: list[Batch] = []
        self._n: dict[int, int] = {}

    def hear(
        self, *items: object, incarnation: int = 1, capture: str = "capture-a", read_until_s: float = 0.0,
        nack: int = 0, **more: Any,
    ) -> bool:  # fmt: skip
        after = self._n.get(incarnation, 0)
        numbered = [msgspec.structs.replace(item, n=after + i + 1) for i, item in enumerate(items)]  # type: ignore[type-var]
        self._n[incarnation] = after + len(numbered)
        taken = self.core.take(
            m.CaptureBatch(
                capture=capture, incarnation=incarnation, epoch=EPOCH, nack=nack, after=after,
                upto=after + len(numbered), read_until_s=read_until_s, attached=None,
                items=numbered, **more,  # type: ignore[arg-type]
            ),
            0.0,
            0.0,
        )  # fmt: skip
        self.write()
        return taken

    def watch(self, from_s: float, to_s: float) -> None:
        """Look for silence each 100 ms, and let the merge decide."""
        for step in range(round((to_s - from_s) * 10) + 1):
            self.core.watch(from_s + step / 10)
            self.core.tick(from_s + step / 10)
        self.write()

    def write(self) -> None:
        batch = self.core.batch()
        if batch is not None:
            self.batches.append(batch)

    @property
    def records(self) -> list[m.Record]:
        return [record for batch in self.batches for record in batch.records]

    @property
    def frames(self) -> list[bytes]:
        return [record.payload for record in self.records if isinstance(record, m.Frame)]

    def notes(self, event: str) -> list[dict[str, object]]:
        found = [record for record in self.records if isinstance(record, m.Note) and record.event == event]
        return [msgspec.json.decode(note.data) for note in found]


def attached(at_us: int = 0, guid: str = "G") -> m.Attached:
    return m.Attached(0, at_us, at_us / 1e6, guid)


def opened(stream: str = "G/T/1", url: str = URL, at_us: int = 0) -> m.StreamOpened:
    return m.StreamOpened(0, at_us, at_us / 1e6, stream, url, "websocket")


def closed(stream: str = "G/T/1", at_us: int = 0, cause: str = "closed") -> m.StreamClosed:
    return m.StreamClosed(0, at_us, at_us / 1e6, stream, cause)


def seen(payload: bytes, stream: str = "G/T/1", at_us: int = 0, opcode: int = 1) -> m.FrameSeen:
    return m.FrameSeen(0, at_us, at_us / 1e6, stream, False, opcode, payload)


def test_frames_of_the_game_are_numbered_in_steps_of_256() -> None:
    play = Play()
    play.hear(attached(), opened(), seen(b"0{}"), seen(b"40"))
    seqs = [record.seq for record in play.records]
    assert seqs == [256 * (i + 1) for i in range(len(seqs))]
    assert play.frames == [b"0{}", b"40"]


def test_a_socket_of_another_site_is_not_stored() -> None:
    play = Play()
    play.hear(attached(), opened("G/T/9", "wss://ads.example/socket.io/"), seen(b"42[]", "G/T/9"))
    assert play.frames == []
    assert play.core.ignored_frames == 1
    assert "G/T/9" in play.batches[-1].ignored, "and stays out after a restart"


def test_polling_counts_as_the_same_site() -> None:
    play = Play()
    play.hear(attached(), opened("G/T/poll", URL.replace("wss", "https")), seen(b"0{}", "G/T/poll"))
    assert play.frames == [b"0{}"]


def test_a_socket_that_nobody_saw_opening_does_not_count_whatever_it_carries() -> None:
    play = Play()
    assert play.hear(attached(), seen(b'42["gameStateUpdate",{}]', "G/T/5"), seen(b"2", "G/T/6"))
    assert play.frames == []
    assert "found" not in [note["what"] for note in play.notes("connection")]


def test_a_batch_that_was_taken_is_not_taken_again() -> None:
    play = Play()
    play.hear(attached(), opened(), seen(b"2"))
    play._n[1] = 0
    play.hear(attached(), opened(), seen(b"2"), seen(b"3"))
    assert play.frames == [b"2", b"3"]


def test_a_hole_in_a_captures_numbers_is_asked_for() -> None:
    play = Play()
    play.hear(attached(), opened())
    play._n[1] = 5
    assert not play.hear(seen(b"2"))
    (position,) = play.core.positions({}).positions
    assert (position.nack, position.have) == (1, 2)


def test_the_time_between_a_dead_capture_and_the_first_frame_of_the_next_is_a_gap() -> None:
    play = Play()
    play.hear(attached(), opened(at_us=1_000_000), seen(b"2", at_us=2_000_000), read_until_s=2.5)
    play.hear(attached(3_000_000), seen(b"3", at_us=3_200_000), incarnation=2)
    (gap,) = play.notes("gap")
    assert (gap["from_us"], gap["to_us"], gap["cause"]) == (2_500_000, 3_200_000, "capture-a died")
    assert play.frames == [b"2", b"3"]
    assert play.core.memory.connected


def test_a_second_capture_that_still_looks_makes_it_no_gap() -> None:
    play = Play()
    play.hear(attached(), opened(), seen(b"2"), capture="capture-a", incarnation=1)
    play.hear(attached(), capture="capture-b", incarnation=2)
    play.hear(attached(5), capture="capture-a", incarnation=3)
    assert play.notes("gap") == []
    assert [n["what"] for n in play.notes("connection")].count("lost") == 0


def test_a_closed_socket_is_a_gap_until_the_server_has_taken_the_page_in_again() -> None:
    play = Play()
    play.hear(attached(), opened(), closed(at_us=10, cause="page navigated"))
    assert not play.core.memory.connected
    play.hear(opened("G/T/2", at_us=30), seen(b'0{"sid":"x"}', "G/T/2", at_us=31))
    assert play.notes("gap") == [], "what the server sent until its answer to 40 nobody received"
    play.hear(seen(b'40{"sid":"y"}', "G/T/2", at_us=40))
    (gap,) = play.notes("gap")
    assert (gap["from_us"], gap["to_us"], gap["cause"]) == (10, 40, "page navigated")


def test_the_end_of_polling_after_the_upgrade_is_no_gap() -> None:
    play = Play()
    play.hear(attached(), opened("G/T/poll", URL.replace("wss", "https")), opened("G/T/1"), closed("G/T/poll"))
    assert play.core.memory.connected
    assert play.notes("gap") == []


def test_what_a_capture_had_to_forget_is_a_gap() -> None:
    play = Play()
    play.hear(attached(), opened(), m.Lost(0, 500, 0.0, 12, 100))
    (gap,) = play.notes("gap")
    assert (gap["from_us"], gap["to_us"], gap["items"]) == (100, 500, 12)


def test_a_submitted_note_is_written_once_however_often_it_comes() -> None:
    play = Play()
    note = m.Submit(id="x", event="recording", data=b'{"on": false, "by": "cli"}', at_us=5)
    assert play.core.submit(note) is None
    again = play.core.submit(note)
    play.write()
    assert again is not None
    assert again.seq == 256
    assert len(play.notes("recording")) == 1
    assert play.core.memory.recording is False


def test_a_note_that_makes_no_sense_is_refused_with_a_reason() -> None:
    core = Play().core
    for event, data, reason in [
        ("recording", b"{}", "must be true or false"),
        ("actor", b"[]", "must be a JSON object"),
        ("actor", b"{", "not JSON"),
        ("gap", b"{}", "must be Unix microseconds"),
        ("connection", b'{"what": "opened"}', "only the journal itself"),
    ]:
        answer = core.submit(m.Submit(id=reason, event=event, data=data, at_us=1))
        assert answer is not None
        assert answer.error is not None
        assert reason in answer.error
    assert core.batch() is None


def test_a_restarted_journal_knows_what_its_predecessor_knew() -> None:
    play = Play()
    play.hear(attached(), opened(), opened("G/T/9", "wss://ads.example/"), seen(b"2", at_us=9), read_until_s=1.0)
    play.core.submit(m.Submit(id="x", event="recording", data=b'{"on": true}', at_us=5))
    play.hear(closed(at_us=20))
    again = Memory()
    for batch in play.batches:
        again.apply(batch)
    live = play.core.memory
    live.sessions[1].read_until_us = again.sessions[1].read_until_us
    assert msgpack.encode(again) == msgpack.encode(live)


def test_a_standby_that_hears_late_of_a_new_socket_doubles_nothing() -> None:
    play = Play(standby=True)
    for capture, incarnation in (("capture-a", 1), ("capture-b", 2)):
        play.hear(attached(), capture=capture, incarnation=incarnation)
    first = [seen(b'42["n",%d]' % number, at_us=1_001_000 + number * 5000) for number in range(6)]
    play.hear(opened(at_us=1_000_000), *first, incarnation=1)
    play.hear(opened(at_us=1_030_000), *first, capture="capture-b", incarnation=2)
    assert play.frames == [frame.payload for frame in first]


def test_nobody_waits_for_a_capture_that_died_and_has_no_successor_yet() -> None:
    play = Play()
    play.core = JournalCore(Memory(), PATTERN, EPOCH, standby=True)
    play.hear(attached(), opened(), seen(b"2", at_us=1_000_000))
    play.hear(attached(5_000_000), seen(b"3", at_us=5_500_000), capture="capture-b", incarnation=2)
    assert play.frames == [b"2"], "held: capture-a leads, as far as is known"
    play.watch(0.0, 0.6)
    assert play.frames == [b"2"]
    play.watch(0.7, 1.5)
    assert play.frames == [b"2", b"3"]


def test_captures_that_say_nothing_at_all_see_nothing_and_it_is_said_at_once() -> None:
    play = Play()
    play.hear(attached(), opened(), seen(b"2", at_us=1_000_000), read_until_s=1.2)
    play.watch(0.0, 1.5)
    assert [note["what"] for note in play.notes("connection")][-1] == "lost"
    assert not play.core.memory.connected
    play.hear(attached(9_000_000), seen(b"3", at_us=9_300_000), incarnation=2)
    (gap,) = play.notes("gap")
    assert (gap["from_us"], gap["to_us"]) == (1_200_000, 9_300_000)
    assert play.core.memory.connected


def test_a_capture_that_was_only_stopped_and_missed_nothing_leaves_no_gap() -> None:
    play = Play()
    play.hear(attached(), opened(), seen(b"2", at_us=1_000_000), read_until_s=1.2)
    play.watch(0.0, 1.5)
    play.hear(seen(b"3", at_us=1_300_000))
    assert play.notes("gap") == []
    assert [note["what"] for note in play.notes("connection")][-3:] == ["lost", "continued", "resumed"]
    assert play.core.memory.connected
    assert play.frames == [b"2", b"3"]


def test_a_journal_that_was_stopped_itself_takes_nobody_for_silent() -> None:
    play = Play()
    play.hear(attached(), opened(), seen(b"2", at_us=1_000_000), read_until_s=1.2)
    play.watch(0.0, 0.4)
    play.watch(10.0, 10.6)
    assert play.core.memory.connected


def both_die(play: Play, words: str = "") -> None:
    """Both captures see the game until 1.2 s, and are replaced at 3 s and 4 s."""
    for capture, incarnation in (("capture-a", 1), ("capture-b", 2)):
        play.hear(attached(), capture=capture, incarnation=incarnation)
    play.hear(opened(), seen(b"2", at_us=1_000_000), read_until_s=1.2)
    play.hear(opened(), seen(b"2", at_us=1_000_000), capture="capture-b", incarnation=2, read_until_s=1.1)


def test_two_causes_of_one_hole_are_one_gap_with_both() -> None:
    play = Play(standby=True)
    both_die(play)
    play.watch(0.0, 1.5)
    hung = "a received frame of 300000 bytes of wss://backend.rugs.fun/socket.io/"
    play.hear(attached(3_000_000), seen(b"3", at_us=3_200_000), incarnation=3, predecessor=hung)
    play.watch(2.0, 4.0)
    play.hear(attached(4_000_000), capture="capture-b", incarnation=4)
    (gap,) = play.notes("gap")
    assert (gap["from_us"], gap["to_us"]) == (1_200_000, 3_200_000)
    assert gap["cause"] == f"no capture says anything; capture-a died while working on {hung}"
    assert (play.core.memory.gaps, play.core.memory.gap_us) == (1, 2_000_000)


def test_both_killed_at_once_are_one_gap_whoever_is_back_first() -> None:
    for first, second in (("capture-a", "capture-b"), ("capture-b", "capture-a")):
        play = Play(standby=True)
        both_die(play)
        play.hear(attached(3_000_000), seen(b"3", at_us=3_200_000), capture=first, incarnation=3)
        play.hear(attached(4_000_000), capture=second, incarnation=4)
        play.watch(0.0, 0.5)
        (gap,) = play.notes("gap")
        assert str(gap["cause"]).split("; ") == [f"{second} died", f"{first} died"]
        assert play.core.memory.gaps == 1


def test_gaps_that_an_older_journal_noted_twice_are_counted_once() -> None:
    memory = Memory()
    for cause in ("no capture says anything", "capture-a died"):
        data = msgspec.json.encode({"from_us": 1_000_000, "to_us": 3_000_000, "cause": cause})
        memory.apply_record(m.Note(256, 1, "gap", data))
    assert (memory.gaps, memory.gap_us) == (1, 2_000_000)


def order(play: Play, what: str, reason: str, at_us: int, **more: object) -> None:
    data = msgspec.json.encode({"actor": "supervisor", "what": what, "reason": reason, **more})
    play.core.submit(m.Submit(id=f"{what}{at_us}", event="actor", data=data, at_us=at_us))
    play.write()


def gap_after(play: Play, at_us: int) -> object:
    """Lose the browser at a time and see another; return the gap's cause."""
    (stream,) = (name for name, known in play.core.memory.streams.items() if known.open)
    play.hear(closed(stream, at_us, "connection lost"), m.Detached(0, at_us, at_us / 1e6, "G", "connection lost"))
    play.hear(attached(at_us + 5_000_000, "G"), opened(f"G/T/{at_us}", at_us=at_us + 5_500_000))
    play.hear(seen(b"42[]", f"G/T/{at_us}", at_us=at_us + 6_000_000))
    (gap,) = [gap for gap in play.notes("gap") if gap["from_us"] == at_us]
    return gap["cause"]


def test_what_the_user_ordered_is_the_cause_and_nothing_else_is_put_down_to_it() -> None:
    play = Play()
    play.hear(attached(), opened(), seen(b"2", at_us=1_000_000))
    order(play, "stopping", "asked to", 2_000_000)
    assert gap_after(play, 2_500_000) == "stopped by the user"
    assert gap_after(play, 12_000_000) == "connection lost", "the order was carried out"
    order(play, "restarting", "asked to", 30_000_000, actors=["web", "browser"])
    assert gap_after(play, 30_100_000) == "restarted by the user"
    order(play, "restarting", "asked to", 50_000_000, actors=["web"])
    assert gap_after(play, 50_100_000) == "connection lost"
    order(play, "restarting", "settings changed", 70_000_000, actors=["browser"])
    assert gap_after(play, 70_100_000) == "restarted: settings changed"
    order(play, "stopping", "SIGTERM", 100_000_000)
    assert gap_after(play, 400_000_000) == "connection lost", "five minutes later it is something else"


def test_a_stream_that_a_restarted_journal_does_not_know_is_named_by_its_capture() -> None:
    play = Play()
    play.hear(attached(), seen(b"42[]", "G/T/5"), seen(b"42[]", "G/T/6"), streams={"G/T/5": URL, "G/T/6": "wss://x/"})
    assert play.frames == [b"42[]"]
    assert {"what": "found", "stream": "G/T/5", "url": URL} in play.notes("connection")


def test_a_capture_is_told_what_it_asks() -> None:
    play = Play()
    play.hear(attached(), opened())
    play.hear(asks=["G/T/1", "G/T/9"], capture="capture-b", incarnation=2)
    assert play.core.positions({}).answers == {"G/T/1": URL, "G/T/9": None}
