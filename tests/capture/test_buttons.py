"""Presses as the tap takes them: what it says to the browser, and what it makes of what the listener tells."""

from typing import Any

import msgspec
import pytest

from actors.capture.buttons import BINDING, WORLD, Buttons
from actors.capture.tap import Tap
from actors.core.messages import FrameSeen, Pressed
from tests.capture.playbook import PAGE, Play

SITE = "https://rugs.fun/"


class Pressing(Play):
    """A browser whose pages tell of presses."""

    def __init__(self, site: str | None = SITE) -> None:
        super().__init__(settled=False)
        self.tap = Tap("guid", 1000.0, Buttons(lambda: site))
        self.take(self.tap.begin(self.now_s))
        self.attach("S1", PAGE)
        self.enabled = self.said()
        self.answer_all()
        for id_ in range(1, 20):
            self.take(self.tap.handle(msgspec.json.encode({"id": id_, "result": {}}), self.now_s))
        self.fresh()

    def told(self, **changes: Any) -> dict[str, Any]:
        return {
            "page": "abc", "count": 1, "atMs": 1_009_400.0, "ageMs": 500.0, "origin": "https://rugs.fun",
            "trusted": True, "text": "BUY+0.030 SOL", "classes": "_buy_x", "isButton": True, "amount": "0.030",
            "percent": "100%",
        } | changes  # fmt: skip

    def press(self, payload: Any = None, name: str = BINDING, **changes: Any) -> list[Pressed]:
        text = payload if isinstance(payload, str) else msgspec.json.encode(self.told(**changes)).decode()
        self.event("Runtime.bindingCalled", name=name, payload=text, executionContextId=4)
        return [item for item in self.fresh() if isinstance(item, Pressed)]


def test_the_listener_is_in_place_before_a_page_may_run() -> None:
    said = [method for method, _ in Pressing().enabled]
    assert said[said.index("Inspector.enable") + 1 :] == [
        "Page.addScriptToEvaluateOnNewDocument",
        "Runtime.removeBinding",
        "Runtime.addBinding",
        "Target.setAutoAttach",
        "Runtime.runIfWaitingForDebugger",
    ]


def test_runtime_events_which_a_page_can_notice_stay_off() -> None:
    play = Pressing()
    play.navigate("https://rugs.fun/")
    assert "Runtime.enable" not in [method for method, _ in play.enabled + play.said()]


def test_a_new_document_is_bound_in_its_own_isolated_world() -> None:
    play = Pressing()
    play.navigate("https://rugs.fun/")
    world, removed, bound = play.commands
    assert (world.method, world.params) == ("Page.createIsolatedWorld", {"frameId": PAGE, "worldName": WORLD})
    assert (removed.method, removed.params) == ("Runtime.removeBinding", {"name": BINDING})
    assert (bound.method, bound.params) == ("Runtime.addBinding", {"name": BINDING, "executionContextName": WORLD})


def test_a_worker_gets_no_listener_and_without_the_switch_nobody_does() -> None:
    play = Pressing()
    play.attach("S2", "W1", kind="worker")
    assert all("Script" not in method and "Binding" not in method for method, _ in play.said())
    off = Play(settled=False)
    off.attach("S1", PAGE)
    off.navigate("https://rugs.fun/")
    assert all("Script" not in method and "Binding" not in method for method, _ in off.said())


def test_a_press_is_an_item_of_the_time_when_the_browser_took_the_click() -> None:
    (press,) = Pressing().press()
    assert press.cdp_s == pytest.approx(9.4)
    assert (press.key, press.at_us) == (f"guid/{PAGE}/abc/1", 1_009_400_000)
    assert msgspec.json.decode(press.data) == {
        "key": press.key, "target": PAGE, "trusted": True, "text": "BUY+0.030 SOL", "classes": "_buy_x",
        "isButton": True, "amount": "0.030", "percent": "100%",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("at_ms", "age_ms", "at_s"),
    [
        (1_007_000.0, 0.0, 7.0),  # heard late
        (1_006_000.0, 100.0, 9.9),  # the page's clock is behind
        (1_011_000.0, 100.0, 9.9),  # and ahead
        (0.0, -5.0, 10.0),
        (0.0, 1e9, -50.0),
    ],
)
def test_a_time_that_cannot_be_is_bounded(at_ms: float, age_ms: float, at_s: float) -> None:
    assert [press.cdp_s for press in Pressing().press(atMs=at_ms, ageMs=age_ms)] == [pytest.approx(at_s)]


def test_a_press_stands_between_the_frames_around_it() -> None:
    play = Pressing()
    play.frame("42[1]")
    play.poll("1", "abc")
    play.answered("1")
    play.event("Runtime.bindingCalled", name=BINDING, payload=msgspec.json.encode(play.told()).decode())
    play.frame("42[2]", sent=True)
    play.take(play.tap.tick(20.0))
    assert [type(item) for item in play.items if isinstance(item, FrameSeen | Pressed)] == [
        FrameSeen, Pressed, FrameSeen,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("site", "origin", "counts"),
    [
        (SITE, "https://rugs.fun", True),
        (SITE, "https://www.rugs.fun", True),
        (SITE, "https://rugs.fun.evil.example", False),
        (SITE, "https://notrugs.fun", False),
        (SITE, "https://dex.example", False),
        (SITE, "null", False),
        (SITE, "https://[", False),
        ("http://127.0.0.1:4000/", "http://127.0.0.1:4000", True),
        ("http://127.0.0.1:4000/", "http://127.0.0.1:5000", False),
        (None, "https://rugs.fun", False),
    ],
)
def test_only_presses_on_the_site_are_taken(site: str | None, origin: str, counts: bool) -> None:
    assert bool(Pressing(site).press(origin=origin)) is counts


@pytest.mark.parametrize(
    "payload",
    ["", "{", "[]", "{}", "null", '{"page":"abc","count":0}', "x" * 1_000_000, '{"page":"' + "y" * 20_000 + '"}'],
    ids=lambda payload: payload[:20],
)
def test_what_the_listener_never_says_is_counted_and_passed_over(payload: str) -> None:
    play = Pressing()
    assert play.press(payload) == []
    assert play.tap.undecodable == 1
    assert play.press(text="z" * 61) == []
    assert play.tap.undecodable == 2


def test_another_binding_is_none_of_ours() -> None:
    play = Pressing()
    assert play.press(name="other") == []
    assert play.tap.undecodable == 0
