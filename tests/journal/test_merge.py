"""The merge of two captures: the true stream, each frame once and in order, or `ambiguous`; never silently wrong."""

import os

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from actors.journal.merge import SKEW_S, Merged, Seen, StreamMerge

MORE = int(os.environ.get("MERGE_EXAMPLES", "0"))  # other ones each time, for `make soak`; else always the same
JITTER_S = 0.004  # each way: on a loaded machine two clients were seen to differ by 3.5 ms


def examples(count: int) -> settings:
    return settings(max_examples=MORE or count, deadline=None, derandomize=not MORE)


class Stay(Struct):
    """One capture's stay: when it attached and died, and how late each of its messages arrives."""

    capture: int
    since_s: float
    until_s: float
    lateness_s: float


class World(Struct):
    """A true stream and the stays that saw parts of it."""

    frames: list[tuple[bytes, float]]
    stays: list[Stay]
    jitter: list[float]


@st.composite
def worlds(draw: st.DrawFn, alphabet: int) -> World:
    count = draw(st.integers(1, 60))
    now_s, frames = 0.0, []
    for _ in range(count):
        now_s += draw(st.sampled_from([0.0, 0.0001, 0.001, 0.004, 0.05, 0.25]))
        frames.append((b"%d" % draw(st.integers(1, alphabet)), now_s))
    stays: list[Stay] = []
    for capture in (0, 1):
        at_s = draw(st.floats(-0.5, now_s * 0.5))
        while at_s < now_s and len(stays) < 12:
            until_s = at_s + draw(st.floats(0.001, 3.0))
            stays.append(Stay(capture, at_s, until_s, draw(st.floats(0.0, SKEW_S * 0.9))))
            at_s = until_s + draw(st.floats(0.002, 0.4))
    jitter = draw(st.lists(st.floats(-JITTER_S, JITTER_S), min_size=8, max_size=8))
    return World(frames, stays, jitter)


@st.composite
def restless(draw: st.DrawFn) -> World:
    """Unique payloads, read by clocks that differ by far more than the tolerance."""
    world = draw(worlds(alphabet=1))
    world.frames = [(b"%d" % number, at_s) for number, (_, at_s) in enumerate(world.frames)]
    world.jitter = draw(st.lists(st.floats(-0.12, 0.12), min_size=8, max_size=8))
    return world


def play(world: World) -> tuple[list[int], list[Merged], StreamMerge]:
    """Return (positions of the frames that anybody saw, what the merge gave, the merge)."""
    happenings: list[tuple[float, int, int, str, int]] = []
    seen: set[int] = set()
    for session, stay in enumerate(world.stays):
        happenings.append((stay.since_s + stay.lateness_s, session, -1, "attach", 0))
        for place, (_, at_s) in enumerate(world.frames):
            if stay.since_s <= at_s < stay.until_s:
                seen.add(place)
                happenings.append((at_s + stay.lateness_s, session, place, "frame", place))
        happenings.append((stay.until_s + stay.lateness_s, session, len(world.frames), "detach", 0))
    merge = StreamMerge()
    out: list[Merged] = []
    for now_s, session, _, what, place in sorted(happenings):
        if what == "attach":
            merge.attach(session, world.stays[session].since_s, now_s)
        elif what == "detach":
            out += merge.detach(session, now_s)
        else:
            digest, at_s = world.frames[place]
            wobble = world.jitter[(session + place) % len(world.jitter)]
            out += merge.frame(session, Seen(digest, at_s + wobble, place), now_s)
    last_s = max((happening[0] for happening in happenings), default=0.0)
    for step in range(1, 5):
        out += merge.decide(last_s + step * SKEW_S)
    return sorted(seen), out, merge


def assert_true_or_ambiguous(world: World) -> None:
    seen, out, merge = play(world)
    assert not merge.holding
    right = [world.frames[place][0] for place in seen]
    got = [world.frames[merged.item][0] for merged in out if merged.fresh]
    assert got == right or merge.ambiguous, (got, right)


@examples(300)
@given(worlds(alphabet=6))
def test_streams_of_few_payloads(world: World) -> None:
    assert_true_or_ambiguous(world)


@examples(300)
@given(worlds(alphabet=1))
def test_runs_of_identical_payloads(world: World) -> None:
    assert_true_or_ambiguous(world)


@examples(200)
@given(worlds(alphabet=10_000))
def test_streams_like_the_games_are_hardly_ever_ambiguous(world: World) -> None:
    assert_true_or_ambiguous(world)


@examples(400)
@given(restless())
def test_payloads_that_differ_are_never_lost_or_doubled_however_wrong_the_times_are(world: World) -> None:
    seen, out, merge = play(world)
    assert sorted(merged.item for merged in out if merged.fresh) == seen
    assert not merge.holding


def test_a_session_that_saw_what_the_merged_stream_lacks_adds_only_that() -> None:
    merge = StreamMerge()
    merge.opened(1, 0.0, 0.0, whole=True)
    fresh = [m.item for n in (0, 1, 2) for m in merge.frame(1, Seen(b"%d" % n, n / 10, n), 0.0) if m.fresh]
    fresh += [m.item for n in (5, 6, 7, 8) for m in merge.frame(1, Seen(b"%d" % n, n / 10, n), 0.0) if m.fresh]
    merge.attach(2, 0.1, 1.0)
    late = [m for n in range(1, 9) for m in merge.frame(2, Seen(b"%d" % n, n / 10, n), 1.0)]
    late += merge.decide(2.0)
    assert fresh == [0, 1, 2, 5, 6, 7, 8]
    assert sorted(m.item for m in late if m.fresh) == [3, 4]
    assert sorted(m.item for m in late if not m.fresh) == [1, 2, 5, 6, 7, 8]
    assert merge.ambiguous == 1, "the order is not the true one, and the merge says so once"
    after = [
        m.fresh
        for n in range(9, 15)
        for session in (1, 2)
        for m in merge.frame(session, Seen(b"%d" % n, n / 10, n), 2.1)
    ]
    assert sorted(after) == [False] * 6 + [True] * 6


def test_the_same_payload_of_another_time_is_another_frame() -> None:
    frames = [(b"1", 0.0)] * 9 + [(b"1", 0.05), (b"1", 0.1)]
    stays = [Stay(0, 0.0078125, 1.0, 0.0), Stay(1, 0.0, 0.03125, 0.03125)]
    assert_true_or_ambiguous(World(frames, stays, [0.0] * 8))


def test_captures_that_saw_a_stream_open_add_no_delay() -> None:
    merge = StreamMerge()
    merge.opened(1, 1.0, 0.0)
    merge.opened(2, 1.0004, 0.0)
    first = list(merge.frame(1, Seen(b"a", 1.1, "a"), 0.0))
    second = list(merge.frame(2, Seen(b"a", 1.1003, "a"), 0.0))
    assert [(merged.item, merged.fresh) for merged in first + second] == [("a", True), ("a", False)]


def test_a_stream_met_in_its_middle_is_not_aligned_with_its_beginning() -> None:
    merge = StreamMerge()
    merge.opened(1, 1.0, 0.0)
    for number in range(5):
        assert [m.fresh for m in merge.frame(1, Seen(b"2", 2.0 + number, number), 0.0)] == [True]
    merge.opened(2, 5.5, 0.0)
    assert list(merge.frame(2, Seen(b"2", 6.0001, 4), 0.0)) == [], "held: the merged stream has not passed it yet"
    after = list(merge.frame(1, Seen(b"2", 7.0, 5), 0.0))
    assert [(m.session, m.place, m.fresh) for m in after] == [(1, 5, True), (2, 4, False)]


def test_a_capture_that_hears_late_of_a_socket_that_opened_doubles_nothing() -> None:
    merge = StreamMerge()
    merge.opened(1, 1.0, 0.0, whole=True)
    first = [m.fresh for n in range(6) for m in merge.frame(1, Seen(b"%d" % n, 1.001 + n / 200, n), 0.0)]
    merge.opened(2, 1.03, 0.05, whole=True)
    second = [m.fresh for n in range(7) for m in merge.frame(2, Seen(b"%d" % n, 1.0011 + n / 200, n), 0.05)]
    assert (first, second) == ([True] * 6, [False] * 6 + [True])


def test_a_late_word_of_a_polling_session_does_not_hide_its_first_packets() -> None:
    merge = StreamMerge()
    merge.opened(1, 1.0, 0.0)
    first = [m.fresh for n in range(6) for m in merge.frame(1, Seen(b"%d" % n, 1.001 + n / 200, n), 0.0)]
    merge.opened(2, 1.03, 0.05)
    second = [m.fresh for n in range(6) for m in merge.frame(2, Seen(b"%d" % n, 1.0011 + n / 200, n), 0.05)]
    assert (first, second) == ([True] * 6, [False] * 6)


def test_a_capture_that_came_late_to_a_new_tab_doubles_nothing() -> None:
    merge = StreamMerge()
    merge.opened(1, 5.0, 0.0, whole=True)
    fresh = [m.fresh for n in range(6) for m in merge.frame(1, Seen(b"%d" % n, 5.01 + n / 10, n), 0.0)]
    merge.meet(2, 1.0, 5.31, 0.1)
    fresh += [m.fresh for n in range(3, 6) for m in merge.frame(2, Seen(b"%d" % n, 5.0101 + n / 10, n), 0.1)]
    assert fresh == [True] * 6 + [False] * 3
    assert merge.ambiguous == 0
