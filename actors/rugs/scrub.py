"""Redaction by value: credentials found in any text by the names of their keys, and by their own form. Pure.

In: text or bytes as they came over the wire. Out: the same, byte for byte, but for the credentials, which become
`[redacted]`: values of secret keys at any depth and in any spelling, the arguments of secret events, web tokens, fields
of queries, `Bearer …`, passwords in URLs. What was JSON still is. Linear in the size of the text, whatever it holds.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from actors.rugs.secret_names import is_coin, normalized, verdict_on
from actors.rugs.spans import COLON, KEY, PLAIN_KEY, Value, elements, level_of, start_of, value_at
from actors.rugs.unescape import FILL, LEAD, QUOTES, quote_of, unescaped
from actors.rugs.web_tokens import web_tokens

MARK: Final = b"[redacted]"
SECRET_EVENTS: Final = frozenset({"authenticate"})

MAX_NESTED: Final = 4  # coins in coins; each is read by itself
_LOWER: Final = bytes(range(256)).lower()
_EVENTS: Final = frozenset(name.encode() for name in SECRET_EVENTS)
_FIRST: Final = re.compile(rb"\[[\s\x00\x0f]*+([" + QUOTES + rb"])([^" + QUOTES + rb"]*+)(?=\1)")
_LITERALS: Final = frozenset((b"null", b"true", b"false", b"", b'"' + MARK + b'"'))
_COIN_KEY: Final = re.compile(rb"[" + QUOTES + rb"](?:address|ticker|symbol|mint|decimals)\x0f*+[" + QUOTES + rb"]")
_END: Final = rb"\s\x0e\x0f" + QUOTES
# Possessive, and only from the beginning of a name on: each is read once. Its value is read only where it is secret.
_FIELD: Final = re.compile(rb"(?<![\w.%\[\]\x00-])([\w.\[\]\x00-]{2,120}+)=")
_FIELD_VALUE: Final = re.compile(rb"[^&;<>" + _END + rb"]*+")
_BEARER: Final = re.compile(rb"bearer([\s\x00+:=]{1,24}+)([\w.~+/=\x00-]{6,}+)")
_HEADER: Final = re.compile(rb"(?:authorization|cookie)[\s\x00]*+:[\s\x00]*+([^\r\n\x0e\x0f" + QUOTES + rb"]++)")
_USER: Final = re.compile(rb"://([^/@?#<>" + _END + rb"]++)@")

Found = tuple[int, int, bytes]  # begin, end, what to put there


class _Open(set[bytes]):
    """Names that are known to be harmless; forgotten when there are too many, and judged again."""

    def secret_among(self, names: set[bytes]) -> bool:
        """Return whether one of the names is that of a credential."""
        unknown = names - self
        if not unknown:
            return False
        harmless = {name for name in unknown if verdict_on(name) == "open"}
        if len(self) > 10_000:
            self.clear()
        self.update(name for name in harmless if len(name) <= 64)
        return len(harmless) < len(unknown)


_OPEN: Final = _Open()


def scrub(text: bytes, also: frozenset[bytes] = frozenset(), *, is_binary: bool = False) -> bytes:
    """Return `text` without credentials.

    also: further keys, in normal form, whose values are hidden. is_binary: keep all lengths, marks padded with `*`.
    """
    is_plain = not is_binary and b"\\" not in text and b"%" not in text
    view = text if is_plain else unescaped(text)
    names = set(PLAIN_KEY.findall(view)) if is_plain else {name for _, name in KEY.findall(view)}
    found: list[Found] = []
    if also or _OPEN.secret_among(names):
        found += _values(view, also)
    low = view.translate(_LOWER, FILL + LEAD)
    if any(event in low for event in _EVENTS):
        found += _arguments(view)
    found += ((begin, end, MARK) for begin, end in web_tokens(view))
    if b"=" in view:
        found += _fields(view)
    if b"bearer" in low or b"authorization" in low or b"cookie" in low:
        found += _headers(view)
    if b"@" in view and b"://" in view:
        found += ((user.start(1), user.end(1), MARK) for user in _USER.finditer(view) if b":" in user[1])
    return replaced(text, found, keep_length=is_binary) if found else text


def replaced(text: bytes, found: Iterable[Found], *, keep_length: bool = False) -> bytes:
    """Return `text` with each span replaced; of spans that overlap, by the first one's replacement."""
    pieces: list[bytes] = []
    done = 0
    for begin, end, mark in sorted(found):
        if begin >= done:
            pieces.append(text[done:begin])
            pieces.append(mark.ljust(end - begin, b"*")[: end - begin] if keep_length else mark)
        elif end > done and keep_length:
            pieces.append(b"*" * (end - done))
        done = max(done, end)
    return b"".join([*pieces, text[done:]])


def hidden(value: Value, level: int) -> Found:
    """Return what hides a value."""
    quote = b"" if value.is_text else quote_of(level)
    return value.begin, value.end, quote + MARK + quote


def _values(view: bytes, also: frozenset[bytes]) -> Iterator[Found]:
    """Find the values of secret keys; what is in a hidden value is not looked at again."""
    done = 0
    coins: list[int] = []  # where coins end that were looked into: in too many of them nothing is one
    for key in KEY.finditer(view):
        if key.start() < done:
            continue
        verdict = "secret" if also and normalized(key[2]) in also else verdict_on(key[2])
        if verdict == "open":
            continue
        level = level_of(key[1][0])
        value = value_at(view, COLON.match(view, key.end()).end(), level)  # type: ignore[union-attr]
        text = view[value.begin : value.end]
        if text in _LITERALS or text == MARK:
            continue
        if verdict == "token":
            coins = [end for end in coins if end > key.start()]
            if len(coins) < MAX_NESTED and _is_coin(view, value, level):
                coins.append(value.end)
                continue
        done = value.end
        yield hidden(value, level)


def _is_coin(view: bytes, value: Value, level: int) -> bool:
    """Return whether a `token` is game data: a coin by its name, address or description, a number, a list of these."""
    text = view[value.begin : value.end]
    if value.is_text:
        return is_coin(text.replace(FILL, b""))
    if text[:1] == b"{":
        return _COIN_KEY.search(text) is not None
    inner = elements(view, value.begin + 1, level) if text[:1] == b"[" else ()
    return all(
        is_coin(view[one.begin : one.end]) if one.is_text else _COIN_KEY.search(view, one.begin, one.end) is not None
        for one in inner
        if one.is_text or view[one.begin] in b"[{"
    )


def _arguments(view: bytes) -> Iterator[Found]:
    """Find arrays that begin with a secret event's name, in other arrays too; all behind the name is hidden as one."""
    done = 0
    for first in _FIRST.finditer(view):
        if first.start() < done or normalized(first[2]) not in _EVENTS:
            continue
        level = level_of(first[1][0])
        second = next(elements(view, first.end() + 1, level), None)
        if second is None:
            continue
        done = value_at(view, first.start(), level).end
        begin, end = start_of(view, second), done - (view[done - 1] == ord("]"))
        yield begin, end, quote_of(level) + MARK + quote_of(level)


def _fields(view: bytes) -> Iterator[Found]:
    """Find secret fields of queries, forms and cookies in a text."""
    done = 0
    for field in _FIELD.finditer(view):
        verdict = "secret" if normalized(field[1]) == b"sid" else verdict_on(field[1])
        if verdict == "open" or field.start() < done:
            continue
        value = _FIELD_VALUE.match(view, field.end())[0].rstrip(FILL)  # type: ignore[index]
        if value in (b"", MARK) or (verdict == "token" and is_coin(value)):
            continue
        done = field.end() + len(value)
        yield field.end(), done, MARK


def _headers(view: bytes) -> Iterator[Found]:
    """Find what HTTP headers carry: `Bearer …`, `Authorization: …`, `Cookie: …`."""
    low = view.translate(_LOWER)
    for bearer in _BEARER.finditer(low):
        yield bearer.start(2), bearer.start(2) + len(bearer[2].rstrip(FILL)), MARK
    for header in _HEADER.finditer(low):
        if header[0][:1] == b"a" or b"=" in header[1]:
            yield header.start(1), header.start(1) + len(header[1].rstrip(FILL)), MARK
