"""The browser comes back: each blow ends with frames flowing, and with the gap record that it should leave.

One house takes all the blows, one after the other, with numbered frames and a bare Socket.IO client as the control;
then it is stopped, and what stands in Parquet is compared: no lost number outside a recorded gap, none stored twice.
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
        recovery={"what": "opened", "cause": "tab closed"},
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
    rounds: dict[str, tuple[float, float]] = {}  # blow -> Unix s: struck, over
    told: list[dict[str, str]] = []

    def gaps(self, name: str) -> list[tuple[int, int, str]]:
        """Return the gaps that ended in a round."""
        struck_s, over_s = self.rounds[name]
        return [gap for gap in self.outcome.gaps if struck_s * 1e6 < gap[1] <= over_s * 1e6]


@pytest.fixture(scope="module")
def fight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fight]:
    rounds: dict[str, tuple[float, float]] = {}
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
        yield Fight(outcome=outcome, rounds=rounds, told=system_events(home.data_dir, "connection"))


@pytest.mark.parametrize("name", BLOWS)
def test_one_gap_is_recorded_from_the_last_sign_of_life_to_the_first_frame(fight: Fight, name: str) -> None:
    blow, (struck_s, _) = BLOWS[name], fight.rounds[name]
    ((from_us, to_us, cause),) = fight.gaps(name)
    assert cause == blow.cause
    assert struck_s * 1e6 - EARLY_US <= from_us <= struck_s * 1e6 + 300_000
    assert to_us - from_us < blow.longest_s * 1e6


@pytest.mark.parametrize("name", BLOWS)
def test_what_was_done_about_it_is_recorded(fight: Fight, name: str) -> None:
    assert any(blow.items() <= told.items() for told in fight.told for blow in (BLOWS[name].recovery,))


def test_no_number_is_lost_outside_a_gap_and_none_is_doubled(fight: Fight) -> None:
    outcome = fight.outcome
    assert outcome.sent > 2000
    assert outcome.lost, "blows that cost no frame are no blows"
    assert (outcome.lost_outside_gaps, outcome.doubled) == (0, 0), outcome


def test_silence_of_the_game_is_no_gap(fight: Fight) -> None:
    assert fight.gaps("silence") == []
