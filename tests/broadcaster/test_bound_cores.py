"""The arithmetic behind the doors' bounds: subscriptions, queues, positions, log lines."""

import logging
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.broadcaster import request_queue, subscriptions
from actors.broadcaster.position_check import refusal
from actors.broadcaster.request_queue import DoorRequest, QueuedRequest, RequestQueue
from actors.broadcaster.subscriptions import Subscriptions
from actors.core.log_rate import RateLimitedLog
from actors.rugs.catalogue import LONGEST_RAW, unknown_types
from actors.rugs.drift import MAX_NAME

STEPS = st.lists(st.tuples(st.integers(0, 5), st.binary(max_size=3), st.sampled_from(["add", "discard", "forget"])))


@given(STEPS)
def test_what_is_wanted_is_what_the_connections_that_are_there_want(steps: list[tuple[int, bytes, str]]) -> None:
    wanted: Subscriptions[int] = Subscriptions()
    model: dict[int, set[bytes]] = {}
    for connection, beginning, step in steps:
        if step == "add":
            assert wanted.add(connection, beginning) is None
            model.setdefault(connection, set()).add(beginning)
        elif step == "discard":
            wanted.discard(connection, beginning)
            model.get(connection, set()).discard(beginning)
        else:
            wanted.forget(connection)
            model.pop(connection, None)
        every = set().union(*model.values())
        assert len(wanted) == len(every)
        assert wanted.wants("ab") == any(b"ab".startswith(one) for one in every)
        sizes = [len(one) + subscriptions.ENTRY_BYTES for held in model.values() for one in held]
        assert wanted.size_bytes == sum(sizes)


def test_a_peer_that_wants_too_much_is_named_and_the_others_stay() -> None:
    wanted: Subscriptions[str] = Subscriptions()
    assert wanted.add("good", b"game.") is None
    verdicts = [wanted.add("bad", b"%d" % number) for number in range(subscriptions.PEER_MAX + 1)]
    assert verdicts == [None] * subscriptions.PEER_MAX + ["bad"]
    assert wanted.add("long", b"x" * (subscriptions.LONGEST_BEGINNING + 1)) == "long"
    assert wanted.add("long", b"x" * subscriptions.LONGEST_BEGINNING) is None
    wide = [wanted.add("wide", b"%0104d" % number) for number in range(500)]
    assert "wide" in wide
    for name in ("bad", "long", "wide"):
        wanted.forget(name)
    assert wanted.wants("game.tick")
    assert not wanted.wants("0")
    assert wanted.size_bytes == len(b"game.") + subscriptions.ENTRY_BYTES


def test_where_all_want_too_much_together_whoever_wants_most_is_named() -> None:
    wanted: Subscriptions[int] = Subscriptions()
    cut: Counter[int] = Counter()
    assert wanted.add(-1, b"game.tick") is None
    for peer in range(300):
        for number in range(900 if peer % 3 else 2):
            guilty = wanted.add(peer, b"%d.%d" % (peer, number))
            if guilty is not None:
                cut[guilty] += 1
                wanted.forget(guilty)
        assert wanted.size_bytes <= subscriptions.TOTAL_BYTES
    assert cut
    assert all(peer % 3 for peer in cut)
    assert wanted.wants("game.tick")


def test_with_more_beginnings_than_are_compared_everything_is_sent() -> None:
    wanted: Subscriptions[int] = Subscriptions()
    for number in range(subscriptions.COMPARED_MAX + 1):
        assert wanted.add(number % 3, b"%d" % number) is None
    assert wanted.wants("never.heard.of")


def queued(client: int, request: str = "replay", size: int = 30) -> QueuedRequest:
    return QueuedRequest(b"%d" % client, None, [], DoorRequest(request), size)


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["snapshot", "replay"]), st.booleans()), max_size=60))
def test_each_request_is_answered_once_in_its_clients_order_one_at_a_time(steps: list[tuple[int, str, bool]]) -> None:
    queue, asked, answered, busy = RequestQueue(), list[QueuedRequest](), list[QueuedRequest](), set[bytes]()

    def drain(large: bool) -> None:
        while (one := queue.next(large=large)) is not None:
            assert one.client not in busy
            assert large or not one.is_large
            busy.add(one.client)
            answered.append(one)

    for client, request, finishes in steps:
        one = queued(client, request)
        asked.append(one)
        assert queue.add(one) == []
        drain(finishes)
        if finishes and busy:
            client_done = busy.pop()
            queue.done(client_done)
    while len(answered) < len(asked):
        for client_done in list(busy):
            busy.discard(client_done)
            queue.done(client_done)
        drain(True)
    for number in range(5):
        mine = b"%d" % number
        assert [one for one in answered if one.client == mine] == [one for one in asked if one.client == mine]
    assert queue.size_bytes == 0


def test_too_many_requests_are_refused_to_whoever_has_most() -> None:
    queue = RequestQueue()
    assert queue.add(queued(0)) == []
    refused = [queue.add(queued(1)) for _ in range(request_queue.WAITING_MAX + 5)]
    assert [len(one) for one in refused] == [0] * request_queue.WAITING_MAX + [1] * 5
    assert {one.client for some in refused for one in some} == {b"1"}
    for client in range(2, 100):
        for _ in range(3):
            assert all(one.client != b"0" for one in queue.add(queued(client, size=60_000)))
        assert queue.size_bytes <= request_queue.TOTAL_BYTES
    first = queue.next(large=True)
    assert first is not None
    assert first.client == b"0"


@pytest.mark.parametrize(
    ("since", "recording", "says"),
    [
        (None, None, None), (0, None, None), (500, "a", None), (511, None, None),
        (512, None, "beyond the newest number, 500"),
        (-1, None, "must be 0 to"), (2**53, None, "must be 0 to"), (10**400, None, "must be 0 to"),
        (5, "b", "another recording"), (None, "b", "another recording"), (512, "b", "another recording"),
        (5, "\ud800" * 9000, "another recording"), (5, "", "another recording"),
    ],
)  # fmt: skip
def test_a_position_is_refused_in_words(since: int | None, recording: str | None, says: str | None) -> None:
    found = refusal(since, recording, 500, "a")
    assert found is None if says is None else found is not None and says in found
    assert len((found or "").encode()) < 400


def test_1000_odd_patterns_against_1000_types_are_told_apart_at_once() -> None:
    seen = [f"raw.seen{number}" for number in range(1000)]
    wanted = [f"no.such{number}*" for number in range(1000)]
    assert unknown_types(wanted, seen) == wanted
    assert unknown_types([*seen, "odd.one", "odd.*"], ["odd.one"]) == []
    assert len("raw.") + MAX_NAME == LONGEST_RAW


def test_a_log_line_that_a_stranger_causes_comes_once_a_period(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    limited = RateLimitedLog(logging.getLogger("test"), period_s=60)
    for second in range(200):
        limited.write("cut", second, logging.INFO, "cut off: %s", "it floods")
        limited.write("other", second / 1000, logging.INFO, "other")
    assert [record.getMessage() for record in caplog.records] == [
        "cut off: it floods",
        "other",
        *["cut off: it floods (59 more like it since the last line)"] * 3,
    ]
