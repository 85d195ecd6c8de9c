"""The engine's frames have the game's shapes and come in the game's order; no socket, no clock."""

import json
from itertools import pairwise
from typing import Any

import pytest

from actors.rugs.fairness import play, verify
from actors.simulator.game import Game
from actors.simulator.messages import Emit, Step

NOW_MS = 1_767_225_600_000
MINIMAL = {
    "gameId", "cooldownTimer", "cooldownPaused", "allowPreRoundBuys", "leaderboard", "connectedPlayers", "provablyFair",
}  # fmt: skip
STANDARD = MINIMAL | {
    "active", "price", "rugged", "tickCount", "pauseMessage", "partialPrices", "tradeCount", "averageMultiplier",
    "count2x", "count10x", "count50x", "count100x", "rugpool", "rugRoyale",
}  # fmt: skip
START = MINIMAL | {"active", "price", "rugged", "tickCount", "pauseMessage", "partialPrices", "gameVersion"}
GODS = {f"godCandle{tier}x{part}" for tier in (2, 10, 50) for part in ("", "Timestamp", "Prices", "MassiveJump")}
FULL = (STANDARD - {"tradeCount", "rugpool", "rugRoyale"}) | GODS | {
    "gameHistory", "gameVersion", "highestToday", "highestTodayTimestamp", "highestTodayPrices", "availableShitcoins",
}  # fmt: skip
ROW = {
    "id", "username", "level", "pnl", "pnlPercent", "hasActiveTrades", "positionQty", "avgCost", "totalInvested",
    "position", "selectedCoin", "sidebetActive", "sideBet", "shortPosition",
}  # fmt: skip
PARTS = {"regularPnl", "sidebetPnl", "shortPnl"}
TRADE = {
    "id", "gameId", "playerId", "username", "level", "type", "price", "tickIndex", "coin", "amount", "qty",
}  # fmt: skip
HISTORY = {
    "id", "timestamp", "prices", "peakMultiplier", "rugged", "globalTrades", "globalSidebets", "provablyFair",
    "gameVersion",
}  # fmt: skip


def steps(game: Game, rounds: int) -> list[Step]:
    """Play so many reveals (broadcasts B), and a little of the next cooldown."""
    taken: list[Step] = []
    while rounds:
        before = game.live.game_id
        taken.append(game.step(NOW_MS + len(taken)))
        rounds -= game.live.game_id != before
    return [*taken, *(game.step(NOW_MS) for _ in range(5))]


def emits(taken: list[Step], name: str | None = None) -> list[Emit]:
    return [emit for step in taken for emit in step.emits if name in (None, emit.name)]


def decoded(emit: Emit) -> dict[str, Any]:
    """Return the payload as it goes over the wire."""
    payload: dict[str, Any] = json.loads(emit.packet()[1:])[-1]
    return payload


def frames(taken: list[Step]) -> list[dict[str, Any]]:
    return [decoded(emit) for emit in emits(taken, "gameStateUpdate")]


def shape(frame: dict[str, Any]) -> str:
    named = {"minimal": MINIMAL, "standard": STANDARD, "start": START, "full": FULL}
    return next((name for name, keys in named.items() if keys == set(frame)), f"unknown: {set(frame)}")


@pytest.fixture(scope="module")
def played() -> list[Step]:
    return steps(Game("shapes", NOW_MS, first_timer_ms=15_000), rounds=4)


@pytest.fixture(scope="module")
def played_frames(played: list[Step]) -> list[dict[str, Any]]:
    return frames(played)


def test_every_frame_has_one_of_the_four_shapes(played_frames: list[dict[str, Any]]) -> None:
    assert {shape(frame) for frame in played_frames} == {"minimal", "standard", "start", "full"}


def test_only_the_frame_on_connect_has_all_prices() -> None:
    frame = decoded(Game("connect", NOW_MS).welcome(NOW_MS)[0])
    assert set(frame) == FULL - {"partialPrices"} | {"prices"}
    assert frame["prices"] == [1]


def test_a_client_is_welcomed_in_the_order_of_a_recording() -> None:
    names = [emit.name for emit in Game("connect", NOW_MS).welcome(NOW_MS)]
    assert names == [
        "gameStateUpdate",
        "goldenHourUpdate",
        "battleEventUpdate",
        "rugRoyaleUpdate",
        "sidebetEventUpdate",
        "battleEventUpdate",
        "maintenanceUpdate",
    ]


def test_full_frames_are_some_hundred_kilobytes() -> None:
    size = len(Game("size", NOW_MS).welcome(NOW_MS)[0].packet())
    assert 150_000 < size < 600_000


def test_the_countdown_steps_by_100_and_opens_the_presale_with_two_frames(
    played_frames: list[dict[str, Any]],
) -> None:
    first = next(place for place, frame in enumerate(played_frames) if frame.get("active"))
    countdown = played_frames[:first]
    timers = [frame["cooldownTimer"] for frame in countdown]
    assert timers == [*range(15_000, 10_000, -100), 10_000, *range(10_000, 0, -100)]
    assert [shape(frame) for frame in countdown if frame["cooldownTimer"] == 10_000] == ["standard", "minimal"]
    assert all(frame["allowPreRoundBuys"] == (frame["cooldownTimer"] <= 10_000) for frame in countdown)


def test_a_round_starts_empty_and_ticks_once_each_in_order(played_frames: list[dict[str, Any]]) -> None:
    start = next(place for place, frame in enumerate(played_frames) if shape(frame) == "start")
    first = played_frames[start]
    assert (first["tickCount"], first["price"], first["leaderboard"]) == (0, 1, [])
    game_id = first["gameId"]
    ticks = [f for f in played_frames[start:] if f["gameId"] == game_id and shape(f) == "standard"]
    assert [frame["tickCount"] for frame in ticks] == list(range(1, len(ticks) + 1))
    assert [frame["rugged"] for frame in ticks] == [False] * (len(ticks) - 1) + [True]
    assert all(frame["active"] for frame in ticks)


def test_partial_prices_slide_over_the_last_five_ticks(played_frames: list[dict[str, Any]]) -> None:
    for frame in played_frames:
        if shape(frame) == "standard" and frame["active"]:
            partial, tick = frame["partialPrices"], frame["tickCount"]
            assert (partial["startTick"], partial["endTick"]) == (max(0, tick - 4), tick)
            assert list(partial["values"]) == [str(at) for at in range(max(0, tick - 4), tick + 1)]
            assert partial["values"][str(tick)] == frame["price"]


def test_a_rug_is_shown_closed_and_revealed_in_this_order(played_frames: list[dict[str, Any]]) -> None:
    rug = next(place for place, frame in enumerate(played_frames) if frame.get("rugged"))
    shown, closing = played_frames[rug : rug + 2]
    reveal = next(frame for frame in played_frames[rug + 2 :] if shape(frame) == "full")
    assert shape(shown) == "standard"
    assert shape(closing) == "full"
    assert closing["gameId"] == shown["gameId"]
    assert closing["active"]
    assert closing["rugged"]
    assert 1 <= closing["tickCount"] - shown["tickCount"] <= 3
    assert closing["gameHistory"][0]["id"] != shown["gameId"]
    assert (reveal["active"], reveal["rugged"], reveal["price"], reveal["tickCount"]) == (False, False, 1, 0)
    assert reveal["cooldownTimer"] == 15_000
    assert reveal["gameHistory"][0]["id"] == shown["gameId"]
    assert reveal["provablyFair"]["serverSeedHash"] != shown["provablyFair"]["serverSeedHash"]


def test_no_seed_is_shown_before_its_round_is_over(played: list[Step]) -> None:
    revealed: set[str] = set()
    for emit in emits(played, "gameStateUpdate"):
        frame = decoded(emit)
        assert "serverSeed" not in frame["provablyFair"]
        assert frame["gameId"] not in revealed
        revealed |= {entry["id"] for entry in frame.get("gameHistory", [])}


def test_every_round_of_the_history_matches_its_seed(played_frames: list[dict[str, Any]]) -> None:
    history = [frame for frame in played_frames if "gameHistory" in frame][-1]["gameHistory"]
    assert len(history) == 10
    for entry in history:
        assert set(entry) == HISTORY
        assert verify(entry).verified is True


def test_live_prices_are_those_of_the_revealed_seed(played_frames: list[dict[str, Any]]) -> None:
    last = [frame for frame in played_frames if "gameHistory" in frame][-1]
    revealed = {entry["id"]: entry["provablyFair"]["serverSeed"] for entry in last["gameHistory"]}
    ticks = [f for f in played_frames if shape(f) == "standard" and f["active"] and f["gameId"] in revealed]
    assert len(ticks) > 50
    series = {game_id: play(seed, game_id).prices for game_id, seed in revealed.items()}
    assert all(series[frame["gameId"]][frame["tickCount"]] == frame["price"] for frame in ticks)


def test_leaderboard_rows_add_up_and_are_ranked(played_frames: list[dict[str, Any]]) -> None:
    rows = [row for frame in played_frames for row in frame["leaderboard"]]
    assert len(rows) > 500
    for row in rows:
        assert set(row) in (ROW, ROW | PARTS)
        if "regularPnl" in row:
            assert row["pnl"] == row["regularPnl"] + row["sidebetPnl"] + row["shortPnl"]
        if row["totalInvested"]:
            assert row["pnlPercent"] == pytest.approx(100 * row["pnl"] / row["totalInvested"], abs=1e-9)
    for frame in played_frames:
        assert [row["position"] for row in frame["leaderboard"]] == list(range(1, len(frame["leaderboard"]) + 1))
        assert all(a["pnl"] >= b["pnl"] - 1e-9 for a, b in pairwise(frame["leaderboard"]))


def test_presale_rows_lack_the_partial_profits_and_cooldown_rows_have_them(
    played_frames: list[dict[str, Any]],
) -> None:
    for frame in played_frames:
        if shape(frame) == "minimal":
            assert all((set(row) >= PARTS) != frame["allowPreRoundBuys"] for row in frame["leaderboard"])


def test_trades_bear_the_price_of_their_tick_and_have_a_trace(played: list[Step]) -> None:
    trades = emits(played, "standard/newTrade")
    last = [frame for frame in frames(played) if "gameHistory" in frame][-1]
    prices = {entry["id"]: entry["prices"] for entry in last["gameHistory"]}
    for emit in trades:
        assert len(emit.args) == 2
        assert emit.args[0]["__trace"] is True
        trade = decoded(emit)
        assert set(trade) - {"leverage", "bonusPortion", "realPortion"} == TRADE
        assert trade["price"] == prices[trade["gameId"]][trade["tickIndex"]]
        if trade["qty"]:
            assert trade["amount"] == pytest.approx(trade["qty"] * trade["price"], rel=1e-5, abs=2e-9)


def test_trades_are_shown_as_a_sample_while_the_count_rises(played_frames: list[dict[str, Any]]) -> None:
    counts = [frame["tradeCount"] for frame in played_frames if shape(frame) == "standard" and frame["rugged"]]
    assert all(20 < count < 1500 for count in counts)


def test_side_bets_win_exactly_when_the_rug_falls_into_their_window(played_frames: list[dict[str, Any]]) -> None:
    history = [frame for frame in played_frames if "gameHistory" in frame][-1]["gameHistory"]
    wins = losses = 0
    for entry in history:
        rug_tick = len(entry["prices"]) - 1
        placed = {(b["playerId"], b["startedAtTick"]): b for b in entry["globalSidebets"] if b["type"] == "placed"}
        paid = [bet for bet in entry["globalSidebets"] if bet["type"] == "payout"]
        assert len(paid) == len(placed)
        for bet in paid:
            assert placed[bet["playerId"], bet["startTick"]]["end"] == bet["endTick"] == bet["startTick"] + 40
            won = rug_tick <= bet["endTick"]
            assert (bet["payout"] > 0) == won
            assert ("price" in bet) == ("level" in bet) == won
            assert bet["tickIndex"] == (rug_tick if won else bet["startTick"])
            wins, losses = wins + won, losses + (not won)
    assert wins > 5
    assert losses > 20


def test_the_same_seed_plays_the_same_game_to_the_last_byte() -> None:
    def packets(seed: str) -> list[str]:
        return [emit.packet() for emit in emits(steps(Game(seed, NOW_MS), rounds=2))]

    assert packets("same") == packets("same")
    assert packets("same") != packets("other")


def test_what_a_client_does_changes_neither_rounds_nor_crowd() -> None:
    quiet, busy = Game("same", NOW_MS), Game("same", NOW_MS)
    busy.welcome(NOW_MS)
    busy.handle("authenticate", ["credential"], NOW_MS)
    busy.handle("buyOrder", [{"amount": 1}], NOW_MS)

    def story(game: Game) -> list[Any]:
        kept = ("gameId", "tickCount", "price", "rugged", "connectedPlayers")
        return [[frame.get(key) for key in kept] for frame in frames(steps(game, rounds=2))]

    assert story(quiet) == story(busy)


def test_a_seeded_game_bears_a_fixed_date_and_another_the_day_of_play() -> None:
    assert Game("a", NOW_MS).live.game_id.startswith("20260101-")
    later = NOW_MS + 86_400_000 * 40
    assert Game("a", later).live.game_id == Game("a", NOW_MS).live.game_id
    assert Game("a", later, fixed_date=False).live.game_id.startswith("20260210-")


def test_time_runs_at_the_pace_of_the_site(played: list[Step]) -> None:
    ticking = [step for step in played if any(shape(f) == "standard" and f["active"] for f in frames([step]))]
    assert all(step.delay_s == 0.25 for step in ticking if not frames([step])[0]["rugged"])
    counting = [step for step in played if any(shape(f) == "minimal" for f in frames([step]))]
    assert all(step.delay_s == pytest.approx(0.1) for step in counting)


def test_hostile_names_and_messages_do_occur(played: list[Step]) -> None:
    text = "".join(emit.packet() for emit in emits(played))
    assert "onerror" in text
    assert "DROP TABLE" in text
    assert any("<" in decoded(emit)["message"] for emit in emits(steps(Game("chat", NOW_MS), 6), "newChatMessage"))


def test_golden_rounds_end_with_a_drawing() -> None:
    taken = steps(Game("golden", NOW_MS), rounds=8)
    drawings = emits(taken, "goldenHourDrawing")
    assert len(drawings) >= 2
    payload = decoded(drawings[0])
    assert payload["entries"][payload["winnerIndex"]]["playerId"] == payload["winnerPlayerId"]
