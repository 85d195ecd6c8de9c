"""The restart decisions against a small model, over 10,000 random histories: who restarts, in which order, and when.

The model keeps every death for ever and counts them anew each time; what is under test keeps a window and a streak.
"""

from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.restart import QUICK_S, GroupHistory, History, Verdict, restarts
from supervisor.spec import ChildSpec, Group, Restart, Strategy

NAMES = "abcde"
STRATEGIES: tuple[Strategy, ...] = ("one_for_one", "one_for_all", "rest_for_one")
TYPES: tuple[Restart, ...] = ("permanent", "transient", "temporary")
CODES = (0, 1, -9, None)
STEPS_S = (0.0, 0.1, 1.0, 1.9, 2.0, 2.5, 5.0, 6.0)  # around the bounds: 2 s of being ready, periods of 1, 2 and 5 s
MIDDLE = 0.5  # of the jitter: none


class Death(NamedTuple):
    at_s: float
    lived_s: float | None  # after it was ready; None: it never was


class Bounds(NamedTuple):
    """The model of one history: all its deaths and nothing else."""

    intensity: int
    period_s: float
    deaths: list[Death]

    def delay_s(self) -> float:
        """Say how long the restart after the last death waits."""
        delayed = 0
        for number in range(len(self.deaths)):
            if self._proved(number):
                delayed = 0
            if self._too_many(number):
                wait_s = min(30.0, 2.0**delayed)
                delayed += 1
            else:
                wait_s = 0.0
        return wait_s

    def _proved(self, number: int) -> bool:
        lived_s = self.deaths[number].lived_s
        return lived_s is not None and lived_s >= self.period_s

    def _too_many(self, number: int) -> bool:
        now_s = self.deaths[number].at_s
        within = sum(now_s - death.at_s <= self.period_s for death in self.deaths[: number + 1])
        in_a_row = 0
        for death in self.deaths[: number + 1]:
            long = death.lived_s is not None and death.lived_s >= min(QUICK_S, self.period_s)
            in_a_row = 1 if long else in_a_row + 1
        return within > self.intensity or in_a_row > self.intensity


def expected(specs: list[ChildSpec], failed: str, strategy: str, own_s: float, group_s: float) -> Verdict:
    """Say in the plainest way what OTP's documentation says."""
    names = [spec.id for spec in specs]
    if strategy == "one_for_all" or group_s:
        whom = names
    elif strategy == "rest_for_one":
        whom = names[names.index(failed) :]
    else:
        whom = [failed]
    down = [name for name in names[::-1] if name in whom and name != failed]
    up = [spec.id for spec in specs if spec.id in whom and spec.restart != "temporary"]
    return Verdict(tuple(down), tuple(up), max(own_s, group_s), own_s > 0, group_s > 0)


@settings(max_examples=10_000)
@given(st.binary(min_size=8, max_size=40))
def test_ten_thousand_histories_are_judged_as_the_model_judges_them(dice: bytes) -> None:
    count, strategy, of_group, *rest = dice
    period_s = (1.0, 2.0, 5.0)[of_group % 3]
    specs = [
        ChildSpec(id=name, start="m:f", restart=TYPES[rest[number] % 3], group="g", intensity=rest[number] % 4)
        for number, name in enumerate(NAMES[: 1 + count % 5])
    ]
    bound = (None, 0, 1, 3)[of_group % 4]
    group = GroupHistory(Group(id="g", strategy=STRATEGIES[strategy % 3], intensity=bound, period_s=period_s))
    histories = {spec.id: History(spec.intensity, spec.period_s) for spec in specs}
    models = {spec.id: Bounds(spec.intensity, spec.period_s, []) for spec in specs}
    group_model = Bounds(bound or 0, period_s, [])
    now_s = 100.0
    for die in rest:
        spec, code = specs[die % len(specs)], CODES[(die >> 2) % 4]
        now_s += STEPS_S[(die >> 4) % 8]
        lived_s = (None, *STEPS_S)[die % 9]
        stays_down = spec.restart == "temporary" or (spec.restart == "transient" and code == 0)
        assert restarts(spec.restart, code) is not stays_down
        if stays_down:
            continue
        ready_s = None if lived_s is None else now_s - lived_s
        death = Death(now_s, None if ready_s is None else now_s - ready_s)
        models[spec.id].deaths.append(death)
        group_model.deaths.append(death)
        own_s = models[spec.id].delay_s()
        group_s = 0.0 if bound is None else group_model.delay_s()
        decision = histories[spec.id].died(now_s, ready_s, MIDDLE)
        verdict = group.died(decision, specs, spec.id, now_s, ready_s, MIDDLE)
        assert verdict == expected(specs, spec.id, STRATEGIES[strategy % 3], own_s, group_s)
        assert [name for name in verdict.start if name != spec.id] == [
            name for name in reversed(verdict.stop) if name in verdict.start
        ]  # they stop in the reverse of their start
