"""The control room as a real process: the door under attack, the API's shapes, the live socket, a quick end."""

import contextlib
import gzip
import http.client
import os
import socket
import stat
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
import websocket

from actors.core.config import Config, Web
from actors.core.messages import LiveState
from tests.web.conftest import ControlRoom
from tests.web.neighbours import Neighbours, good_status, now_ms
from tests.web.rounds_on_disk import game_row
from web.rounds import COLUMNS

pytestmark = pytest.mark.system

GET_PAGES = ("/", "/recording", "/games", "/games/20251215-0000000000000003", "/system", "/explorer", "/backtest",
             "/profiles", "/api/status", "/api/state", "/api/games", "/api/openapi.json", "/ws/live")  # fmt: skip


@pytest.fixture(autouse=True)
def _good_neighbours(neighbours: Neighbours) -> None:
    neighbours.status, neighbours.commits, neighbours.refusal = good_status(), True, None


Connect = Callable[..., websocket.WebSocket]


@pytest.fixture
def connect(room: ControlRoom) -> Iterator[Connect]:
    """Opens live sockets as a page or a program does; closes them after the test."""
    with contextlib.ExitStack() as opened:

        def open_one(view: str = "all", **headers: str) -> websocket.WebSocket:
            host = headers.pop("Host", None)
            sent = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
            if not any(line.startswith(("Authorization", "Cookie")) for line in sent):
                sent.append(f"Authorization: Bearer {room.token}")
            page = websocket.create_connection(
                f"ws://127.0.0.1:{room.port}/ws/live?view={view}",
                header=sent, suppress_origin=True, timeout=5, host=host,
                sockopt=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)],
            )  # fmt: skip
            opened.callback(page.shutdown)
            return page

        yield open_one


def receive(page: websocket.WebSocket) -> dict[str, Any]:
    message: dict[str, Any] = msgspec.json.decode(page.recv())
    return message


def until(page: websocket.WebSocket, wanted: Callable[[dict[str, Any]], bool], limit_s: float = 5) -> int:
    """Receive until a message is as wanted; return how many came."""
    end, count = time.monotonic() + limit_s, 0
    while time.monotonic() < end:
        message, count = receive(page), count + 1
        if wanted(message):
            return count
    raise AssertionError(f"not within {limit_s} s; the last of {count} messages: {str(message)[:500]}")


def price_is(price: float) -> Callable[[dict[str, Any]], bool]:
    return lambda message: message.get("state", {}).get("price") == price


def refused(connect: Connect, **headers: str) -> int:
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        connect(**headers)
    return int(caught.value.status_code)


# The door.


@pytest.mark.parametrize("path", GET_PAGES)
def test_nothing_is_shown_without_a_token(room: ControlRoom, path: str) -> None:
    status, headers, body = room.ask(path, token=False)
    assert status in (401, 404 if path == "/ws/live" else 401)
    assert b"20251215" not in body
    if path.startswith("/api"):
        assert msgspec.json.decode(body)["error"]["code"] == "no_token"
        assert "bearer" in headers["www-authenticate"].lower()


def test_the_locked_page_tells_how_to_get_the_link(room: ControlRoom) -> None:
    _, headers, body = room.ask("/", token=False)
    assert body.count(b"vectra-supervisor status") == 1
    assert b"not valid" in room.ask("/?token=wrong", token=False)[2]
    assert headers["content-type"].startswith("text/html")


def test_the_link_sets_a_cookie_and_leads_to_the_clean_address(room: ControlRoom) -> None:
    status, headers, _ = room.ask(f"/games?token={room.token}&before=7", token=False)
    assert (status, headers["location"]) == (303, "/games?before=7")
    cookie = headers["set-cookie"]
    assert cookie.startswith(f"vectra-{room.port}=")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert room.token not in cookie
    status, _, _ = room.ask("/", token=False, Cookie=cookie.partition(";")[0])
    assert status == 200


def test_a_link_with_two_slashes_does_not_lead_to_another_host(room: ControlRoom) -> None:
    status, headers, _ = room.ask(f"//evil.example/?token={room.token}", token=False)
    assert status == 303
    assert headers["location"].startswith("/")
    assert not headers["location"].startswith("//")


def test_a_rebound_dns_name_is_refused_even_with_the_token(room: ControlRoom, connect: Connect) -> None:
    for path in ("/", "/api/status", "/static/css/vectra.css"):
        assert room.ask(path, Host=f"evil.example:{room.port}")[0] == 403
    assert refused(connect, Host="evil.example") == 403


def test_a_cross_site_form_cannot_write(room: ControlRoom, neighbours: Neighbours) -> None:
    before = len(neighbours.submitted)
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
        status, _, body = room.ask("/api/recording/stop", "POST", body=b"x=1", Origin=origin)
        assert (status, msgspec.json.decode(body)["error"]["code"]) == (403, "wrong_origin")
    assert len(neighbours.submitted) == before
    assert room.ask("/api/recording/start", "POST", Origin=room.url)[0] == 200


def test_a_cross_site_websocket_is_refused(room: ControlRoom, connect: Connect) -> None:
    assert refused(connect, Origin="http://evil.example") == 403
    assert refused(connect, Cookie="vectra-1=x") == 401
    page = connect(Origin=room.url)
    assert receive(page)["type"] == "full"


def test_guessing_is_braked_and_locks_out_neither_the_cookie_nor_other_sites_the_user(room: ControlRoom) -> None:
    cookie = room.ask(f"/?token={room.token}", token=False)[1]["set-cookie"].partition(";")[0]
    connection = http.client.HTTPConnection("127.0.0.1", room.port, timeout=10)
    counts: dict[int, int] = {}
    for number in range(300):
        headers = {"Sec-Fetch-Site": "cross-site"}
        connection.request("GET", f"/api/status?token=guess{number}", headers=headers)
        response = connection.getresponse()
        response.read()
        counts[response.status] = counts.get(response.status, 0) + 1
    connection.close()
    assert set(counts) == {401, 429}
    assert counts[401] <= 30
    assert room.ask(f"/?token={room.token}", token=False)[0] == 303
    assert room.ask("/", token=False, Cookie=cookie)[0] == 200


def test_another_program_that_guesses_does_not_lock_out_who_has_the_token(room: ControlRoom) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", room.port, timeout=10)
    last = 0
    for number in range(60):
        connection.request("GET", "/api/status", headers={"Authorization": f"Bearer guess{number}"})
        response = connection.getresponse()
        response.read()
        last = response.status
    connection.close()
    assert last == 429
    assert room.ask("/api/status")[0] == 200


@pytest.mark.parametrize(
    "path",
    ["/static/../access.py", "/static/%2e%2e/access.py", "/static/..%2f..%2fpyproject.toml", "/static//etc/passwd"],
)
def test_static_files_end_at_their_folder(room: ControlRoom, path: str) -> None:
    status, headers, _ = room.ask(path)
    assert status == 404 or (status == 308 and headers["location"] == f"{room.url}/static/etc/passwd")


def test_files_come_compressed_to_whoever_takes_that_and_not_again_to_whoever_has_them(room: ControlRoom) -> None:
    path = "/static/vendor/lightweight-charts.standalone.production.mjs"
    _, plain, body = room.ask(path)
    _, packed, less = room.ask(path, Accept_Encoding="br, gzip")
    _, refused, again = room.ask(path, Accept_Encoding="gzip;q=0")
    assert (plain["content-type"], "content-encoding" in plain) == ("text/javascript; charset=utf-8", False)
    assert (packed["content-encoding"], packed["vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(less) == body == again
    assert len(less) < len(body) / 2
    assert packed["etag"] != plain["etag"] == refused["etag"]
    assert room.ask(path, Accept_Encoding="gzip", If_None_Match=packed["etag"])[::2] == (304, b"")
    assert room.ask(path, "HEAD", Accept_Encoding="gzip")[::2] == (200, b"")
    assert room.ask("/static/js")[0] == room.ask("/static/js/none.js")[0] == 404


def test_a_body_beyond_a_megabyte_is_refused(room: ControlRoom) -> None:
    status, _, body = room.ask("/api/recording/start", "POST", Content_Length="1000001")  # refused before it comes
    assert (status, msgspec.json.decode(body)["error"]["code"]) == (413, "request_entity_too_large")


@pytest.mark.parametrize("path", ["/", "/api/status", "/nothing-here", "/static/js/live.js"])
def test_every_answer_bears_the_security_headers(room: ControlRoom, path: str) -> None:
    _, headers, _ = room.ask(path)
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store")


@pytest.mark.parametrize("path", ["/games", "/recording", "/system", "/explorer", "/api/status"])
def test_a_slash_too_many_leads_to_the_same_page(room: ControlRoom, path: str) -> None:
    assert room.ask(path + "/")[0] == 200


def test_the_token_is_in_no_page_and_in_no_log(room: ControlRoom) -> None:
    room.ask(f"/?token={room.token}", token=False)
    for path in GET_PAGES:
        assert room.token.encode() not in room.ask(path)[2]
    log = room.log()
    assert room.token not in log
    assert stat.S_IMODE((room.runtime_dir / "web_token").stat().st_mode) == 0o600


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
    assert answer == {"seq": 512, "last": {"game.tick": 512}, "data": {"price": 1.5, "cash": None}}


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
