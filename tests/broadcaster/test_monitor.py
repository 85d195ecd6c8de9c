"""The monitor's pages, health and metrics, and who is let in on both ports."""

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from actors.core.config import Feed
from actors.core.endpoints import publish
from tests.broadcaster.stage import Stage, frames, stage, tick_frame
from tests.processes import wait_for

pytestmark = pytest.mark.system

READY = {"name": "journal", "state": "ready", "uptime_s": 5.0, "restarts": 2, "rss_bytes": 1000, "cpu_percent": 1.5}


@pytest.fixture(scope="module")
def house() -> Iterator[Stage]:
    with stage(feed=Feed(port=0, allowed_origins=["https://friend.example"])) as made:
        made.write(frames(20))
        with made.broadcaster():
            publish(made.runtime_dir, "web", "http://127.0.0.1:5999")
            yield made


def get(url: str, **headers: str) -> tuple[int, bytes, Message]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as response:
            return response.status, response.read(), response.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers


def health(house: Stage) -> tuple[int, dict[str, object]]:
    status, body, _ = get(house.endpoint("monitor") + "/health")
    return status, json.loads(body)


def test_health_is_good_only_while_frames_flow_and_all_actors_are_ready(house: Stage) -> None:
    house.status = {"actors": [READY]}
    house.write([tick_frame(1000)])
    wait_for(lambda: health(house) == (200, {"ok": True, "reasons": []}))
    house.status = {"actors": [READY, {"name": "writer", "state": "backing-off"}]}
    wait_for(lambda: health(house) == (503, {"ok": False, "reasons": ["writer is backing-off"]}))
    house.status = None
    wait_for(lambda: health(house) == (503, {"ok": False, "reasons": ["the supervisor does not answer"]}))
    house.status = {"actors": [READY]}
    wait_for(lambda: health(house)[0] == 200)
    house.write([tick_frame(1001)], at_us=time.time_ns() // 1000 - 11_000_000)
    wait_for(lambda: health(house)[0] == 503)
    _, answer = health(house)
    assert re.fullmatch(r"\['the last frame came 1\d s ago'\]", str(answer["reasons"]))
    house.write([b"2", b"3"])  # Engine.IO's pings are no frames in this sense
    assert health(house)[0] == 503
    house.write([tick_frame(1002)])
    wait_for(lambda: health(house)[0] == 200)


def test_without_a_frame_health_is_bad() -> None:
    with stage() as house, house.broadcaster():
        assert health(house) == (503, {"ok": False, "reasons": ["no frame has been seen yet"]})


def test_metrics_are_prometheus_text_and_begin_with_vectra(house: Stage) -> None:
    house.status = {"actors": [READY], "journal": {"seq": 7, "bytes": 9, "unacked": 0}, "gaps": {"count": 3}}
    wait_for(lambda: b"vectra_journal_seq 7.0" in get(house.endpoint("monitor") + "/metrics")[1])
    _, body, headers = get(house.endpoint("monitor") + "/metrics")
    assert headers["Content-Type"].startswith("text/plain")
    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    assert all(name.startswith("vectra_") for name in families)
    assert families["vectra_gaps"].samples[0].value == 3
    assert families["vectra_actor_restarts"].samples[0].value == 2
    states = {s.labels["state"]: s.value for s in families["vectra_actor_state"].samples}
    assert [sample.value for sample in families["vectra_actor_error"].samples] == [0]
    assert states["ready"] == 1
    assert sum(states.values()) == 1
    assert {"vectra_feed_clients", "vectra_feed_sent", "vectra_feed_dropped", "vectra_feed_holes"} <= set(families)


@pytest.mark.parametrize("path", ["/", "/monitor/"])
def test_pages_load_nothing_from_elsewhere_and_no_inline_script(house: Stage, path: str) -> None:
    status, body, headers = get(house.endpoint("monitor") + path)
    assert status == 200
    policy = headers["Content-Security-Policy"]
    feed_port = urlsplit(house.endpoint("feed")).port
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert f"ws://127.0.0.1:{feed_port}" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    page = body.decode()
    assert re.findall(r"<script(?![^>]*src=)", page) == []
    assert re.findall(r"\son\w+=", page) == []
    assert re.findall(r'(?:src|href)="(?!/)', page) == []
    for linked in re.findall(r'(?:src|href)="(/[^"]+)"', page):
        assert get(house.endpoint("monitor") + linked)[0] in (200, 503)


def test_the_javascript_client_is_served_as_a_module(house: Stage) -> None:
    status, body, headers = get(house.endpoint("monitor") + "/shared/vectra-client.js")
    assert status == 200
    assert headers["Content-Type"].startswith("text/javascript")
    assert b"export class VectraClient" in body


@pytest.mark.parametrize("path", ["/nothing", "/artifacts/../../etc/passwd", "/static/%2e%2e/actor.py", "/shared/"])
def test_what_is_not_there_is_an_error_in_json(house: Stage, path: str) -> None:
    status, body, _ = get(house.endpoint("monitor") + path)
    assert status == 404
    assert json.loads(body)["error"]["code"] == "not_found"


def test_the_monitor_is_read_only(house: Stage) -> None:
    request = urllib.request.Request(house.endpoint("monitor") + "/health", data=b"{}", method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    with refused.value as error:
        assert error.code == 405


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


def feed_code(house: Stage, **headers: str) -> int:
    connection = HTTPConnection(urlsplit(house.endpoint("feed")).netloc, timeout=10)
    try:
        connection.request("GET", "/feed", headers={**UPGRADE, **headers})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil", "[::2]", "evil@x:1", ""])
def test_a_foreign_host_is_refused_on_both_ports(house: Stage, host: str) -> None:
    assert feed_code(house, Host=host) == 403
    assert get(house.endpoint("monitor") + "/health", Host=host)[0] == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9000", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:9001"])
def test_our_own_hosts_are_let_in(house: Stage, host: str) -> None:
    assert feed_code(house, Host=host) == 101
    assert get(house.endpoint("monitor") + "/", Host=host)[0] == 200


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1",
        "http://localhost:1",
        "https://127.0.0.1:5999",
        "http://127.0.0.1:5999.evil.example",
        "",
        "file://",
        "https://friend.example.evil",
    ],
)
def test_a_foreign_origin_is_refused_on_both_ports(house: Stage, origin: str) -> None:
    assert feed_code(house, Origin=origin) == 403
    assert get(house.endpoint("monitor") + "/health", Origin=origin)[0] == 403


def test_our_own_pages_and_configured_origins_are_let_in(house: Stage) -> None:
    monitor = house.endpoint("monitor")
    port = urlsplit(monitor).port
    for origin in ("http://127.0.0.1:5999", "http://localhost:5999", monitor, f"http://[::1]:{port}",
                   "https://friend.example"):  # fmt: skip
        assert feed_code(house, Origin=origin) == 101
        assert get(monitor + "/", Origin=origin)[0] == 200
