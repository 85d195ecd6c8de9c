"""The feed, message by message, over real sockets from a real broadcaster process."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from actors.broadcaster.envelope import SNAPSHOT_KEYS
from actors.core.recording_id import recording_id
from tests.broadcaster.feed_client import Client, Message, connect
from tests.broadcaster.stage import Stage, frames, stage, tick_frame

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def house() -> Iterator[Stage]:
    with stage() as made:
        made.write(frames(200))
        made.checkpoint()
        with made.broadcaster():
            yield made


async def settled(house: Stage, client: Client) -> None:
    """Send one event and wait for it: from then on the client is live and the broadcaster is at the head."""
    last = house.write([tick_frame(len(house.events) + 10_000)])[-1]
    await client.until(last.seq)


def test_a_client_gets_hello_then_the_snapshot_then_all_events(house: Stage) -> None:
    async def play() -> None:
        async with connect(house.endpoint("feed")) as client:
            hello, snapshot = await client.take(2)
            assert hello["type"] == "hello"
            assert hello["seq"] >= house.events[-1].seq
            assert {"game.tick", "player.trade", "raw.newChatMessage", "system.gap"} <= set(hello["types"])
            assert isinstance(hello["version"], str)
            assert snapshot["type"] == "snapshot"
            assert snapshot["seq"] == house.events[-1].seq
            assert snapshot["last"] == house.memory.last
            assert snapshot["data"]["price"] == 1.5
            new = house.write(frames(10, first=len(house.events) * 2))
            received = await client.until(new[-1].seq)
            assert [message["seq"] for message in received] == [event.seq for event in new]

    asyncio.run(play())


def test_an_event_is_an_envelope_with_the_data_as_derived(house: Stage) -> None:
    async def play() -> None:
        async with connect(house.endpoint("feed")) as client:
            event = house.write([tick_frame(20_000)])[-1]
            message = (await client.until(event.seq))[-1]
            assert list(message) == ["type", "ts", "gameId", "seq", "prev", "data"]
            assert message["type"] == "game.tick"
            assert (message["ts"], message["gameId"]) == (event.ts, event.game_id)
            assert message["data"] == json.loads(event.data)

    asyncio.run(play())


def expected(house: Stage, wanted: tuple[str, ...], since: int) -> list[tuple[int, int | None]]:
    """(seq, prev) of all events after `since` whose type begins so."""
    chain: list[tuple[int, int | None]] = []
    last: int | None = None
    for event in house.events:
        if event.type.startswith(wanted):
            if event.seq > since:
                chain.append((event.seq, last))
            last = event.seq
    return chain


def chain_of(messages: list[Message]) -> list[tuple[int, int | None]]:
    assert [message for message in messages if "prev" not in message] == []
    return [(message["seq"], message["prev"]) for message in messages]


@pytest.mark.parametrize(
    ("types", "begin"),
    [
        (None, ("",)),
        (["game.tick"], ("game.tick",)),
        (["raw.*", "player.*"], ("raw.", "player.")),
        (["*"], ("",)),
    ],
)
def test_prev_is_the_event_before_it_of_the_same_subscription(
    house: Stage, types: list[str] | None, begin: tuple[str, ...]
) -> None:
    async def play() -> None:
        async with connect(house.endpoint("feed")) as client:
            await settled(house, client)
            head = house.events[-1].seq
            answer = await client.subscribe(types)
            assert answer["seq"] >= head
            assert answer["types"] == types
            house.write(frames(50, first=len(house.events) * 2))
            chain = expected(house, begin, head)
            assert chain_of(await client.until(chain[-1][0])) == chain

    asyncio.run(play())


@pytest.mark.parametrize("types", [None, ["player.trade"], ["raw.*"]])
def test_since_brings_everything_after_it_then_live_without_hole_or_double(
    house: Stage, types: list[str] | None
) -> None:
    begin = tuple(name.rstrip("*") for name in types) if types else ("",)

    async def play() -> None:
        async with connect(house.endpoint("feed")) as client:
            await settled(house, client)
            for since in (0, house.events[37].seq, house.events[-2].seq):
                answer = await client.subscribe(types, since)
                recording = recording_id(house.config.data_path)
                known = {"unknown": [], "recording": recording}
                assert answer == {"type": "subscribed", "seq": since, "types": types, **known}
                house.write(frames(20, first=len(house.events) * 2))
                chain = expected(house, begin, since)
                assert chain_of(await client.until(chain[-1][0])) == chain

    asyncio.run(play())


def test_an_empty_subscription_gets_nothing_but_answers(house: Stage) -> None:
    async def play() -> None:
        async with connect(house.endpoint("feed")) as client:
            await client.subscribe([])
            house.write(frames(10, first=len(house.events) * 2))
            await client.say({"action": "ping", "ts": {"any": [1, "x"]}})
            assert await client.next() == {"type": "pong", "ts": {"any": [1, "x"]}}

    asyncio.run(play())


def test_a_star_in_the_middle_is_no_wildcard(house: Stage) -> None:
    async def play() -> None:
        async with connect(house.endpoint("feed")) as client:
            await client.subscribe(["*.tick", "game.*"])
            new = house.write(frames(10, first=len(house.events) * 2))
            ticks = [event.seq for event in new if event.type == "game.tick"]
            received = await client.until(ticks[-1])
            assert [message["seq"] for message in received] == ticks

    asyncio.run(play())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not understood"),
        ("[]", "not understood"),
        ('{"action": "dance"}', "'dance'"),
        ('{"action": "subscribe", "types": "game.tick"}', "types"),
        ('{"action": "subscribe", "types": [1]}', "types"),
        (json.dumps({"action": "subscribe", "types": [f"t{number}" for number in range(1001)]}), "1001 names"),
        ('{"action": "subscribe", "since": -1}', "since is -1"),
        ('{"action": "subscribe", "since": 1e400}', "not understood"),
        ('{"action": "subscribe", "since": 9007199254740993}', "since is 9007199254740993"),
        ('{"action": "ping", "ts": }', "not understood"),
    ],
)
def test_what_is_not_understood_is_answered_and_the_connection_stays(house: Stage, text: str, says: str) -> None:
    async def play() -> None:
        async with connect(house.endpoint("feed")) as client:
            await client.take(2)
            await client.subscribe([])
            await client.say(text)
            answer = await client.next()
            assert answer["type"] == "error"
            assert says in answer["message"]
            await client.say({"action": "ping", "ts": 1})
            assert await client.next() == {"type": "pong", "ts": 1}

    asyncio.run(play())


def test_binary_is_answered_with_an_error(house: Stage) -> None:
    async def play() -> None:
        async with connect(house.endpoint("feed")) as client:
            await client.take(2)
            await client.subscribe([])
            await client.socket.send_bytes(b"\xff\x00")
            assert (await client.next())["type"] == "error"

    asyncio.run(play())


def test_nothing_is_compressed_even_where_the_client_offers_it(house: Stage) -> None:
    async def play() -> None:
        async with connect(house.endpoint("feed"), compress=15) as client:
            assert client.socket.compress == 0
            assert (await client.next())["type"] == "hello"

    asyncio.run(play())


def test_a_message_of_a_megabyte_from_a_client_ends_its_connection_only(house: Stage) -> None:
    async def play() -> None:
        async with connect(house.endpoint("feed")) as other, connect(house.endpoint("feed")) as client:
            await client.say("x" * 1_000_000)
            while not (await client.socket.receive()).type.name.startswith("CLOS"):
                pass
            assert client.socket.close_code in (1009, 1006)  # 1006: the rest of the message met a closed socket
            await settled(house, other)

    asyncio.run(play())


def test_a_message_may_have_65536_bytes_and_no_more(house: Stage) -> None:
    async def play(size: int) -> str:
        async with connect(house.endpoint("feed")) as client:
            await client.subscribe([])
            await client.say('{"action":"ping","ts":"%s"}' % ("x" * (size - 25)))
            return (await client.socket.receive()).type.name

    assert asyncio.run(play(65_536)) == "TEXT"
    assert asyncio.run(play(65_537)).startswith("CLOS")


def test_without_any_state_the_snapshot_is_null_and_the_events_flow() -> None:
    async def play(house: Stage) -> None:
        async with connect(house.endpoint("feed")) as client:
            _, snapshot = await client.take(2)
            assert set(SNAPSHOT_KEYS) == set(snapshot["data"])
            assert set(snapshot["data"].values()) == {None}
            event = house.write([tick_frame(1)])[-1]
            assert (await client.next())["seq"] == event.seq

    with stage() as house:
        house.state_answers = False
        house.write(frames(20))
        with house.broadcaster():
            asyncio.run(play(house))
