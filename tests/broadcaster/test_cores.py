"""The broadcaster's pure parts: subscriptions, the ring, the timeline, a client's backlog, the outward forms."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.broadcaster import envelope
from actors.broadcaster.backlog import Backlog, Item
from actors.broadcaster.guard import Guard, Refused
from actors.broadcaster.health import reasons
from actors.broadcaster.hub import Channel, Hub
from actors.broadcaster.ring import Ring
from actors.broadcaster.subscription import Subscription
from actors.broadcaster.timeline import Timeline
from actors.core.config import Config, Feed
from actors.core.messages import SEQ_STEP, Event, Events

TYPES = ("game.tick", "player.trade", "raw.chat")


def event(seq: int, kind: int = 0, size: int = 10) -> Event:
    return Event(seq, TYPES[kind], 1000, None, b'{"x":"' + b"y" * size + b'"}')


def batch(after: int, upto: int, *events: Event) -> Events:
    return Events(epoch=0, nack=0, after=after, upto=upto, synced=0, events=list(events))


@pytest.mark.parametrize(
    ("types", "name", "matches"),
    [
        (None, "anything", True),
        ([], "game.tick", False),
        (["game.tick"], "game.tick", True),
        (["game.tick"], "game.tick2", False),
        (["game.*"], "game.tick", True),
        (["game.*"], "gamet", False),
        (["*"], "anything", True),
        (["*.tick"], "game.tick", False),
        (["a", "raw.*"], "raw.x", True),
    ],
)
def test_only_a_trailing_star_is_a_wildcard(types: list[str] | None, name: str, matches: bool) -> None:
    assert Subscription(types).matches(name) is matches


def test_the_same_types_in_any_order_are_the_same_subscription() -> None:
    assert Subscription(["b", "a", "a"]).key == Subscription(["a", "b"]).key
    assert Subscription(None).key != Subscription([]).key


def test_a_hostile_number_of_types_is_not_remembered() -> None:
    wanted = Subscription(["raw.*"])
    assert all(wanted.matches(f"raw.{number}") for number in range(10_000))
    assert len(wanted._known) <= 4096


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 400)), max_size=60), st.integers(0, 60), st.integers(1, 9))
def test_the_ring_knows_everything_above_its_floor(events: list[tuple[int, int]], place: int, limit: int) -> None:
    ring = Ring(bytes_max=3000)
    ring.start(256, {"game.tick": 256})
    made = [event(256 * (number + 2), kind, size) for number, (kind, size) in enumerate(events)]
    for one in made:
        ring.add(one)
    since = max(ring.floor, 256 * place)
    assert ring.after(since, limit) == [one for one in made if one.seq > since][:limit]
    assert [one for one in made if one.seq > ring.floor] == ring.after(ring.floor, 1000)
    last = {"game.tick": 256}
    last.update((one.type, one.seq) for one in made if one.seq <= since)
    assert ring.last_at(since) == last
    assert ring.size_bytes <= 3000
    assert len(ring) == len(ring.after(ring.floor, 1000))


def test_a_batch_that_continues_is_taken_and_one_that_was_had_is_not() -> None:
    timeline = Timeline(Ring())
    assert timeline.take(batch(0, 512, event(256), event(257), event(512))) == [event(256), event(257), event(512)]
    assert timeline.take(batch(0, 512, event(256), event(257), event(512))) == []
    assert timeline.take(batch(256, 768, event(512), event(768))) == [event(768)]
    assert (timeline.head, timeline.seq, timeline.hole) == (768, 768, None)
    assert timeline.last == {"game.tick": 768}


def test_events_within_the_last_record_are_not_taken_twice() -> None:
    timeline = Timeline(Ring())
    timeline.take(batch(0, 256, event(256), event(257)))
    assert timeline.seq == 257
    assert timeline.take(batch(256, 512, event(257), event(512))) == [event(512)]


def test_an_empty_batch_moves_the_head() -> None:
    timeline = Timeline(Ring())
    assert timeline.take(batch(0, 2560)) == []
    assert (timeline.head, timeline.seq, timeline.hole) == (2560, 2560, None)


def test_what_follows_a_hole_waits_for_the_journal() -> None:
    timeline = Timeline(Ring())
    timeline.take(batch(0, 256, event(256)))
    assert timeline.take(batch(512, 768, event(768))) == []
    assert timeline.take(batch(768, 1024, event(1024))) == []
    assert timeline.hole == 512
    assert timeline.fill([event(512)], 512 + SEQ_STEP - 1) == [event(512), event(768), event(1024)]
    assert (timeline.head, timeline.holes) == (1024, 1)
    assert timeline.take(batch(1024, 1280, event(1280))) == [event(1280)]


def test_a_heal_that_reads_more_than_was_held_makes_no_doubles() -> None:
    timeline = Timeline(Ring())
    assert timeline.take(batch(512, 768, event(768))) == []
    filled = timeline.fill([event(256), event(512), event(768), event(1024)], 1024)
    assert [one.seq for one in filled] == [256, 512, 768, 1024]
    assert timeline.take(batch(768, 1024, event(1024))) == []


@given(st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=25), st.randoms())
def test_any_losses_and_doubles_give_every_event_once_in_order(steps: list[tuple[int, bool]], chance) -> None:
    timeline, got, head, batches = Timeline(Ring()), list[Event](), 0, []
    for size, lost in steps:
        events = [event(head + SEQ_STEP * (number + 1)) for number in range(size)]
        batches.append((batch(head, head + SEQ_STEP * size, *events), lost))
        head += SEQ_STEP * size
    journal = [one for sent, _ in batches for one in sent.events]
    for place, (sent, lost) in enumerate(batches):
        if not lost:
            got += timeline.take(sent)
        if chance.random() < 0.3:
            got += timeline.take(batches[chance.randrange(place + 1)][0])
        if timeline.hole is not None and chance.random() < 0.5:
            upto = timeline.hole
            got += timeline.fill([one for one in journal if timeline.head < one.seq <= upto], upto)
    while (hole := timeline.hole) is not None:
        got += timeline.fill([one for one in journal if timeline.head < one.seq <= hole], hole)
    assert [one.seq for one in got] == [one.seq for one in journal if one.seq <= timeline.head]


def item(seq: int, size: int = 100) -> Item:
    return Item(seq, bytes([seq % 256]) * size)


def test_the_oldest_events_are_lost_and_named() -> None:
    backlog = Backlog(bytes_max=350, age_max_s=100)
    backlog.add([item(1), item(2), item(3), item(4), item(5)], now_s=0)
    assert backlog.lost == 2
    notice = envelope.text_frame(envelope.dropped(2, 1, 2))
    assert backlog.take(1000) == notice + item(3).frame + item(4).frame + item(5).frame
    assert not backlog
    assert backlog.size_bytes == 0


def test_what_waits_too_long_is_lost() -> None:
    backlog = Backlog(bytes_max=10_000, age_max_s=2)
    backlog.add([item(1)], now_s=0)
    backlog.add([item(2)], now_s=1)
    backlog.trim(now_s=2.5)
    assert backlog.take(1000) == envelope.text_frame(envelope.dropped(1, 1, 1)) + item(2).frame


def test_answers_are_never_lost() -> None:
    backlog = Backlog(bytes_max=250, age_max_s=100)
    backlog.add([item(1), item(0, 99), item(2), item(3)], now_s=0)
    notice = envelope.text_frame(envelope.dropped(2, 1, 2))
    assert backlog.take(1000) == notice + item(0, 99).frame + item(3).frame


def test_answers_alone_can_be_too_much() -> None:
    backlog = Backlog(bytes_max=250, age_max_s=100)
    backlog.add([item(0)] * 3, now_s=0)
    assert backlog.overfull


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 200), st.floats(0, 5)), max_size=50))
def test_a_backlog_keeps_its_bound_and_accounts_for_everything(steps: list[tuple[int, int, float]]) -> None:
    backlog, now_s, answers = Backlog(bytes_max=500, age_max_s=4), 0.0, 0
    for number, (is_event, size, later_s) in enumerate(steps, 1):
        now_s += later_s
        backlog.add([item(number * is_event, size)], now_s)
        answers += size * (not is_event)
        assert backlog.size_bytes <= max(500, answers)
    events = sum(is_event for is_event, _, _ in steps)
    kept = sum(1 for _, waiting in backlog._queue if waiting.seq)
    assert backlog.lost + kept == events
    backlog.take(1 << 30)
    assert (backlog.size_bytes, bool(backlog)) == (0, False)


class Listener:
    """A client of the hub that keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[Item] = []
        self.blocks = b""

    def send(self, items: list[Item], block: bytes) -> None:
        self.got += items
        self.blocks += block


def test_clients_with_the_same_subscription_share_one_encoding() -> None:
    timeline = Timeline(Ring())
    hub = Hub(timeline)
    listeners = [Listener(), Listener(), Listener()]
    hub.join(listeners[0], Subscription(["game.*"]))
    hub.join(listeners[1], Subscription(["game.*"]))
    hub.join(listeners[2], Subscription(None))
    hub.publish(timeline.take(batch(0, 768, event(256), event(512, kind=1), event(768))))
    assert [one.seq for one in listeners[0].got] == [256, 768]
    assert all(ours is theirs for ours, theirs in zip(listeners[0].got, listeners[1].got, strict=True))
    assert [one.seq for one in listeners[2].got] == [256, 512, 768]
    assert listeners[0].blocks == b"".join(one.frame for one in listeners[0].got)
    hub.leave(listeners[0], Subscription(["game.*"]))
    hub.publish(timeline.take(batch(768, 1024, event(1024))))
    assert (len(listeners[0].got), len(listeners[1].got)) == (2, 3)


def test_prev_counts_on_in_a_channel_and_begins_with_the_last_of_its_types() -> None:
    items = Channel(Subscription(["game.*"]), 7).items([event(256), event(512, kind=1), event(768)])
    assert [json.loads(one.frame[2:] if one.frame[1] < 126 else one.frame[4:])["prev"] for one in items] == [7, 256]


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_a_text_frame_has_the_header_of_its_size(size: int) -> None:
    framed = envelope.text_frame(b"x" * size)
    header = {0: 2, 125: 2, 126: 4, 65_535: 4, 65_536: 10}[size]
    assert len(framed) == size + header
    assert framed[0] == 0x81
    assert int.from_bytes(framed[2:header], "big") == (size if header > 2 else 0)


def test_an_envelope_is_json_whatever_the_names_hold() -> None:
    odd = Event(256, 'raw."\u2028x', 5, 'g"1', b'{"a":[1,2]}')
    assert json.loads(envelope.envelope(odd, None)) == {
        "type": odd.type, "ts": 5, "gameId": 'g"1', "seq": 256, "prev": None, "data": {"a": [1, 2]},
    }  # fmt: skip
    assert msgspec.msgpack.decode(envelope.pack(envelope.envelope_map(odd, 1)))["prev"] == 1


def test_nothing_known_is_null_never_zero() -> None:
    assert set(json.loads(envelope.NOTHING_KNOWN).values()) == {None}


def test_a_wildcard_address_lets_addresses_in_but_no_names(tmp_path: Path) -> None:
    guard = Guard(Config(feed=Feed(host="0.0.0.0")), tmp_path)
    guard.check("192.168.1.7:9000", None)
    guard.check("localhost", None)
    for host in ("evil.example", None, "", "192.168.1.7.evil.example"):
        with pytest.raises(Refused):
            guard.check(host, None)


@pytest.mark.parametrize(
    "host",
    ["evil.example@127.0.0.1", "user:word@localhost", "127.0.0.1/evil", "localhost?x", "localhost#x", "localhost:x"],
)
def test_a_host_header_is_a_name_and_a_port_and_nothing_else(tmp_path: Path, host: str) -> None:
    with pytest.raises((Refused, ValueError)):
        Guard(Config(), tmp_path).check(host, None)


def test_reasons_name_each_actor_that_is_not_ready() -> None:
    status: dict[str, Any] = {"actors": [{"name": "a", "state": "ready"}, {"name": "b", "state": "hung"}]}
    assert reasons(1000, 11_000, status) == ["b is hung"]
    status["actors"].append(
        {"name": "pilot", "state": "ready", "stats": {"error": "the page did not open (net::ERR_X)"}}
    )
    assert reasons(1000, 11_000, status) == ["b is hung", "the page did not open (net::ERR_X)"]
    status["actors"][-1] = {"name": "journal", "state": "ready", "stats": {"error": "disk full"}}
    assert reasons(1000, 11_000, status) == ["b is hung", "journal: disk full"]
    assert reasons(1000, 11_001, {"actors": []}) == ["the last frame came 10 s ago"]
    assert reasons(None, 0, None) == ["no frame has been seen yet", "the supervisor does not answer"]


def test_health_tells_of_the_supervisor_and_of_the_games_socket() -> None:
    status = {"supervisor": {"state": "stopping"}, "source": {"connected": False}, "actors": []}
    assert reasons(1000, 2000, status) == ["the supervisor is stopping", "no socket of the game is seen"]
    status = {"supervisor": {"state": "running"}, "source": {"connected": None}, "actors": []}
    assert reasons(1000, 2000, status) == []
