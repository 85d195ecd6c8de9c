"""The browser comes back: each blow ends with frames flowing, and with the gap record that it should leave.

One house takes all the blows, one after the other, with numbered frames and a bare Socket.IO client as the control;
then it is stopped, and what stands in Parquet is compared: every run of lost numbers begins inside a recorded gap, and
none is stored twice. A gap ends with the page's first poll, and the page joins the game a moment later.
"""

import signal
import time
from collections.abc import Callable, Iterator

import pytest
from msgspec import Struct

from tests.campaign import Control, Outcome, count, system_events
from tests.house import house
from tests.system.blows import Sight

pytestmark = pytest.mark.system

QUIET_S = 1.2
SILENCE_S = 3.0
CLOCKS_US = 50_000
JOIN_US = 2_000_000  # from its first poll to the server's acceptance; 30 ms on an idle machine
SEEN_US = 300_000  # after a blow, what was under way may still be seen
EARLY_US = 800_000  # a gap may begin so long before a blow: at the last sign of life
SETTINGS = {"VECTRA_SIMULATOR_RATE": "100", "VECTRA_RECORDING_FLUSH_S": "1", "VECTRA_SUPERVISOR_INTENSITY": "1000"}


class Blow(Struct, frozen=True, kw_only=True):
    """What is done, and what must follow."""

    strike: Callable[[Sight], object]
    cause: str  # of the gap
    recovery: dict[str, str]  # what the pilot tells
    longest_s: float  # the gap, on a busy machine


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


class Fight(Struct, kw_only=True):
    """What the house took, and what it recorded."""

    outcome: Outcome
    sent: dict[int, float]  # number -> Unix ms
    rounds: dict[str, tuple[float, float]] = {}  # blow -> Unix s: struck, over
    struck_by_s: dict[str, float] = {}  # a blow that goes over a connection takes its time
    told: list[dict[str, str]] = []

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
        assert home.interrupt() == 0, home.said()
        outcome = count(home.data_dir, sent, 0, status)
        yield Fight(
            outcome=outcome,
            sent=sent,
            rounds=rounds,
            struck_by_s=struck_by_s,
            told=system_events(home.data_dir, "connection"),
        )


@pytest.mark.parametrize("name", BLOWS)
def test_one_gap_is_recorded_from_the_last_sign_of_life_to_the_first_frame(fight: Fight, name: str) -> None:
    blow, (struck_s, _) = BLOWS[name], fight.rounds[name]
    ((from_us, to_us, cause),) = fight.gaps(name)
    assert cause == blow.cause
    assert struck_s * 1e6 - EARLY_US <= from_us <= fight.struck_by_s[name] * 1e6 + SEEN_US
    assert to_us - from_us < blow.longest_s * 1e6


@pytest.mark.parametrize("name", BLOWS)
def test_what_was_done_about_it_is_recorded(fight: Fight, name: str) -> None:
    assert any(BLOWS[name].recovery.items() <= told.items() for told in fight.told)


def test_every_run_of_lost_numbers_begins_inside_a_gap_and_none_is_doubled(fight: Fight) -> None:
    outcome, lost = fight.outcome, set(fight.outcome.lost)
    assert outcome.sent > 2000
    assert outcome.doubled == 0
    begins = [fight.sent[n] * 1000 for n in sorted(lost) if n - 1 not in lost and n - 1 in fight.sent]
    assert begins, "blows that cost no frame are no blows"
    for at_us in begins:
        assert any(a - CLOCKS_US <= at_us <= b + CLOCKS_US for a, b, _ in outcome.gaps), (at_us, outcome.gaps)


def test_no_number_is_lost_later_than_the_page_needs_to_join(fight: Fight) -> None:
    for n in fight.outcome.lost:
        at_us = fight.sent[n] * 1000
        assert any(a - CLOCKS_US <= at_us <= b + JOIN_US for a, b, _ in fight.outcome.gaps), (n, at_us)


def test_silence_of_the_game_is_no_gap(fight: Fight) -> None:
    assert fight.gaps("silence") == []
