"""What a capture knows of one target (page, frame, worker): its sessions, its open streams, its polls. Pure.

A target may be attached more than once (a service worker is, from the browser and from its page): one session carries
the network events, the others wait as spares. Items of a target leave through its `line`, secrets taken out in order.
"""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from actors.capture.line import Line
from actors.capture.polling import Poll
from actors.capture.redact import Redactor
from actors.core.messages import Captured, FrameSeen, StreamClosed

READ_KINDS = frozenset({"page", "iframe", "worker", "shared_worker", "service_worker", "webview"})
DOCUMENT_KINDS = frozenset({"page", "iframe", "webview"})

FORBIDDEN = ("chrome-extension://", "devtools://")


def is_forbidden(url: str) -> bool:
    """Whether a target at `url` must never be read: wallets live in extensions."""
    return url.startswith(FORBIDDEN)


class Target:
    """One target and everything that ends with it."""

    def __init__(self, target_id: str, kind: str) -> None:
        self.id = target_id
        self.kind = kind
        self.sessions: list[str] = []  # the first one carries the network events
        self.line = Line()
        self.polls: dict[str, Poll] = {}  # GETs under way, by request id
        self.streams: dict[str, str] = {}  # open streams: stream id -> key of its redactor
        self.announced: set[str] = set()  # streams whose beginning was seen
        self.errors: dict[str, str] = {}  # by stream, until it closes
        self._redactors: dict[str, Redactor] = {}

    def reads(self, session: str) -> bool:
        """Whether `session` is the one that carries the network events."""
        return bool(self.sessions) and self.sessions[0] == session

    def open(self, stream: str, key: str, announced: bool) -> None:
        """Note that a stream is open. key: what its acks share with other transports of the same Engine.IO session."""
        self.streams[stream] = key
        if announced:
            self.announced.add(stream)

    def close(self, stream: str, cause: str, at_us: int, cdp_s: float) -> Iterator[Captured]:
        """Close a stream; yield what may leave the line."""
        cause = self.errors.pop(stream, cause)
        yield from self.line.put(StreamClosed(n=0, at_us=at_us, cdp_s=cdp_s, stream=stream, cause=cause))

    def close_all(self, cause: str, at_us: int, cdp_s: float) -> Iterator[Captured]:
        """Close every stream, as a navigation, a crash or the end of the target does; CDP tells nothing of that."""
        self.polls.clear()
        for stream in list(self.streams):
            yield from self.close(stream, cause, at_us, cdp_s)

    def cleaned(self, items: Iterable[Captured]) -> Iterator[Captured]:
        """Take the secrets out of what leaves the line; must see every item once, in order."""
        for item in items:
            if isinstance(item, FrameSeen):
                key = self.streams.setdefault(item.stream, item.stream)
                redactor = self._redactors.setdefault(key, Redactor())
                payload, changed = redactor.clean(item.sent, item.opcode, item.payload)
                yield replace(item, payload=payload, redacted=True) if changed else item
                continue
            if isinstance(item, StreamClosed):
                self._forget(item.stream)
            yield item

    def _forget(self, stream: str) -> None:
        key = self.streams.pop(stream, stream)
        self.announced.discard(stream)
        if key not in self.streams.values():
            self._redactors.pop(key, None)
