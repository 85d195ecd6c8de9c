"""The game's buttons: how each is known by its text and its classes, and what a press of it does.

One table serves both sides: its patterns go into the listener in the page, which tells only of what matches, and
`classify` names what was told. The patterns mean the same in Python and in JavaScript; case does not count. Class
suffixes change with each release of the page, prefixes do not; a text alone counts only on a real button.
"""

import re
from typing import Final, Literal

from msgspec import Struct

Category = Literal["amount", "percentage", "trade", "sidebet"]


class Button(Struct, frozen=True, kw_only=True):
    """One way to know a button. A button may have several; the first that fits decides."""

    label: str
    category: Category
    text: str  # pattern of the whole text, white space collapsed
    place: str | None = None  # pattern found in its classes or those around it; None: any real button
    percentage: float | None = None


_AMOUNT: Final = "control|amount|buySection|inputActions|clearButton"
_SHARE: Final = "percentage|sellControl|control"
_TRADE: Final = "buttonSection|buttonsRow|actionButton|tradeControls|_buy_|_sell_|_short_"
_LIVE: Final = r"(\s*[+-]?[\d.,]+\s*[a-z]{0,12})?"  # BUY, SELL carry a live amount: `BUY+0.030 SOL`


def _amount(label: str, text: str) -> Button:
    return Button(label=label, category="amount", text=text, place=_AMOUNT)


def _share(percent: int) -> Button:
    text, label = rf"{percent}\s?%", f"{percent}%"
    return Button(label=label, category="percentage", text=text, place=_SHARE, percentage=float(percent))


def _trade(label: str) -> tuple[Button, Button]:
    alone = "(?!.*(" + "|".join(sorted({"BUY", "SELL", "SHORT"} - {label})) + "))"  # not the space between two of them
    return (
        Button(label=label, category="trade", text=label + _LIVE),
        Button(label=label, category="trade", text=rf"{label}(?![a-z]){alone}.*", place=_TRADE),
    )


BUTTONS: Final[tuple[Button, ...]] = (
    _amount("X", "[x×✕✖]"),
    _amount("+0.001", r"\+\s?0?[.,]001"),
    _amount("+0.01", r"\+\s?0?[.,]01"),
    _amount("+0.1", r"\+\s?0?[.,]1"),
    _amount("+1", r"\+\s?1"),
    _amount("1/2", "1/2|½"),
    _amount("X2", r"[x×]\s?2|2\s?[x×]"),
    _amount("MAX", "max|all"),
    *map(_share, (10, 25, 50, 100)),
    *_trade("BUY"),
    *_trade("SELL"),
    *_trade("SHORT"),
    Button(label="SIDEBET", category="sidebet", text=r"side\s?bet(\s*win.*)?"),
    Button(label="SIDEBET", category="sidebet", text=r"(side|win(?![a-z])).*", place="(^|\\s)(bet|but)-button"),
)

MAX_TEXT: Final = 60
"""Characters of a text that are looked at; the longest label has 30."""

ORDER_KINDS: Final = {"BUY": "buy", "SELL": "sell", "SHORT": "short", "SIDEBET": "sidebet"}
"""Buttons that send an order -> what its name speaks of."""

_PATTERNS: Final = tuple(
    (button, re.compile(button.text, re.IGNORECASE), re.compile(button.place or "", re.IGNORECASE))
    for button in BUTTONS
)
_KIND_WORDS: Final = re.compile("short|sidebet|buy|sell", re.IGNORECASE)


def classify(text: str, classes: str, *, is_button: bool) -> Button | None:
    """Return the button with this text, None where it is none of the game's.

    classes: its own and those of the elements around it; is_button: a button by its element or role.
    """
    for button, pattern, place in _PATTERNS:
        if pattern.fullmatch(text) and (is_button if button.place is None else place.search(classes)):
            return button
    return None


def rules() -> list[tuple[str, str | None]]:
    """Return the patterns of text and place for the listener in the page."""
    return [(f"^(?:{button.text})$", button.place) for button in BUTTONS]


def order_kind(action: str) -> str | None:
    """Return what an order's name speaks of: buy, sell, short or sidebet."""
    found = _KIND_WORDS.search(action)
    return found[0].lower() if found else None
