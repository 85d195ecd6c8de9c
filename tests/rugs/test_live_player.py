"""The player in the live state: balance, position and its entry, own trades, shorts, side bets."""

import pytest

from tests.rugs.conftest import G1, G2, ME, Played


def test_balance_and_position_are_what_the_server_says(play: Played) -> None:
    play.tick(G1, 10, 2.0)
    data = play.own(cash=0.5, bonusBalance=0.1, positionQty=3.0, avgCost=1.5, cumulativePnL=-0.2)
    assert (data["cash"], data["bonusBalance"], data["cumulativePnl"], data["playerId"]) == (0.5, 0.1, -0.2, ME)
    assert (data["positionQty"], data["avgCost"]) == (3.0, 1.5)
    assert data["unrealizedPnl"] == pytest.approx(1.5)


def test_the_entry_of_a_position_that_was_there_before_us_is_unknown(play: Played) -> None:
    play.tick(G1, 10, 2.0)
    data = play.own(positionQty=3.0, avgCost=1.5)
    assert (data["entryTick"], data["timeInPosition"]) == (None, None)


def test_the_entry_is_the_tick_at_which_the_position_came_to_be(play: Played) -> None:
    play.tick(G1, 10, 2.0)
    play.own()
    play.own(positionQty=3.0, avgCost=2.0)
    data = play.tick(G1, 14, 2.5)
    assert (data["entryTick"], data["timeInPosition"]) == (10, 4)
    data = play.own()
    assert (data["entryTick"], data["timeInPosition"], data["unrealizedPnl"]) == (None, None, 0.0)


@pytest.mark.parametrize("update_first", [False, True])
def test_the_own_trade_tells_the_tick_of_entry_exactly(play: Played, update_first: bool) -> None:
    play.tick(G1, 10, 2.0)
    play.own()
    trade = {"playerId": ME, "gameId": G1, "type": "buy", "tickIndex": 11, "price": 2.1, "amount": 0.1}
    steps = [lambda: play("player.trade", G1, **trade), lambda: play.own(positionQty=1.0, avgCost=2.1)]
    play.tick(G1, 12, 2.2)
    for step in reversed(steps) if update_first else steps:
        step()
    play.own(positionQty=2.0, avgCost=2.3)
    data = play("player.trade", G1, **{**trade, "tickIndex": 13})
    assert data["entryTick"] == 11
    assert [mine["tick"] for mine in data["ownTrades"]] == [11, 13]


def test_others_trades_are_not_ours(play: Played) -> None:
    play.own()
    data = play("player.trade", G1, playerId="someone", type="buy", tickIndex=1)
    assert data["ownTrades"] == []


def test_a_short_counts_in_the_unrealised_profit(play: Played) -> None:
    play.tick(G1, 10, 0.5)
    short = {"amount": 2.0, "entryPrice": 1.0, "pnl": 0.0}
    data = play.own(shortPosition=short)
    assert (data["shortPosition"], data["unrealizedPnl"]) == (short, 1.0)
    assert play.own(shortPosition=None)["unrealizedPnl"] == 0.0


def test_nothing_of_the_player_but_the_balance_outlives_a_round(play: Played) -> None:
    play.tick(G1, 10, 2.0)
    play.own()
    play.own(positionQty=3.0, avgCost=2.0, cumulativePnL=0.4, shortPosition={"amount": 1, "entryPrice": 2})
    play("sidebet.placed", G1, gameId=G1, betAmount=0.1, startTick=10, endTick=50)
    data = play.tick(G2, 0, 1.0, "COOLDOWN")
    assert (data["cash"], data["positionQty"], data["avgCost"], data["cumulativePnl"]) == (1.0, 0.0, 0.0, 0.0)
    assert (data["entryTick"], data["sidebet"], data["shortPosition"], data["ownTrades"]) == (None, None, None, [])


def test_what_was_never_known_of_the_player_stays_unknown(play: Played) -> None:
    play.tick(G1, 10, 2.0)
    data = play.tick(G2, 0, 1.0, "COOLDOWN")
    assert (data["cash"], data["positionQty"], data["unrealizedPnl"], data["cumulativePnl"]) == (None,) * 4


def test_a_side_bet_runs_for_its_window(play: Played) -> None:
    play.tick(G1, 10, 2.0)
    placed = {"betAmount": 0.1, "xPayout": 5, "startTick": 10, "endTick": 50, "coinAddress": "So1"}
    data = play("sidebet.placed", G1, gameId=G1, playerId=ME, **placed)
    assert (data["sidebet"], data["sidebetTicksLeft"]) == (placed, 40)
    assert play.own(sideBet=None)["sidebet"] == placed  # an update that was on its way before the bet
    assert play.tick(G1, 50, 2.0)["sidebetTicksLeft"] == 0
    data = play.tick(G1, 51, 2.0)
    assert (data["sidebet"], data["sidebetTicksLeft"]) == (None, None)


def test_a_settled_side_bet_is_over(play: Played) -> None:
    play.tick(G1, 10, 2.0)
    play("sidebet.placed", G1, gameId=G1, betAmount=0.1, startTick=10, endTick=50)
    assert play("sidebet.result", G1, payout=0.5)["sidebet"] is None


def test_a_side_bet_is_also_read_from_the_update_with_its_other_spelling(play: Played) -> None:
    play.tick(G1, 12, 2.0)
    data = play.own(sideBet={"startedAtTick": 10, "end": 50, "betAmount": 0.2, "xPayout": 5})
    assert (data["sidebet"]["endTick"], data["sidebetTicksLeft"]) == (50, 38)
    assert play.own(sideBet=None)["sidebet"] is None


def test_a_position_bought_in_the_presale_is_entered_at_tick_0(play: Played) -> None:
    play.own()
    play.tick(G2, 0, 1.0, "PRESALE", cooldownTimer=5000)
    play.own(positionQty=0.1, avgCost=1.0)
    play.tick(G2, 0, 1.0)
    play("player.trade", G2, playerId=ME, gameId=G2, type="buy", tickIndex=0, price=1.0)
    data = play.tick(G2, 8, 1.5)
    assert (data["entryTick"], data["timeInPosition"], data["unrealizedPnl"]) == (0, 8, pytest.approx(0.05))


def test_who_is_logged_in(play: Played) -> None:
    data = play("connection.authenticated", None, player_id=ME, username="ada", hasUsername=True)
    assert (data["playerId"], data["username"]) == (ME, "ada")
