"""Pseudonyms for other players, before anything leaves the capture process, or an import. Pure.

In: messages as bytes, a key. Out: the same with each player id and name replaced by a keyed hash: always the same one
for the same player, so that trades, bets and rankings still join, and none that leads back without the key. What is
covered is a function of the message, the key and the own player alone, never of what was seen before: two captures, one
that came late, and a second import make the same bytes, and nothing can be uncovered by being forgotten.

The own player's id and names stay. Only the game's own stream tells them, in the default namespace, in the answer to a
login that its page sent: one id, the last one; another account's takes its place.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

import msgspec

from actors.rugs.acks import Acks
from actors.rugs.covering import Spot, mentions, spots
from actors.rugs.scrub import MARK, replaced
from actors.rugs.spans import Value
from actors.rugs.unescape import unescaped

LOGIN: Final = "page / authenticate"  # what stands in the notes of requests for a login; no ack has such a name
MAX_NAME: Final = 200
_LOGIN: Final = re.compile(rb'42\d{0,15}+\["authenticate"[,\]]')
_ANSWER: Final = b'42["usernameStatus"'
_ID: Final = re.compile(rb"did:privy:([A-Za-z0-9_-]{1,200}+)")
_HEAD: Final = b"did:privy:"


class Veil:
    """One key, and who the own player is, for all sessions of a process."""

    def __init__(self, key: bytes, own: Iterable[str] = ()) -> None:
        self.own = set(own)
        self.changed = False  # the own player became known, or another one is
        self._hash = lru_cache(maxsize=20_000)(lambda text: hashlib.blake2b(text, key=key, digest_size=12).hexdigest())

    def session(self, acks: Acks | None = None, session: str = "") -> "SessionVeil":
        """Return the veil of a new session; acks: where a login is noted, for captures that come before its answer."""
        return SessionVeil(self, set(self.own), acks or Acks(), session)

    def learn(self, own: set[str]) -> None:
        """Take what a login's answer told: this player, and no other, is the own one."""
        if own != self.own:
            self.own = set(own)
            self.changed = True

    def digits(self, text: bytes) -> bytes:
        """Return the 24 hex digits that stand for an id or a name."""
        return str(self._hash(text)).encode()


class SessionVeil:
    """Messages of one session in; the same with pseudonyms out."""

    def __init__(self, veil: Veil, own: set[str], acks: Acks, session: str) -> None:
        self._veil = veil
        self._own = own
        self._acks = acks
        self._session = session
        self._id: str | None = None  # whom the login's answer named; a second name needs a second login

    def cover(
        self, sent: bool, opcode: int, payload: bytes, stream: str = "", *, own_stream: bool = False
    ) -> bytes:  # fmt: skip
        """Return the message as it may be kept.

        own_stream: whether the stream is known to be the game's own, so that it may tell who the own player is.
        """
        if opcode == 2:
            return _ID.sub(self._same_length, payload)
        if own_stream:
            if sent and _LOGIN.match(payload) is not None:
                self._id = None
                self._acks.asked(self._session, stream, LOGIN, secret=True)
            elif not sent and payload.startswith(_ANSWER) and self._acks.knows(self._session, stream, LOGIN):
                self._learn(payload)
        view = unescaped(payload)
        found = [
            (spot.begin, spot.end, covered)
            for spot in self._spots(view)
            if (covered := self._pseudonym(payload, view, spot)) is not None
        ]
        return replaced(payload, found) if found else payload

    def _spots(self, view: bytes) -> Iterator[Spot]:
        seen: set[bytes] = set()
        texts: list[Value] = []
        for spot in spots(view, texts):
            if spot.kind == "name":
                seen.add(view[spot.begin : spot.end])
            yield spot
        yield from mentions(view, seen, texts)

    def _learn(self, payload: bytes) -> None:
        """Take the own player's id and name from the answer to its login."""
        try:
            args: list[Any] = msgspec.json.decode(payload[2:], type=list[Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        told = next((arg for arg in args if isinstance(arg, dict) and isinstance(arg.get("id"), str)), None)
        if told is None or not told["id"] or len(told["id"]) > MAX_NAME or self._id not in (None, told["id"]):
            return
        self._id = told["id"]
        name = told.get("username")
        known = {told["id"], name} if isinstance(name, str) and 0 < len(name) <= MAX_NAME else {told["id"]}
        self._own = known | self._own if told["id"] in self._own else known
        self._veil.learn(self._own)

    def _same_length(self, found: "re.Match[bytes]") -> bytes:
        if found[0].decode() in self._own:
            return found[0]
        digits = self._veil.digits(found[1])
        return _HEAD + (digits * 9)[: len(found[1])]

    def _pseudonym(self, payload: bytes, view: bytes, spot: Spot) -> bytes | None:
        """Return what stands for an id or a name; None where it stays: the own player's, and what is hidden already."""
        text = _meant(payload[spot.begin : spot.end], view[spot.begin : spot.end], spot.level)
        if text in (b"", MARK) or text.decode("utf-8", "surrogatepass") in self._own:
            return None
        if spot.kind == "did":
            return _HEAD + self._veil.digits(text.removeprefix(_HEAD))
        if spot.kind == "id":
            return None if text.startswith(_HEAD) else self._veil.digits(text)
        return b"player-" + self._veil.digits(text)[:10]


def _meant(raw: bytes, view: bytes, level: int) -> bytes:
    """Return the text that stands in JSON, inside as many JSON texts as `level` says."""
    if raw == view:
        return raw
    text = raw
    try:
        for _ in range(level + 1):
            text = msgspec.json.decode(b'"' + text + b'"', type=str).encode("utf-8", "surrogatepass")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return view.replace(b"\x00", b"")
    return unescaped(text).replace(b"\x00", b"") if b"%" in text else text
