"""JSON as it comes over the wire, read so that nothing in it can hurt: any bytes in, plain values or `Unreadable` out.

What passes here can be encoded again as JSON and as msgpack, by us and by every later actor: nesting is bounded, which
makes the answer independent of how deep the caller's stack is; numbers are finite and fit 64 bits; text has no lone
surrogates. Linear in the size of the input. Never changes what is stored: `ws_event` keeps the frame's own bytes.
"""

import re
from typing import Any, Final

import msgspec

MAX_DEPTH: Final = 128
"""Levels of arrays and objects; the game's deepest frames have 7."""

_MAX_FLOAT: Final = 1.7976931348623157e308
_LEAST_INT: Final = -(2**63)
_MOST_INT: Final = 2**64 - 1
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_SURROGATE_PAIR: Final = rb"u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE: Final = re.compile(rb"\\(?:" + _SURROGATE_PAIR + rb"|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)", re.DOTALL)

encode = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder().decode
_pack: Final = msgspec.msgpack.Encoder().encode


class Unreadable(ValueError):
    """The text is not JSON, or nests deeper than `MAX_DEPTH`; the message says which."""


def read(text: bytes) -> Any:
    """Decode one JSON value. A lone surrogate becomes U+FFFD, an integer beyond 64 bits the nearest float.

    Unreadable where it is not JSON, is too deep, or has a number beyond the range of a double.
    """
    check_depth(text)
    try:
        value = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        value = _read_mended(text, error)
    return tamed(value)


def check_depth(text: bytes) -> None:
    """Unreadable where arrays and objects nest deeper than `MAX_DEPTH`."""
    if text.count(b"[") + text.count(b"{") <= MAX_DEPTH:
        return
    brackets = text.translate(None, _NOT_BRACKETS)
    for _ in range(16):  # real frames are gone after 7 passes; each runs at C speed
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if not brackets:
            return
    if _depth(_STRING.sub(b"", text).translate(None, _NOT_BRACKETS)) > MAX_DEPTH:
        raise Unreadable(f"nests deeper than {MAX_DEPTH} levels")


def _depth(brackets: bytes) -> int:
    depth = deepest = 0
    for bracket in brackets:
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _read_mended(text: bytes, error: Exception) -> Any:
    """Decode again with lone surrogates replaced, if there were any; else report the first `error`."""
    mended = mend(text)
    if mended == text:
        raise Unreadable(str(error)) from error
    try:
        return _decode(mended)
    except (msgspec.DecodeError, UnicodeDecodeError) as second:
        raise Unreadable(str(second)) from second


def mend(text: bytes) -> bytes:
    """Replace what no Unicode text may hold, escaped lone surrogates and broken UTF-8, by U+FFFD."""
    valid = text if text.isascii() else text.decode("utf-8", "replace").encode()
    if b"\\u" not in valid:
        return valid
    return _ESCAPE.sub(lambda found: rb"\ufffd" if _is_lone(found[0]) else found[0], valid)


def _is_lone(escape: bytes) -> bool:
    return len(escape) == 6 and escape[1:2] == b"u" and escape[2:3] in b"dD"


def tamed(value: Any) -> Any:
    """Return `value` with integers beyond 64 bits made floats, so that msgpack can carry it too."""
    try:
        _pack(value)
    except OverflowError:
        return _tame(value)
    return value


def _tame(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _tame(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_tame(inner) for inner in value]
    if isinstance(value, int) and not _LEAST_INT <= value <= _MOST_INT:
        return nearest_float(value)
    return value


def nearest_float(value: int) -> float:
    """Return `value` as a double, the largest of its sign where it is beyond them all."""
    try:
        return float(value)
    except OverflowError:
        return _MAX_FLOAT if value > 0 else -_MAX_FLOAT
