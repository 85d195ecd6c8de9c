"""Each button of the game's page is known by its text and classes, and nothing else is taken for one."""

import re

import pytest

from actors.rugs.buttons import BUTTONS, classify, order_kind, rules

AMOUNT = "_controlBtn_a1 _controlButtons_b2 _buySection_c3"
SHARE = "_percentageBtn_a1 _sellControlButtonsContainer_b2"
TRADE = "_buttonSection_a1 _buttonsRow_b2"


@pytest.mark.parametrize(
    ("text", "classes", "label", "category"),
    [
        ("BUY", "", "BUY", "trade"),
        ("BUY+0.030 SOL", "", "BUY", "trade"),
        ("Buy 0.5 FREE", "", "BUY", "trade"),
        ("SELL", "", "SELL", "trade"),
        ("SELL0.031 SOL", "", "SELL", "trade"),
        ("SELL 50% now", TRADE, "SELL", "trade"),
        ("SHORT +0.1 SOL", "", "SHORT", "trade"),
        ("SIDEBET Win 0.150 SOL", "", "SIDEBET", "sidebet"),
        ("Win 0.150 SOL", "bet-button", "SIDEBET", "sidebet"),
        ("SIDE 0.1", "x bet-button but-button-active", "SIDEBET", "sidebet"),
        *((text, "_clearButton_q", "X", "amount") for text in "X×✕✖"),
        ("X", "_inputActions_q", "X", "amount"),
        ("+0.001", AMOUNT, "+0.001", "amount"),
        ("+0.01", AMOUNT, "+0.01", "amount"),
        ("+0.1", AMOUNT, "+0.1", "amount"),
        ("+1", AMOUNT, "+1", "amount"),
        ("1/2", AMOUNT, "1/2", "amount"),
        ("½", AMOUNT, "1/2", "amount"),
        ("X2", AMOUNT, "X2", "amount"),
        ("×2", AMOUNT, "X2", "amount"),
        ("MAX", AMOUNT, "MAX", "amount"),
        ("all", AMOUNT, "MAX", "amount"),
        ("10%", SHARE, "10%", "percentage"),
        ("25 %", SHARE, "25%", "percentage"),
        ("50%", SHARE, "50%", "percentage"),
        ("100%", SHARE, "100%", "percentage"),
    ],
)
def test_a_button_of_the_game_is_known(text: str, classes: str, label: str, category: str) -> None:
    button = classify(text, classes, is_button=True)
    assert button is not None
    assert (button.label, button.category) == (label, category)


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("X", "_modalClose_1"),
        ("+1", "_reaction_1"),
        ("MAX", "_player_1"),
        ("10%", "_badge_1"),
        ("BUY CRYPTO WITH A CARD", "_wallet_1"),
        ("BUYBACK", TRADE),
        ("SELLER", TRADE),
        ("Side bet: a rug within 40 ticks pays 5 times.", "sidebet-banner sidebet-container"),
        ("Window", "bet-button"),
        ("", TRADE),
    ],
)
def test_another_button_is_none_of_the_games(text: str, classes: str) -> None:
    assert classify(text, classes, is_button=True) is None


def test_a_text_alone_counts_on_a_real_button_only() -> None:
    assert classify("buy", "_chatMessage_1", is_button=False) is None
    assert classify("buy", f"_label_ {TRADE}", is_button=False) is not None
    assert classify("BUY+0.030 SOLSELL", TRADE, is_button=False) is None, "the space between two buttons"


def test_a_share_button_says_its_share() -> None:
    button = classify("25%", SHARE, is_button=True)
    assert button is not None
    assert button.percentage == 25.0


def test_the_page_is_given_the_same_patterns() -> None:
    for (text, place), button in zip(rules(), BUTTONS, strict=True):
        assert place == button.place
        assert re.search(text, button.label, re.IGNORECASE)
        assert re.search(text, f"{button.label}?!", re.IGNORECASE) is None or "." in text


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("buyOrder", "buy"),
        ("sellOrder", "sell"),
        ("requestSidebet", "sidebet"),
        ("requestSideBet", "sidebet"),
        ("shortOrder", "short"),
        ("openShort", "short"),
        ("shortSellOrder", "short"),
        ("setLeverage", None),
    ],
)
def test_an_orders_name_says_which_button_sends_it(action: str, kind: str | None) -> None:
    assert order_kind(action) == kind
