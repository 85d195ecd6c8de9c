"""The subscribers' library against a real broadcaster: nothing missed, nothing twice, whatever dies."""

import asyncio
import contextlib
import itertools
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypedDict

import msgspec
import pytest
import zmq

import vectra_player
from actors.core.config import BusSection
from tests.broadcaster.stage import Stage, frames, stage, tick_frame
from vectra_player import sockets
from vectra_player.event import Event, Hole

pytestmark = pytest.mark.system


class Doors(TypedDict):
    events: str
    requests: str


def doors(house: Stage) -> Doors:
    return {"events": house.endpoint("events"), "requests": house.endpoint("requests")}


@pytest.fixture(scope="module")
def house() -> Iterator[Stage]:
    with stage() as made:
        made.write(frames(1500))
        made.checkpoint()
        made.write(frames(100, first=1500))
        with made.broadcaster():
            yield made


def wanted(house: Stage, *begins: str) -> list[int]:
    return [event.seq for event in house.events if event.type.startswith(begins)]


def test_importing_it_imports_nothing_else_of_ours() -> None:
    code = (
        "import sys, vectra_player; vectra_player.subscribe, vectra_player.asubscribe;"
        "print([name for name in sys.modules if name.split('.')[0] in ('actors', 'supervisor', 'web', 'aiohttp')])"
    )
    root = Path(__file__).resolve().parents[2]
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert ran.stdout.strip() == "[]"


def test_snapshot(house: Stage) -> None:
    found = vectra_player.snapshot(requests=house.endpoint("requests"))
    assert found.seq == house.events[-1].seq
    assert found.state["price"] == 1.5
    assert found.last == house.memory.last


def test_replay_gives_everything_between_two_numbers(house: Stage) -> None:
    since, until = house.events[10].seq, house.events[900].seq
    got = list(vectra_player.replay(since, "game.*", "raw.newChatMessage", until=until, **doors(house)))
    expected = [seq for seq in wanted(house, "game.", "raw.newChatMessage") if since < seq <= until]
    assert [event.seq for event in got] == expected
    assert got[0].type in ("game.tick", "raw.newChatMessage")
    assert isinstance(got[0].data, dict)


def test_subscribe_since_a_number_gives_what_was_and_what_comes(house: Stage) -> None:
    events = vectra_player.subscribe("game.tick", since=house.events[50].seq, **doors(house))
    past = [seq for seq in wanted(house, "game.tick") if seq > house.events[50].seq]
    assert [next(events).seq for _ in past] == past
    new = [event.seq for event in house.write(frames(30, first=50_000)) if event.type == "game.tick"]
    assert [next(events).seq for _ in new] == new
    events.close()


def test_subscribe_from_now_on_misses_nothing_after_its_first_event(house: Stage) -> None:
    client = vectra_player.Client("player.*", **doors(house))
    head = house.events[-1].seq
    events = client.follow()
    got: list[int] = []
    listening = threading.Thread(target=lambda: got.append(next(events).seq))
    listening.start()
    for first in itertools.count(60_000, 30):
        house.write(frames(30, first=first))
        listening.join(0.02)
        if not listening.is_alive():
            break
    assert got[0] > head
    expected = [seq for seq in wanted(house, "player.") if seq >= got[0]]
    got += [next(events).seq for _ in expected[1:]]
    assert got == expected
    client.close()


def test_a_silent_stream_is_checked_so_that_a_lost_last_event_is_found(house: Stage) -> None:
    """The event is sent to nobody: the subscriber's live address leads nowhere."""
    since = house.events[-1].seq
    events = vectra_player.subscribe(
        "raw.*", since=since, events="tcp://127.0.0.1:9", requests=house.endpoint("requests")
    )
    found: list[Event] = []
    listening = threading.Thread(target=lambda: found.append(next(events)))
    listening.start()
    lost = [event for event in house.write(frames(5, first=70_000)) if event.type.startswith("raw.")]
    listening.join(15)
    assert [event.seq for event in found] == [lost[0].seq]
    events.close()


def test_nobody_there_is_a_timeout_that_says_so() -> None:
    with pytest.raises(TimeoutError, match="does not answer within"):
        vectra_player.snapshot(requests="tcp://127.0.0.1:9", timeout_s=0.3)


def test_that_nobody_answers_is_logged_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(sockets, "REQUEST_S", 0.05)
    with pytest.raises(TimeoutError):
        vectra_player.snapshot(requests="tcp://127.0.0.1:9", timeout_s=0.6)

    async def ask() -> None:
        async with vectra_player.AsyncClient(requests="tcp://127.0.0.1:9") as client:
            await client.snapshot(0.6)

    with pytest.raises(TimeoutError):
        asyncio.run(ask())
    said = [record.getMessage() for record in caplog.records if record.name == "vectra_player"]
    assert said == ["no answer from tcp://127.0.0.1:9: is VECTRA running? Trying on."] * 2


def test_it_survives_restarts_of_the_broadcaster_on_other_ports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with stage() as house:
        for name in ("VECTRA_BUS_EVENTS", "VECTRA_BUS_REQUESTS"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("VECTRA_RUNTIME_DIR", str(house.runtime_dir))
        got: list[int] = []
        numbers = itertools.count()
        events = None
        for life in range(3):
            house.write(frames(40, first=life * 1000), live=False)
            if life == 1:
                house.checkpoint()
            for name in ("events", "requests"):
                (house.runtime_dir / "endpoints" / name).unlink(missing_ok=True)
            with house.broadcaster() as running:
                events = events or vectra_player.subscribe("game.tick", "raw.*", since=0)
                house.write(frames(40, first=life * 1000 + 40))
                expected = wanted(house, "game.tick", "raw.")
                while len(got) < len(expected):
                    got.append(next(events).seq)
                    next(numbers)
                assert got == expected
                running.kill()
        assert events is not None
        events.close()


def test_what_is_not_kept_is_told_once() -> None:
    holes: list[Hole] = []
    with stage() as house:
        for first in range(0, 4000, 400):
            house.write(frames(400, first=first), live=False)
            house.checkpoint()
        for path in sorted((house.config.data_path / "journal").glob("*.seg"))[:-2]:
            path.unlink()
        with house.broadcaster():
            events = vectra_player.subscribe("game.tick", since=3, on_hole=holes.append, **doors(house))
            first_tick = next(events)
            events.close()
    assert len(holes) == 1
    assert holes[0].first == 4
    assert holes[0].last < first_tick.seq
    assert first_tick.seq == next(seq for seq in wanted(house, "game.tick") if seq > holes[0].last)


def test_the_async_twin_gives_the_same(house: Stage) -> None:
    since = house.events[50].seq

    async def play() -> list[int]:
        seqs: list[int] = []
        past = [seq for seq in wanted(house, "player.", "raw.") if seq > since]
        events = vectra_player.asubscribe("player.*", "raw.*", since=since, **doors(house))
        async for event in events:
            seqs.append(event.seq)
            if len(seqs) == len(past):
                house.write(frames(30, first=80_000))
            if event.seq >= house.events[-4].seq and event.seq == wanted(house, "player.", "raw.")[-1]:
                break
        await events.aclose()
        async with vectra_player.AsyncClient("game.tick", **doors(house)) as client:
            assert (await client.snapshot()).state["price"] == 1.5
            replayed = [event.seq async for event in client.replay(since)]
            assert replayed == [seq for seq in wanted(house, "game.tick") if seq > since]
        return seqs

    assert asyncio.run(play()) == [seq for seq in wanted(house, "player.", "raw.") if seq > since]


def test_keys_open_a_locked_door(tmp_path: Path) -> None:
    import zmq.auth

    (tmp_path / "clients").mkdir()
    for name in ("server", "me"):
        zmq.auth.create_certificates(tmp_path, name)
    (tmp_path / "clients" / "me.key").write_text((tmp_path / "me.key").read_text())
    bus = BusSection(
        events="tcp://127.0.0.1:0", requests="tcp://127.0.0.1:0",
        curve_secret_file=str(tmp_path / "server.key_secret"), curve_clients_dir=str(tmp_path / "clients"),
    )  # fmt: skip
    keys = vectra_player.load_keys(tmp_path / "server.key", tmp_path / "me.key_secret")
    with stage(bus=bus) as house:
        house.write(frames(10))
        with house.broadcaster():
            events = vectra_player.subscribe("game.tick", since=0, keys=keys, **doors(house))
            ticks = wanted(house, "game.tick")
            assert [next(events).seq for _ in ticks] == ticks
            new = house.write([tick_frame(100)])
            assert next(events).seq == new[0].seq
            events.close()
            with pytest.raises(TimeoutError):
                vectra_player.snapshot(timeout_s=0.5, requests=house.endpoint("requests"))


def test_a_proxy_that_drops_live_messages_costs_nothing(house: Stage) -> None:
    """Every third live message is lost on the way; the subscriber fills the holes by itself."""
    with lossy(house, lambda number: number % 3 == 0) as address:
        since = house.events[-1].seq
        client = vectra_player.Client("game.tick", "player.*", events=address, requests=house.endpoint("requests"))
        events = client.follow(since)
        house.write([tick_frame(90_000)])
        got = [next(events).seq]
        house.write(frames(200, first=90_001))
        expected = [seq for seq in wanted(house, "game.tick", "player.") if seq > since]
        got += [next(events).seq for _ in expected[1:]]
        assert sorted(got) == expected
        for name in ("game.tick", "player.trade"):
            of_type = [seq for seq in got if seq in set(wanted(house, name))]
            assert of_type == sorted(of_type)
        client.close()


class lossy:
    """A forwarder between XPUB and XSUB that loses what it is told to."""

    def __init__(self, house: Stage, loses: Callable[[int], bool]) -> None:
        self._context: zmq.Context[Any] = zmq.Context()
        self._in = self._context.socket(zmq.SUB)
        self._in.setsockopt(zmq.SUBSCRIBE, b"")
        self._in.connect(house.endpoint("events"))
        self._out = self._context.socket(zmq.PUB)
        self._out.bind("tcp://127.0.0.1:*")
        self._loses = loses
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._forward)

    def __enter__(self) -> str:
        self._thread.start()
        return self._out.getsockopt_string(zmq.LAST_ENDPOINT)

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()
        self._in.close(0)
        self._out.close(0)
        self._context.term()

    def _forward(self) -> None:
        number = 0
        while not self._end.is_set():
            if self._in.poll(20):
                frames_ = self._in.recv_multipart()
                number += 1
                if not self._loses(number):
                    self._out.send_multipart(frames_)


@contextlib.contextmanager
def slow_door(answer_s: float) -> Iterator[str]:
    """A request door that takes so long for each question, and answers them one by one, as a busy machine's does."""
    context, end = zmq.Context(), threading.Event()
    door = context.socket(zmq.ROUTER)
    door.setsockopt(zmq.LINGER, 0)
    port = door.bind_to_random_port("tcp://127.0.0.1")

    def serve() -> None:
        while not end.is_set():
            if door.poll(20):
                client, number, *_ = door.recv_multipart()
                end.wait(answer_s)
                door.send_multipart([client, number, b"", msgspec.msgpack.encode({"seq": 7, "state": {}})])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"tcp://127.0.0.1:{port}"
    finally:
        end.set()
        thread.join()
        context.destroy(linger=0)


def test_an_answer_that_takes_longer_than_a_try_is_heard_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "REQUEST_S", 0.1)

    async def ask(requests: str) -> int:
        async with vectra_player.AsyncClient(requests=requests) as client:
            return (await client.snapshot(8.0)).seq

    with slow_door(0.25) as requests:
        assert vectra_player.snapshot(requests=requests, timeout_s=8.0).seq == 7
        assert asyncio.run(ask(requests)) == 7
