"""Unescaping that keeps every byte offset: JSON and percent escapes of any depth, read in place. Pure.

In: text as it came over the wire. Out: a text of the same length in which each escape is replaced by what it stands
for, filled up with `FILL`; so whoever finds something in it knows where it stands in the original. A quote that is
escaped n times becomes the control character n: JSON inside a JSON string is read like JSON. Linear in the text's size;
real control characters are replaced first, so nothing that comes in can pass for these marks.
"""

import re
from typing import Final

FILL: Final = b"\x00"  # stands where an escape was
LEAD: Final = b"\x0f"  # the same, before a quote: it belongs to the quote, not to the text that ends there
NEUTRAL: Final = b"\x0e"  # a control character of the original
PERCENT_QUOTE: Final = 8  # `%22`; the levels before it are those of JSON in JSON
QUOTES: Final = rb'"\x01-\x08'

_DEEPEST: Final = 6
_CONTROLS: Final = bytes.maketrans(bytes([*range(9), 14, 15]), NEUTRAL * 11)
# Possessive: a run of backslashes is read once, from its first to its last.
_ESCAPE: Final = re.compile(rb'\\++(?:u[0-9a-fA-F]{4}|["bfnrt])?+|%(?:25)*+[0-9a-fA-F]{2}')


class _Meanings(dict[bytes, bytes]):
    """What each escape becomes; those that were met once are remembered, as far as there is room."""

    def __missing__(self, escape: bytes) -> bytes:
        meaning = _meaning(escape)
        if len(self) < 4096 and len(escape) < 64:
            self[escape] = meaning
        return meaning


_MEANINGS: Final = _Meanings()


def unescaped(text: bytes) -> bytes:
    """Return `text` with its escapes read, at the same length."""
    text = text.translate(_CONTROLS)
    if b"\\" not in text and b"%" not in text:
        return text
    return _ESCAPE.sub(_read, text)


def _read(found: "re.Match[bytes]") -> bytes:
    return _MEANINGS[found[0]]


def quote_of(level: int) -> bytes:
    """Return how a quote of this level is written: 0 for a plain one."""
    return b"%22" if level == PERCENT_QUOTE else b"\\" * ((1 << level) - 1) + b'"'


def _meaning(escape: bytes) -> bytes:
    if escape[:1] == b"%":
        return _filled(int(escape[-2:], 16), len(escape), PERCENT_QUOTE)
    rest = escape.lstrip(b"\\")
    run = len(escape) - len(rest)
    if rest == b'"':
        level = _level(run)
        own = min((1 << level) - 1, run)  # the others are escaped backslashes, the end of the text before
        return FILL * (run - own) + LEAD * own + bytes([level or ord('"')])
    if rest[:1] == b"u":
        level = 1
        while run and run % 2 == 0:
            run, level = run // 2, level + 1
        return _filled(int(rest[1:], 16), len(escape), min(level + _level((run - 1) // 2), _DEEPEST))
    if rest and run % 2 == 0:  # an escaped backslash, and a letter that is none
        return FILL * run + rest
    return FILL * len(escape)


def _level(run: int) -> int:
    """Return how many times a quote behind so many backslashes is escaped."""
    level = 0
    while run % 2 and level < _DEEPEST:
        run, level = (run - 1) // 2, level + 1
    return level


def _filled(code: int, length: int, level: int) -> bytes:
    """Return one character at the end of `length` bytes; level: of the quote, where it is one."""
    if code == ord('"'):
        return LEAD * (length - 1) + bytes([level])
    is_plain = 0x20 <= code < 0x7F and code != ord("\\")
    return FILL * (length - 1) + (bytes([code]) if is_plain else b" " if code in (9, 10, 13) else FILL)
