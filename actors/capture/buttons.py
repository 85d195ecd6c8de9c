"""Presses of the game's buttons: what a capture says to the browser for them, and what the listener tells. Pure.

The listener (`buttons.js`) lives in an isolated world of each document, so no page can see it or its binding. Bindings
die with their document and come back only where Runtime events are on, which a page can notice; so the binding is made
anew at each navigation instead. A press on a page of another site goes no further than this module.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from actors.capture.maker import Maker
from actors.capture.same_site import is_at
from actors.capture.wire import Undecodable
from actors.core.messages import Pressed
from actors.rugs.buttons import MAX_TEXT, rules

WORLD: Final = "vectra-buttons-1"
"""Raise the number when the script changes: an open document keeps the one it has."""
BINDING: Final = "vectraPressed"
LONGEST_AGE_MS: Final = 60_000.0
LATEST_S: Final = 3.0
"""A capture on a loaded machine hears of a press later, by so much at most; else it is the page's clock that is off."""
MAX_BYTES: Final = 16_384

Asked = tuple[str, dict[str, Any]]
"""A command's method and parameters."""

_Text = Annotated[str, Meta(max_length=2000)]


class _Told(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the listener tells of a press."""

    page: Annotated[str, Meta(pattern="^[a-z0-9]{1,40}$")]  # made once for each document
    count: Annotated[int, Meta(ge=1, le=2**53)]  # of the document's presses
    at_ms: Annotated[float, Meta(ge=0, le=1e15)]  # when the browser took the click, by the document's clock, Unix
    age_ms: Annotated[float, Meta(ge=-1e12, le=1e12)]  # since then
    origin: _Text
    trusted: bool  # by a hand, or by CDP's input; else by a script
    text: Annotated[str, Meta(max_length=MAX_TEXT)]
    classes: _Text  # of the button and of what is around it
    is_button: bool
    amount: Annotated[str, Meta(max_length=24)] | None  # the amount field's text
    percent: Annotated[str, Meta(max_length=10)] | None  # the chosen share to sell


_decode: Final = msgspec.json.Decoder(_Told).decode
_encode: Final = msgspec.json.Encoder().encode


class Buttons:
    """Commands out; what was told in, presses out."""

    def __init__(self, site: Callable[[], str | None]) -> None:
        """site: the game's page as it is known now."""
        self._site = site
        self._script = script()

    def install(self) -> Iterator[Asked]:
        """Put the listener into the documents of a target, those that are there and those that will come."""
        yield (
            "Page.addScriptToEvaluateOnNewDocument",
            {"source": self._script, "worldName": WORLD, "runImmediately": True},
        )
        yield from self._bind()

    def follow(self, frame_id: str) -> Iterator[Asked]:
        """Bind the listener of a new document, in a world that is surely there."""
        yield ("Page.createIsolatedWorld", {"frameId": frame_id, "worldName": WORLD})
        yield from self._bind()

    def _bind(self) -> Iterator[Asked]:
        yield ("Runtime.removeBinding", {"name": BINDING})  # else nothing happens where it was bound before
        yield ("Runtime.addBinding", {"name": BINDING, "executionContextName": WORLD})

    def read(self, payload: str, target: str, make: Maker, now_s: float) -> Pressed | None:
        """Return the press, None for one on another site's page. Undecodable: no message of the listener."""
        try:
            told = _decode(payload[:MAX_BYTES])
        except (msgspec.DecodeError, UnicodeError) as error:
            raise Undecodable(str(error)) from error
        if not is_at(told.origin, self._site()):
            return None
        at_s = _time_of(told, now_s, make.offset_s)
        key = f"{make.guid}/{target}/{told.page}/{told.count}"
        data = {
            "key": key,
            "target": target,
            "trusted": told.trusted,
            "text": told.text,
            "classes": told.classes,
            "isButton": told.is_button,
            "amount": told.amount,
            "percent": told.percent,
        }
        return Pressed(0, make.at_us(at_s), at_s, key, _encode(data))


def script() -> str:
    """Return the listener's source with the rules in it."""
    source = Path(__file__).with_name("buttons.js").read_text(encoding="utf-8")
    arguments = {"RULES": _encode(rules()).decode(), "BINDING": _encode(BINDING).decode()}
    head, _, _ = source.rpartition("(RULES, BINDING);")
    return f"{head}({arguments['RULES']}, {arguments['BINDING']});"


def _time_of(told: _Told, now_s: float, offset_s: float) -> float:
    """Return when the browser took the click, in CDP seconds.

    The document's clock took the wall's time when the document began, and runs by itself since. It counts where it and
    the time of hearing agree but for the way here.
    """
    heard_s = now_s - min(max(told.age_ms, 0.0), LONGEST_AGE_MS) / 1000
    said_s = told.at_ms / 1000 - offset_s
    return said_s if 0 <= heard_s - said_s <= LATEST_S else heard_s
