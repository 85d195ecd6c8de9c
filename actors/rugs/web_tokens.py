"""JSON web tokens (JWS and JWE) in text or bytes, told by their header. Pure.

In: unescaped text. Out: where each token lies. A token is a run of base64url with dots whose first part decodes to a
JSON object with `alg` or `enc`; the parts after it may be empty. Each run is read at most three times: linear.
"""

import base64
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

_RUN: Final = rb"[\w\x00-]"
# Up to five parts. It begins only where a run begins, and takes a run whole (possessive): none is read from its middle.
_DOTTED: Final = re.compile(rb"(?<!" + _RUN + rb")(" + _RUN + rb"{10,}+)(?:\." + _RUN + rb"*+){1,4}+")
# `{"` in base64 is `eyJ`, with white space between `eyA`, `ewo`, `ewk`, `ew0`, `ewg`.
_BEGINS: Final = re.compile(rb"e(?:y[AJ]|w[a-z0-9])")
_NAMES: Final = re.compile(  # `"alg"`, `"enc"`, `"typ"` at each of the three places that they can have in base64
    rb"ImFsZy|JhbGci|iYWxnI|ImVuYy|JlbmMi|iZW5jI|InR5cC|J0eXAi|idHlwI"
)
_MOST_BEGINNINGS: Final = 4  # places in one run that may be the header's beginning: something may stand before it


def web_tokens(text: bytes) -> Iterator[tuple[int, int]]:
    """Yield begin and end of each token."""
    if b"eyJ" not in text and b"eyA" not in text and b"ew" not in text:
        return
    for found in _DOTTED.finditer(text):
        run = found[1]
        if b"\x00" in run:
            if _begin_in(run.replace(b"\x00", b"")) is not None:
                yield found.span()
        elif (begin := _begin_in(run)) is not None:
            yield found.start() + begin, found.end()


def _begin_in(run: bytes) -> int | None:
    """Return where in a run a header begins."""
    name = _NAMES.search(run)
    if name is None:
        return None
    places = [found.start() for found in _BEGINS.finditer(run, 0, name.start() + 2)]
    candidates = {*places[:1], *places[-_MOST_BEGINNINGS:]}
    return next((place for place in sorted(candidates) if _is_header(run[place:])), None)


def _is_header(part: bytes) -> bool:
    try:
        header: Any = msgspec.json.decode(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    except (ValueError, RecursionError):  # of either decoder
        return False
    return isinstance(header, dict) and not header.keys().isdisjoint(("alg", "enc", "typ"))
