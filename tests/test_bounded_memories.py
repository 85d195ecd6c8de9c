"""Every bounded memory of the product: filled past its bound, then asked again what was decided before.

`bounded_memories_listed` names each place that forgets something, and either the test that holds it or why forgetting
cannot turn a no into a yes. A new bound, `deque(maxlen=…)` or cache fails here until somebody has thought about that.
"""

import json

import pytest

from actors.capture.socket_filter import COUNTING_KEPT, FOREIGN_KEPT, UNDECIDED_S, SocketFilter
from actors.core.intervals import SPANS_KEPT, Spans, add_span
from actors.core.messages import CaptureBatch, Frame, FrameSeen, Note, StreamClosed, StreamOpened
from actors.core.segments import Batch, Mark
from actors.journal import presses
from actors.journal.braid import IDLE_S, STREAMS_KEPT, Braid
from actors.journal.core import JournalCore
from actors.journal.memory import COMMANDS_KEPT, OPEN_STREAMS_KEPT, SESSIONS_KEPT, Memory
from actors.pilot import reports
from actors.rugs import memory as rugs_memory
from actors.rugs.acks import KEPT_ACKS, KEPT_SESSIONS, Acks
from actors.rugs.once import KEYS_KEPT, ROUNDS_KEPT, OnceLog
from supervisor import diary
from tests.bounded_memories import found_in, places
from tests.bounded_memories_listed import HERE, LISTED
from tests.rugs.playbook import Play

PATTERN = r"^wss?://([^/]+\.)?rugs\.fun/socket\.io/"
GAME = "wss://backend.rugs.fun/socket.io/?EIO=4&transport=websocket"


def test_every_bounded_memory_is_listed() -> None:
    assert places() - set(LISTED) == set(), (
        "new: say in bounded_memories_listed why forgetting is safe, or test it and name the test"
    )
    assert set(LISTED) - places() == set(), "gone"


def test_the_tests_that_are_named_exist() -> None:
    named = {reason.removeprefix(HERE) for reason in LISTED.values() if reason.startswith(HERE)}
    assert named <= set(globals())


@pytest.mark.parametrize(
    "source",
    [
        "STREAMS_KEPT = 5",
        "PRESSES_MAX: Final = 5",
        "LIMIT, MOST = 1, 2",
        "def f(known):\n    del known[next(iter(known))]",
        "def f(known):\n    known.pop(next(iter(known)))",
        "def f(known):\n    known.popitem(last=False)",
        "def f(known, n):\n    return known[-n:]",
        "class A:\n    def __init__(self):\n        self.known = deque(maxlen=5)",
        "@lru_cache(5)\ndef f(): ...",
        "def f(known):\n    _keep_newest(known, 5)",
    ],
)
def test_a_new_bounded_memory_is_found(source: str) -> None:
    assert list(found_in(source))


# The journal.


class Captures:
    """A journal's core, and captures that speak to it."""

    def __init__(self, memory: Memory | None = None) -> None:
        self.core = JournalCore(memory or Memory(), PATTERN, 7)
        self.stored: list[bytes] = []
        self._n: dict[int, int] = {}

    def tell(self, *items: object, who: int = 1, nack: int = 0, **more: object) -> bool:
        after = self._n.get(who, 0)
        made = [type(item)(*(after + place, *_rest(item))) for place, item in enumerate(items, 1)]
        batch = CaptureBatch(
            capture="capture-a", incarnation=who, epoch=7, nack=nack, after=after, upto=after + len(made),
            read_until_s=1.0, attached="G", items=made, **more,  # type: ignore[arg-type]
        )  # fmt: skip
        taken = self.core.take(batch, 0.0, 1.0)
        if taken:
            self._n[who] = after + len(made)
        written = self.core.batch()
        self.stored += [record.payload for record in written.records if isinstance(record, Frame)] if written else []
        return taken


def _rest(item: object) -> tuple[object, ...]:
    return tuple(getattr(item, name) for name in type(item).__struct_fields__[1:])  # type: ignore[attr-defined]


def opened(stream: str, url: str = GAME) -> StreamOpened:
    return StreamOpened(0, 1, 1.0, stream, url, "websocket")


def frame(stream: str, payload: bytes) -> FrameSeen:
    return FrameSeen(0, 2, 2.0, stream, False, 1, payload)


def test_a_stream_that_was_forgotten_does_not_count() -> None:
    captures = Captures()
    captures.tell(opened("G/T/evil", "wss://evil.example/x"), frame("G/T/evil", b'42["gameStateUpdate",{}]'))
    for number in range(3000):
        captures.tell(opened(f"G/T/{number}", "wss://evil.example/y"))
    captures.tell(opened("G/T/game"), frame("G/T/game", b"42[1]"), frame("G/T/evil", b'42["gameStateUpdate",{}]'))
    captures.core.tick(9.0)
    assert captures.stored == [b"42[1]"]


def test_streams_that_were_never_heard_do_not_push_out_one_that_was() -> None:
    captures = Captures()
    captures.tell(opened("G/T/game"), frame("G/T/game", b"42[1]"))
    captures.core.memory.streams["G/T/game"].open = False  # as while no capture looks
    for number in range(0, 2000, 400):
        names = [f"G/T/{number + more}" for more in range(400)]
        captures.tell(*map(opened, names))
        captures.tell(*(StreamClosed(0, 3, 3.0, name, "closed") for name in names))
    captures.tell(frame("G/T/game", b"42[2]"))
    captures.core.tick(9.0)
    captures.core.batch()
    assert captures.core.memory.streams["G/T/game"].open


def test_an_open_stream_that_was_forgotten_loses_no_frame() -> None:
    captures = Captures()
    captures.tell(opened("G/T/game"), frame("G/T/game", b"42[1]"))
    for number in range(0, OPEN_STREAMS_KEPT + 500, 500):
        captures.tell(*(opened(f"G/T/a{number + more}") for more in range(500)))
    assert "G/T/game" in captures.core.memory.streams, "it was heard, and those never were"
    for number in range(0, OPEN_STREAMS_KEPT + 500, 500):
        names = [f"G/T/b{number + more}" for more in range(500)]
        captures.tell(*(item for name in names for item in (opened(name), frame(name, b"2"))))
    assert "G/T/game" not in captures.core.memory.streams
    assert not captures.tell(frame("G/T/game", b"42[2]")), "its address is asked for"
    assert captures.tell(frame("G/T/game", b"42[2]"), nack=1, streams={"G/T/game": GAME})
    assert captures.tell(frame("G/T/evil", b"42[3]"), nack=1) is False
    assert captures.tell(frame("G/T/evil", b"42[3]"), frame("G/T/game", b"42[4]"), nack=2)
    assert [payload for payload in captures.stored if payload != b"2"] == [b"42[1]", b"42[2]", b"42[4]"]


def test_a_living_captures_session_is_never_forgotten() -> None:
    memory = Memory()
    memory.apply(Batch(0, 0, [], [Mark("capture-b", 1, 77, 5)]))
    for incarnation in range(2, 3 * SESSIONS_KEPT):
        memory.apply(Batch(0, 0, [], [Mark("capture-a", incarnation, 1, 5)]))
    assert memory.sessions[1].n == 77
    assert len(memory.sessions) <= SESSIONS_KEPT + 2


def test_places_that_may_be_sent_again_are_kept() -> None:
    memory = Memory()
    places = [(f"G/T/{number}", number + 1, 256) for number in range(2000)]
    memory.apply(Batch(0, 0, [], [Mark("capture-a", 1, 1500, 5, 0, places)]))
    assert set(memory.sessions[1].places) == {f"G/T/{number}" for number in range(1500, 2000)}


def test_a_merge_is_kept_while_a_capture_can_bring_copies() -> None:
    for covered_s, kept in ((0.0, True), (100.0, False)):
        braid = Braid(0.0)
        braid.covered_s = covered_s
        for number in range(STREAMS_KEPT + 5):
            stream = f"G/T/{number}"
            braid.opened(stream, 1, 1.0, number * IDLE_S * 2, whole=True)
            for merged in braid.frame(1, frame(stream, b"42[1]"), 1.0, number * IDLE_S * 2):
                braid.number(merged, 256)
        assert ("G/T/0" in braid.streams) is kept


def test_a_press_that_was_forgotten_is_not_new() -> None:
    log = presses.PressLog()
    documents = presses.DOCUMENTS_KEPT + 100
    for number in range(documents):
        log.add(f"G/T/frame{number}/1", number)
    for number in range(1, presses.INTERVALS_KEPT * 4, 2):
        log.add(f"G/T/page/{number}", documents)
    assert all(log.holds(f"G/T/frame{number}/1", number) for number in range(documents))
    assert all(log.holds(f"G/T/page/{number}", documents) for number in range(1, presses.INTERVALS_KEPT * 4, 2))
    assert not log.holds("G/T/page/999999", documents)


def test_submitters_hold_fewer_notes_than_are_known() -> None:
    # A note is sent again while its submitter holds it unconfirmed. To forget its id, that many newer ones would have
    # to be confirmed meanwhile; those that hold more than one are the supervisor and the pilot.
    assert diary.LIMIT + reports.KEPT < COMMANDS_KEPT
    memory = Memory()
    memory.apply(Batch(0, 0, [], [], [(f"id{number}", number) for number in range(COMMANDS_KEPT + 10)]))
    assert all(f"id{number}" in memory.commands for number in range(10 + COMMANDS_KEPT - 1100, COMMANDS_KEPT + 10))


def test_a_gap_that_was_forgotten_is_not_counted_again() -> None:
    spans: Spans = []
    first = [add_span(spans, number * 100, number * 100 + 10) for number in range(SPANS_KEPT * 3)]
    again = [add_span(spans, number * 100, number * 100 + 10) for number in range(SPANS_KEPT * 3)]
    assert set(first) == {(10, 1)}
    assert set(again) == {(0, 0)}
    assert len(spans) == SPANS_KEPT


# A capture.


def test_a_capture_forwards_what_it_forgot() -> None:
    sockets = SocketFilter(PATTERN)
    assert sockets.opened("G/T/game", GAME)
    assert not sockets.opened("G/T/evil", "wss://evil.example/x")
    for number in range(max(COUNTING_KEPT, FOREIGN_KEPT) + 5):
        sockets.opened(f"G/T/a{number}", GAME)
        sockets.opened(f"G/T/b{number}", "wss://evil.example/x")
    for stream, url in (("G/T/game", GAME), ("G/T/evil", None)):
        assert sockets.admits(stream, "42[]", "", None, 1.0), "the journal decides"
        assert stream in sockets.asks
        sockets.answer({stream: url}, 1.0 + 2 * UNDECIDED_S)
    assert "G/T/game" in sockets.counting
    assert not sockets.admits("G/T/evil", "42[]", "", None, 9.0)


def test_an_answer_whose_request_was_forgotten_is_hidden() -> None:
    acks = Acks()
    acks.asked("s", "stream", "first", secret=True)
    for number in range(KEPT_ACKS + 5):
        acks.asked("s", "stream", str(number), secret=False)
    assert acks.is_secret("s", "stream", "first")
    for number in range(KEPT_SESSIONS + 5):
        acks.asked(f"s{number}", f"stream{number}", "1", secret=False)
    assert acks.is_secret("s", "stream", "first")


# The normalizer.


def trade(game: str, number: int) -> dict[str, object]:
    return {
        "id": f"t{number}", "gameId": game, "playerId": "p", "username": "u", "type": "buy", "price": 1.5,
        "tickIndex": 3, "qty": 1, "amount": 1,
    }  # fmt: skip


def rows(play: Play, game: str, number: int) -> int:
    made = play.received("standard/newTrade", trade(game, number))
    return sum(row.doc_type == "trade" for row in made.rows)


def test_a_trade_that_was_forgotten_is_not_typed_again() -> None:
    play = Play()
    assert rows(play, "g0", 0) == 1
    for number in range(1, 5000):
        assert rows(play, "g0", number) == 1
    assert rows(play, "g0", 0) == 0
    for round_ in range(1, ROUNDS_KEPT + 3):
        assert rows(play, f"g{round_}", 0) == 1
    play.restart()
    assert rows(play, "g0", 0) == 0
    log = OnceLog()
    typed = [log.is_new("g", number) for number in range(KEYS_KEPT + 100)]
    assert sum(typed) == KEYS_KEPT
    assert not any(log.is_new("g", number) for number in range(KEYS_KEPT + 100))


def state(game: str, tick: int, **more: object) -> dict[str, object]:
    fields: dict[str, object] = {"gameId": game, "active": True, "rugged": False, "price": 1.5, "tickCount": tick}
    return {**fields, "cooldownTimer": 0, **more}


def ticks(play: Play, *args: object) -> int:
    return sum(row.doc_type == "game_tick" for row in play.received("gameStateUpdate", *args).rows)


def test_a_round_that_was_forgotten_is_not_typed_again() -> None:
    play = Play()
    assert ticks(play, state("g0", 7)) == 1
    for number in range(1, rugs_memory.MAX_GAMES + 3):
        assert ticks(play, state(f"g{number}", 7)) == 1
    play.restart()
    assert ticks(play, state("g0", 7)) == 0


def test_a_countdown_value_is_not_typed_again() -> None:
    play = Play()
    first = [ticks(play, state("g", 0, active=False, cooldownTimer=left)) for left in range(1, 5000)]
    again = [ticks(play, state("g", 0, active=False, cooldownTimer=left)) for left in range(1, 5000)]
    assert sum(first) == rugs_memory.MAX_KEYS
    assert sum(again) == 0


def test_a_time_with_recording_off_stays_off() -> None:
    play = Play()
    times = []
    for number in range(rugs_memory.MAX_OFF * 3):
        play.at_us += 1_000_000
        play.note("recording", on=False)
        times.append(play.at_us + 1)
        play.at_us += 1_000_000
        play.note("recording", on=True)
        assert len(play.memory.off) <= rugs_memory.MAX_OFF, number
    assert all(play.memory.was_off(at_us) for at_us in times)


def test_the_notes_of_older_journals_are_folded_as_before() -> None:
    memory = Memory()
    data = json.dumps({"what": "found", "stream": "G/T/1", "url": None}).encode()
    memory.apply(Batch(0, 256, [Note(256, 1, "connection", data)], [], [], ["G/T/2"]))
    assert (memory.streams["G/T/1"].open, "G/T/2" in memory.ignored) == (True, True)
    assert memory.url_of("G/T/1") is None, "found by its text alone: it does not count any more"
