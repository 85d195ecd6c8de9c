"""Take credentials out of what a page says, before anything leaves the capture process, or an import. Pure.

In: WebSocket messages and polling packets as bytes, URLs as text. Out: the same, exact but for secrets, which become
`[redacted]`; a message that was JSON behind its Socket.IO head still is. Secrets are the arguments of `authenticate`
and of its ack, an ack whose request no capture saw, the payload of `40{auth}`, JWTs, values under keys of tokens, keys
and signatures. Seeds, hashes and ids are never touched: a `Redactor` decides by position and by name, never by how
random a text looks.
"""

import hashlib
import re
from typing import Any
from urllib.parse import urlsplit

import msgspec

from actors.rugs.acks import Acks
from actors.rugs.veil import Veil

MARK = "[redacted]"
_MARK = MARK.encode()
_MARK_JSON = b'"[redacted]"'

SECRET_EVENTS = frozenset({"authenticate"})
OPEN_QUERY_KEYS = frozenset({"EIO", "transport", "frontend-version", "t", "b64"})

_YEAST = re.compile(r"[\w-]{0,12}(?:\.\d{1,4})?")  # Engine.IO's time stamp against caches
_PATH_FIELD = re.compile(r"(;[^;/=]*=)[^;]*")  # `/path;token=x`, to the end: a token may hold slashes
_HEAD = re.compile(rb"4([02356])(?:(\d{1,9})-)?(/[^,\[{]{0,255},)?(\d{0,20})")
_NAME = re.compile(rb'\s*\[\s*("(?:[^"\\]|\\.){0,200}")', re.DOTALL)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_JWT = re.compile(rb"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")
_KEYS = (
    rb"[A-Za-z0-9_-]*signature|signed_?(?:message|transaction|tx)|(?:id|[A-Za-z0-9_-]*(?:access|refresh|identity|auth|"
    rb"session|privy|bearer))[_-]?token|jwt|(?:private|secret)_?key|mnemonic|password"
)
_BUFFER = rb'(?:\{\s*"type"\s*:\s*"Buffer"\s*,\s*"data"\s*:\s*\[[\d,\s]*\]\s*\})'
_NAMED = re.compile(
    rb'("(?:' + _KEYS + rb')"\s*:\s*)("(?:[^"\\]|\\.)+"|\[[^\[\]{}]+\]|' + _BUFFER + rb")", re.IGNORECASE | re.DOTALL
)
_NAMED_ESCAPED = re.compile(rb'(\\"(?:' + _KEYS + rb')\\"\s*:\s*\\")([^"\\]+)(\\")', re.IGNORECASE)
# One of these stands in every text that the patterns match; looking for them costs 0.1 ms in a 0.5 MB snapshot.
_HINTS = (b"eyJ", b"ignature", b"oken", b"igned", b"jwt", b"ate", b"ecret", b"nemonic", b"assword")


class Redactor:
    """Messages of one Engine.IO session in; the same without secrets out."""

    def __init__(self, acks: Acks | None = None, session: str = "", veil: Veil | None = None) -> None:
        """acks: which acks answer a secret request, of this session among others. veil: for other players."""
        self._veil = veil.session() if veil is not None else None
        self._acks = acks or Acks()
        self._session = session
        self._attachments = {True: 0, False: 0}  # binary messages still to come that belong to a secret

    def clean(self, sent: bool, opcode: int, payload: bytes, stream: str = "") -> tuple[bytes, bool]:
        """Return the message as it may be kept, and whether anything was taken out."""
        if opcode == 2:
            cleaned = self._clean_binary(sent, payload)
        else:
            packet = self._clean_packet(sent, payload, stream)
            cleaned = scrub(payload) if packet is None else packet
        if self._veil is not None:
            cleaned = self._veil.cover(sent, opcode, cleaned)
        return cleaned, cleaned != payload

    def _clean_binary(self, sent: bool, payload: bytes) -> bytes:
        if self._attachments[sent]:
            self._attachments[sent] -= 1
            return _MARK
        if b"eyJ" not in payload:
            return payload
        return _JWT.sub(lambda found: _MARK.ljust(len(found[0]), b"*"), payload)  # lengths around it stay true

    def _clean_packet(self, sent: bool, packet: bytes, stream: str) -> bytes | None:
        """Return the packet with its arguments hidden, None where it is no packet that must be secret."""
        head = _HEAD.match(packet)
        if head is None:
            return None
        kind, attachments, namespace, ack_id = head[1], int(head[2] or 0), head[3] or b"", head[4]
        body = packet[head.end() :]
        if kind == b"0":
            return _without_query(head) + _hide_values(body) if sent and body.strip() else None
        if kind in b"36":
            if not self._acks.is_secret(self._session, stream, _ack_name(not sent, namespace, ack_id)):
                return None
            hidden = _hide_arguments(body, keep=0)
        else:
            secret = _is_secret(body)
            if ack_id:
                self._acks.asked(self._session, stream, _ack_name(sent, namespace, ack_id), secret=secret)
            if not secret:
                return None
            hidden = _hide_arguments(body, keep=1)
        self._attachments[sent] += attachments
        return _without_query(head) + hidden


def scrub(text: bytes) -> bytes:
    """Return `text` without JWTs and without the values of keys that hold tokens, keys or signatures."""
    if not any(hint in text for hint in _HINTS):
        return text
    text = _NAMED.sub(rb"\1" + _MARK_JSON, text)
    text = _NAMED_ESCAPED.sub(rb"\1" + _MARK + rb"\3", text)
    return _JWT.sub(_MARK, text)


def clean_url(url: str) -> str:
    """Return `url` without user name, fragment and unknown query values; the Engine.IO session id becomes its hash."""
    if url.startswith(("data:", "blob:", "javascript:")):
        return url.split(":", 1)[0] + ":"
    base, _, query = url.split("#", 1)[0].partition("?")
    scheme, separator, rest = base.partition("://")
    if separator:
        place, slash, path = rest.partition("/")
        path = _PATH_FIELD.sub(rf"\1{MARK}", path)
        base = scheme + separator + place.rpartition("@")[2] + slash + path
    base = scrub(base.encode(errors="replace")).decode()
    return base + "?" + "&".join(_clean_field(field) for field in query.split("&")) if query else base


def clean_urls_in(text: str) -> str:
    """Return a browser's error message with the URLs in it cleaned."""
    return re.sub(r"[a-z]+://[^\s'\"]+", lambda found: clean_url(found[0]), text)


def query_value(url: str, key: str) -> str | None:
    """Return the value of a query field as it stands in the URL, None where it is absent."""
    try:
        query = urlsplit(url).query
    except ValueError:
        return None
    for field in query.split("&"):
        name, _, value = field.partition("=")
        if name == key:
            return value
    return None


def short_hash(text: str) -> str:
    """Return 16 hex digits that stand for a session id without giving it away."""
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=8).hexdigest()


def _clean_field(field: str) -> str:
    key, separator, value = field.partition("=")
    if not separator:
        return field if key in OPEN_QUERY_KEYS or not key else MARK
    if key in OPEN_QUERY_KEYS and (key != "t" or _YEAST.fullmatch(value)):
        return field
    return f"{key}={short_hash(value) if key == 'sid' else MARK}"


def _ack_name(asked_by_page: bool, namespace: bytes, ack_id: bytes) -> str:
    """Return what stands for an ack in notes: who asked, where, and its number; never a namespace's query."""
    place = namespace.rstrip(b",").split(b"?")[0].decode(errors="replace")
    return f"{'page' if asked_by_page else 'site'} {place} {ack_id.decode()}"


def _without_query(head: "re.Match[bytes]") -> bytes:
    """Return a packet's head; a namespace may carry a query (`/ns?token=x,`), which is hidden."""
    if head[3] is None or b"?" not in head[3]:
        return head[0]
    return head[0].replace(head[3], head[3].split(b"?")[0] + b"?" + _MARK + b",", 1)


def _is_secret(body: bytes) -> bool:
    """Whether an event's arguments must be hidden; with a head that we cannot read, on suspicion."""
    name = _event_name(body)
    return name in SECRET_EVENTS if name is not None else b"uthenticate" in body


def _event_name(body: bytes) -> str | None:
    name = _NAME.match(body)
    if name is None:
        return None
    try:
        return msgspec.json.decode(name[1], type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _hide_arguments(body: bytes, keep: int) -> bytes:
    """Return a JSON array with all but the first `keep` elements hidden; trace objects and placeholders stay."""
    arguments = _decode(body)
    if not isinstance(arguments, list):
        return b'["authenticate",' * keep + b"[" * (1 - keep) + _MARK_JSON + b"]"
    hidden = [value if _is_open(value) else MARK for value in arguments[keep:]]
    return msgspec.json.encode(arguments[:keep] + hidden)


def _hide_values(body: bytes) -> bytes:
    payload = _decode(body)
    return msgspec.json.encode(dict.fromkeys(payload, MARK) if isinstance(payload, dict) else {"auth": MARK})


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _is_open(value: Any) -> bool:
    """Whether an argument is no secret by its form: the trace object, or the placeholder of an attachment."""
    if not isinstance(value, dict):
        return False
    if value.keys() == {"_placeholder", "num"}:
        return value["_placeholder"] is True and isinstance(value["num"], int)
    trace = value.get("traceparent")
    return (
        value.keys() == {"__trace", "traceparent"}
        and value["__trace"] is True
        and isinstance(trace, str)
        and _TRACEPARENT.fullmatch(trace) is not None
    )
