"""Pseudonyms for other players, before anything leaves the capture process, or an import. Pure.

In: messages as bytes, a key. Out: the same, with each player id and name replaced by a keyed hash: always the same one
for the same player, so that trades, bets and rankings still join, and none that leads back without the key. The own
player's id and names stay: they are what `usernameStatus` and `playerUpdate` tell, from that message on in its session,
and from the beginning in all sessions after it. Both captures see the same messages in the same order, so they cover
the same. What players write in the chat is left as it is.
"""

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

import msgspec

_ID: Final = re.compile(rb"did:privy:([A-Za-z0-9_-]{1,64})")
_NAME_KEYS: Final = rb"[A-Za-z]*[uU]sername|displayName|playerName"
_NAMED: Final = re.compile(rb'("(?:' + _NAME_KEYS + rb')"\s*:\s*)("(?:[^"\\]|\\.)+")', re.DOTALL)
_NAMED_ESCAPED: Final = re.compile(rb'(\\"(?:' + _NAME_KEYS + rb')\\"\s*:\s*\\")([^"\\]+)(\\")')
_OTHER_ID: Final = re.compile(rb'("(?:[A-Za-z]*[pP]layerId)"\s*:\s*)("(?!did:privy:)(?:[^"\\]|\\.)+")', re.DOTALL)
_HINTS: Final = (b"did:privy:", b"sername", b"isplayName", b"layerName", b"layerId")
_TELLS: Final = (b'42["usernameStatus"', b'42["playerUpdate"')
_MARK: Final = b'"[redacted]"'


class Veil:
    """One key, and who the own player is, for all sessions of a process."""

    def __init__(self, key: bytes, own: Iterable[str] = ()) -> None:
        self.own = set(own)
        self.changed = False  # the own player became known, or another one is
        self._hash = lru_cache(maxsize=20_000)(lambda text: hashlib.blake2b(text, key=key, digest_size=12).hexdigest())

    def session(self, acks: object = None, session: str = "", *, own_stream: bool = False) -> "SessionVeil":
        """Return the veil of a new session."""
        return SessionVeil(self, set(self.own))

    def learn(self, known: set[str]) -> None:
        """Take what a session told of the own player."""
        if not known <= self.own:
            self.own |= known
            self.changed = True

    def digits(self, text: bytes) -> bytes:
        """Return the 24 hex digits that stand for an id or a name."""
        return str(self._hash(text)).encode()


class SessionVeil:
    """Messages of one session in; the same with pseudonyms out."""

    def __init__(self, veil: Veil, own: set[str]) -> None:
        self._veil = veil
        self._own = own

    def cover(self, sent: bool, opcode: int, payload: bytes, stream: str = "") -> bytes:
        """Return the message as it may be kept."""
        if not any(hint in payload for hint in _HINTS):
            return payload
        if opcode == 2:
            return _ID.sub(self._same_length, payload)
        if not sent and payload.startswith(_TELLS):
            self._learn(payload)
        payload = _ID.sub(self._id, payload)
        payload = _NAMED.sub(self._name, payload)
        payload = _NAMED_ESCAPED.sub(self._escaped_name, payload)
        return _OTHER_ID.sub(self._other_id, payload)

    def _learn(self, payload: bytes) -> None:
        """Take the own player's id and name from a message that only its own page gets."""
        try:
            args: list[Any] = msgspec.json.decode(payload[2:], type=list[Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        told = [arg for arg in args if isinstance(arg, dict) and isinstance(arg.get("id"), str)]
        known = {arg[field] for arg in told for field in ("id", "username") if isinstance(arg.get(field), str)}
        self._own |= known
        self._veil.learn(known)

    def _id(self, found: "re.Match[bytes]") -> bytes:
        if found[0].decode() in self._own:
            return found[0]
        return b"did:privy:" + self._veil.digits(found[1])

    def _same_length(self, found: "re.Match[bytes]") -> bytes:
        if found[0].decode() in self._own:
            return found[0]
        digits = self._veil.digits(found[1])
        return b"did:privy:" + (digits * 3)[: len(found[1])]

    def _name(self, found: "re.Match[bytes]") -> bytes:
        return found[1] + self._covered(found[2], b"player-", 7)

    def _escaped_name(self, found: "re.Match[bytes]") -> bytes:
        return found[1] + self._covered(b'"' + found[2] + b'"', b"player-", 7)[1:-1] + found[3]

    def _other_id(self, found: "re.Match[bytes]") -> bytes:
        return found[1] + self._covered(found[2], b"", 0)

    def _covered(self, quoted: bytes, head: bytes, kept: int) -> bytes:
        """Return the JSON text that stands for another; the own player's, and what is hidden already, stay."""
        try:
            text = msgspec.json.decode(quoted, type=str)
        except (msgspec.DecodeError, UnicodeDecodeError):
            text = quoted.decode("utf-8", "backslashreplace")
        if text in self._own or quoted == _MARK:
            return quoted
        return b'"' + head + self._veil.digits(text.encode("utf-8", "surrogatepass"))[: 24 - 2 * kept] + b'"'
