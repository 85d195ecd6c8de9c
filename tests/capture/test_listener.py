"""The listener itself in a real Chromium: exactly the buttons, no delay, and no failure that a page could see."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from actors.capture.buttons import BINDING, WORLD, script
from tests.cdp import NEEDS_CHROMIUM, Tab, chromium, new_tab

pytestmark = [pytest.mark.system, NEEDS_CHROMIUM]

CONTROLS = """
<div class="_tradeControlsMain_q"><div class="_buySection_q">
  <div class="_amountInputContainer_q"><input id="amount" value="0.125"></div>
  <div class="_inputActions_q">
    <button class="_clearButton_q" id="clear"><svg id="svg"><path d="M0 0"/></svg>✕</button></div>
  <button class="_controlBtn_q" id="step">+0.01</button><button class="_controlBtn_q" id="double">X2</button></div>
  <button class="_percentageBtn_q" id="quarter">25%</button>
  <button class="_percentageBtn_q _active_q" id="half">50%</button>
  <div class="_buttonsRow_q" id="row">
    <div class="_buttonSection_q" id="buy"><div><span>BUY</span><b id="live">+0.125&nbsp; SOL</b></div></div>
    <div class="_buttonSection_q"><button id="sell"><div>SELL</div></button></div></div></div>
<div class="sidebet-banner"><p id="words">SIDE bets pay</p><div class="bet-button" id="bet">Win 0.5</div></div>
<button class="_modalClose_q" id="close">X</button><p id="chat">buy</p>
<input id="secret" type="password" value="s3cret">
"""


class Page:
    """One tab with the listener in it."""

    def __init__(self, tab: Tab) -> None:
        self._tab = tab
        self.call, self.value = tab.call, tab.value
        self.call("Page.enable")
        self.call("Page.addScriptToEvaluateOnNewDocument", source=script(), worldName=WORLD, runImmediately=True)
        self.call("Runtime.addBinding", name=BINDING, executionContextName=WORLD)
        self.value(f"document.body.innerHTML = {json.dumps(CONTROLS)}; 1")

    def click(self, id_: str) -> list[dict[str, Any]]:
        """Click an element by script; return what the listener told of it."""
        self._tab.events.clear()
        self.value(f"document.getElementById({id_!r}).dispatchEvent(new MouseEvent('click', {{bubbles: true}})); 1")
        called = [event["params"] for event in self._tab.events if event["method"] == "Runtime.bindingCalled"]
        return [json.loads(params["payload"]) for params in called]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("profile")) as url, new_tab(url) as tab:
        yield Page(tab)


@pytest.mark.parametrize(
    ("pressed", "text"),
    [
        ("clear", "✕"), ("svg", "✕"), ("step", "+0.01"), ("double", "X2"), ("quarter", "25%"), ("buy", "BUY+0.125 SOL"),
        ("live", "BUY+0.125 SOL"), ("sell", "SELL"), ("bet", "Win 0.5"),
    ],
)  # fmt: skip
def test_a_press_anywhere_in_a_button_is_told_once(page: Page, pressed: str, text: str) -> None:
    (told,) = page.click(pressed)
    assert told["text"] == text
    assert (told["amount"], told["percent"], told["trusted"]) == ("0.125", "50%", False)
    assert told["ageMs"] >= 0


@pytest.mark.parametrize("pressed", ["row", "words", "close", "chat", "amount", "secret"])
def test_a_press_elsewhere_is_not_told(page: Page, pressed: str) -> None:
    assert page.click(pressed) == []


def test_no_text_but_a_number_is_read_from_the_amount_field(page: Page) -> None:
    page.value("document.getElementById('amount').value = 'correct horse battery'; 1")
    (told,) = page.click("sell")
    page.value("document.getElementById('amount').value = '0.125'; 1")
    assert told["amount"] is None
    assert "horse" not in json.dumps(told)


def test_each_press_of_a_document_has_its_own_number(page: Page) -> None:
    told = [page.click("sell")[0] for _ in range(3)]
    assert len({one["page"] for one in told}) == 1
    assert [one["count"] - told[0]["count"] for one in told] == [0, 1, 2]


def test_evaluated_twice_it_listens_once(page: Page) -> None:
    page.call("Page.addScriptToEvaluateOnNewDocument", source=script(), worldName=WORLD, runImmediately=True)
    assert len(page.click("sell")) == 1


def test_a_page_that_stops_the_event_first_is_heard_all_the_same(page: Page) -> None:
    stop = "(event) => { event.stopImmediatePropagation(); event.preventDefault(); }"
    page.value(f"window.stop_ = {stop}; addEventListener('click', stop_, true); 1")
    assert len(page.click("sell")) == 1
    page.value("removeEventListener('click', stop_, true); 1")


def test_a_page_that_breaks_its_own_world_breaks_nothing_here(page: Page) -> None:
    page.value(
        "window.kept = [JSON.stringify, Element.prototype.getAttribute]; JSON.stringify = () => { throw 1; };"
        "Element.prototype.getAttribute = () => { throw 2; }; window.failed = 0; onerror = () => { failed += 1; }; 1"
    )
    told = page.click("sell")
    assert page.value("[JSON.stringify, Element.prototype.getAttribute] = kept; failed") == 0
    assert len(told) == 1


def test_a_click_without_a_binding_goes_through(page: Page) -> None:
    page.call("Runtime.removeBinding", name=BINDING)
    page.value("window.clicks = 0; document.getElementById('sell').onclick = () => { clicks += 1; }; 1")
    page.value("document.getElementById('sell').click(); 1")
    assert page.value("clicks") == 1
    assert page.click("sell") == []
    page.call("Runtime.addBinding", name=BINDING, executionContextName=WORLD)
    assert len(page.click("sell")) == 1


def test_a_click_is_not_delayed(page: Page) -> None:
    """A thousand presses in a document of ten thousand elements cost well under a millisecond each."""
    page.value("document.body.append(...Array.from({length: 10000}, () => document.createElement('i'))); 1")
    spent_ms = page.value(
        "(() => { const b = document.getElementById('sell'); const began = performance.now();"
        "for (let i = 0; i < 1000; i += 1) b.dispatchEvent(new MouseEvent('click', {bubbles: true}));"
        "return performance.now() - began; })()"
    )
    print(f"{spent_ms / 1000:.4f} ms a press")
    assert spent_ms < 1000
