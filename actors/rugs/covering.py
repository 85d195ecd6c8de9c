"""Where a message names players: by key, by form, by place, and again wherever a name that it gives stands. Pure.

In: unescaped text of one message. Out: spots to be covered. Decided from the message alone, so that whoever reads the
same message finds the same spots. Linear in its size.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import islice
from typing import Final, Literal, NamedTuple

from actors.rugs import wire_player, wire_social, wire_state
from actors.rugs.player_keys import COIN, PLAYER, kind_of
from actors.rugs.spans import COLON, KEY, Value, elements, level_of, value_at
from actors.rugs.unescape import LEAD, QUOTES

MAX_ELEMENTS: Final = 2000
MAX_NESTED: Final = 4  # lists and objects of players in each other; each is read by itself
WINDOW: Final = 1000  # bytes around `name` in which its object must begin and end
_ID: Final = re.compile(rb"did:privy:[\w-]{1,200}+")
_ID_ESCAPED: Final = re.compile(rb"\x00*+".join(bytes([one]) for one in b"did:privy:") + rb"[\w\x00-]{1,900}+")
_EVENT: Final = re.compile(rb'4(?:2|5\d{1,9}+-)(?:/[^,]{0,255}+,)?+\d{0,15}+(?=\["([^"\\]{1,100}+)")')
_ACK: Final = re.compile(rb"4(?:3|6\d{1,9}+-)(?:/[^,]{0,255}+,)?+\d{0,15}+(?=\[)")
_MENTION: Final = re.compile(rb"(?<![\w.@/\x80-\xff])@([\w\x80-\xff][\w.\x80-\xff-]{1,63}+)")
_WORD: Final = re.compile(rb"[\w\x80-\xff][\w.\x80-\xff-]{1,63}+")
_LINK: Final = re.compile(rb"://[^\s\x0e\x0f" + QUOTES + rb"]++")
_TEXTS: Final = re.compile(rb"(?<=[" + QUOTES + rb"])[^" + QUOTES + rb"]++")
_NO_NAME: Final = re.compile(rb"[\d.,:TZ+-]++|[0-9a-fA-F-]{16,}+|.{65,}", re.DOTALL)  # a number, a time, a hash
_LOOKS_LIKE_NAME: Final = re.compile(rb"[\w\x80-\xff@][\w\x80-\xff .@!-]{1,63}+")
_KNOWN: Final = frozenset(
    name.lower().encode()
    for table in (wire_state.WIRE, wire_player.WIRE, wire_social.WIRE, wire_social.SENT)
    for name in table
)


class Spot(NamedTuple):
    """A span that names a player. did: `did:privy:…`; id: another id."""

    begin: int
    end: int
    kind: Literal["did", "id", "name"]
    level: int = 0


def spots(view: bytes, texts: list[Value]) -> Iterator[Spot]:
    """Yield what names a player by its form, its key or its place. texts: takes what people write, for `mentions`."""
    for did in (_ID_ESCAPED if b"\x00" in view else _ID).finditer(view) if b"privy" in view or b"\x00" in view else ():
        yield Spot(did.start(), did.start() + len(did[0].rstrip(b"\x00")), "did")
    ends: list[int] = []
    players, coins = _Marks(view, PLAYER), _Marks(view, COIN)
    for key in KEY.finditer(view):
        kind = kind_of(key[2])
        if not kind or (kind == "maybe" and not _is_players(view, key, players, coins)):
            continue
        level = level_of(key[1][0])
        ends = [end for end in ends if end > key.start()]
        at = COLON.match(view, key.end()).end()  # type: ignore[union-attr]
        if view[at : at + 1] != key[1] and (kind == "text" or len(ends) >= MAX_NESTED):
            continue  # a container is not read for its end: each of many nested ones would read those in it
        value = value_at(view, at, level)
        if kind == "text":
            texts.append(value)
            continue
        if not value.is_text:
            ends.append(value.end)
        yield from _in_value(view, value, level, kind)
    yield from _by_place(view)


def mentions(view: bytes, seen: set[bytes], texts: list[Value]) -> Iterator[Spot]:
    """Yield `@name` in any text, and in what people write and in links the names that the message gives elsewhere."""
    if b"@" in view:
        for mention in _MENTION.finditer(view):
            yield Spot(mention.start(1), mention.start(1) + len(mention[1].rstrip(b".-")), "name")
    if not seen:
        return
    for text in texts:
        yield from _words(view, text.begin, text.end, seen)
    for link in _LINK.finditer(view):
        yield from _words(view, link.start(), link.end(), seen)
    event = _EVENT.match(view)
    if event is not None and event[1].lower() not in _KNOWN:
        for one in _TEXTS.finditer(view, event.end(1)):
            if one[0].rstrip(LEAD) in seen:
                yield Spot(one.start(), one.start() + len(one[0].rstrip(LEAD)), "name")


def _in_value(view: bytes, value: Value, level: int, kind: str) -> Iterator[Spot]:
    """Yield the value of a player's key; of a list its texts, of an object of players the keys."""
    what: Literal["id", "name"] = "id" if kind == "id" else "name"
    if value.is_text and kind != "people":
        yield Spot(value.begin, value.end, what, level)
    first = view[value.begin : value.begin + 1]
    if value.is_text or first not in (b"[", b"{"):
        return
    inner = list(islice(elements(view, value.begin + 1, level), MAX_ELEMENTS))
    if first == b"[":
        yield from (Spot(one.begin, one.end, what, level) for one in inner if one.is_text)
    elif kind == "people":
        for name, its in zip(inner[::2], inner[1::2], strict=False):
            if name.is_text and view[its.begin : its.begin + 1] == b"{":
                yield Spot(name.begin, name.end, what, level)


def _by_place(view: bytes) -> Iterator[Spot]:
    """Yield texts that stand by themselves in events that nobody described, and in answers, and look like names."""
    event = _EVENT.match(view)
    if event is not None:
        if event[1].lower() in _KNOWN:
            return
        begin, skip = event.end() + 1, 1
    elif (ack := _ACK.match(view)) is not None:
        begin, skip = ack.end() + 1, 0
    else:
        return
    for value in islice(elements(view, begin, 0), skip, MAX_ELEMENTS):
        listed = elements(view, value.begin + 1, 0) if view[value.begin : value.begin + 1] == b"[" else iter((value,))
        for one in islice(listed, MAX_ELEMENTS):
            text = view[one.begin : one.end]
            if one.is_text and _LOOKS_LIKE_NAME.fullmatch(text) and not _NO_NAME.fullmatch(text):
                yield Spot(one.begin, one.end, "name")


class _Marks:
    """Where a text has keys of players, or of coins: searched for once, not around each `name`."""

    def __init__(self, view: bytes, what: "re.Pattern[bytes]") -> None:
        self._view, self._what = view, what
        self._spans: list[tuple[int, int]] | None = None

    def within(self, begin: int, end: int) -> bool:
        """Return whether one lies there, whole."""
        if self._spans is None:
            self._spans = [found.span() for found in self._what.finditer(self._view)]
        place = bisect_left(self._spans, (begin, 0))
        return place < len(self._spans) and self._spans[place][1] <= end


def _is_players(view: bytes, key: "re.Match[bytes]", players: _Marks, coins: _Marks) -> bool:
    """Return whether `name` stands in an object that describes a player."""
    begin = view.rfind(b"{", max(0, key.start() - WINDOW), key.start())
    end = view.find(b"}", key.end(), key.end() + WINDOW)
    if begin < 0:
        return False
    end = end if end >= 0 else min(len(view), key.end() + WINDOW)
    return players.within(begin, end) and not coins.within(begin, end)


def _words(view: bytes, begin: int, end: int, seen: set[bytes]) -> Iterator[Spot]:
    for word in _WORD.finditer(view, begin, end):
        text = word[0] if word[0] in seen else word[0].rstrip(b".-")
        if text in seen:
            yield Spot(word.start(), word.start() + len(text), "name")
