"""The JavaScript client in Node's own WebSocket: restarts, wildcards, holes; every event once."""

import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from actors.broadcaster.monitor import PAGES
from actors.core.config import Feed
from actors.core.recording_id import recording_id
from tests.broadcaster.stage import Stage, chat_frame, frames, stage
from tests.broadcaster.wire import Wire
from tests.processes import wait_for

NODE = shutil.which("node")
FLAG = "--experimental-websocket"  # Node 20 and 21; a matter of course from 22 on

PROGRAM = """
import { VectraClient } from "./vectra-client.mjs";
import { createInterface } from "node:readline";
const [url, types, since, options] = JSON.parse(process.argv[2]);
const client = new VectraClient(url, { types, since, ...options });
const say = (what) => console.log(JSON.stringify(what));
client.onEvent = (event) => say({ seq: event.seq, type: event.type, prev: event.prev });
client.onHole = (hole) => say({ hole });
client.onSnapshot = (snapshot) => say({ snapshot: snapshot.seq });
client.onState = (state) => say({ state });
client.onError = (error) => say({ error });
createInterface({ input: process.stdin }).on("line", (line) => {
  const [order, value] = JSON.parse(line);
  if (order === "subscribe") client.subscribe(value);
  if (order === "hold") { const end = Date.now() + value; while (Date.now() < end); } // a page that is busy
  if (order === "stop") client.stop();
});
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

    def __init__(
        self, house: Stage, types: list[str] | None, since: int | None, port: int | None, options: dict[str, object]
    ) -> None:
        home = house.runtime_dir
        shutil.copy(PAGES / "vectra-client.js", home / "vectra-client.mjs")
        (home / "program.mjs").write_text(PROGRAM)
        self._path = home / "said.jsonl"
        url = f"ws://127.0.0.1:{port}/feed" if port else house.endpoint("feed")
        arguments = json.dumps([url, types, since, options])
        command = [str(NODE), FLAG, str(home / "program.mjs"), arguments]
        with self._path.open("wb") as said:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=said, stderr=subprocess.DEVNULL)

    def order(self, *words: object) -> None:
        """Tell the program to do something."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(words).encode() + b"\n")
        self.process.stdin.flush()

    def said(self, key: str) -> list[dict[str, object]]:
        lines = [json.loads(line) for line in self._path.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return [line for line in lines if key in line]


@contextmanager
def follower(
    house: Stage, types: list[str] | None, since: int | None, *, port: int | None = None, **options: object
) -> Iterator[Follower]:
    running = Follower(house, types, since, port, options)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait(10)
        assert running.process.stdin is not None
        running.process.stdin.close()


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


def feed_port(house: Stage) -> int:
    return urlsplit(house.endpoint("feed")).port or 0


def seqs_of(house: Stage, client: Follower, *begins: str) -> bool:
    """Wait until the client has seen all events that begin so; say whether it saw each once and in order."""
    wanted = [event.seq for event in house.events if event.type.startswith(begins)]
    wait_for(lambda: house.beat() and len(client.said("seq")) >= len(wanted), 30)
    return [line["seq"] for line in client.said("seq")] == wanted


def test_it_survives_a_network_that_breaks_and_one_that_falls_silent() -> None:
    with stage() as house:
        house.write(frames(30))
        with (
            house.broadcaster(),
            Wire(feed_port(house)) as wire,
            follower(house, ["game.*", "player.*"], 0, port=wire.port, pingMs=200) as client,
        ):
            for life in range(1, 7):
                assert seqs_of(house, client, "game.", "player.")
                (wire.cut if life % 2 else wire.freeze)()
                house.write(frames(30, first=30 * life))
            assert seqs_of(house, client, "game.", "player.")
            assert client.said("hole") == []
            assert len([line for line in client.said("state") if line["state"] == "open"]) == 7


def test_what_it_lost_by_reading_too_slowly_comes_again_from_the_journal() -> None:
    with stage(feed=Feed(port=0, client_bytes=65_536)) as house:
        house.write(frames(5))
        with house.broadcaster(), follower(house, None, 0) as client:
            assert seqs_of(house, client, "")
            client.order("hold", 5000)
            for first in range(0, 3000, 100):
                house.write([chat_frame(first + number, "x" * 4000) for number in range(100)])
            assert seqs_of(house, client, "")
            assert client.said("hole") == []
            with urllib.request.urlopen(house.endpoint("monitor") + "/metrics", timeout=10) as metrics:
                (lost,) = re.findall(rb"(?m)^vectra_feed_dropped_total (.*)$", metrics.read())
            assert float(lost) > 0


def test_another_subscription_goes_on_without_hole_or_double() -> None:
    with stage() as house:
        house.write(frames(20))
        with house.broadcaster(), follower(house, ["game.*"], 0) as client:
            assert seqs_of(house, client, "game.")
            house.write(frames(20, first=20))
            client.order("subscribe", ["game.*", "raw.*"])
            for first in range(40, 400, 20):
                house.write(frames(20, first=first))
            last = house.write(frames(20, first=400))[-1].seq
            wait_for(lambda: house.beat() and last in {line["seq"] for line in client.said("seq")}, 30)
            seen = [line["seq"] for line in client.said("seq") if line["type"] == "game.tick"]
            assert seen == [event.seq for event in house.events if event.type == "game.tick"]
            assert client.said("hole") == []


def test_where_another_recording_runs_now_it_goes_on_at_its_present() -> None:
    with stage() as before:
        before.write(frames(300))
        with before.broadcaster() as first:
            port = feed_port(before)
            with follower(before, ["game.*"], 0, port=port) as client:
                assert seqs_of(before, client, "game.")
                known = len(client.said("seq"))
                first.kill()
                with stage(feed=Feed(port=port)) as now:
                    now.write(frames(30))
                    with now.broadcaster():
                        head = now.events[-1].seq
                        wait_for(
                            lambda: len([line for line in client.said("state") if line["state"] == "open"]) == 2, 30
                        )
                        now.write(frames(30, first=30))
                        wanted = [event.seq for event in now.events if event.type == "game.tick" and event.seq > head]
                        wait_for(lambda: now.beat() and len(client.said("seq")) >= known + len(wanted), 30)
                        assert [line["seq"] for line in client.said("seq")][known:] == wanted
                        (told,) = client.said("hole")
                        assert isinstance(told["hole"], dict)
                        assert (told["hole"]["count"], told["hole"]["from"]) == (None, 1)
                        assert head <= told["hole"]["to"] < wanted[0]


def test_another_recording_with_larger_numbers_is_a_hole_and_none_of_its_past_comes() -> None:
    with stage() as before:
        before.write(frames(30))
        with before.broadcaster() as first:
            port = feed_port(before)
            with follower(before, ["game.*"], 0, port=port) as client:
                assert seqs_of(before, client, "game.")
                known = len(client.said("seq"))
                first.kill()
                with stage(feed=Feed(port=port)) as now:
                    now.write(frames(900))
                    with now.broadcaster():
                        head = now.events[-1].seq
                        wait_for(lambda: client.said("hole"), 30)
                        now.write(frames(30, first=900))
                        wanted = [event.seq for event in now.events if event.type == "game.tick" and event.seq > head]
                        wait_for(lambda: now.beat() and len(client.said("seq")) >= known + len(wanted), 30)
                        assert [line["seq"] for line in client.said("seq")][known:] == wanted
                        (told,) = client.said("hole")
                        assert isinstance(told["hole"], dict)
                        assert told["hole"]["recording"] == recording_id(now.config.data_path)
                        assert head <= told["hole"]["to"] < wanted[0]


def test_since_of_another_recording_given_at_the_start_is_a_hole() -> None:
    with stage() as house:
        house.write(frames(300))
        with house.broadcaster(), follower(house, None, 256, recording="0123456789abcdef") as client:
            wait_for(lambda: client.said("hole"), 30)
            assert client.said("seq") == []


def test_what_the_feed_refuses_is_told_and_stop_is_for_good() -> None:
    with stage() as house:
        house.write(frames(5))
        with house.broadcaster(), follower(house, None, None) as client:
            wait_for(lambda: {"state": "open"} in client.said("state"))
            client.order("subscribe", 7)
            wait_for(lambda: client.said("error"))
            client.order("stop")
            wait_for(lambda: client.said("state")[-1] == {"state": "closed"})
            assert str(client.said("error")[0]["error"]).startswith("not understood")
