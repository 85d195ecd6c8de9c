"""One recording, one name: every door carries it, refuses another's numbers, and both libraries notice a change."""

import asyncio
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import urlsplit

import msgspec
import pytest
import zmq

import vectra_player
from actors.core.config import BusSection, Feed
from actors.core.recording_id import recording_id
from tests.broadcaster.feed_client import Client, connect
from tests.broadcaster.stage import Stage, frames, stage, tick_frame
from tests.processes import wait_for
from vectra_player.event import Event, Hole
from vectra_player.follow import Unanswerable

pytestmark = pytest.mark.system

CAP_MS = 10_000
OTHER = "0123456789abcdef"


@pytest.fixture(scope="module")
def house() -> Iterator[Stage]:
    with stage() as made:
        made.write(frames(300))
        with made.broadcaster():
            yield made


def own(house: Stage) -> str:
    return recording_id(house.config.data_path)


def ask(house: Stage, request: dict[str, Any]) -> Any:
    context = zmq.Context()
    socket = context.socket(zmq.REQ)
    socket.connect(house.endpoint("requests"))
    socket.send(msgspec.msgpack.encode(request))
    assert socket.poll(CAP_MS)
    answer = msgspec.msgpack.decode(socket.recv())
    socket.close(0)
    context.term()
    return answer


async def answer_to(client: Client, message: dict[str, Any]) -> dict[str, Any]:
    """What comes back on a subscribe; events before it are passed over."""
    await client.say({"action": "subscribe", "types": None, **message})
    while (answer := await client.next())["type"] not in ("subscribed", "error"):
        pass
    return answer


def test_every_door_carries_the_id(house: Stage) -> None:
    async def play() -> None:
        async with connect(house.endpoint("feed")) as client:
            assert [(await client.next())["recording"] for _ in range(2)] == [own(house)] * 2
            assert (await answer_to(client, {}))["recording"] == own(house)

    asyncio.run(play())
    head = house.events[-1].seq
    for request in (
        {"request": "snapshot"},
        {"request": "replay", "since": 0},
        {"request": "replay", "since": head},
        {"request": "replay", "since": head - 1},
    ):
        assert ask(house, request)["recording"] == own(house)
    assert vectra_player.snapshot(requests=house.endpoint("requests")).recording == own(house)


@pytest.mark.parametrize("since", [None, 0, 512, 2**53 - 1])
def test_another_recording_is_refused_and_the_connection_stays(house: Stage, since: int | None) -> None:
    async def play() -> None:
        async with connect(house.endpoint("feed")) as client:
            answer = await answer_to(client, {"since": since, "recording": OTHER})
            assert answer["type"] == "error"
            assert "another recording" in answer["message"]
            assert answer["recording"] == own(house)
            assert (await answer_to(client, {"since": 0, "recording": own(house)}))["seq"] == 0

    asyncio.run(play())
    answer = ask(house, {"request": "replay", "since": since, "recording": OTHER})
    assert "another recording" in answer["error"]
    assert answer["recording"] == own(house)
    assert ask(house, {"request": "replay", "since": 0, "recording": own(house)})["events"]
    with pytest.raises(Unanswerable, match="another recording"):
        list(vectra_player.replay(since or 0, recording=OTHER, requests=house.endpoint("requests")))


@pytest.mark.parametrize("beyond", [1000, 2**52, 2**53 - 1])
def test_a_number_beyond_the_newest_is_refused(house: Stage, beyond: int) -> None:
    head = ask(house, {"request": "snapshot"})["head"]
    since = min(head + beyond, 2**53 - 1)

    async def play() -> None:
        async with connect(house.endpoint("feed")) as client:
            answer = await answer_to(client, {"since": since})
            assert answer["type"] == "error"
            assert "beyond the newest number" in answer["message"]
            for known in (head, head - head % 256 + 255):  # the end of its record
                assert (await answer_to(client, {"since": known}))["seq"] == head
            assert (await answer_to(client, {}))["seq"] >= head

    asyncio.run(play())
    assert "beyond the newest number" in ask(house, {"request": "replay", "since": since})["error"]


@pytest.mark.parametrize(
    ("types", "unknown"),
    [
        (None, []),
        ([], []),
        (["game.tick", "game.*", "raw.anything", "raw.*", "*", "ra*", "system.gap", "player.tr*"], []),
        (["game", "game.*x", "no.such.type", "no.such.*", "", "raw.", "Game.Tick"], None),
        (["raw." + "x" * 101, "raw.a\x00b", "raw." + "x" * 101 + "*"], None),
        (["game.tick", "nothing", "raw.newChatMessage"], ["nothing"]),
    ],
)
def test_types_that_can_never_come_are_named(house: Stage, types: list[str] | None, unknown: list[str] | None) -> None:
    async def play() -> None:
        async with connect(house.endpoint("feed")) as client:
            answer = await answer_to(client, {"types": types})
            assert answer["types"] == types
            assert answer["unknown"] == (types if unknown is None else unknown)

    asyncio.run(play())


def test_keys_that_nobody_knows_are_passed_over(house: Stage) -> None:
    async def play() -> None:
        async with connect(house.endpoint("feed")) as client:
            assert (await answer_to(client, {"since": 0, "extra": [1], "Since": 5}))["seq"] == 0

    asyncio.run(play())
    assert ask(house, {"request": "replay", "since": 0, "extra": {"a": 1}})["events"]


class Addresses(TypedDict):
    """Where the two ZeroMQ sockets listen."""

    events: str
    requests: str


def addresses(house: Stage) -> Addresses:
    return {"events": house.endpoint("events"), "requests": house.endpoint("requests")}


@contextmanager
def switched(old_frames: int, new_frames: int) -> Iterator[tuple[Stage, threading.Event, list[Stage]]]:
    """An old recording that runs; when the event is set, one with a past of its own takes over its addresses."""
    with stage() as old, stage() as new:
        old.write(frames(old_frames))
        new.write(frames(new_frames, first=200_000))
        switch, running = threading.Event(), [old]

        def play() -> None:
            with old.broadcaster():
                ready.set()
                switch.wait(60)
                places = addresses(old)
            new.config = msgspec.structs.replace(
                new.config,
                bus=BusSection(**places),
                feed=Feed(port=urlsplit(old.endpoint("feed")).port or 0),
            )
            with new.broadcaster():
                running.append(new)
                end.wait(120)

        ready, end = threading.Event(), threading.Event()
        thread = threading.Thread(target=play)
        thread.start()
        assert ready.wait(30)
        try:
            yield old, switch, running
        finally:
            switch.set()
            end.set()
            thread.join()


def is_of(event: Event, house: Stage) -> bool:
    return event.seq in {one.seq for one in house.events if one.game_id == event.game_id}


@pytest.mark.parametrize(("old_frames", "new_frames"), [(30, 900), (900, 30)], ids=["larger", "smaller"])
def test_the_python_loop_goes_on_at_the_other_recordings_present(old_frames: int, new_frames: int) -> None:
    holes: list[Hole] = []
    with switched(old_frames, new_frames) as (old, switch, running):
        client = vectra_player.Client("game.tick", **addresses(old))
        events = client.follow(0, on_hole=holes.append)
        past = [event.seq for event in old.events if event.type == "game.tick"]
        assert [next(events).seq for _ in past] == past
        following: list[Event] = []
        thread = threading.Thread(target=lambda: following.extend(next(events) for _ in range(10)))
        thread.start()
        follow_the_switch(switch, running, lambda: bool(holes))
        new = running[1]
        head = new.events[-1].seq
        feed_until(new, lambda: not thread.is_alive())
        thread.join()
        events.close()
        client.close()
        check(holes, following, new, head)


@pytest.mark.parametrize(("old_frames", "new_frames"), [(30, 900), (900, 30)], ids=["larger", "smaller"])
def test_the_asyncio_loop_goes_on_at_the_other_recordings_present(old_frames: int, new_frames: int) -> None:
    holes: list[Hole] = []
    following: list[Event] = []
    with switched(old_frames, new_frames) as (old, switch, running):
        past = [event.seq for event in old.events if event.type == "game.tick"]

        async def follow() -> None:
            events = vectra_player.asubscribe("game.tick", since=0, on_hole=holes.append, **addresses(old))
            async for event in events:
                following.append(event)
                if len(following) == len(past) + 10:
                    break
            await events.aclose()

        thread = threading.Thread(target=lambda: asyncio.run(follow()))
        thread.start()
        wait_for(lambda: len(following) == len(past), 20)
        follow_the_switch(switch, running, lambda: bool(holes))
        new = running[1]
        head = new.events[-1].seq
        feed_until(new, lambda: not thread.is_alive())
        thread.join()
        check(holes, following[len(past) :], new, head)


def follow_the_switch(switch: threading.Event, running: list[Stage], is_noticed: Any) -> None:
    switch.set()
    wait_for(lambda: len(running) == 2, 30)
    wait_for(is_noticed, 30)


def feed_until(house: Stage, is_done: Any) -> None:
    numbers = iter(range(400_000, 500_000))
    wait_for(lambda: is_done() or not house.write([tick_frame(next(numbers))]), 30)


def check(holes: list[Hole], following: list[Event], new: Stage, head: int) -> None:
    assert len(following) == 10
    assert [(hole.first, hole.recording) for hole in holes] == [(1, own(new))]
    assert holes[0].last >= head - 1
    assert all(event.seq > head and is_of(event, new) for event in following)
    seqs = [event.seq for event in following]
    assert seqs == sorted(set(seqs))


def test_since_of_another_recording_given_at_the_start_is_a_hole(house: Stage) -> None:
    holes: list[Hole] = []
    events = vectra_player.subscribe("game.tick", since=256, recording=OTHER, on_hole=holes.append, **addresses(house))
    got: list[Event] = []
    thread = threading.Thread(target=lambda: got.append(next(events)))
    thread.start()
    wait_for(lambda: bool(holes), 20)
    head = house.events[-1].seq
    feed_until(house, lambda: not thread.is_alive())
    thread.join()
    events.close()
    assert got[0].seq > head
    assert [hole.recording for hole in holes] == [own(house)]


def test_a_restored_copy_of_the_data_directory_is_the_same_recording() -> None:
    with stage() as house:
        house.write(frames(5))
        before = own(house)
        copy = Path(tempfile.mkdtemp())
        shutil.copytree(house.config.data_path, copy / "data")
        assert recording_id(copy / "data") == before
        shutil.rmtree(copy)
