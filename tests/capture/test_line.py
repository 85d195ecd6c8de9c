"""The line: order kept, whatever comes late."""

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.capture.line import HOLD_S, Line, Place
from actors.core.messages import Captured, FrameSeen


def item(number: int) -> FrameSeen:
    return FrameSeen(n=number, at_us=0, cdp_s=0.0, stream="s", sent=False, opcode=1, payload=b"")


def test_items_wait_behind_a_place_and_leave_after_it() -> None:
    line = Line()
    assert list(line.put(item(1))) == [item(1)]
    place = line.reserve(10.0)
    assert list(line.put(item(3))) == []
    assert line.oldest_s() == 10.0
    assert list(line.fill(place, [item(2)])) == [item(2), item(3)]
    assert line.oldest_s() is None


def test_a_place_is_given_up_after_its_time_and_what_comes_then_leaves_at_once() -> None:
    line = Line()
    place = line.reserve(10.0)
    list(line.put(item(2)))
    assert list(line.expire(10.0 + HOLD_S - 0.01)) == []
    assert list(line.expire(10.0 + HOLD_S)) == [item(2)]
    assert list(line.fill(place, [item(1)])) == [item(1)]


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(st.sampled_from(["put", "reserve"]), max_size=30), order=st.randoms(use_true_random=False))
def test_any_order_of_bodies_gives_the_order_of_events(steps: list[str], order: object) -> None:
    line = Line()
    left: list[Captured] = []
    places: list[tuple[Place, FrameSeen]] = []
    for number, step in enumerate(steps):
        if step == "put":
            left += line.put(item(number))
        else:
            places.append((line.reserve(0.0), item(number)))
    order.shuffle(places)  # type: ignore[attr-defined]
    for place, late in places:
        left += line.fill(place, [late])
    assert left == [item(number) for number in range(len(steps))]
