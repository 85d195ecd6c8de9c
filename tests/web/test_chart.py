"""The chart of one round: what is kept, and what each page is told."""

from web.chart import Chart, Cursor
from web.rounds import PricedRound


def finished(game_id: str, prices: list[float], verified: bool | None = True) -> PricedRound:
    return PricedRound(seq=1, ts=1, game_id=game_id, prices=prices, peak=max(prices), verified=verified)


def grown(*prices: float, game_id: str = "g") -> Chart:
    chart = Chart()
    for tick, price in enumerate(prices):
        chart.tick(game_id, tick, price, "ACTIVE")
    return chart


def test_a_page_gets_all_first_and_then_only_what_is_new() -> None:
    chart = grown(1.0, 1.1)
    news, cursor = chart.since(Cursor())
    assert news is not None
    assert (news["from"], news["prices"], news["rugged"]) == (0, [1.0, 1.1], False)
    assert chart.since(cursor) == (None, cursor)
    chart.tick("g", 2, 1.2, "ACTIVE")
    news, cursor = chart.since(cursor)
    assert news == {"gameId": "g", "from": 2, "prices": [1.2]}


def test_a_tick_seen_twice_changes_nothing() -> None:
    chart = grown(1.0, 1.1)
    chart.tick("g", 1, 9.9, "ACTIVE")
    assert chart.prices == [1.0, 1.1]


def test_a_hole_is_kept_as_unknown_asked_about_and_filled_for_every_page() -> None:
    chart = grown(1.0)
    assert chart.tick("g", 3, 1.3, "ACTIVE") is True
    assert chart.prices == [1.0, None, None, 1.3]
    _, cursor = chart.since(Cursor())
    chart.adopt("g", "ACTIVE", 0, [1.0, 1.1, 1.2, 1.3])
    news, _ = chart.since(cursor)
    assert news is not None
    assert news["prices"] == [1.0, 1.1, 1.2, 1.3]
    assert news["from"] == 0


def test_a_round_met_in_the_middle_asks_for_its_beginning() -> None:
    chart = Chart()
    assert chart.tick("g", 40, 1.5, "ACTIVE") is True
    chart.adopt("g", "ACTIVE", 0, [1.0] * 41)
    assert (chart.first_tick, len(chart.prices)) == (0, 41)


def test_the_rug_ends_the_line_whatever_the_game_counts_on() -> None:
    chart = grown(1.0, 1.1)
    chart.tick("g", 2, 0.02, "RUGGED")
    chart.tick("g", 4, 0.02, "RUGGED")
    assert chart.prices == [1.0, 1.1, 0.02]
    assert chart.rugged


def test_a_finished_round_stays_through_cooldown_and_presale() -> None:
    chart = grown(1.0, 1.1)
    chart.tick("g", 2, 0.02, "RUGGED")
    chart.tick("next", 0, 1.0, "COOLDOWN")
    chart.adopt("next", "PRESALE", 0, [1.0])
    assert chart.game_id == "g"
    chart.tick("next", 0, 1.0, "ACTIVE")
    assert (chart.game_id, chart.prices, chart.rugged) == ("next", [1.0], False)


def test_the_verdict_and_the_whole_series_come_with_the_finished_round() -> None:
    chart = grown(1.0)
    chart.tick("g", 3, 1.3, "ACTIVE")
    chart.note("trades", [{"tick": 0}])
    chart.finish(finished("g", [1.0, 1.1, 1.2, 1.3, 0.02]))
    news, _ = chart.since(Cursor())
    assert news is not None
    assert news["prices"] == [1.0, 1.1, 1.2, 1.3, 0.02]
    assert news["rugged"] is True
    assert news["verdict"] == {"verified": True, "reason": None, "peak": 1.3}
    assert news["trades"] == [{"tick": 0}]


def test_another_round_that_ended_does_not_replace_the_running_one() -> None:
    chart = grown(1.0, 1.1)
    chart.finish(finished("older", [1.0, 0.02]))
    assert (chart.game_id, chart.rugged) == ("g", False)


def test_a_snapshot_that_knows_less_changes_nothing() -> None:
    chart = grown(1.0, 1.1, 1.2)
    chart.adopt("g", "ACTIVE", 0, [1.0, 1.1])
    assert chart.prices == [1.0, 1.1, 1.2]


def test_side_bets_of_a_round_are_all_kept_by_their_start() -> None:
    chart = grown(1.0)
    chart.add_sidebet({"start": 50, "end": 90, "amount": 1})
    chart.add_sidebet({"start": 5, "end": 45, "amount": 1})
    chart.add_sidebet({"start": 5, "end": 45, "amount": 2})
    news, cursor = chart.since(Cursor())
    assert news is not None
    assert [(bet["start"], bet["amount"]) for bet in news["sidebets"]] == [(5, 2), (50, 1)]
    chart.add_sidebet({"start": 5, "end": 45, "amount": 2})
    assert chart.since(cursor)[0] is None
