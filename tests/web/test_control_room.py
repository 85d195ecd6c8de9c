"""The control room as a real process: the API's shapes, the live socket, a quick end."""

import os
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import websocket

from actors.core.config import Config, Web
from actors.core.messages import LiveState
from actors.core.recording_id import recording_id
from tests.web.conftest import ControlRoom
from tests.web.live_socket import Connect, price_is, receive, until
from tests.web.neighbours import Neighbours, now_ms
from tests.web.rounds_on_disk import game_row
from web.rounds import COLUMNS

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("good_neighbours")]


# The API.


def test_status_is_the_supervisors_own(room: ControlRoom, neighbours: Neighbours) -> None:
    status, answer = room.json("/api/status")
    assert (status, answer) == (200, neighbours.status)


def test_a_silent_supervisor_is_said_in_words(room: ControlRoom, neighbours: Neighbours) -> None:
    neighbours.status = None
    status, answer = room.json("/api/status")
    assert (status, answer["error"]["code"]) == (503, "supervisor_silent")
    assert set(answer["error"]) == {"code", "message", "details"}


def test_the_live_state_is_the_snapshots(room: ControlRoom, neighbours: Neighbours) -> None:
    neighbours.snapshot = LiveState(seq=512, last={"game.tick": 512}, state=b'{"price":1.5,"cash":null}')
    status, answer = room.json("/api/state")
    assert status == 200
    recording = recording_id(room.config.data_path)
    data = {"price": 1.5, "cash": None}
    assert answer == {"seq": 512, "last": {"game.tick": 512}, "recording": recording, "data": data}


def test_games_come_newest_first_in_pages(room: ControlRoom) -> None:
    seen: list[str] = []
    before = ""
    while True:
        status, answer = room.json(f"/api/games?limit=25{before}")
        assert status == 200
        assert all(list(game) == list(COLUMNS) for game in answer["games"])
        seen += [game["game_id"] for game in answer["games"]]
        if answer["next"] is None:
            break
        before = f"&before={answer['next']}"
    stored = [game_id for game_id in seen if game_id.startswith("20251215-00000000")]
    assert stored == [game_row(number)["game_id"] for number in reversed(range(60))]
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=-1", "limit=x", "before=1e9", "before=٣", "limit="])
def test_a_bad_query_is_refused_with_its_rule(room: ControlRoom, query: str) -> None:
    status, answer = room.json(f"/api/games?{query.encode().decode('latin-1') if query.isascii() else 'before=%D9%A3'}")
    assert (status, answer["error"]["code"]) == (400, "bad_query")
    assert "must be a whole number" in answer["error"]["message"]


def test_a_round_known_from_history_alone_is_no_loss_of_ticks(room: ControlRoom) -> None:
    assert room.ask("/games")[2].count(b">not seen live<") == 1
    unseen, lossy = (room.ask(f"/games/{game_row(number)['game_id']}")[2] for number in (57, 58))
    assert b"This round was not seen live" in unseen
    assert b"The ticks missed live were filled in" in lossy


def test_one_game_has_its_prices(room: ControlRoom) -> None:
    row = game_row(7)
    status, answer = room.json(f"/api/games/{row['game_id']}")
    assert status == 200
    assert answer["prices"] == row["prices"]
    assert answer["ts"] == row["ts"] // 1000


@pytest.mark.parametrize("game_id", ["nope", "..", "%2e%2e%2fx", "a" * 81, "x%00y"])
def test_an_unknown_game_is_404(room: ControlRoom, game_id: str) -> None:
    status, answer = room.json(f"/api/games/{game_id}")
    assert status == 404
    assert answer["error"]["code"] in ("unknown_game", "not_found")


def test_a_round_that_just_ended_is_there_before_it_is_on_disk(
    room: ControlRoom, connect: Connect, neighbours: Neighbours
) -> None:
    page = connect()
    neighbours.complete("20251216-fresh", [1.0, 1.7, 0.02])
    until(page, lambda message: any(one["id"] == "20251216-fresh" for one in message.get("rounds", {}).get("list", [])))
    assert room.json("/api/games?limit=1")[1]["games"][0]["game_id"] == "20251216-fresh"
    assert room.json("/api/games/20251216-fresh")[1]["prices"] == [1.0, 1.7, 0.02]


def test_the_recording_switch_answers_when_the_journal_has_it(room: ControlRoom, neighbours: Neighbours) -> None:
    status, answer = room.json("/api/recording/stop", "POST")
    assert (status, answer) == (200, {"on": False, "seq": neighbours.seq})
    submit = neighbours.submitted[-1]
    assert (submit.event, msgspec.json.decode(submit.data)) == ("recording", {"on": False, "by": "ui"})
    assert room.json("/api/recording/start", "POST")[1]["on"] is True


def test_a_refused_switch_is_told_in_the_journals_words(room: ControlRoom, neighbours: Neighbours) -> None:
    neighbours.refusal = "the disk is full"
    status, answer = room.json("/api/recording/start", "POST")
    assert (status, answer["error"]["code"], answer["error"]["message"]) == (
        409, "recording_refused", "the disk is full",
    )  # fmt: skip


def test_a_silent_journal_is_an_honest_error_after_five_seconds(room: ControlRoom, neighbours: Neighbours) -> None:
    neighbours.commits = False
    before, began = len(neighbours.submitted), time.monotonic()
    status, answer = room.json("/api/recording/stop", "POST")
    assert (status, answer["error"]["code"]) == (503, "journal_silent")
    assert 4.5 < time.monotonic() - began < 8
    sent = neighbours.submitted[before:]
    assert len(sent) > 10
    assert len({submit.id for submit in sent}) == 1


def test_an_actor_is_restarted_by_the_supervisor(room: ControlRoom, neighbours: Neighbours) -> None:
    status, answer = room.json("/api/actors/writer/restart", "POST")
    assert (status, answer["actor"]) == (200, "writer")
    assert neighbours.restarted[-1] == "writer"
    status, answer = room.json("/api/actors/wrong/restart", "POST")
    assert (status, answer["error"]["code"]) == (404, "unknown_actor")


def test_writes_are_not_reached_by_get(room: ControlRoom) -> None:
    assert room.json("/api/recording/stop")[0] == 405
    assert room.json("/api/actors/writer/restart")[0] == 405


# The live socket.


def test_a_page_gets_everything_at_once_and_a_beat_each_second(
    room: ControlRoom, connect: Connect, neighbours: Neighbours
) -> None:
    neighbours.tick("20251216-a", 0, 1.0)
    page = connect()
    first = receive(page)
    assert first["type"] == "full"
    assert abs(first["now"] - now_ms()) < 1000
    assert {"rounds", "status"} <= set(first)
    kinds = {receive(page)["type"] for _ in range(3)}
    assert kinds <= {"update", "beat"}


def drawn_everywhere(price: float) -> Callable[[dict[str, Any]], bool]:
    """True once the price was told both as the number and in the chart."""
    seen: set[str] = set()

    def told(message: dict[str, Any]) -> bool:
        if price_is(price)(message):
            seen.add("state")
        if message.get("chart", {}).get("prices", [None])[-1] == price:
            seen.add("chart")
        return len(seen) == 2

    return told


def test_updates_follow_a_tick_within_100_ms(room: ControlRoom, connect: Connect, neighbours: Neighbours) -> None:
    page = connect()
    took_ms = []
    for tick in range(40):
        price = 1 + tick / 100
        began = time.perf_counter()
        neighbours.tick("20251216-quick", tick, price)
        until(page, drawn_everywhere(price))
        took_ms.append((time.perf_counter() - began) * 1000)
    took_ms.sort()
    print(f"tick to page: p50 {took_ms[20]:.1f} ms, p95 {took_ms[38]:.1f} ms, max {took_ms[-1]:.1f} ms")
    assert took_ms[20] <= 100


def test_a_flood_is_told_in_at_most_20_messages_a_second(connect: Connect, neighbours: Neighbours) -> None:
    page = connect()
    receive(page)
    began = time.monotonic()
    for tick in range(300):  # the stream of states drops some of these, and the last one may be among them
        neighbours.tick("20251216-flood", tick, 1.5 + tick)
    messages = until(page, price_is(300.5))
    assert messages <= 3 + 20 * (time.monotonic() - began + 0.1)


def test_a_page_that_does_not_read_holds_up_nobody(connect: Connect, neighbours: Neighbours) -> None:
    slow, quick = connect(), connect()
    leaders = [{"id": str(number), "username": "x" * 40_000, "pnl": 0.1} for number in range(10)]
    for tick in range(25):
        neighbours.tick("20251216-slow", tick, 1 + tick, leaderboard=[*leaders, tick])
        until(quick, price_is(1 + tick))
    assert until(slow, price_is(25), limit_s=10) < 25  # what it did not read in time was never queued


def test_what_pages_say_is_read_and_dropped(room: ControlRoom, connect: Connect) -> None:
    page = connect()
    receive(page)
    for _ in range(200):
        page.send("x" * 1000)
    assert receive(page)["type"] in ("update", "beat")


# The process.


def test_a_restarted_room_has_its_port_and_its_token_and_lets_the_cookie_in(
    room: ControlRoom, connect: Connect, neighbours: Neighbours
) -> None:
    cookie = room.ask(f"/?token={room.token}", token=False)[1]["set-cookie"].partition(";")[0]
    port, token, page = room.port, room.token, connect()
    receive(page)
    began = time.monotonic()
    assert room.stop() == 0
    took_s = time.monotonic() - began
    print(f"SIGTERM with an open page: {took_s * 1000:.0f} ms")
    assert took_s < 1.0
    kind, data = page.recv_data()
    while kind != websocket.ABNF.OPCODE_CLOSE:
        kind, data = page.recv_data()  # what was under way; a lost connection raises
    assert int.from_bytes(data[:2], "big") == 1001
    room.__init__(room.config, neighbours)  # type: ignore[misc]  # the same room, started again
    room.wait_ready()
    assert (room.port, room.token) == (port, token)
    assert room.ask("/", token=False, Cookie=cookie)[0] == 200
    assert "Traceback" not in room.log(), room.log()


def test_a_taken_port_is_told_with_the_way_out(
    room: ControlRoom, neighbours: Neighbours, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("taken")
    config = Config(data_dir=str(place), runtime_dir=str(place / "run"), web=Web(port=room.port))
    other = ControlRoom(config, neighbours)
    assert other.process.wait(10) == 1
    os.close(other.pidfd)
    assert f"web.port {room.port}" in other.log()
    assert "Free it, or set web.port" in other.log()
