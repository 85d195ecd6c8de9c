"""The browser comes back: each blow ends with frames flowing, and with the gap record that it should leave.

One house takes all the blows, one after the other, with numbered frames and a bare Socket.IO client as the control;
then it is stopped, and what stands in Parquet is compared: every run of lost numbers begins inside a recorded gap, and
none is stored twice. A gap ends with the first frame behind the handshake. Where one capture looks, there is none.
"""

import re
import signal
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator

import pytest
from msgspec import Struct

from tests.campaign import Control, Outcome, count, system_events
from tests.house import house
from tests.system.blows import Sight, stored_us

pytestmark = pytest.mark.system

QUIET_S = 1.2
SILENCE_S = 3.0
CLOCKS_US = 50_000
JOIN_US = 50_000  # a gap ends with the first frame behind the handshake; the control is a process of its own
SEEN_US = 300_000  # after a blow, what was under way may still be seen
EARLY_US = 800_000  # a gap may begin so long before a blow: at the last sign of life
SETTINGS = {
    "VECTRA_SIMULATOR_RATE": "100",
    "VECTRA_RECORDING_FLUSH_S": "1",
    "VECTRA_SUPERVISOR_INTENSITY": "1000",
    "VECTRA_SUPERVISOR_HANG_S": "20",  # the game that is silent below must not be replaced: it counts from 0 again
}


class Blow(Struct, frozen=True, kw_only=True):
    """What is done, and what must follow."""

    strike: Callable[[Sight], object]
    cause: str  # of the gap; a regular expression
    recovery: dict[str, str]  # what the pilot tells
    longest_s: float  # the gap, on a busy machine
    gaps: int = 1
    fewest: int | None = None  # where it depends on the moment; else as many


BLOWS = {
    "page crashed from within": Blow(
        strike=Sight.crash_page,
        cause="page crashed",
        recovery={"what": "reloaded", "cause": "page crashed"},
        longest_s=3,
    ),
    "renderer killed": Blow(
        strike=lambda sight: sight.signal_renderer(signal.SIGKILL),
        cause="page crashed",
        recovery={"what": "reloaded", "cause": "page crashed"},
        longest_s=3,
    ),
    "endless loop in the page": Blow(
        strike=lambda sight: sight.evaluate("for (;;);"),
        cause="page navigated",
        recovery={"what": "reloaded", "cause": "page hung"},
        longest_s=9,
    ),
    "socket closed for good": Blow(
        strike=lambda sight: sight.evaluate("socket.disconnect()"),
        cause="closed",
        recovery={"what": "reloaded", "cause": "socket closed"},
        longest_s=8,
    ),
    "socket closed by the server": Blow(
        strike=lambda sight: sight.have_socket_closed("politely"),
        cause="closed",
        recovery={"what": "reloaded", "cause": "socket closed"},
        longest_s=8,
    ),
    "socket closed under the page": Blow(
        strike=Sight.have_socket_closed,
        cause="closed",
        recovery={"what": "opened", "transport": "websocket"},  # the page comes back by itself
        longest_s=4,
    ),
    "both captures' connections cut": Blow(
        strike=lambda sight: sight.cut_captures("capture-a", "capture-b"),
        cause="connection lost",
        recovery={"what": "attached", "capture": "capture-a"},
        longest_s=2,
    ),
    "captures and socket lost together": Blow(
        strike=Sight.lose_both_captures_and_the_socket,
        cause="capture-[ab] died(; capture-[ab] died)?|page navigated|closed",
        recovery={"what": "reloaded", "cause": "socket closed"},
        longest_s=10,
        gaps=2,  # one behind the other, or one: a capture that is back before the other's death is known ends the first
        fewest=1,
    ),
    "page crashes again and again": Blow(
        strike=Sight.crash_again_and_again,
        cause="page crashed",
        recovery={"what": "reloaded", "cause": "page crashed"},
        longest_s=4,
        gaps=3,
    ),
    "user browses elsewhere": Blow(
        strike=Sight.browse_elsewhere,
        cause="page navigated",
        recovery={"what": "left", "cause": "another site in the tab"},
        longest_s=10,
    ),
    "tab closed": Blow(
        strike=Sight.close_page,
        cause="target gone",
        recovery={"what": "loaded", "cause": "tab closed"},
        longest_s=9,
    ),
    "renderer stopped": Blow(
        strike=lambda sight: sight.signal_renderer(signal.SIGSTOP),
        cause="connection lost",
        recovery={"what": "relaunched", "cause": "page hung"},
        longest_s=16,
    ),
    "Chromium stopped": Blow(
        strike=lambda sight: sight.signal_browser(signal.SIGSTOP),
        cause="connection lost",
        recovery={"what": "relaunched", "cause": "browser hung"},
        longest_s=10,
    ),
    "Chromium killed": Blow(
        strike=lambda sight: sight.signal_browser(signal.SIGKILL),
        cause="connection lost",
        recovery={"what": "relaunched", "cause": "browser gone"},
        longest_s=5,
    ),
    "its actor killed": Blow(
        strike=lambda sight: sight.signal_actors(signal.SIGKILL, "browser"),
        cause="connection lost",
        recovery={"what": "relaunched", "cause": "browser gone"},
        longest_s=5,
    ),
}  # fmt: skip


HARMLESS: dict[str, Callable[[Sight], object]] = {
    "one capture's connection cut": lambda sight: sight.cut_captures("capture-a"),
    "then the other's": lambda sight: sight.cut_captures("capture-b"),
}


class Fight(Struct, kw_only=True):
    """What the house took, and what it recorded."""

    outcome: Outcome
    sent: dict[int, float]  # number -> Unix ms
    stored_us: dict[int, int]  # number, rising -> when the page had it, Unix microseconds
    rounds: dict[str, tuple[float, float]] = {}  # blow -> Unix s: struck, over
    struck_by_s: dict[str, float] = {}  # a blow that goes over a connection takes its time
    told: list[dict[str, str]] = []
    trouble: str | None = None  # with the page, as status said at the end

    def in_a_gap(self, n: int, after_us: int) -> bool:
        """Whether a gap covers the moment in which a lost number came, be it `after_us` after its end."""
        sent_us = self.sent[n] * 1000
        came_us = sent_us + self.delay_us(n)
        return any(a - CLOCKS_US <= came_us and sent_us <= b + after_us for a, b, _ in self.outcome.gaps)

    def delay_us(self, n: int) -> float:
        """Return how long the number stored last before this one was under way, on a machine that may be busy."""
        numbers = list(self.stored_us)
        before = numbers[max(0, bisect_left(numbers, n) - 1)]
        return self.stored_us[before] - self.sent.get(before, self.stored_us[before] / 1000) * 1000

    def told_of(self, n: int) -> tuple[int, float, float, tuple[int, int, str]]:
        """Return a lost number, when it was sent, how long it may have been under way, and the next gap."""
        sent_us = self.sent[n] * 1000
        after = min((gap for gap in self.outcome.gaps if gap[1] >= sent_us), default=(0, 0, "none"))
        return n, sent_us, self.delay_us(n), after

    def gaps(self, name: str) -> list[tuple[int, int, str]]:
        """Return the gaps that ended in a round."""
        struck_s, over_s = self.rounds[name]
        return [gap for gap in self.outcome.gaps if struck_s * 1e6 < gap[1] <= over_s * 1e6]


@pytest.fixture(scope="module")
def fight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fight]:
    rounds: dict[str, tuple[float, float]] = {}
    struck_by_s: dict[str, float] = {}
    with house(tmp_path_factory.mktemp("recovery"), SETTINGS) as home:
        sight = Sight(home)
        try:
            with Control(home.status()["endpoints"]["simulator"]) as control:
                sight.flow(QUIET_S)
                with sight.page() as tabs:
                    tabs.reload()  # the page's socket is seen to open
                for name, blow in BLOWS.items():
                    sight.flow(QUIET_S)
                    control.sent = control.sent if rounds else {}  # counting begins in the middle of the stream
                    struck_s = time.time()
                    blow.strike(sight)
                    struck_by_s[name] = time.time()
                    sight.game_again(struck_s)
                    rounds[name] = (struck_s, time.time())
                for name, strike in HARMLESS.items():
                    sight.flow(QUIET_S)
                    struck_s = time.time()
                    strike(sight)
                    sight.flow(QUIET_S)
                    rounds[name] = (struck_s, time.time())
                sight.flow(QUIET_S)
                rounds["silence"] = (time.time(), time.time() + SILENCE_S)
                sight.signal_actors(signal.SIGSTOP, "simulator")
                with pytest.raises(AssertionError):
                    sight.watch(lambda event: False, "nothing", SILENCE_S)
                sight.signal_actors(signal.SIGCONT, "simulator")
                sight.flow(QUIET_S)
                sent = dict(control.sent)
            sight.flow(QUIET_S)
        finally:
            sight.close()
        status = home.wait_ready()
        (pilot,) = (actor for actor in status["actors"] if actor["name"] == "pilot")
        assert home.interrupt() == 0, home.said()
        outcome = count(home.data_dir, sent, 0, status)
        yield Fight(
            outcome=outcome,
            sent=sent,
            stored_us=stored_us(home.data_dir),
            rounds=rounds,
            struck_by_s=struck_by_s,
            told=system_events(home.data_dir, "connection"),
            trouble=pilot["stats"]["error"],
        )


@pytest.mark.parametrize("name", BLOWS)
def test_one_gap_is_recorded_from_the_last_sign_of_life_to_the_first_frame(fight: Fight, name: str) -> None:
    blow, (struck_s, _) = BLOWS[name], fight.rounds[name]
    gaps = fight.gaps(name)
    assert (blow.fewest or blow.gaps) <= len(gaps) <= blow.gaps
    assert struck_s * 1e6 - EARLY_US <= gaps[0][0] <= fight.struck_by_s[name] * 1e6 + SEEN_US
    for from_us, to_us, cause in gaps:
        assert re.fullmatch(blow.cause, cause)
        assert to_us - from_us < blow.longest_s * 1e6


@pytest.mark.parametrize("name", BLOWS)
def test_what_was_done_about_it_is_recorded(fight: Fight, name: str) -> None:
    assert any(BLOWS[name].recovery.items() <= told.items() for told in fight.told)


def test_what_was_wrong_with_the_page_is_said_no_longer_when_it_is_over(fight: Fight) -> None:
    assert fight.trouble is None
    assert any(told["what"] == "returned" for told in fight.told)


def test_every_run_of_lost_numbers_begins_inside_a_gap_and_none_is_doubled(fight: Fight) -> None:
    lost = set(fight.outcome.lost)
    assert fight.outcome.sent > 2000
    assert fight.outcome.doubled == 0
    begins = [n for n in sorted(lost) if n - 1 not in lost and n - 1 in fight.sent]
    assert begins, "blows that cost no frame are no blows"
    assert [fight.told_of(n) for n in begins if not fight.in_a_gap(n, CLOCKS_US)] == []


def test_no_number_is_lost_later_than_the_page_needs_to_join(fight: Fight) -> None:
    assert [fight.told_of(n) for n in fight.outcome.lost if not fight.in_a_gap(n, JOIN_US)] == []


@pytest.mark.parametrize("name", [*HARMLESS, "silence"])
def test_where_somebody_looked_all_the_time_there_is_no_gap(fight: Fight, name: str) -> None:
    struck_s, over_s = fight.rounds[name]
    assert [gap for gap in fight.outcome.gaps if gap[1] > struck_s * 1e6 and gap[0] < over_s * 1e6] == []


@pytest.mark.parametrize("name", HARMLESS)
def test_where_one_capture_went_on_nothing_is_lost(fight: Fight, name: str) -> None:
    struck_s, over_s = fight.rounds[name]
    sent = {n for n, at_ms in fight.sent.items() if struck_s * 1e3 < at_ms < over_s * 1e3}
    assert len(sent) > 50
    assert sent & set(fight.outcome.lost) == set()
