"""The main job as a user sees it: the demo records rounds, survives the death of each part, and ends without a trace.

Real supervisor, real actors, real Chromium, the simulator as the game; driven through the command line.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import duckdb
import psutil
import pytest

from tests.house import House, house
from tests.processes import wait_for

pytestmark = pytest.mark.system

SPEED = "20"  # a round in three seconds

_PLAIN_SUBSCRIBER = """
import sys, msgspec, zmq
socket = zmq.Context().socket(zmq.SUB)
socket.connect(sys.argv[1])
socket.subscribe("game.tick")
known = None
for _ in range(30):
    type_, envelope = socket.recv_multipart()
    event = msgspec.msgpack.decode(envelope)
    assert type_ == b"game.tick" and event["type"] == "game.tick", event
    assert known is None or event["prev"] == known, (known, event)
    known = event["seq"]
print(known)
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(
        tmp_path_factory.mktemp("house"), {"VECTRA_SIMULATOR_SPEED": SPEED, "VECTRA_RECORDING_FLUSH_S": "1"}
    ) as it:
        yield it


def rows(demo: House, doc_type: str, select: str) -> list[tuple[Any, ...]]:
    pattern = f"events_parquet/doc_type={doc_type}/*/*.parquet"
    if not list(demo.data_dir.glob(pattern)):
        return []
    return duckdb.execute(f"SELECT {select} FROM read_parquet('{demo.data_dir}/{pattern}')").fetchall()


def test_rounds_are_recorded_whole_and_verified(demo: House) -> None:
    def rounds() -> list[tuple[Any, ...]]:
        return rows(demo, "game", "game_id, verified, missing_ticks, live_ticks, ticks, verify_reason")

    def played_through() -> list[tuple[Any, ...]]:
        seen_live = [row for row in rounds() if row[3]]
        return seen_live if len(seen_live) >= 3 else []

    played = wait_for(played_through, 60)
    assert len({r[0] for r in rounds()}) == len(rounds()), "each round once"
    assert all(r[1] is True for r in rounds()), rounds()
    assert sum(r[2] == 0 for r in played) >= 2, "rounds that began while we looked lack nothing"


def test_every_row_has_its_own_number_and_every_frame_one_row(demo: House) -> None:
    wait_for(lambda: len(rows(demo, "ws_event", "seq")) > 200, 60)
    (result,) = rows(demo, "ws_event", "count(*), count(DISTINCT seq), min(seq % 256), max(seq % 256)")
    assert result[0] == result[1]
    assert result[2:] == (0, 0)
    directions = {row[0] for row in rows(demo, "ws_event", "DISTINCT direction")}
    assert directions == {"received", "sent"}
    names = {row[0] for row in rows(demo, "ws_event", "DISTINCT event_name")}
    assert {"gameStateUpdate", "playerUpdate", "authenticate", "usernameStatus", None} <= names
    credentials = [raw for raw, name in rows(demo, "ws_event", "raw, event_name") if name == "authenticate"]
    assert credentials
    assert all("[redacted]" in raw for raw in credentials)


def test_a_plain_subscriber_in_another_process_misses_nothing(demo: House) -> None:
    address = demo.status()["endpoints"]["events"]
    done = subprocess.run(
        [sys.executable, "-c", _PLAIN_SUBSCRIBER, address], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0


def test_the_command_line_follows_the_events(demo: House) -> None:
    process = subprocess.Popen(
        demo._command("events", "--type", "game.tick", "--json"), env=demo.env, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        first = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        process.stdout.read()
    process.wait(10)
    assert first["type"] == "game.tick"
    assert first["data"]["phase"] in ("COOLDOWN", "PRESALE", "ACTIVE", "RUGGED")


def test_the_recording_switch_really_switches(demo: House) -> None:
    assert demo.run("record", "stop").returncode == 0
    demo.wait_until(lambda status: status["recording"]["on"] is False)
    (switch,) = rows_of_switches(demo, on=False)
    assert demo.run("record", "start").returncode == 0
    (again,) = rows_of_switches(demo, on=True, after=switch)
    wait_for(lambda: max(row[0] for row in rows(demo, "ws_event", "seq")) > again, 30)
    between = [row[0] for row in rows(demo, "ws_event", "seq") if switch < row[0] < again]
    assert between == [], "exactly the frames between the two records are missing"


def rows_of_switches(demo: House, *, on: bool, after: int = 0) -> list[int]:
    def found() -> list[int]:
        switches = rows(demo, "system_event", "seq, event, data")
        return [
            seq - seq % 256 for seq, event, data in switches
            if event == "recording" and seq > after and json.loads(data)["on"] is on and json.loads(data)["by"] == "cli"
        ]  # fmt: skip

    return wait_for(found, 30)


@pytest.mark.parametrize(
    "name",
    ["pilot", "capture-a", "journal", "normalizer", "writer", "state", "broadcaster", "web", "simulator", "browser"],
)
def test_a_killed_actor_comes_back_and_frames_flow_again(demo: House, name: str) -> None:
    before = demo.actor(name)
    os.kill(before["pid"], signal.SIGKILL)
    wait_for(lambda: demo.actor(name)["pid"] not in (None, before["pid"]), 60)
    status = demo.wait_ready()
    again = next(actor for actor in status["actors"] if actor["name"] == name)
    assert again["last_exit"]["signal"] == signal.SIGKILL
    assert again["restarts"] == before["restarts"] + 1
    flowing(demo)


def test_a_killed_chromium_comes_back_and_leaves_its_gap(demo: House) -> None:
    gaps = demo.status()["gaps"]["count"]
    chromium = psutil.Process(demo.actor("browser")["pid"]).children()
    os.kill(chromium[0].pid, signal.SIGKILL)
    demo.wait_until(lambda status: status["gaps"]["count"] > gaps and status["source"]["connected"])
    demo.wait_ready()
    flowing(demo)


def flowing(demo: House) -> None:
    """Wait until frames that were captured after now are on their way."""
    seq = demo.status()["journal"]["seq"] or 0
    demo.wait_until(lambda status: status["source"]["connected"] and (status["journal"]["seq"] or 0) > seq + 256 * 20)


def test_ctrl_c_flushes_everything_and_leaves_no_process(demo: House) -> None:
    before = demo.status()["journal"]["seq"]
    assert demo.interrupt() == 0, demo.said()
    assert demo.processes() == []
    stored = rows(demo, "ws_event", "seq")
    assert max(row[0] for row in stored) >= before
    assert len({row[0] for row in stored}) == len(stored)
    assert demo.run("status").returncode == 3
