"""A hostile script in the game's page, with a real Chromium and the whole of VECTRA: it neither poisons nor blinds it.

The game's own page opens sockets elsewhere, as a script in it could, and writes the game's messages on them: while it
is seen, after some hundred other sockets, and opened while both captures are dead.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import duckdb
import pytest

from tests.capture.house import Website, served
from tests.cdp import Tab, open_tab
from tests.house import House, house
from tests.processes import wait_for

pytestmark = pytest.mark.system

FOREIGN = "20991231-ffff"
FAKE = f'42["gameStateUpdate",{{"gameId":"{FOREIGN}","active":true,"rugged":false,"price":666,"tickCount":11}}]'
FAKE_TRADE = f'42["standard/newTrade",{{"id":"fff","gameId":"{FOREIGN}","type":"buy","price":666,"tickIndex":1}}]'
LARGE = ("eyJ" * 100_000, '42["x","' + "eyJhbGciOi" * 30_000 + '"]', "a://" * 75_000)


@pytest.fixture(scope="module")
def hostile() -> Iterator[Website]:
    with served() as site:
        yield site


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = {"VECTRA_RECORDING_FLUSH_S": "0.5", "VECTRA_SIMULATOR_RATE": "20", "VECTRA_SUPERVISOR_INTENSITY": "1000"}
    with house(tmp_path_factory.mktemp("house"), settings) as it:
        it.wait_until(lambda status: status["source"].get("connected"))
        yield it


@pytest.fixture
def page(demo: House) -> Iterator[Tab]:
    endpoints = demo.status()["endpoints"]
    with closing(open_tab(endpoints["cdp"], endpoints["simulator"])) as tab:
        tab.call("Page.enable")
        tab.call("Page.setBypassCSP", enabled=True)  # the simulator's page may connect nowhere else
        known = demo.status()["gaps"]["count"]
        tab.value("old = 1; setTimeout(() => location.reload()); 1")
        tab.wait("typeof old === 'undefined' && socket.connected")
        demo.wait_until(lambda status: status["gaps"]["count"] > known)  # the reload's own
        flows(demo)
        yield tab


def foreign_rows(demo: House) -> int:
    """Return how many rows hold anything of the foreign socket, of what was recorded up to now."""
    newest = demo.status()["journal"]["seq"]
    wait_for(lambda: stored(demo, "SELECT max(seq) AS n FROM '{}'")[0]["n"] >= newest - 256 * 200, 30)
    count = 0
    for doc_type in ("ws_event", "game_tick", "trade"):
        if list(demo.data_dir.glob(f"events_parquet/doc_type={doc_type}/*/*.parquet")):
            text = "raw" if doc_type == "ws_event" else "game_id"
            like = f"SELECT count(*) AS n FROM '{{}}' WHERE {text} LIKE '%{FOREIGN}%' OR {text} LIKE '%eyJeyJ%'"
            count += stored(demo, like, doc_type)[0]["n"]
    return count


def stored(demo: House, query: str, doc_type: str = "ws_event") -> list[dict[str, Any]]:
    found = duckdb.execute(query.format(f"{demo.data_dir}/events_parquet/doc_type={doc_type}/*/*.parquet"))
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def opens(site: Website, name: str) -> str:
    return f"{name} = new WebSocket('{site.url('ws').replace('http', 'ws')}'); {name}.onopen = () => {name}.up = 1; 1"


def flows(demo: House) -> None:
    """Wait until the game has been recorded for a second more."""
    begun = demo.status()["journal"]["seq"]
    demo.wait_until(lambda status: (status["journal"]["seq"] or 0) > begun + 256 * 20)


def test_a_socket_that_does_not_count_stays_out_whatever_comes_between(
    demo: House, page: Tab, hostile: Website
) -> None:
    before = demo.status()
    page.value(opens(hostile, "evil"))
    page.wait("evil.up")
    hostile.send(FAKE)
    for _ in range(13):
        page.value(
            "Promise.all(Array.from({length: 50}, () => new Promise(done => {"
            f"const one = new WebSocket('{hostile.url('ws').replace('http', 'ws')}');"
            "one.onopen = () => one.close(); one.onclose = one.onerror = done; })))"
        )
    for text in (FAKE, FAKE_TRADE, *LARGE) * 3:
        hostile.send(text)
    flows(demo)
    after = demo.status()
    assert foreign_rows(demo) == 0
    assert after["gaps"] == before["gaps"]
    assert {a["name"]: a["restarts"] for a in after["actors"]} == {a["name"]: a["restarts"] for a in before["actors"]}
    assert after["source"]["last_frame_age_s"] < 1


def test_sockets_opened_while_both_captures_are_dead_do_not_count(demo: House, page: Tab, hostile: Website) -> None:
    page.value("many = []; 1")
    page.value(
        f"timer = setInterval(() => {{ if (many.length < 200) many.push(new WebSocket("
        f"'{hostile.url('ws').replace('http', 'ws')}')); }}, 2); 1"
    )
    killed_s = time.time()
    for name in ("capture-a", "capture-b"):
        os.kill(demo.actor(name)["pid"], signal.SIGKILL)
    page.wait("many.length == 200 && many.every(one => one.readyState == 1)")
    demo.wait_until(lambda status: status["source"].get("connected") and status["gaps"]["count"])
    for _ in range(20):
        hostile.send(FAKE)
        hostile.send("2")
        flows(demo)
    page.value("clearInterval(timer); many.forEach(one => one.close()); 1")
    assert foreign_rows(demo) == 0
    holes = f"SELECT count(*) AS n FROM '{{}}' WHERE event = 'gap' AND epoch_ms(ts) > {killed_s * 1000}"
    wait_for(lambda: stored(demo, holes, "system_event")[0]["n"], 20)
    assert stored(demo, holes, "system_event")[0]["n"] == 1, "one hole, one gap"


def test_a_stop_by_the_user_is_the_gaps_cause(demo: House) -> None:
    flows(demo)
    assert demo.run("restart", "browser").returncode == 0
    flows(demo)
    causes = "SELECT data->>'cause' AS cause FROM '{}' WHERE event = 'gap' ORDER BY seq DESC LIMIT 1"
    wait_for(lambda: "by the user" in stored(demo, causes, "system_event")[0]["cause"], 20)
    assert demo.run("stop").returncode == 0
    assert demo.ended() == 0
    demo.start()
    demo.wait_until(lambda status: status["source"].get("connected"))
    wait_for(lambda: stored(demo, causes, "system_event")[0]["cause"] == "stopped by the user", 20)
