"""All streams at once: what one stream does never costs another its place."""

from actors.core.messages import FrameSeen
from actors.journal.braid import IDLE_S, STREAMS_KEPT, Braid


def seen(stream: str, payload: bytes, cdp_s: float) -> FrameSeen:
    return FrameSeen(0, 0, cdp_s, stream, False, 1, payload)


def test_many_other_sockets_do_not_make_a_busy_one_be_stored_twice() -> None:
    braid = Braid(0.05)
    for capture in (1, 2):
        braid.opened("game", capture, 1.0, 0.0, whole=True)
    fresh = [m.fresh for m in braid.frame(1, seen("game", b"a", 1.5), 1.0, 1.0)]
    for number in range(STREAMS_KEPT + 10):
        braid.opened(f"other {number}", 1, 1.6, 1.1, whole=True)
    fresh += [m.fresh for m in braid.frame(2, seen("game", b"a", 1.5001), 1.0, 1.2)]
    fresh += [m.fresh for m in braid.frame(1, seen("game", b"b", 1.7), 1.0, 1.3)]
    assert fresh == [True, False, True]


def test_streams_that_nobody_speaks_of_any_more_are_forgotten() -> None:
    braid = Braid(0.05)
    for number in range(3 * STREAMS_KEPT):
        braid.opened(f"old {number}", 1, 1.0, 0.0, whole=True)
    for number in range(3 * STREAMS_KEPT):
        braid.opened(f"new {number}", 1, 1.0, IDLE_S + 1.0, whole=True)
    assert len(braid.streams) == 3 * STREAMS_KEPT
    assert not any(stream.startswith("old") for stream in braid.streams)
