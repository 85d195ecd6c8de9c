"""The live state as a playbook: these events in, that snapshot out."""

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.core.messages import SEQ_STEP, Event, Frame
from actors.rugs.live import Live
from actors.rugs.normalize import Memory, derive
from tests.rugs.conftest import G1, G2, G3, ME, Played

CONTRACT_KEYS = [
    "gameId",
    "tick",
    "price",
    "phase",
    "cooldownMs",
    "connected",
    "lastFrameAt",
    "cash",
    "bonusBalance",
    "positionQty",
    "avgCost",
    "entryTick",
    "timeInPosition",
    "unrealizedPnl",
    "cumulativePnl",
    "sidebet",
    "sidebetTicksLeft",
    "shortPosition",
    "rugpool",
    "leaderboard",
]


def test_before_anything_every_key_of_the_contract_is_null(play: Played) -> None:
    data = play.live.data()
    assert {key: data[key] for key in CONTRACT_KEYS} == dict.fromkeys(CONTRACT_KEYS)


def test_a_tick_sets_the_game(play: Played) -> None:
    data = play.tick(G1, 7, 1.25, cooldownTimer=0, connectedPlayers=201, tradeCount=9, rugpool={"instarugCount": 1},
                     leaderboard=[{"id": ME}], provablyFair={"serverSeedHash": "ab"})  # fmt: skip
    known = {"gameId": G1, "tick": 7, "price": 1.25, "phase": "ACTIVE", "cooldownMs": 0, "connectedPlayers": 201,
             "tradeCount": 9, "rugpool": {"instarugCount": 1}, "leaderboard": [{"id": ME}], "serverSeedHash": "ab",
             "peak": 1.25, "lastFrameAt": 1_000_001, "connected": True, "roundStartedAt": None}  # fmt: skip
    assert {key: data[key] for key in known} == known


def test_what_a_sparse_tick_leaves_out_is_unchanged(play: Played) -> None:
    play.tick(G1, 7, 1.25, connectedPlayers=201, leaderboard=[1], rugpool={"a": 1})
    data = play("game.tick", G1, gameId=G1, phase="ACTIVE")
    assert (data["tick"], data["price"], data["connectedPlayers"]) == (7, 1.25, 201)
    assert (data["leaderboard"], data["rugpool"]) == ([1], {"a": 1})


def test_a_new_round_begins_anew(play: Played) -> None:
    play.tick(G1, 0, 1.0)
    play.tick(G1, 1, 3.0, tradeCount=4, leaderboard=[1])
    data = play.tick(G2, 0, 1.0, "COOLDOWN", cooldownTimer=14900)
    assert (data["gameId"], data["tick"], data["price"], data["cooldownMs"]) == (G2, 0, 1.0, 14900)
    assert (data["peak"], data["tradeCount"], data["leaderboard"], data["roundStartedAt"]) == (None, None, None, None)
    assert play.live.prices == []


def test_a_late_frame_of_the_old_round_does_not_bring_it_back(play: Played) -> None:
    play.tick(G1, 5, 2.0)
    before = play.tick(G2, 0, 1.0, "COOLDOWN", cooldownTimer=14900)
    after = play.tick(G1, 8, 0.02, "RUGGED")
    assert {**after, "lastFrameAt": 0} == {**before, "lastFrameAt": 0}


def test_a_round_known_from_a_history_is_over(play: Played) -> None:
    play("game.completed", G1, id=G1, peakMultiplier=2.0, timestamp=5, verified=True, verifyReason="all equal")
    assert play.tick(G1, 8, 0.02, "RUGGED")["gameId"] is None
    assert play.tick(G2, 1, 1.1)["gameId"] == G2


def test_the_running_round_goes_on_when_a_history_names_it(play: Played) -> None:
    play.tick(G1, 8, 0.02, "RUGGED")
    play("game.completed", G1, id=G1, peakMultiplier=2.0)
    assert play.tick(G1, 8, 0.02, "RUGGED")["gameId"] == G1


def test_a_late_rug_of_a_round_we_never_saw_does_not_take_the_place_of_the_countdown(play: Played) -> None:
    play.tick(G2, 0, 1.0, "COOLDOWN", cooldownTimer=14900)
    data = play.tick(G1, 90, 0.02, "RUGGED")
    assert (data["gameId"], data["phase"], data["tick"]) == (G2, "COOLDOWN", 0)
    data = play.tick(G2, 0, 1.0, "PRESALE", cooldownTimer=9900)
    assert (data["phase"], data["cooldownMs"]) == ("PRESALE", 9900)


def test_a_session_joined_at_the_rug_goes_on_with_the_next_round(play: Played) -> None:
    assert play.tick(G1, 90, 0.02, "RUGGED")["phase"] == "RUGGED"
    data = play.tick(G2, 0, 1.0, "COOLDOWN", cooldownTimer=14900)
    assert (data["gameId"], data["phase"]) == (G2, "COOLDOWN")


def test_after_the_rug_the_games_own_counting_is_ignored(play: Played) -> None:
    play.tick(G1, 3, 1.4)
    play.tick(G1, 4, 0.02, "RUGGED")
    data = play.tick(G1, 6, 0.02, "RUGGED", connectedPlayers=5)
    assert (data["tick"], data["phase"], data["connectedPlayers"]) == (4, "RUGGED", 5)
    assert (play.live.first_tick, play.live.prices) == (3, [1.4, 0.02])
    assert data["peak"] == 1.4


def test_prices_stand_by_their_tick_and_doubles_change_nothing(play: Played) -> None:
    for tick, price in ((0, 1.0), (0, 1.0), (1, 1.1), (1, 1.1), (2, 1.2)):
        data = play.tick(G1, tick, price)
    assert (play.live.first_tick, play.live.prices, data["roundStartedAt"]) == (0, [1.0, 1.1, 1.2], 1_000_001)


def test_a_hole_is_filled_from_the_last_five(play: Played) -> None:
    play.tick(G1, 0, 1.0)
    recent = {"startTick": 0, "endTick": 3, "values": {"0": 1.0, "1": 1.9, "2": 1.2, "3": 1.3}}
    data = play.tick(G1, 3, 1.3, partialPrices=recent)
    assert (play.live.first_tick, play.live.prices, data["peak"]) == (0, [1.0, 1.9, 1.2, 1.3], 1.9)


def test_a_hole_that_nothing_fills_begins_the_series_anew(play: Played) -> None:
    play.tick(G1, 0, 1.0)
    recent = {"startTick": 5, "endTick": 9, "values": {"5": 1.5, "6": 1.6, "7": 1.7, "8": 1.8, "9": 1.9}}
    play.tick(G1, 9, 1.9, partialPrices=recent)
    assert (play.live.first_tick, play.live.prices) == (5, [1.5, 1.6, 1.7, 1.8, 1.9])
    play.tick(G1, 20, 3.0)
    assert (play.live.first_tick, play.live.prices) == (20, [3.0])


@pytest.mark.parametrize("name", ["2025-12-06-anonymous", "2025-12-14-anonymous"])
def test_recorded_rounds_come_out_as_their_histories_say(name: str) -> None:
    """Joined in the middle or not, the prices of a round are the history's from the first tick seen to the rug."""
    path = Path(__file__).parents[3] / "shared" / "captures" / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"no recorded frames at {path}")
    memory, live, compared = Memory(), Live(), 0
    games: list[str | None] = []
    seen: dict[str | None, tuple[int, list[float]]] = {}
    with gzip.open(path, "rt") as lines:
        for number, line in enumerate(lines, 1):
            frame = Frame(number * SEQ_STEP, number, "s", False, 1, json.loads(line)["frame"].encode())
            for event in derive(memory, frame).events:
                live.fold(event)
                seen[live.game_id] = (live.first_tick, list(live.prices))
                games += [live.game_id] if games[-1:] != [live.game_id] else []
                ended = json.loads(event.data) if event.type == "game.completed" else {}
                if ended.get("id") in seen and ended.get("prices"):
                    first, prices = seen[ended["id"]]
                    assert prices == ended["prices"][first:]
                    compared += 1
    assert compared >= 1
    assert len(games) == len(set(games))  # never back to an older one


def test_connected_needs_an_attached_capture_and_an_open_socket(play: Played) -> None:
    said = [
        play("system.connection", **note)["connected"]
        for note in (
            {"what": "attached", "capture": "capture-a", "incarnation": 1},
            {"what": "opened", "stream": "s1"},
            {"what": "attached", "capture": "capture-b", "incarnation": 2},
            {"what": "detached", "capture": "capture-a", "incarnation": 1},
            {"what": "opened", "stream": "s2"},
            {"what": "closed", "stream": "s1"},
            {"what": "closed", "stream": "s2"},
            {"what": "resumed", "stream": "s2"},
            {"what": "lost", "cause": "x"},
            {"what": "found", "stream": "s3"},
            {"what": "detached", "capture": "capture-b", "incarnation": 2},
            {"what": "attached", "capture": "capture-b", "incarnation": 3},
            {"what": "something new"},
        )
    ]
    assert said == [False, True, True, True, True, True, False, True, False, True, False, False, False]


def test_system_events_are_no_frames(play: Played) -> None:
    play.tick(G1, 1, 1.0)
    assert play("system.actor", actor="web")["lastFrameAt"] == 1_000_001
    assert play("player.action", button="BUY")["lastFrameAt"] == 1_000_001
    assert play("raw.newChatMessage", args=[])["lastFrameAt"] == 1_000_004


def test_recording_gaps_and_the_last_round_are_kept(play: Played) -> None:
    play("system.recording", on=True, by="ui")
    data = play("system.recording", on=True, by="cli")
    assert data["recording"] == {"on": True, "since": 1_000_001}
    play("system.gap", from_us=1_000_000, to_us=3_500_000, cause="browser died")
    play("game.completed", G2, id=G2, peakMultiplier=7.0, timestamp=20, verified=True, verifyReason="ok")
    data = play("game.completed", G1, id=G1, peakMultiplier=9.0, timestamp=10, verified=False, verifyReason="no")
    assert data["gaps"] == {"count": 1, "seconds": 2.5}
    assert data["lastGame"] == {"id": G2, "peak": 7.0, "verified": True, "verifyReason": "ok"}
    assert play("system.recording", on=False)["recording"] == {"on": False, "since": None}


@pytest.mark.parametrize("raw", [b"", b"[1]", b"null", b"\xff", b"{", b"[" * 5000, b'{"tickCount": "x"}'])
def test_bad_data_is_passed_over(raw: bytes) -> None:
    live = Live()
    for kind in ("game.tick", "player.state", "player.trade", "sidebet.placed", "game.completed", "system.connection"):
        live.fold(Event(256, kind, 1, G1, raw))
    assert live.last["game.tick"] == 256
    msgspec.json.encode(live.data())


ODD: list[Any] = [None, True, "x", [], {}, [[]], {"values": 5}, 1e308, 10**400, -1, {"values": {"1": "x"}, "gameId": 5}]


@pytest.mark.parametrize("odd", ODD)
def test_fields_of_another_type_are_unknown_fields(play: Played, odd: Any) -> None:
    keys = [
        "gameId",
        "tickCount",
        "price",
        "phase",
        "cooldownTimer",
        "connectedPlayers",
        "tradeCount",
        "rugpool",
        "leaderboard",
        "provablyFair",
        "partialPrices",
        "id",
        "cash",
        "positionQty",
        "avgCost",
        "sideBet",
        "shortPosition",
        "playerId",
        "type",
        "tickIndex",
        "startTick",
        "endTick",
        "what",
        "stream",
        "timestamp",
        "peakMultiplier",
        "on",
        "from_us",
        "to_us",
        "player_id",
        "username",
    ]
    play.tick(G1, 1, 1.0)
    play.own(id="me")
    for kind in ("game.tick", "player.state", "player.trade", "sidebet.placed", "game.completed", "system.connection",
                 "system.recording", "system.gap", "connection.authenticated"):  # fmt: skip
        play(kind, G1, **dict.fromkeys(keys, odd))
    assert msgspec.json.decode(msgspec.json.encode(play.live), type=Live).data() == play.live.data()


def test_it_survives_being_kept_and_read_back(play: Played) -> None:
    play("system.connection", what="attached", capture="a", incarnation=1)
    play.tick(G1, 10, 2.0)
    play.own()
    play.own(positionQty=1.0, avgCost=2.0)
    play.live = msgspec.json.decode(msgspec.json.encode(play.live), type=Live)
    data = play.tick(G1, 15, 2.5)
    assert (data["entryTick"], data["timeInPosition"], data["connected"]) == (10, 5, True)
    assert play.live.prices == [2.5]


def test_seq_and_last_follow_the_events(play: Played) -> None:
    play.tick(G1, 1, 1.0)
    play("raw.x", args=[])
    play.tick(G3, 2, 1.0)
    assert (play.live.seq, play.live.last) == (3 * SEQ_STEP, {"game.tick": 3 * SEQ_STEP, "raw.x": 2 * SEQ_STEP})
