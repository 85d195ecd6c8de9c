"""Deaths, holes and history: nothing is missing, nothing comes twice, and what is gone is said."""

import asyncio
import itertools
import os
import signal
from contextlib import closing
from pathlib import Path

import pytest

from actors.broadcaster.archivist import Archivist, Wanted
from actors.core.checkpoints import Checkpoints
from actors.core.messages import SEQ_STEP
from actors.core.segments import segment_paths
from tests.broadcaster.feed_client import Message, connect
from tests.broadcaster.stage import Stage, frames, stage, tick_frame
from tests.processes import wait_for

pytestmark = pytest.mark.system


async def received_after(house: Stage, since: int, upto: int, types: list[str] | None = None) -> list[Message]:
    async with connect(house.endpoint("feed")) as client:
        await client.subscribe(types, since)
        return await client.until(upto)


def test_a_killed_broadcaster_comes_back_on_its_ports_and_a_client_resumes_without_hole_or_double() -> None:
    seqs: list[int] = []

    async def listen(house: Stage, count: int) -> None:
        async with connect(house.endpoint("feed")) as client:
            await client.subscribe(None, seqs[-1] if seqs else 0)
            for _ in range(count):
                house.beat()  # as the normalizer does: a batch that met no subscriber yet shows as a hole
                seqs.append((await client.next())["seq"])

    with stage() as house:
        endpoints = []
        for life in range(4):
            house.write(frames(60, first=life * 1000), live=False)  # while nobody is there to hear it
            if life % 2:
                house.checkpoint()
            with house.broadcaster() as running:
                endpoints.append([house.endpoint(name) for name in ("feed", "monitor", "events", "requests")])
                house.write(frames(60, first=life * 1000 + 60))
                asyncio.run(listen(house, len(house.events) - len(seqs) - 7))
                running.kill()
        assert endpoints == [endpoints[0]] * 4
        with house.broadcaster():
            asyncio.run(listen(house, len(house.events) - len(seqs)))
        assert seqs == [event.seq for event in house.events]


def test_two_thousand_events_are_the_same_live_and_in_replay() -> None:
    async def live(house: Stage) -> list[Message]:
        async with connect(house.endpoint("feed")) as client:
            await client.subscribe(None, 0)
            for first in range(0, 2600, 100):
                house.write(frames(100, first=first))
                if first % 500 == 0:
                    house.checkpoint()
            return await client.until(house.events[-1].seq)

    async def again(house: Stage) -> list[Message]:
        return await received_after(house, 0, house.events[-1].seq)

    with stage() as house:
        with house.broadcaster():
            first = asyncio.run(live(house))
        with house.broadcaster():
            second = asyncio.run(again(house))
            assert len(first) >= 2000
            assert first == second
            assert [message["seq"] for message in first] == [event.seq for event in house.events]
            middle = house.events[1234].seq
            assert asyncio.run(received_after(house, middle, house.events[-1].seq)) == first[1235:]


def test_a_hole_in_the_live_stream_is_filled_from_the_journal() -> None:
    async def play(house: Stage) -> list[Message]:
        async with connect(house.endpoint("feed")) as client:
            await client.subscribe(None, 0)
            house.write(frames(50))
            house.write(frames(300, first=50), live=False)
            house.write(frames(50, first=350))
            return await client.until(house.events[-1].seq)

    with stage() as house, house.broadcaster():
        messages = asyncio.run(play(house))
        assert [message["seq"] for message in messages] == [event.seq for event in house.events]
        assert [message["prev"] for message in messages] == [None, *[event.seq for event in house.events[:-1]]]


def test_batches_that_come_again_or_overlap_change_nothing() -> None:
    async def play(house: Stage) -> list[Message]:
        async with connect(house.endpoint("feed")) as client:
            await client.subscribe(None, 0)
            house.write(frames(40))
            house.send(0, house.head, house.events)
            house.send(SEQ_STEP * 3, SEQ_STEP * 9, [e for e in house.events if SEQ_STEP * 4 <= e.seq < SEQ_STEP * 10])
            before = house.head
            new = house.write(frames(5, first=40), live=False)
            house.send(before - 2 * SEQ_STEP, house.head, [*house.events[-8:-5], *new])
            house.write([tick_frame(100)])
            return await client.until(house.events[-1].seq)

    with stage() as house, house.broadcaster():
        messages = asyncio.run(play(house))
        assert [message["seq"] for message in messages] == [event.seq for event in house.events]


def test_a_replay_that_meets_new_events_joins_them_without_hole_or_double() -> None:
    async def play(house: Stage) -> None:
        async with connect(house.endpoint("feed")) as client:
            for since in (0, house.events[300].seq, 0):
                await client.subscribe(["game.*"], since)
                for part in range(10):
                    house.write(frames(20, first=5000 + len(house.events) + part * 40))
                    await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(None, lambda: None), 1)
                wanted = [event.seq for event in house.events if event.type == "game.tick" and event.seq > since]
                assert [message["seq"] for message in await client.until(wanted[-1])] == wanted

    with stage() as house:
        house.write(frames(2000))
        house.checkpoint()
        with house.broadcaster():
            asyncio.run(play(house))


def test_what_is_not_kept_any_more_is_told_as_dropped() -> None:
    async def play(house: Stage, kept: int) -> None:
        async with connect(house.endpoint("feed")) as client:
            await client.subscribe(None, 5)
            first = await client.next()
            assert first == {"type": "dropped", "count": None, "from": 6, "to": kept - 1}
            wanted = [event.seq for event in house.events if event.seq >= kept]
            assert [message["seq"] for message in await client.until(wanted[-1])] == wanted

    with stage() as house:
        for first in range(0, 4000, 400):
            house.write(frames(400, first=first), live=False)
            house.checkpoint()
        segments = segment_paths(house.config.data_path / "journal")
        assert len(segments) > 2
        for path in segments[:-2]:
            path.unlink()
        oldest = int(segments[-2].stem)
        checkpoint = next(
            seq for seq in Checkpoints(house.config.data_path / "checkpoints").seqs() if seq >= oldest - SEQ_STEP
        )
        with house.broadcaster():
            asyncio.run(play(house, checkpoint + SEQ_STEP))


def test_a_dead_archivist_is_replaced() -> None:
    with stage() as house:
        house.write(frames(500))
        house.checkpoint()
        with house.broadcaster() as running:
            everything = [event.seq for event in house.events]
            for _ in range(2):
                messages = asyncio.run(received_after(house, 0, everything[-1]))
                assert [message["seq"] for message in messages] == everything
                archivist = next(iter(children(running.pid)))
                signal_and_wait(archivist)


def test_the_archivist_dies_with_the_broadcaster() -> None:
    with stage() as house:
        house.write(frames(500))
        house.checkpoint()
        with house.broadcaster() as running:
            asyncio.run(received_after(house, 0, house.events[-1].seq))
            (archivist,) = children(running.pid)
            running.kill()
            wait_for(lambda: not alive(archivist))


def test_a_stopped_broadcaster_says_goodbye_and_leaves_nothing() -> None:
    async def play(house: Stage, stop) -> int | None:
        async with connect(house.endpoint("feed")) as client:
            await client.subscribe(None, 0)
            await client.until(house.events[-1].seq)
            stop()
            await asyncio.wait_for(client.socket.receive(), 10)
            return client.socket.close_code

    with stage() as house:
        house.write(frames(500))
        house.checkpoint()
        with house.broadcaster() as running:
            assert asyncio.run(play(house, lambda: running.signal(signal.SIGTERM))) == 1001
            assert running.wait() == 0
            assert "Traceback" not in house.log
            assert "never retrieved" not in house.log


def test_pages_of_any_size_make_the_same_chain() -> None:
    with stage() as house:
        for first in range(0, 300, 100):
            house.write(frames(100, first=first), live=False)
            house.checkpoint()
        with closing(Archivist(house.config.data_path)) as archivist:
            for size, since in itertools.product((1, 3, 50, 1000), (0, 256, 777, house.events[120].seq)):
                at, seqs = since, []
                while True:
                    found = archivist.find(Wanted(since=at, types=["game.*"], events_max=size, bytes_max=10**9))
                    assert found.page is not None
                    ticks = [event.seq for event in house.events if event.type == "game.tick" and event.seq <= at]
                    assert found.page.last.get("game.tick") == (ticks[-1] if ticks else None)
                    seqs += [event.seq for event in found.page.events]
                    at = found.page.upto
                    if found.page.done:
                        break
                assert seqs == [event.seq for event in house.events if event.type == "game.tick" and event.seq > since]


def test_a_limit_within_a_record_cuts_there_and_the_rest_follows() -> None:
    with stage() as house:
        house.write(frames(50), live=False)
        at, events = 0, []
        with closing(Archivist(house.config.data_path)) as archivist:
            for upto in [event.seq for event in house.events]:
                found = archivist.find(Wanted(since=at, upto=upto, events_max=10, bytes_max=10**9))
                assert found.page is not None
                events += found.page.events
                at = found.page.upto
                assert at == upto
        assert events == house.events


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def signal_and_wait(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not alive(pid))


def test_a_reader_goes_on_by_the_number_of_the_last_event_without_reading_anew() -> None:
    with stage() as house:
        house.write(frames(1500), live=False)
        with closing(Archivist(house.config.data_path)) as archivist:
            for types in (None, ["player.*"], ["raw.*", "game.*"]):
                wanted = [
                    event.seq
                    for event in house.events
                    if types is None or any(event.type.startswith(name[:-1]) for name in types)
                ]
                since = 0
                seqs: list[int] = []
                while len(seqs) < len(wanted):
                    cursors = set(map(id, archivist._cursors))
                    found = archivist.find(Wanted(since=since, types=types, events_max=100, bytes_max=10**9))
                    assert found.page is not None
                    seqs += [event.seq for event in found.page.events]
                    assert not since or {id(archivist._cursors[-1])} <= cursors
                    since = seqs[-1]
                assert seqs == wanted


def test_two_readers_in_step_and_one_that_jumps_get_the_same() -> None:
    with stage() as house:
        house.write(frames(1500), live=False)
        every = [event.seq for event in house.events]
        with closing(Archivist(house.config.data_path)) as archivist:
            seqs: list[list[int]] = [[], []]
            while len(seqs[1]) < len(every):
                for reader in seqs:
                    since = reader[-1] if reader else 0
                    found = archivist.find(Wanted(since=since, events_max=70, bytes_max=10**9))
                    assert found.page is not None
                    reader += [event.seq for event in found.page.events]
            assert seqs == [every, every]
            for place in (900, 100, 1000, 101, 5, 700):
                found = archivist.find(Wanted(since=every[place], types=["game.*"], events_max=20, bytes_max=10**9))
                assert found.page is not None
                ticks = [event.seq for event in house.events if event.type == "game.tick"]
                assert [event.seq for event in found.page.events] == [seq for seq in ticks if seq > every[place]][:20]
                assert found.page.last["game.tick"] == max(seq for seq in ticks if seq <= every[place])
