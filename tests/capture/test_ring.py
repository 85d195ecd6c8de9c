"""The ring: numbered, bounded, sent again on demand; nothing lost but what it says."""

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.capture.ring import ITEM_BYTES, Ring
from actors.core.messages import Captured, CapturePosition, CapturePositions, FrameSeen, Lost
from tests.capture.takers import Taker


def frame(payload: bytes = b"x", at_us: int = 0) -> FrameSeen:
    return FrameSeen(n=0, at_us=at_us, cdp_s=at_us / 1e6, stream="g/t/1", sent=False, opcode=1, payload=payload)


def positions(epoch: int, *, nack: int = 0, have: int = 0, acked: int = 0, who: int = 7) -> CapturePositions:
    return CapturePositions(
        epoch=epoch, positions=[CapturePosition(incarnation=who, nack=nack, have=have, acked=acked)]
    )


def ring(limit_bytes: int = 1_000_000) -> Ring:
    return Ring("capture-a", 7, limit_bytes)


def send(ring_: Ring, read_until_s: float = 0.0) -> list[Captured]:
    batch = ring_.next_batch(read_until_s, "guid")
    ring_.sent(batch)
    return batch.items


def test_nothing_but_read_marks_is_sent_before_a_journal_is_heard_of() -> None:
    it = ring()
    it.add(frame())
    batch = it.next_batch(3.0, "guid")
    assert (batch.epoch, batch.after, batch.upto, batch.items) == (0, 0, 0, [])


def test_items_are_numbered_from_one_and_sent_once() -> None:
    it = ring()
    it.hear(positions(5))
    it.add(frame(b"a"))
    it.add(frame(b"b"))
    assert [item.n for item in send(it)] == [1, 2]
    assert send(it) == []


def test_a_new_journal_gets_all_that_the_old_one_had_not_on_disk() -> None:
    it = ring()
    it.hear(positions(5))
    for _ in range(4):
        it.add(frame())
    send(it)
    it.hear(positions(5, have=4, acked=2))
    it.hear(positions(6, have=2, acked=2))
    assert [item.n for item in send(it)] == [3, 4]
    assert it.unacked == 2


def test_a_hole_is_filled_once() -> None:
    it = ring()
    it.hear(positions(5))
    for _ in range(4):
        it.add(frame())
    send(it)
    it.hear(positions(5, nack=1, have=1))
    it.hear(positions(5, nack=1, have=1))
    assert [item.n for item in send(it)] == [2, 3, 4]
    assert send(it) == []


def test_positions_that_come_late_change_nothing() -> None:
    it = ring()
    it.hear(positions(6))
    it.add(frame())
    send(it)
    it.hear(positions(5, have=0))
    it.hear(positions(6, nack=2, have=1, acked=1))
    it.hear(positions(6, nack=1, have=0))
    assert send(it) == []
    assert it.unacked == 0


def test_the_forgotten_are_one_lost_item_that_takes_their_numbers() -> None:
    it = ring(3 * ITEM_BYTES + 10)
    for number in range(1, 6):
        it.add(frame(b"x", at_us=number))
    it.hear(positions(5))
    items = send(it)
    assert items[0] == Lost(n=2, at_us=2, cdp_s=2e-6, count=2, since_us=1)
    assert [item.n for item in items[1:]] == [3, 4, 5]
    assert it.forgotten == 2


def test_a_new_journal_is_told_only_of_what_it_has_not() -> None:
    it = ring(3 * ITEM_BYTES + 10)
    it.hear(positions(5))
    for number in range(1, 4):
        it.add(frame(at_us=number))
    send(it)
    it.hear(positions(5, have=1))
    for number in range(4, 7):
        it.add(frame(at_us=number))
    it.hear(positions(6, have=1))
    items = send(it)
    assert items[0] == Lost(n=3, at_us=3, cdp_s=3e-6, count=2, since_us=1)
    assert [item.n for item in items[1:]] == [4, 5, 6]


def test_the_newest_item_is_kept_however_large() -> None:
    it = ring(1000)
    it.add(frame(b"x" * 5000))
    it.hear(positions(5))
    assert [item.n for item in send(it)] == [1]


def test_what_the_journal_wrote_is_not_told_as_lost() -> None:
    it = ring(3 * ITEM_BYTES + 10)
    it.hear(positions(5))
    for _ in range(3):
        it.add(frame())
    send(it)
    it.hear(positions(5, have=3, acked=0))
    for _ in range(3):
        it.add(frame())
    assert [item.n for item in send(it)] == [4, 5, 6]
    assert it.forgotten == 0


def test_a_read_mark_counts_only_when_all_that_was_read_is_sent() -> None:
    it = ring()
    it.hear(positions(5))
    for _ in range(1500):
        it.add(frame())
    first = it.next_batch(9.0, "guid")
    it.sent(first)
    assert (first.upto, first.read_until_s) == (1000, 0.0)
    second = it.next_batch(9.0, "guid")
    assert (second.upto, second.read_until_s) == (1500, 9.0)


def test_a_read_mark_given_to_one_journal_says_nothing_to_the_next() -> None:
    it = ring()
    it.hear(positions(5))
    for _ in range(1500):
        it.add(frame())
    while send(it, 9.0):
        pass
    it.hear(positions(6))
    first = it.next_batch(9.5, "guid")
    assert (first.upto, first.read_until_s) == (1000, 0.0)


def test_what_is_under_way_is_bounded() -> None:
    it = ring(100_000_000)
    it.hear(positions(5))
    for _ in range(60):
        it.add(frame(b"x" * 500_000))
    sent = 0
    while items := send(it):
        sent += len(items)
    assert 30 <= sent <= 36
    it.hear(positions(5, have=sent))
    assert send(it)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 900)),
        st.tuples(st.just("send"), st.booleans()),  # whether it arrives: sockets of a dead journal swallow
        st.tuples(st.just("deliver"), st.integers(0, 5)),
        st.tuples(st.just("sync"), st.just(0)),
        st.tuples(st.just("publish"), st.integers(0, 3)),
        st.tuples(st.just("hear"), st.integers(0, 3)),
        st.tuples(st.just("exchange"), st.just(0)),
        st.tuples(st.just("kill"), st.booleans()),  # whether what was not synced is gone too
    ),
    max_size=120,
)


@settings(max_examples=250, deadline=None)
@given(steps=STEPS, limit=st.sampled_from([1000, 3000, 1_000_000]))
def test_a_journal_killed_at_will_gets_each_item_once_or_a_lost_for_it(
    steps: list[tuple[str, int]], limit: int
) -> None:
    it, taker = ring(limit), Taker(7)
    for what, value in steps:
        if what == "add":
            it.add(frame(b"x" * value, at_us=it.n + 1))
        elif what == "send":
            batch = it.next_batch(0.0, None)
            it.sent(batch)
            if value:
                taker.queue.append(batch)
        elif what == "exchange":
            taker.exchange(it)
        else:
            getattr(taker, what)(*([it] if what == "hear" else []), value)
        assert it.size_bytes <= limit or it.unacked == 1 or len(it._items) == 1
    taker.settle(it)
    assert taker.have == it.n
    assert [n for item in taker.items for n in numbers(item)] == list(range(1, it.n + 1))


def numbers(item: Captured) -> range:
    """The numbers that an item stands for; a Lost counts exactly."""
    return range(item.n - item.count + 1, item.n + 1) if isinstance(item, Lost) else range(item.n, item.n + 1)
