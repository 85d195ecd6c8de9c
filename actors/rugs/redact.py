"""Take credentials out of what a page and its server say, before it leaves the capture process, or an import. Pure.

In: WebSocket messages and polling packets as bytes, URLs as text. Out: the same, exact but for secrets, which become
`[redacted]`; a message that was JSON behind its Socket.IO head still is. What a packet means is judged here: the
arguments of `authenticate` and of its ack, an ack whose request no capture saw, the payload of `40{auth}`, the ids of
sessions that the server hands out, a namespace's query. What is found in any text is in `scrub.py`. Seeds, hashes and
ids are never touched: it is decided by position and by name, never by how random a text looks.
"""

import hashlib
import re
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import msgspec

from actors.rugs.acks import Acks
from actors.rugs.scrub import MARK as _MARK
from actors.rugs.scrub import SECRET_EVENTS, Found, hidden, replaced, scrub
from actors.rugs.spans import Value, elements
from actors.rugs.unescape import unescaped
from actors.rugs.veil import Veil

MARK = _MARK.decode()
_MARK_JSON = b'"' + _MARK + b'"'

OPEN_QUERY_KEYS = frozenset({"EIO", "transport", "frontend-version", "t", "b64"})
SESSION_KEYS = frozenset({b"sid", b"pid"})
"""Of a handshake: who has them speaks for the session, or recovers it."""
MOST_ATTACHMENTS = 256  # of one packet; socket.io-parser refuses more than 10 by default

MOST_PACKETS = 256  # of one polling body, taken by themselves; the capture splits bodies before
MOST_VALUES = 1000  # hidden one by one; the longest packet that is secret has 2
MOST_URL = 4096  # characters that are kept, and that `site.socket_pattern` is tried on; browsers send longer ones
MOST_ERROR = 2000  # characters of an error text; a server decides on some of it

_YEAST = re.compile(r"[\w-]{0,12}(?:\.\d{1,4})?")  # Engine.IO's time stamp against caches
_PATH_FIELD = re.compile(r"(;[^;/=]*+=)[^;]*+")  # `/path;token=x`, to the end: a token may hold slashes
_IGNORED = re.compile(rb"(?:\xef\xbb\xbf|[\s\x00])*+")  # some servers pass over it before a packet
_HEAD = re.compile(rb"4([0-6])(?:(\d{1,9}+)-)?+(/[^,]*+,?+)?+(\d{0,20}+)")
_NAME = re.compile(rb'\s*+\[\s*+("(?:[^"\\]|\\.){0,200}")', re.DOTALL)
_PLACEHOLDER = re.compile(rb'"_placeholder"\s*+:\s*+true')
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_URL = re.compile(r"(?<![a-z])([a-z]++)://[^\s'\"]++")
_SEPARATOR = b"\x1e"  # between the packets of a polling body


class Redactor:
    """Messages of one Engine.IO session in; the same without secrets out."""

    def __init__(self, acks: Acks | None = None, session: str = "", veil: Veil | None = None) -> None:
        """acks: which acks answer a secret request, of this session among others. veil: for other players."""
        self._acks = acks or Acks()
        self._veil = veil.session(self._acks, session) if veil is not None else None
        self._session = session
        self._attachments = {True: 0, False: 0}  # binary messages still to come that belong to a secret

    def clean(
        self, sent: bool, opcode: int, payload: bytes, stream: str = "", *, own_stream: bool = False
    ) -> tuple[bytes, bool]:
        """Return the message as it may be kept, and whether anything was taken out.

        own_stream: the stream is known to be the game's own, by its URL; only such a one tells who the own player is.
        """
        if opcode == 2:
            cleaned = self._clean_binary(sent, payload)
        elif _SEPARATOR in payload:
            packets = payload.split(_SEPARATOR, MOST_PACKETS)
            cleaned = _SEPARATOR.join(self._clean_text(sent, one, stream) for one in packets)
        else:
            cleaned = self._clean_text(sent, payload, stream)
        if self._veil is not None:
            cleaned = self._veil.cover(sent, opcode, cleaned, stream, own_stream=own_stream)
        return cleaned, cleaned != payload

    def _clean_binary(self, sent: bool, payload: bytes) -> bytes:
        if self._attachments[sent]:
            self._attachments[sent] -= 1
            return _MARK
        return scrub(payload, is_binary=True)  # lengths around what is hidden stay true

    def _clean_text(self, sent: bool, packet: bytes, stream: str) -> bytes:
        """Return one packet without secrets. Whatever binary messages were to come before it come no more."""
        self._attachments[sent] = 0
        ignored = _IGNORED.match(packet).end()  # type: ignore[union-attr]
        if packet[ignored : ignored + 1] == b"0":
            return scrub(packet, SESSION_KEYS)
        head = _HEAD.match(packet, ignored)
        if head is None:
            return scrub(packet)
        body = self._clean_body(sent, head, packet[head.end() :], stream)
        if head[3] is not None and b"?" in head[3]:
            return packet[:ignored] + _without_query(head) + body
        return packet[: head.end()] + body

    def _clean_body(self, sent: bool, head: "re.Match[bytes]", body: bytes, stream: str) -> bytes:
        kind, namespace, ack_id = head[1], head[3] or b"", head[4]
        if kind == b"0":
            return _hide_values(body) if sent and body.strip() else scrub(body, SESSION_KEYS)
        if kind in b"36":
            if not self._acks.is_secret(self._session, stream, _ack_name(not sent, namespace, ack_id)):
                return scrub(body)
            keep = 0
        elif kind in b"25":
            secret = _is_secret(body)
            if ack_id:
                self._acks.asked(self._session, stream, _ack_name(sent, namespace, ack_id), secret=secret)
            if not secret:
                return scrub(body)
            keep = 1
        else:
            return scrub(body)
        declared = min(int(head[2] or 0), MOST_ATTACHMENTS) if kind in b"56" else 0
        self._attachments[sent] = min(declared, len(_PLACEHOLDER.findall(body)))
        return _hide_arguments(body, keep)


def clean_url(url: str) -> str:
    """Return `url` without user name, fragment and unknown query values; the Engine.IO session id becomes its hash.

    What is beyond `MOST_URL` characters is cut off.
    """
    url = url[:MOST_URL]
    if url.startswith(("data:", "blob:", "javascript:")):
        return url.split(":", 1)[0] + ":"
    base, _, query = url.split("#", 1)[0].partition("?")
    scheme, separator, rest = base.partition("://")
    if separator:
        place, slash, path = rest.partition("/")
        path = _PATH_FIELD.sub(rf"\1{MARK}", path)
        base = scheme + separator + place.rpartition("@")[2] + slash + path
    base = scrub(base.encode(errors="replace")).decode()
    if not query:
        return base[:MOST_URL]
    return (base + "?" + "&".join(_clean_field(field) for field in query.split("&")))[:MOST_URL]


def clean_urls_in(text: str) -> str:
    """Return a browser's error message with the URLs in it cleaned."""
    return _URL.sub(lambda found: clean_url(found[0]), text[:MOST_ERROR])


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
    place = namespace[:256].rstrip(b",").split(b"?")[0].decode(errors="replace")
    return f"{'page' if asked_by_page else 'site'} {place} {ack_id.decode()}"


def _without_query(head: "re.Match[bytes]") -> bytes:
    """Return a packet's head; a namespace may carry a query (`/ns?token=x,`), which is hidden."""
    namespace, comma = (head[3][:-1], b",") if head[3].endswith(b",") else (head[3], b"")
    attachments = head[2] + b"-" if head[2] is not None else b""
    return b"4" + head[1] + attachments + namespace.split(b"?")[0] + b"?" + _MARK + comma + head[4]


def _is_secret(body: bytes) -> bool:
    """Whether an event's arguments must be hidden; with a head that we cannot read, on suspicion."""
    name = _event_name(body)
    return name in SECRET_EVENTS if name is not None else b"uthenticate" in unescaped(body)


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
    arguments, values = _decode(body), _elements(body)
    if not isinstance(arguments, list) or len(values) != len(arguments):
        return b'["authenticate",' * keep + b"[" * (1 - keep) + _MARK_JSON + b"]"
    pairs = list(zip(arguments, values, strict=True))[keep:]
    return replaced(body, [hidden(value, 0) for argument, value in pairs if not _is_open(argument)])


def _hide_values(body: bytes) -> bytes:
    """Return a JSON object with all its values hidden, whatever they are."""
    payload, values = _decode(body), _elements(body)[1::2]
    if not isinstance(payload, dict) or len(values) != len(payload):
        return b'{"auth":' + _MARK_JSON + b"}"
    found: list[Found] = [hidden(value, 0) for value in values]
    return replaced(body, found)


def _elements(body: bytes) -> list[Value]:
    """Return the elements of an array, or the keys and values of an object."""
    view = unescaped(body)
    return list(islice(elements(view, len(view) - len(view.lstrip()) + 1, 0), MOST_VALUES))


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
