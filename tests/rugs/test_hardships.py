"""What real sessions do beyond the rules: odd values, reconnects, tabs, holds, other times. Nothing stops or lies."""

import json
import random
from typing import Any

import msgspec
import pytest

from actors.core.messages import Event
from actors.rugs.live import Live
from actors.rugs.typed import data_type
from tests.rugs.playbook import (
    TRACE,
    Play,
    broadcast_a,
    broadcast_b,
    countdown,
    data,
    doc_types,
    drifts,
    fits,
    game_of,
    history,
    packet,
    rows,
    state,
    std,
    types,
    whole_round,
)
from tests.rugs.test_protocol import RECEIVED, SENT

ODD: list[Any] = [None, True, 0, -1, 1.5, 10**30, "", "1.5", "x" * 300, [], [None], ["a"], {}, {"a": None}, [[{}]]]


def live_of(events: list[Event]) -> dict[str, Any]:
    live = Live()
    for event in events:
        live.fold(event)
    assert live.undecodable == 0
    return live.data()


def mangled(value: Any, dice: random.Random) -> Any:
    """Return the value with one thing in it, at any depth, replaced, renamed or removed."""
    if isinstance(value, dict) and value:
        name = dice.choice(list(value))
        how = dice.randrange(4)
        rest = {key: inner for key, inner in value.items() if key != name}
        if how == 0:
            return rest
        if how == 1:
            return {**rest, f"{name}2": value[name]}
        return {**value, name: mangled(value[name], dice)}
    if isinstance(value, list) and value and dice.random() < 0.8:
        place = dice.randrange(len(value))
        return [*value[:place], mangled(value[place], dice), *value[place + 1 :]]
    return dice.choice(ODD)


def test_any_field_of_any_event_may_be_anything() -> None:
    """Each frame is kept, its rows fit their columns, its events are JSON; our own code never fails."""
    dice, playing = random.Random(5), Play()
    states = [json.loads(frame[2:])[1] for frame in (*whole_round(3)[-6:], std(4, 3), countdown(5, 9000))]
    examples = [(name, payload) for name, payload, _ in RECEIVED] + [("gameStateUpdate", one) for one in states]
    live = Live()
    for _ in range(3000):
        name, payload = dice.choice(examples)
        derived = playing.received(name, TRACE, mangled(payload, dice))
        assert doc_types(derived)[0] == "ws_event"
        assert all(fits(row) for row in derived.rows)
        for event in derived.events:
            live.fold(event)
        msgspec.msgpack.encode(playing.memory)
    for name, args, _ in SENT:
        playing.sent(name, TRACE, *(mangled(arg, dice) for arg in args), ack_id=3)
    assert playing.memory.failures == 0
    json.dumps(live.data())


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("name", ["leaderboard", "rugpool", "tradeCount", "pauseMessage", "count2x", "provablyFair"])
def test_whatever_else_a_frame_says_its_tick_and_price_are_told(name: str, odd: Any) -> None:
    playing = Play()
    playing.frame(std(3, 4))
    derived = playing.frame(std(3, 5, **{name: odd}))
    assert types(derived) == ["game.tick"]
    assert (data(derived.events[0])["tickCount"], playing.memory.malformed) == (5, 0)
    told = msgspec.json.decode(derived.events[0].data)
    assert isinstance(told.get(name), type(data(playing.frame(std(3, 6)).events[0]).get(name, odd)) | None)


def test_a_reconnect_in_the_middle_of_a_round_tells_nothing_twice() -> None:
    playing = Play()
    before, _ = playing.all([std(3, tick) for tick in range(5)])
    snapshot = std(3, 7, prices=[1.0] * 8, gameHistory=history(3))
    again, _ = playing.all([snapshot, *(std(3, tick) for tick in range(5, 10))])
    ticks = [data(event)["tickCount"] for event in [*before, *again] if event.type == "game.tick"]
    assert ticks == [0, 1, 2, 3, 4, 7, 5, 6, 8, 9]
    assert live_of([*before, *again])["tick"] == 9
    assert drifts([*before, *again]) == []


def test_two_tabs_of_which_one_lags_a_round_behind() -> None:
    alone, both = Play(), Play()
    script = [*whole_round(3), *whole_round(4)]
    expected = alone.all(script)[1]
    made = []
    for place in range(len(script) + 60):
        if place < len(script):
            made += both.frame(script[place]).rows
        if place >= 60:
            made += both.frame(script[place - 60], stream="browser/other/1").rows
    typed = [(row.doc_type, row.game_id, row.values) for row in made if row.doc_type != "ws_event"]
    assert typed == [(row.doc_type, row.game_id, row.values) for row in expected if row.doc_type != "ws_event"]


def test_frames_shuffled_by_the_network_come_to_the_same_ticks() -> None:
    dice = random.Random(8)
    script = [std(3, tick) for tick in range(18)]
    shuffled = [frame for at in range(0, 18, 6) for frame in dice.sample(script[at : at + 6], 6)]
    found = rows(Play().all(shuffled)[1], "game_tick")
    assert sorted(row["tick"] for row in found) == list(range(18))
    assert live_of(Play().all(shuffled)[0])["tick"] == 17


def test_a_held_countdown_and_an_unknown_phase_are_what_the_flags_say() -> None:
    playing = Play()
    held = state("g", cooldownTimer=9000, cooldownPaused=True, allowPreRoundBuys=False, active=False, rugged=False)
    odd = state("g", cooldownTimer=0, allowPreRoundBuys=False, active=False, phase="LOBBY")
    told = [data(playing.frame(frame).events[0])["phase"] for frame in (held, odd)]
    assert told == ["COOLDOWN", "COOLDOWN"]


def test_a_phase_of_the_games_own_does_not_replace_ours() -> None:
    derived = Play().frame(std(3, 5, phase="LOBBY"))
    assert data(derived.events[0])["phase"] == "ACTIVE"
    assert drifts(derived) == [("gameStateUpdate", "phase", "unknown")]


def test_the_snapshot_at_the_rug_and_the_countdown_that_overtook_it() -> None:
    """Joined in the moment of the rug: the first frame seen is the next countdown's, then comes Broadcast A."""
    playing = Play()
    events, _ = playing.all([countdown(4, 14_900), broadcast_a(3), broadcast_b(4), countdown(4, 14_800), std(4, 0)])
    told = live_of(events)
    assert (told["gameId"], told["phase"], told["tick"]) == (game_of(4), "ACTIVE", 0)


def test_a_presale_fill_after_the_start_belongs_to_tick_0() -> None:
    playing = Play()
    playing.all([countdown(3, 100), std(3, 0), std(3, 1)])
    fill = {"id": "f", "gameId": game_of(3), "playerId": "p", "type": "buy", "price": 1, "tickIndex": 0, "amount": 0.1,
            "qty": 0.1}  # fmt: skip
    (row,) = rows(playing.received("standard/newTrade", TRACE, fill), "trade")
    assert (row["tick"], row["price"]) == (0, 1.0)


def test_the_frames_of_2025_08_without_traces_and_with_all_prices() -> None:
    playing = Play()
    old = {"gameId": "20250810-0123456789abcdef", "active": True, "rugged": False, "price": 1.5, "tickCount": 2,
           "prices": [1, 1.2, 1.5], "trades": [], "cooldownTimer": 0, "leaderboard": []}  # fmt: skip
    derived = playing.frame(packet("gameStateUpdate", old))
    assert types(derived) == ["game.tick"]
    assert drifts(derived) == []
    msgspec.json.decode(derived.events[0].data, type=data_type("game.tick"))
    rug = playing.frame(
        packet("gameStateUpdate", {**old, "rugged": True, "tickCount": 5, "prices": [1, 1.2, 1.5, 0.02]})
    )
    assert rows(rug, "game_tick")[0]["tick"] == 3
