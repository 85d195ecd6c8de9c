"""Strangers' text made harmless for terminals and spreadsheets: control characters as escapes, formulas as text. Pure.

In: any text, a player's name for one. Out: the same text where nothing in it acts on its reader; a terminal takes ESC
and its like as commands, bidirectional controls turn a line around, a spreadsheet runs what begins with `=`.
"""

import re
from typing import Final

_BEYOND_ASCII: Final = "\x80-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
"""C1; bidirectional marks, embeddings, overrides and isolates; zero-width and invisible ones; separators of lines and
paragraphs; halves of surrogate pairs. Joiners (U+200C, U+200D) stay: scripts and emoji need them."""
_CONTROL: Final = re.compile(f"[\x00-\x1f\x7f{_BEYOND_ASCII}]")
_CONTROL_BUT_LINES: Final = re.compile(f"[\x00-\x08\x0b-\x1f\x7f{_BEYOND_ASCII}]")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # wide ones run, too


def printable(text: str, *, lines: bool = False) -> str:
    r"""Return the text with control characters shown, ESC as \x1b, those beyond ASCII as \u202e, which is JSON's way.

    lines: leave tabs and line feeds; without, the text becomes one line.
    """
    return (_CONTROL_BUT_LINES if lines else _CONTROL).sub(_shown, text)


def spreadsheet_text(text: str) -> str:
    """Return the text so that a spreadsheet takes it for text: with a `'` before what it would run."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _shown(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x20 else f"\\u{code:04x}"
