"""Byte spans of JSON values in unescaped text, at any level of JSON in JSON. Pure.

In: text that `unescape.py` made, and where a value begins. Out: where it ends, what its elements are. Never raises and
never decodes: text that is no JSON, or that was cut off, has spans too, to its end. Each function reads a byte once.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from actors.rugs.unescape import QUOTES

_RANKS: Final = {ord('"'): 0, **{level: level for level in range(1, 9)}}
_AT_MOST: Final = [rb'"' + bytes(range(1, level + 1)) for level in range(9)]  # the quotes that end a text of a level
_CLOSING: Final = [re.compile(b"[" + re.escape(quotes) + b"]") for quotes in _AT_MOST]
_MAX_DEPTH: Final = 128  # as `jsontext`: what nests deeper is not read by anybody, and is hidden to its end


def _token(level: int) -> bytes:
    """Return the pattern of the next bracket that matters, past texts and containers that hold no others."""
    quotes = re.escape(_AT_MOST[level])
    own = bytes([level or ord('"')])
    flat = rb"[^\[\]{}\x0f" + quotes + rb"]++|(?<!\x0f)\x0f*+" + own + b"[^" + quotes + rb"]*+" + own
    leaf = rb"\[(?:" + flat + rb")*+\]|\{(?:" + flat + rb")*+\}"
    return rb"(?:" + flat + b"|" + leaf + rb")*+([\[\]{}]|(?<!\x0f)\x0f*+[" + quotes + rb"])"


_TOKENS: Final = [re.compile(_token(level)) for level in range(9)]
_SCALAR: Final = re.compile(rb"[^\s,:}\]\[{\x00\x0f" + QUOTES + rb"]*+")
_BETWEEN: Final = re.compile(rb"[\s\x00\x0f,:]*+")
KEY: Final = re.compile(rb"([" + QUOTES + rb"])([^" + QUOTES + rb"]*+)(?=\1[\s\x00\x0f]*+:)")
"""A quote, a name; the closing quote and the colon are only looked at, so that a text which ends there hides no key."""
PLAIN_KEY: Final = re.compile(rb'"([^"]*+)(?="\s*+:)')
"""The same where nothing is escaped."""
COLON: Final = re.compile(rb"[" + QUOTES + rb"][\s\x00\x0f]*+:[\s\x00\x0f]*+")


class Value(NamedTuple):
    """Where a value lies; of a text without its quotes."""

    begin: int
    end: int  # exclusive
    after: int  # where to read on
    is_text: bool


def start_of(text: bytes, value: Value) -> int:
    """Return where a value begins, a text with its quote."""
    start = value.begin - value.is_text
    while value.is_text and text[start - 1] == 0x0F:
        start -= 1
    return start


def level_of(quote: int) -> int:
    """Return how many times a quote is escaped."""
    return _RANKS[quote]


def value_at(text: bytes, at: int, level: int) -> Value:
    """Return the value that begins at `at`; level: of the JSON that it belongs to."""
    first = text[at] if at < len(text) else 0
    if _RANKS.get(first) == level:
        end, after = _text_end(text, at + 1, level)
        return Value(at + 1, end, after, True)
    end = _container_end(text, at, level) if first in b"[{" else _SCALAR.match(text, at).end()  # type: ignore[union-attr]
    return Value(at, end, end, False)


def elements(text: bytes, at: int, level: int) -> Iterator[Value]:
    """Yield the elements of an array, or the keys and values of an object in turn; at: behind its bracket."""
    while True:
        at = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]
        value = value_at(text, at, level)
        if value.after == at:
            return
        yield value
        at = value.after


def _text_end(text: bytes, at: int, level: int) -> tuple[int, int]:
    """Return where a text's content ends, and where what follows it begins: behind its quote."""
    closing = _CLOSING[level].search(text, at)
    if closing is None:
        return len(text), len(text)
    end = closing.start()
    while end > at and text[end - 1] == 0x0F:
        end -= 1
    return end, closing.end() if _RANKS[closing[0][0]] == level else end


def _container_end(text: bytes, at: int, level: int) -> int:
    """Return where the container that begins at `at` ends; where it does not, the end of the text around it."""
    depth = 1
    next_token = _TOKENS[level].match  # not a search: where nothing more comes, it would look from each place again
    at += 1
    while (token := next_token(text, at)) is not None:
        at = token.end()
        found = token[1]
        if found in b"[{":
            depth += 1
        elif found in b"]}":
            depth -= 1
        else:  # the text around it ends here, or one that has no end begins
            return token.start(1) if _RANKS[found[-1]] < level else len(text)
        if not depth:
            return token.end()
        if depth > _MAX_DEPTH:
            break
    return len(text)
