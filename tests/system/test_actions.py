"""Real presses in a real Chromium: each is found in Parquet once, with its context, its latency and its outcome.

The simulator's page is pressed over CDP with the mouse, as a hand would. While the simulator is stopped an order has no
answer: then a capture is killed, between the press and the acknowledgement.
"""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import duckdb
import pytest
import websocket

from tests.cdp import Tab, open_tab
from tests.house import House, house
from tests.processes import wait_for

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = {
        "VECTRA_SIMULATOR_SPEED": "2",
        "VECTRA_SIMULATOR_SEED": "presses 1",  # its rounds last 721, 209, 965 and 330 ticks: none ends too soon
        "VECTRA_RECORDING_FLUSH_S": "0.5",
    }
    with house(tmp_path_factory.mktemp("house"), settings) as it:
        it.wait_until(lambda status: status["source"].get("connected"))
        yield it


@pytest.fixture
def hand(demo: House) -> Iterator[Tab]:
    """Presses buttons of the open game page."""
    endpoints = demo.status()["endpoints"]
    with closing(open_tab(endpoints["cdp"], endpoints["simulator"])) as hand:
        hand.wait("socket.connected && state.cash !== null")
        yield hand


def actions(demo: House, after: int = 0) -> list[dict[str, Any]]:
    pattern = "events_parquet/doc_type=player_action/*/*.parquet"
    if not list(demo.data_dir.glob(pattern)):
        return []
    files = f"read_parquet('{demo.data_dir}/{pattern}')"
    found = duckdb.execute(f"SELECT * EXCLUDE (doc_type, date, ts) FROM {files} WHERE seq > {after} ORDER BY seq")
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def last(demo: House) -> int:
    return max((row["seq"] for row in actions(demo)), default=0)


def settled(demo: House, after: int, count: int) -> list[dict[str, Any]]:
    """Return the rows after a number, once there are so many and a later frame is stored too."""
    wait_for(lambda: len(actions(demo, after)) >= count, 30)
    head = demo.status()["journal"]["seq"]
    frames = f"{demo.data_dir}/events_parquet/doc_type=ws_event/*/*.parquet"
    wait_for(lambda: duckdb.execute(f"SELECT max(seq) > {head} FROM read_parquet('{frames}')").fetchall()[0][0], 30)
    return actions(demo, after)


def outcome_of(rows: list[dict[str, Any]], press: dict[str, Any]) -> dict[str, Any]:
    joined = [row for row in rows if row["trace_id"] == press["trace_id"] and row is not press]
    assert len(joined) == 1, rows
    return joined[0]


def test_presses_and_their_outcomes_are_stored_once_with_context(demo: House, hand: Tab) -> None:
    before = last(demo)
    hand.wait("state.phase === 'active' && state.prices.length < 100")
    hand.press("._clearButton_x1")
    hand.press("[data-add='0.01']")
    hand.press("[data-times='2']")
    hand.press("._buy_x1")
    hand.wait("state.quantity > 0")
    hand.press(".bet-button")
    hand.press("[data-percent='50']")
    hand.press("._sell_x1")
    rows = settled(demo, before, 10)
    presses = [row for row in rows if row["success"] is None]
    assert [row["button"] for row in presses] == ["X", "+0.01", "X2", "BUY", "SIDEBET", "50%", "SELL"]
    assert [row["amount"] for row in presses] == [0.03, 0.0, 0.01, 0.02, 0.02, 0.02, 0.02]
    assert [row["percentage"] for row in presses] == [None, None, None, None, None, 50.0, 50.0]
    assert {row["actor"] for row in presses} == {"human"}
    places = [(json.loads(row["data"])["sequenceId"], json.loads(row["data"])["sequencePosition"]) for row in presses]
    assert [position for _, position in places] == [1, 2, 3, 4, 1, 1, 2]
    assert len({sequence for sequence, _ in places}) == 3
    for press in presses:
        assert press["game_id"]
        assert press["phase"] == "ACTIVE"
        assert press["price"] > 0
        assert press["tick"] >= 0
        assert press["balance"] > 0
    assert len(rows) == 10
    bought = outcome_of(rows, presses[3])
    assert (bought["button"], bought["success"], bought["amount"]) == ("BUY", True, 0.02)
    assert 0 < bought["latency_ms"] < 5000
    assert bought["balance"] == pytest.approx(presses[3]["balance"] - 0.02)
    assert bought["position_qty"] > 0
    caused = [effect["type"] for effect in json.loads(bought["data"])["effects"]]
    assert caused[:2] == ["player.trade", "player.state"]
    bet = outcome_of(rows, presses[4])
    assert (bet["button"], bet["success"]) == ("SIDEBET", True)
    assert json.loads(bet["data"])["effects"][0]["type"] == "sidebet.placed"
    assert outcome_of(rows, presses[6])["percentage"] == 50.0


def test_a_refused_order_is_an_outcome_too(demo: House, hand: Tab) -> None:
    before = last(demo)
    hand.press("._clearButton_x1")
    hand.press("._buy_x1")
    _, press, outcome = settled(demo, before, 3)
    assert (press["button"], press["amount"]) == ("BUY", 0.0)
    assert (outcome["trace_id"], outcome["success"]) == (press["trace_id"], False)
    assert "least amount" in json.loads(outcome["data"])["message"]


@pytest.mark.parametrize("name", ["capture-a", "capture-b"])
def test_a_capture_killed_between_press_and_answer_costs_nothing(demo: House, hand: Tab, name: str) -> None:
    before = last(demo)
    hand.press("._clearButton_x1")
    hand.press("[data-add='0.01']")
    game, capture = demo.actor("simulator")["pid"], demo.actor(name)["pid"]
    os.kill(game, signal.SIGSTOP)
    try:
        hand.press("._buy_x1")
        os.kill(capture, signal.SIGKILL)
    finally:
        os.kill(game, signal.SIGCONT)
    rows = settled(demo, before, 4)
    assert [row["button"] for row in rows] == ["X", "+0.01", "BUY", "BUY"]
    assert rows[2]["trace_id"] == rows[3]["trace_id"]
    assert (rows[2]["success"], rows[2]["amount"]) == (None, 0.01)
    assert rows[3]["success"] is not None
    assert rows[3]["latency_ms"] > 0
    demo.wait_ready()
    hand.press("[data-add='0.001']")
    (again,) = settled(demo, rows[3]["seq"], 1)
    assert (again["button"], again["amount"]) == ("+0.001", 0.01)


def test_after_a_reload_presses_are_told_again(demo: House, hand: Tab) -> None:
    before = last(demo)
    hand.call("Page.reload")
    hand.wait("typeof socket === 'object' && socket.connected && state.cash !== null")
    hand.press("[data-add='0.001']")
    hand.press("[data-add='0.001']")
    assert [row["button"] for row in settled(demo, before, 2)] == ["+0.001", "+0.001"]


def test_after_a_crash_of_the_page_presses_are_told_again(demo: House, hand: Tab) -> None:
    before = last(demo)
    endpoints = demo.status()["endpoints"]
    hand.value("window.crashes = true")
    hand.send("Page.crash")

    def reloaded() -> Tab | None:
        again = open_tab(endpoints["cdp"], endpoints["simulator"], timeout_s=3)
        try:
            alive = again.value("!window.crashes && socket.connected && state.cash !== null")
        except (websocket.WebSocketException, AssertionError):
            alive = False
        if not alive:
            again.close()
        return again if alive else None

    again = wait_for(reloaded, 60, every_s=0.2)
    assert again is not None
    again.press("[data-add='0.001']")
    again.close()
    assert [row["button"] for row in settled(demo, before, 1)] == ["+0.001"]


def test_the_page_sees_nothing_of_the_listener(demo: House, hand: Tab) -> None:
    before = last(demo)
    hand.press("[data-add='0.001']")
    settled(demo, before, 1)
    assert hand.value("typeof vectraPressed + typeof pressesAreTold") == "undefinedundefined"
    names = hand.value("Object.getOwnPropertyNames(window).filter((name) => /vectra|presses/i.test(name))")
    assert names == []
    assert hand.value("document.querySelectorAll('script').length") == 3


def test_other_clicks_are_not_told(demo: House, hand: Tab) -> None:
    before = last(demo)
    hand.press("h1")
    hand.press(".sidebet-banner p")
    hand.press("#amount")
    hand.press("[data-add='0.001']")
    assert [row["button"] for row in settled(demo, before, 1)] == ["+0.001"]
