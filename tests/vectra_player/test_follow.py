"""The follower's logic without a socket: any losses, any order of types, every event once."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vectra_player.event import Event, Hole
from vectra_player.follow import Answer, Ask, Follower, Listen, Lost, topics

TYPES = ("a.x", "a.y", "b")


def history(kinds: list[int]) -> list[Event]:
    last: dict[str, int] = {}
    events = []
    for place, kind in enumerate(kinds):
        name, seq = TYPES[kind], (place + 1) * 256
        events.append(Event(type=name, ts=0, game_id=None, seq=seq, prev=last.get(name), data={}))
        last[name] = seq
    return events


class Door:
    """Answers as the real one does, in batches of two."""

    def __init__(self, events: list[Event], kept_from: int = 0) -> None:
        self.events = events
        self.kept_from = kept_from

    def answer(self, request: dict[str, Any]) -> Answer:
        if request["request"] == "snapshot":
            return Answer(seq=0, last={event.type: event.seq for event in self.events})
        since, until, types = request["since"], request["until"], request["types"]
        if since + 1 < self.kept_from:
            lost = Lost(from_=since + 1, to=self.kept_from - 1)
            return Answer(dropped=lost, next=self.kept_from - 1)
        found = [
            event
            for event in self.events
            if since < event.seq <= (until or 1 << 60) and (not types or any(fits(event.type, name) for name in types))
        ]
        return Answer(events=found[:2], next=found[1].seq if len(found) > 2 else None)


def fits(name: str, wanted: str) -> bool:
    return name.startswith(wanted[:-1]) if wanted.endswith("*") else name == wanted


def play(follower: Follower, door: Door, live: Iterator[Event | None]) -> Iterator[Event]:
    """Drive until the live stream and one check after it are through."""
    steps = follower.run()
    result: Any = None
    ended = False
    while True:
        step = steps.send(result)
        result = None
        if isinstance(step, Event):
            yield step
        elif isinstance(step, Ask):
            result = door.answer(step.request)
        elif isinstance(step, Listen):
            if ended:
                return
            try:
                result = next(live)
            except StopIteration:
                ended = True


@given(
    kinds=st.lists(st.integers(0, 2), max_size=30),
    lost=st.sets(st.integers(0, 29)),
    doubled=st.sets(st.integers(0, 29)),
    types=st.sampled_from([(), ("a.x",), ("a.*",), ("a.y", "b"), ("*",)]),
    since=st.one_of(st.none(), st.integers(0, 31 * 256)),
)
def test_every_wanted_event_once_whatever_is_lost_or_doubled(
    kinds: list[int], lost: set[int], doubled: set[int], types: tuple[str, ...], since: int | None
) -> None:
    events = history(kinds)
    live = [event for place, event in enumerate(events) for _ in range(1 + (place in doubled)) if place not in lost]
    got = list(play(Follower(types, since, None), Door(events), iter(live)))
    expected = [event for event in events if not types or any(fits(event.type, name) for name in types)]
    expected = [event for event in expected if event.seq > (since or 0)]
    assert sorted(event.seq for event in got) == [event.seq for event in expected]
    for name in TYPES:
        of_type = [event.seq for event in got if event.type == name]
        assert of_type == sorted(of_type)


def test_what_is_gone_for_good_is_told_and_the_rest_follows() -> None:
    holes: list[Hole] = []
    events = history([0] * 10)
    got = list(play(Follower((), 0, holes.append), Door(events, kept_from=5 * 256), iter(())))
    assert holes == [Hole(first=1, last=5 * 256 - 1)]
    assert [event.seq for event in got] == [event.seq for event in events[4:]]


def test_an_event_that_prev_names_but_nobody_has_is_a_hole() -> None:
    holes: list[Hole] = []
    event = Event(type="b", ts=0, game_id=None, seq=2560, prev=512, data={})
    got = list(play(Follower((), 256, holes.append), Door([]), iter([event])))
    assert got == [event]
    assert holes == [Hole(first=257, last=512)]


def test_topics_are_the_beginnings() -> None:
    assert topics(()) == [b""]
    assert topics(("game.tick", "player.*")) == [b"game.tick", b"player."]


class Counting(Door):
    """A door that says where its numbers are, and counts how often it is asked for that."""

    asked = 0

    def answer(self, request: dict[str, Any]) -> Answer:
        said = super().answer(request)
        if request["request"] != "snapshot":
            return said
        self.asked += 1
        return Answer(head=self.events[-1].seq, last=said.last)


def test_where_the_numbers_begin_anew_it_goes_on_at_the_present_of_the_other_recording() -> None:
    holes: list[Hole] = []
    events = history([0] * 300)
    door = Counting(events[:4])

    def live() -> Iterator[Event]:
        yield events[3]
        for event in events[4:]:
            door.events.append(event)
            yield event

    assert list(play(Follower(("a.x",), 1 << 40, holes.append), door, live())) == events[4:]
    assert holes == [Hole(first=1, last=events[3].seq)]


def test_events_that_are_known_already_cost_few_questions() -> None:
    events = history([0] * 500)
    door = Counting(events)
    assert list(play(Follower((), 0, None), door, iter(events))) == events
    assert door.asked < 8
