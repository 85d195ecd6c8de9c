"""The door of the control room under attack, and how it answers: tokens, hosts, origins, guesses, files, headers."""

import gzip
import http.client
import stat

import msgspec
import pytest

from tests.web.conftest import ControlRoom
from tests.web.live_socket import Connect, receive, refused
from tests.web.neighbours import Neighbours

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("good_neighbours")]

GET_PAGES = ("/", "/recording", "/games", "/games/20251215-0000000000000003", "/system", "/explorer", "/backtest",
             "/profiles", "/api/status", "/api/state", "/api/games", "/api/openapi.json", "/ws/live")  # fmt: skip


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
    answers = [  # reader.example may read the feed; the cookie comes along from a page of another port
        room.ask("/api/recording/stop", "POST", body=b"x=1", Origin=origin)
        for origin in ("http://evil.example", "null", "http://127.0.0.1:1", "https://reader.example")
    ]
    answers += [
        room.ask("/api/recording/stop", "POST", body=b"x=1", Sec_Fetch_Site=site)
        for site in ("same-site", "cross-site")
    ]
    for status, _, body in answers:
        assert (status, msgspec.json.decode(body)["error"]["code"]) == (403, "wrong_origin")
    assert len(neighbours.submitted) == before
    assert room.ask("/api/recording/start", "POST", Origin=room.url)[0] == 200


def test_a_cross_site_websocket_is_refused(room: ControlRoom, connect: Connect) -> None:
    assert refused(connect, Origin="http://evil.example") == 403
    assert refused(connect, Origin="https://reader.example") == 403
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
