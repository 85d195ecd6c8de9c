"""The JavaScript client in Node's own WebSocket: restarts, wildcards, holes; every event once."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from actors.broadcaster.monitor import PAGES
from tests.broadcaster.stage import Stage, frames, stage
from tests.processes import wait_for

NODE = shutil.which("node")
FLAG = "--experimental-websocket"  # Node 20 and 21; a matter of course from 22 on

PROGRAM = """
import { VectraClient } from "./vectra-client.mjs";
const [url, types, since] = JSON.parse(process.argv[2]);
const client = new VectraClient(url, { types, since });
const say = (what) => console.log(JSON.stringify(what));
client.onEvent = (event) => say({ seq: event.seq, type: event.type, prev: event.prev });
client.onHole = (hole) => say({ hole });
client.onSnapshot = (snapshot) => say({ snapshot: snapshot.seq });
client.start();
"""


def node_has_websocket() -> bool:
    if NODE is None:
        return False
    ran = subprocess.run([NODE, FLAG, "-e", "new WebSocket('ws://127.0.0.1:9').onerror = () => {}"], check=False)
    return ran.returncode == 0


pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not node_has_websocket(), reason="no Node with a WebSocket of its own"),
]


class Follower:
    """A Node process and the lines it printed."""

    def __init__(self, house: Stage, types: list[str] | None, since: int | None) -> None:
        home = house.runtime_dir
        shutil.copy(PAGES / "vectra-client.js", home / "vectra-client.mjs")
        (home / "program.mjs").write_text(PROGRAM)
        self._path = home / "said.jsonl"
        arguments = json.dumps([house.endpoint("feed"), types, since])
        with self._path.open("wb") as said:
            self.process = subprocess.Popen([str(NODE), FLAG, str(home / "program.mjs"), arguments], stdout=said)

    def said(self, key: str) -> list[dict[str, object]]:
        lines = [json.loads(line) for line in self._path.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return [line for line in lines if key in line]


@contextmanager
def follower(house: Stage, types: list[str] | None, since: int | None) -> Iterator[Follower]:
    running = Follower(house, types, since)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait(10)


def test_it_sees_every_event_once_across_restarts_of_the_broadcaster() -> None:
    with stage() as house:
        house.write(frames(30))
        with house.broadcaster() as first, follower(house, ["game.tick", "raw.*"], 0) as client:
            house.write(frames(30, first=30))
            wanted = [event.seq for event in house.events if event.type != "player.trade"]
            wait_for(lambda: house.beat() and len(client.said("seq")) >= len(wanted), 30)
            first.kill()
            house.write(frames(30, first=60), live=False)
            with house.broadcaster():
                house.write(frames(30, first=90))
                wanted = [event.seq for event in house.events if event.type != "player.trade"]
                wait_for(lambda: house.beat() and len(client.said("seq")) >= len(wanted), 30)
                assert [line["seq"] for line in client.said("seq")] == wanted
                assert client.said("hole") == []
                assert len(client.said("snapshot")) == 2


def test_what_is_gone_is_told_to_on_hole() -> None:
    with stage() as house:
        for first in range(0, 4000, 400):
            house.write(frames(400, first=first), live=False)
            house.checkpoint()
        for path in sorted((house.config.data_path / "journal").glob("*.seg"))[:-2]:
            path.unlink()
        with house.broadcaster(), follower(house, None, 3) as client:
            wait_for(lambda: client.said("seq") and client.said("seq")[-1]["seq"] == house.events[-1].seq)
            (told,) = client.said("hole")
            hole = told["hole"]
            assert isinstance(hole, dict)
            assert (hole["count"], hole["from"]) == (None, 4)
            assert client.said("seq")[0]["seq"] == next(e.seq for e in house.events if e.seq > hole["to"])
