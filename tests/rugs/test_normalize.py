"""The core as a whole: every frame is kept, numbers are as the contract says, nothing depends on how often one asks."""

import json
import random
from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.core.messages import Event, Frame, Row
from actors.rugs.normalize import Derived, Memory, derive
from tests.rugs.playbook import (
    TRACE,
    Play,
    broadcast_b,
    countdown,
    data,
    entry,
    fits,
    game_of,
    history_entry,
    only,
    packet,
    rows,
    state,
    std,
    types,
    whole_round,
)

BETWEEN = [
    packet("standard/newTrade", TRACE, {"id": "t1", "gameId": game_of(3), "type": "buy", "price": 1.5, "tickIndex": 3}),
    packet("playerUpdate", {"id": "me", "cash": 1.5}),
    packet("newChatMessage", TRACE, {"message": "[[[[", "username": "é"}),
    packet("newSideBet", TRACE, {"playerId": "p", "gameId": game_of(3), "startTick": 2, "endTick": 42, "betAmount": 1}),
    "2",
]
SESSION = [*whole_round(3)[:60], *BETWEEN, *whole_round(3)[60:], *whole_round(6, step_ms=1000)[:40]]


@pytest.mark.parametrize(
    ("payload", "sent", "name"),
    [
        ("2", False, None),
        ("3", True, None),
        ('0{"sid":"x"}', False, None),
        ("40", True, None),
        ("4312[]", False, None),
        ('42["maintenanceUpdate",{"active":false}]', False, "maintenanceUpdate"),
        ('42["getLeaderboard",{"period":"7d"}]', True, "getLeaderboard"),
        ('42["é \\u00e9"]', False, "é é"),
        ("nonsense", False, None),
    ],
)
def test_every_frame_is_kept_as_it_was(payload: str, sent: bool, name: str | None) -> None:
    (row,) = rows(Play().frame(payload, sent=sent), "ws_event")
    assert row["raw"] == payload.encode()
    assert (row["seq"], row["stream"], row["opcode"]) == (256, "browser/page/1", 1)
    assert (row["direction"], row["event_name"]) == ("sent" if sent else "received", name)


def test_a_binary_frame_is_kept_as_base64() -> None:
    (row,) = rows(Play().frame(b"\x00\xff", opcode=2), "ws_event")
    assert (row["raw"], row["opcode"], row["event_name"]) == (b"AP8=", 2, None)


def test_bytes_that_are_no_text_are_shown() -> None:
    (row,) = rows(Play().frame(b'42["a","\xff\xc3\xa9"]'), "ws_event")
    assert row["raw"] == '42["a","\\xffé"]'.encode()


def test_a_frame_names_its_own_round_or_the_current_one() -> None:
    playing = Play()
    assert rows(playing.received("maintenanceUpdate", {}), "ws_event")[0]["game_id"] is None
    playing.frame(std(3, 5))
    assert rows(playing.received("maintenanceUpdate", {}), "ws_event")[0]["game_id"] == game_of(3)
    assert rows(playing.received("goldenHourDrawing", {"gameId": "other"}), "ws_event")[0]["game_id"] == "other"
    assert rows(playing.frame("2"), "ws_event")[0]["game_id"] is None


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("newChatMessage", [TRACE, {"message": "hi"}], [{"message": "hi"}]),
        ("goldenHourUpdate", [{"status": "ACTIVE"}, TRACE], [{"status": "ACTIVE"}]),
        ("gameStatePlayerUpdate", [{"gameId": "g", "rugpool": {}}], [{"gameId": "g", "rugpool": {}}]),
        ("mutedPlayers", [TRACE, []], [[]]),
        ("chatHistory", [TRACE], []),
        ("rugPassQuestCompleted", [{"gems": 5}, 2, None], [{"gems": 5}, 2, None]),
    ],
)
def test_an_event_without_a_type_keeps_all_its_arguments(name: str, args: list[Any], expected: list[Any]) -> None:
    assert only(Play().received(name, *args), f"raw.{name}") == {"args": expected}


def test_a_binary_event_comes_with_its_attachment() -> None:
    playing = Play()
    assert types(playing.frame('451-["upload",{"_placeholder":true,"num":0}]')) == []
    assert only(playing.frame(b"\x01\x02", opcode=2), "raw.upload") == {"args": [{"base64": "AQI="}]}
    assert types(playing.frame(b"\x01\x02", opcode=2)) == []
    assert playing.memory.malformed == 0


@pytest.mark.parametrize("name", ["x" * 101, "", "a\nb", "a\x00", "\u2028"])
def test_a_name_that_is_no_name_becomes_raw_other(name: str) -> None:
    assert only(Play().received(name, 1), "raw.other") == {"args": [1], "name": name}


def test_a_flood_of_names_leaves_the_memory_bounded() -> None:
    playing = Play()
    for number in range(1_100):
        playing.received(f"name{number}")
    assert len(playing.memory.last) <= 1_001
    assert types(playing.received("name5")) == ["raw.name5"]
    assert types(playing.received("name1099")) == ["raw.other"]


def test_events_are_numbered_from_their_frame_on_and_the_last_of_each_type_is_known() -> None:
    playing = Play()
    derived = playing.frame(broadcast_b(4))
    assert [event.seq for event in derived.events] == [256, 257, 258, 259]
    assert {event.ts for event in derived.events} == {playing.at_us // 1000}
    assert playing.memory.last == {"game.completed": 258, "game.tick": 259}


def play_all(payloads: list[str], *, restarts: frozenset[int] = frozenset()) -> list[Derived]:
    playing = Play()
    made = []
    for place, payload in enumerate(payloads):
        if place in restarts:
            playing.restart()
        made.append(playing.frame(payload))
    assert (playing.memory.failures, playing.memory.malformed) == (0, 0)
    return made


WHOLE = play_all(SESSION)


@settings(max_examples=25, deadline=None)
@given(st.frozensets(st.integers(0, len(SESSION) - 1), max_size=6))
def test_from_any_checkpoint_the_same_events_and_rows_come_again(restarts: frozenset[int]) -> None:
    assert play_all(SESSION, restarts=restarts) == WHOLE


def typed(made: list[Derived]) -> tuple[Counter[Any], Counter[Any]]:
    """Return the typed events and rows of a session without their numbers."""
    events = [event for one in made for event in one.events if not event.type.startswith(("raw.", "player.state"))]
    stored = [row for one in made for row in one.rows if row.doc_type not in ("ws_event", "server_state")]
    return (
        Counter((event.type, event.game_id, event.data) for event in events),
        Counter((row.doc_type, row.game_id, msgspec.json.encode(row.values)) for row in stored),
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 30))
def test_a_second_tab_that_lags_behind_changes_nothing_that_is_typed(lag: int) -> None:
    doubled: list[str] = []
    for place, payload in enumerate(SESSION):
        doubled.append(payload)
        if place >= lag:
            doubled.append(SESSION[place - lag])
    assert typed(play_all(doubled)) == typed(WHOLE)


@settings(max_examples=25, deadline=None)
@given(st.frozensets(st.integers(0, 75), max_size=60))
def test_whatever_is_missed_of_a_round_its_ticks_are_complete_and_single(missed: frozenset[int]) -> None:
    frames = [payload for place, payload in enumerate(whole_round(3)[:-2]) if place not in missed]
    made = play_all([*frames, broadcast_b(4)])
    prices = history_entry(3)["prices"]
    ticks = [row for one in made for row in rows(one, "game_tick") if row["game_id"] == game_of(3)]
    in_round = [(row["tick"], row["price"]) for row in ticks if row["phase"] in ("ACTIVE", "RUGGED")]
    assert sorted(in_round) == list(enumerate(prices))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from([game_of(3), "placed", "payout", "v3", 0, 1, 15_000, 10**400, [], {}]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    "gameId price tickCount active rugged cooldownTimer allowPreRoundBuys leaderboard gameHistory prices partialPrices",
    "rugpool provablyFair tradeCount connectedPlayers id timestamp peakMultiplier globalSidebets gameVersion playerId",
    "startTick startedAtTick endTick end type payout betAmount cash success type tickIndex __trace traceparent x",
]
NAMES = st.sampled_from(" ".join(FIELDS).split())
OBJECT = st.dictionaries(NAMES, JSON | st.lists(st.dictionaries(NAMES, JSON, max_size=5), max_size=2), max_size=8)
EVENT_NAMES = ["gameStateUpdate", "playerUpdate", "standard/newTrade", "currentSidebet", "newSideBet", "usernameStatus"]
EMIT = st.tuples(
    st.sampled_from([*EVENT_NAMES, "currentSidebetResult", "playerLeaderboardPosition", "buyOrder", "é"]),
    st.lists(OBJECT | JSON, max_size=2),
    st.none() | st.integers(0, 3),
    st.booleans(),
)


def check(made: Derived, memory: Memory) -> None:
    """Assert what must hold of whatever was derived."""
    assert memory.failures == 0
    assert sum(row.doc_type == "ws_event" for row in made.rows) == 1
    assert all(fits(row) for row in made.rows), [row for row in made.rows if not fits(row)]
    assert len(made.events) < 256
    for event in made.events:
        msgspec.msgpack.encode(data(event))
        json.loads(event.data)
    assert isinstance(msgspec.msgpack.decode(msgspec.msgpack.encode(memory), type=Memory), Memory)


@settings(max_examples=500, deadline=None)
@given(st.lists(EMIT, min_size=1, max_size=8))
def test_no_json_at_all_makes_the_core_fail(emits: list[tuple[str, list[Any], int | None, bool]]) -> None:
    playing = Play()
    playing.frame(std(3, 5))
    for name, args, ack_id, sent in emits:
        check(playing.frame(packet(name, *args, ack_id=ack_id), sent=sent), playing.memory)
        check(playing.frame(f"43{ack_id or 0}{json.dumps(args)}"), playing.memory)


@pytest.mark.parametrize("seed", range(4))
def test_no_damage_to_real_looking_frames_makes_the_core_fail(seed: int) -> None:
    chance = random.Random(seed)
    frames = [std(3, 7), countdown(3, 500), *BETWEEN, state(game_of(4), gameHistory=[history_entry(2, prices=[1, 2])])]
    pieces = [b"[", b"]", b"{", b"}", b'"', b"\\", b"\\ud800", b"\xff", b"1e999", b"9" * 25, b"null", b",", b":", b"-"]
    playing = Play()
    for _ in range(1_000):
        damaged = bytearray(chance.choice(frames).encode())
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(damaged))
            damaged[at : at + chance.randint(0, 6)] = chance.choice(pieces)
        check(playing.frame(bytes(damaged)), playing.memory)


@pytest.mark.parametrize(
    "text",
    [
        '{"gameId":"g","price":' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"gameId":"g","price":' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}",
        '{"gameId":"g","gameHistory":' + "[" * 900 + "]" * 900 + "}",
        '{"gameId":"\\ud800","price":1}',
        '{"gameId":"g","price":' + "9" * 10_000 + "}",
        '{"gameId":"g","price":1e999}',
        '{"gameId":"g","price":' + "9" * 400 + "}",
        '{"gameId":"g","connectedPlayers":' + "9" * 400 + "}",
        '{"gameId":"g","leaderboard":[{"id":"\\ud800"}]}',
        '{"gameId":"g","\\udfff":1}',
        '{"gameId":"g","phase":"MINE","phase":7}',
        '{"gameId":"g","gameHistory":[{"id":"h","prices":[1e999]}]}',
        '{"gameId":"g","gameHistory":[{"id":"h","prices":[1,' + "9" * 400 + "]}]}",
    ],
    ids=range(13),
)
def test_hostile_text_is_kept_and_costs_nothing_else(text: str) -> None:
    playing = Play()
    payload = f'42["gameStateUpdate",{text}]'
    made = playing.frame(payload)
    check(made, playing.memory)
    assert made.rows[0].values[-1] == payload.encode()
    assert types(playing.frame(std(3, 5))) == ["game.tick"]


def test_a_frame_of_100_megabytes_is_handled() -> None:
    playing = Play()
    payload = (
        b'42["gameStateUpdate",{"gameId":"g","active":true,"tickCount":1,"price":1.5,"blob":"' + b"x" * 10**8 + b'"}]'
    )
    made = playing.frame(payload)
    assert types(made) == ["game.tick"]
    assert "blob" not in playing.memory.games["g"].fields


def test_equal_memories_and_records_give_equal_results_and_memories() -> None:
    one, other = Memory(recording=True), Memory(recording=True)
    for place, payload in enumerate(SESSION):
        record = Frame(256 * place, place, "s", False, 1, payload.encode())
        assert derive(one, record) == derive(other, record)
    assert msgspec.msgpack.encode(one) == msgspec.msgpack.encode(other)


def test_results_are_what_travels_on_the_streams() -> None:
    made = Play().frame(broadcast_b(4))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(made.events), type=list[Event]) == made.events
    assert len(msgspec.msgpack.decode(msgspec.msgpack.encode(made.rows), type=list[Row])) == len(made.rows)


def test_a_leaderboard_as_of_2026_02_is_read_without_a_second_look() -> None:
    detail = {"address": "0xPractice", "ticker": "FREE", "name": "Practice SOL", "max_bet": 10_000, "max_win": 50_000}
    short = {"amount": 0.2, "entryPrice": 1.02, "entryTick": 3, "currentValue": 0.21, "pnl": 0.01, "coinAddress": "So1"}
    parts = {"regularPnl": 1.5, "sidebetPnl": 0, "shortPnl": 0, "sidebetActive": True, "sideBet": {"betAmount": 0.1}}
    full = entry(1, **parts, selectedCoin=detail, shortPosition=short)
    assert only(Play().frame(std(3, 5, leaderboard=[full])), "game.tick")["leaderboard"] == [full]
