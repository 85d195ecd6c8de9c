"""The own player's orders: what is answered, what is told, and that money is neither made nor lost."""

from typing import Any

import pytest

from actors.simulator.game import Game
from actors.simulator.messages import Emit, Reply

NOW_MS = 1_767_225_600_000
TRACE_ID = "c" * 32
TRACE = {"__trace": True, "traceparent": f"00-{TRACE_ID}-{'d' * 16}-01"}


def game_at(phase: str, seed: str = "orders") -> Game:
    """Return a game with a logged-in player, played on until the phase begins."""
    game = Game(seed, NOW_MS, first_timer_ms=15_000)
    game.handle("authenticate", [TRACE, "credential"], NOW_MS)
    game.step(NOW_MS)
    while game.live.phase != phase:
        game.step(NOW_MS)
    return game


def order(game: Game, name: str, **payload: Any) -> Reply:
    return game.handle(name, [TRACE, payload], NOW_MS)


def play_until(game: Game, name: str) -> list[Emit]:
    """Step until an event of this name is sent; return all that was sent on the way."""
    sent: list[Emit] = []
    while not any(emit.name == name for emit in sent):
        sent += game.step(NOW_MS).emits
    return sent


def test_a_buy_is_filled_at_the_current_price_and_told_in_the_games_order() -> None:
    game = game_at("ACTIVE")
    game.step(NOW_MS)
    reply = order(game, "buyOrder", amount=0.03)
    assert reply.ack == {"success": True}
    assert [emit.name for emit in reply.emits] == ["standard/newTrade", "playerUpdate", "gameStatePlayerUpdate"]
    trade, update = reply.emits[0].payload, reply.emits[1].payload
    assert trade["price"] == game.live.price
    assert trade["tickIndex"] == game.live.tick
    assert update["positionQty"] == trade["qty"] == round(0.03 / game.live.price, 9)
    assert update["cash"] == 4.97


def test_everything_derived_from_a_request_bears_its_trace_id() -> None:
    game = game_at("ACTIVE")
    buy, bet = order(game, "buyOrder", amount=0.03), order(game, "requestSidebet", amount=0.01, xPayout=5)
    for emit in (buy.emits[0], bet.emits[0]):
        assert emit.args[0]["traceparent"].split("-")[1] == TRACE_ID
    result = next(emit for emit in play_until(game, "currentSidebetResult") if emit.name == "currentSidebetResult")
    assert result.args[0]["traceparent"].split("-")[1] == TRACE_ID


def test_a_presale_buy_costs_one_and_is_broadcast_when_the_round_runs() -> None:
    game = game_at("PRESALE")
    reply = order(game, "buyOrder", amount=0.5)
    assert [emit.name for emit in reply.emits] == ["playerUpdate", "gameStatePlayerUpdate"]
    assert reply.emits[0].payload["avgCost"] == 1
    own = game.account.person.player_id
    fills: list[Emit] = []
    while not fills:
        sent = game.step(NOW_MS).emits
        fills = [emit for emit in sent if emit.name == "standard/newTrade" and emit.payload["playerId"] == own]
    assert game.live.phase == "ACTIVE"
    assert (fills[0].payload["tickIndex"], fills[0].payload["price"], fills[0].payload["qty"]) == (0, 1, 0.5)
    assert TRACE_ID in fills[0].args[0]["traceparent"]


def test_a_partial_sale_sells_its_part_and_brings_quantity_times_price() -> None:
    game = game_at("ACTIVE")
    game.step(NOW_MS)
    bought = order(game, "buyOrder", amount=1.0).emits[0].payload["qty"]
    for _ in range(5):
        game.step(NOW_MS)
    reply = order(game, "sellOrder", percentage=25)
    sold = reply.emits[0].payload
    assert sold["type"] == "sell"
    assert sold["qty"] == pytest.approx(bought * 0.25, abs=1e-9)
    assert sold["amount"] == pytest.approx(sold["qty"] * game.live.price, abs=1e-9)
    order(game, "sellOrder", percentage=100)
    assert game.account.update(game.live)["positionQty"] == 0
    assert game.account.update(game.live)["avgCost"] == 0


def test_the_rug_liquidates_and_tells_the_player_before_it_is_shown() -> None:
    game = game_at("ACTIVE")
    order(game, "buyOrder", amount=1.0)
    order(game, "requestSidebet", amount=0.1)
    while game.live.phase == "ACTIVE":
        sent = game.step(NOW_MS).emits
    names = [emit.name for emit in sent]
    own = [emit for emit in sent if emit.name == "standard/newTrade"]
    assert own[0].payload["playerId"] == game.account.person.player_id
    assert own[0].payload["price"] == game.live.secret.round.rug_price
    shown = names.index("gameStateUpdate")
    assert names[shown - 2 : shown + 2] == [
        "standard/newTrade",
        "playerUpdate",
        "gameStateUpdate",
        "gameStatePlayerUpdate",
    ]
    assert game.account.update(game.live)["positionQty"] == 0


def test_money_is_neither_made_nor_lost_over_many_rounds() -> None:
    game = game_at("PRESALE", seed="money")
    flow = 0.0
    own = game.account.person.player_id
    rounds, seen = 0, game.live.game_id
    while rounds < 6:
        replies = []
        if game.live.phase == "PRESALE" and game.live.timer_ms == 5000:
            replies = [order(game, "buyOrder", amount=0.123), order(game, "requestSidebet", amount=0.011)]
        if game.live.phase == "ACTIVE" and game.live.tick % 7 == 3:
            replies = [order(game, "sellOrder", percentage=50), order(game, "buyOrder", amount=0.037)]
        if game.live.phase == "ACTIVE" and game.live.tick % 41 == 0:
            replies.append(order(game, "requestSidebet", amount=0.013))
        sent = [emit for reply in replies for emit in reply.emits] + game.step(NOW_MS).emits
        for emit in sent:
            payload = emit.payload
            if emit.name == "standard/newTrade" and payload["playerId"] == own:
                flow += payload["amount"] if payload["type"] == "sell" else -payload["amount"]
            if emit.name == "currentSidebet":
                flow -= payload["betAmount"]
            if emit.name == "currentSidebetResult":
                flow += payload["payout"]
        rounds, seen = rounds + (game.live.game_id != seen), game.live.game_id
    assert game.account.cash == pytest.approx(5 + flow, abs=1e-8)


@pytest.mark.parametrize("seed", ["a", "b", "c", "d", "e", "f"])
def test_an_own_side_bet_wins_exactly_when_the_rug_falls_into_its_window(seed: str) -> None:
    game = game_at("PRESALE", seed=seed)
    rug_tick = game.live.secret.round.rug_tick
    bet = order(game, "requestSidebet", amount=0.1).ack["sidebet"]
    assert (bet["startTick"], bet["endTick"]) == (0, 40)
    sent = play_until(game, "currentSidebetResult")
    result = next(emit.payload for emit in sent if emit.name == "currentSidebetResult")
    won = rug_tick <= 40
    assert result["payout"] == (0.5 if won else 0)
    assert result["profit"] == (0.4 if won else -0.1)
    assert result["tickIndex"] == (rug_tick if won else 40)
    assert game.account.cash == (5.4 if won else 4.9)


@pytest.mark.parametrize(
    ("name", "payload", "message"),
    [
        ("buyOrder", {"amount": 0.0001}, "least amount"),
        ("buyOrder", {"amount": -1}, "least amount"),
        ("buyOrder", {"amount": 99}, "Insufficient"),
        ("buyOrder", {"amount": "1"}, "must be a number"),
        ("buyOrder", {"amount": True}, "must be a number"),
        ("buyOrder", {"amount": float("nan")}, "must be a number"),
        ("buyOrder", {"amount": 10**400}, "must be a number"),
        ("buyOrder", {}, "must be a number"),
        ("sellOrder", {"percentage": 100}, "No position"),
        ("sellOrder", {"percentage": 0}, "Percentage"),
        ("sellOrder", {"percentage": 101}, "Percentage"),
        ("requestSidebet", {"amount": 5.5}, "Insufficient|at most"),
        ("requestSidebet", {"amount": 0.1, "xPayout": 10}, "pays 5"),
        ("requestSidebet", {"amount": 0.1, "coinAddress": "0x"}, "Only SOL"),
    ],
)
def test_an_invalid_order_is_refused_with_a_reason_and_changes_nothing(
    name: str, payload: dict[str, Any], message: str
) -> None:
    game = game_at("ACTIVE")
    reply = game.handle(name, [TRACE, payload], NOW_MS)
    assert reply.ack["success"] is False
    assert reply.emits == []
    assert any(part in reply.ack["message"] for part in message.split("|"))
    assert game.account.cash == 5


def test_orders_at_the_wrong_time_are_refused() -> None:
    cooldown = game_at("COOLDOWN")
    assert "presale" in order(cooldown, "buyOrder", amount=0.1).ack["message"]
    assert "presale" in order(cooldown, "requestSidebet", amount=0.1).ack["message"]
    presale = game_at("PRESALE")
    order(presale, "buyOrder", amount=0.1)
    assert "irrevocable" in order(presale, "sellOrder", percentage=100).ack["message"]
    rugged = game_at("RUGGED")
    assert order(rugged, "buyOrder", amount=0.1).ack["success"] is False


def test_only_one_side_bet_runs_at_a_time() -> None:
    game = game_at("ACTIVE")
    assert order(game, "requestSidebet", amount=0.1).ack["message"] == "Side bet placed"
    assert "running already" in order(game, "requestSidebet", amount=0.1).ack["message"]


def test_an_order_without_a_login_is_refused() -> None:
    game = Game("nobody", NOW_MS)
    reply = game.handle("buyOrder", [TRACE, {"amount": 0.1}], NOW_MS, authenticated=False)
    assert reply.ack == {"success": False, "message": "Log in first"}


@pytest.mark.parametrize(
    "args", [[], [None], [[]], [TRACE], [TRACE, "x"], [{"__trace": True}], [{"__trace": 1, "traceparent": 5}, {}]]
)
@pytest.mark.parametrize("name", ["buyOrder", "authenticate", "getLeaderboard", "ping", "no such event", "__proto__"])
def test_any_request_at_all_is_answered(name: str, args: list[Any]) -> None:
    assert isinstance(Game("hostile", NOW_MS).handle(name, args, NOW_MS), Reply)


def test_logging_in_is_answered_in_the_order_of_a_recording() -> None:
    reply = Game("login", NOW_MS).handle("authenticate", [TRACE, "credential"], NOW_MS)
    names = [emit.name for emit in reply.emits]
    assert names[:5] == ["playerUpdate", "gameStatePlayerUpdate", "usernameStatus", "mutedPlayers", "goldenHourUpdate"]
    assert reply.authenticates
    assert reply.emits[1].payload["trades"] == []
    assert "trades" not in game_at("PRESALE").account.frame(game_at("PRESALE").live)
    traced = [emit.args[0]["traceparent"] for emit in reply.emits if len(emit.args) == 2]
    assert all(TRACE_ID in trace for trace in traced)
    assert all(emit.audience == "sender" for emit in reply.emits)


def test_an_empty_credential_does_not_log_in() -> None:
    assert not Game("login", NOW_MS).handle("authenticate", [TRACE, ""], NOW_MS).authenticates


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("chatHistory", "chatHistory"),
        ("getLeaderboard", "leaderboardData"),
        ("getPlayerLeaderboardPosition", "playerLeaderboardPosition"),
        ("checkUsername", "usernameStatus"),
        ("getPlayerCosmetics", "playerCosmetics"),
    ],
)
def test_a_question_gets_its_answer_alone(question: str, answer: str) -> None:
    reply = Game("questions", NOW_MS).handle(question, [{"period": "7d"}], NOW_MS)
    assert [emit.name for emit in reply.emits] == [answer]
    assert reply.emits[0].audience == "sender"


def test_every_state_frame_is_followed_by_the_players_own() -> None:
    game = game_at("ACTIVE")
    for _ in range(400):
        names = [emit.name for emit in game.step(NOW_MS).emits]
        for place, name in enumerate(names):
            if name == "gameStateUpdate":
                assert names[place + 1] == "gameStatePlayerUpdate"
