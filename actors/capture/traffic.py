"""The WebSockets and polling sessions of one target. Pure.

In: network events, and bodies that were asked for. Out: items in the order in which they happened, secrets taken out;
`Want`s, where a body must be asked for. CDP says nothing when a document and its sockets go away: `close_all` does.
What counts is judged by the address and by the document that opened it before anything is made of it.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from actors.capture import wire
from actors.capture.line import Line, Place
from actors.capture.maker import Maker
from actors.capture.polling import PAGE_KINDS, Poll, packets_of, poll_of
from actors.capture.same_site import GameSite, origin_of
from actors.capture.socket_filter import SocketFilter
from actors.core.breadcrumb import LARGE_BYTES, Breadcrumb
from actors.core.messages import Captured, FrameSeen, StreamClosed, StreamOpened
from actors.rugs.acks import Acks
from actors.rugs.redact import Redactor, clean_url, clean_urls_in, query_value, short_hash
from actors.rugs.veil import Veil

OPENING_KEPT = 300  # sockets without a handshake yet; a browser has 255
UPGRADE = "5"  # Engine.IO: from here on the WebSocket carries the session


class Want(Struct, frozen=True):
    """A body to be asked for; its packets have their place already."""

    poll: Poll
    sent: bool
    at_s: float  # CDP seconds of its packets
    place: Place


Outcome = Captured | Want


class Traffic:
    """Events of one target in; items and wants out."""

    def __init__(
        self,
        target_id: str,
        make: Maker,
        acks: Acks,
        veil: Veil | None = None,
        sockets: SocketFilter | None = None,
        breadcrumb: Breadcrumb | None = None,
        site: GameSite | None = None,
    ) -> None:
        """acks: what all targets' pages asked for; an ack may come when another capture saw its request.

        veil: gives other players pseudonyms. sockets: which of them count, in all targets. breadcrumb: names what is
        worked on, should that take so long that this process is killed. site: whose documents may open what counts;
        None where everybody's may.
        """
        self._veil = veil
        self._sockets = sockets or SocketFilter()
        self._counting = self._sockets.counting
        self._breadcrumb = breadcrumb
        self.page = ""  # the target's URL
        self._site = site
        self._id = target_id
        self._acks = acks
        self._make = make
        self._line = Line()
        self._polls: dict[str, Poll] = {}  # GETs under way, by request id
        self._posts: dict[str, tuple[Want, str | None]] = {}  # POSTs under way, and what they carry, where CDP told it
        self._opening: dict[str, str] = {}  # WebSockets of the game's address whose opener is not known yet, with URLs
        self._coming: dict[str, Want] = {}  # GETs whose answer began to arrive
        self._streams: dict[str, str] = {}  # open streams -> what their acks share with other transports of a session
        self._unheard: dict[str, float] = {}  # expected streams -> since when
        self._reading: dict[str, Want] = {}  # GETs whose answer began to arrive, until their body is read
        self._upgraded: dict[str, float] = {}  # polling streams that a WebSocket took over, and when
        self._closing: set[str] = set()  # of those, whose end waits in line
        self._announced: set[str] = set()  # streams whose beginning has left
        self._errors: dict[str, str] = {}
        self._redactors: dict[str, Redactor] = {}
        self._handlers: dict[str, Callable[[Any, float], Iterator[Outcome]]] = {
            "Network.webSocketFrameReceived": self._on_received,
            "Network.webSocketFrameSent": self._on_sent,
            "Network.webSocketCreated": self._on_created,
            "Network.webSocketWillSendHandshakeRequest": self._on_handshake,
            "Network.webSocketClosed": self._on_closed,
            "Network.webSocketFrameError": self._on_error,
            "Network.requestWillBeSent": self._on_request,
            "Network.responseReceived": self._on_response,
            "Network.loadingFinished": self._on_loaded,
            "Network.loadingFailed": self._on_failed,
        }

    @property
    def is_busy(self) -> bool:
        """Whether a stream is open."""
        return bool(self._streams)

    def handle(self, method: str, params: wire.Wire, now_s: float) -> Iterator[Outcome]:
        """Take a network event; others are passed over."""
        handler = self._handlers.get(method)
        if handler is not None:
            yield from handler(params, now_s)

    def put(self, item: Captured) -> Iterator[Captured]:
        """Take an item about the target itself; it waits in line with the others."""
        yield from self._cleaned(self._line.put(item))

    def fill(self, want: Want, text: str | None) -> Iterator[Captured]:
        """Take the body that was wanted, None where there is none."""
        items = self._packets(want.poll, want.sent, want.at_s, text) if text is not None else []
        yield from self._cleaned(self._line.fill(want.place, items))
        self._reading.pop(want.poll.request_id, None)
        yield from self._end_upgraded()

    def expect(self, streams: Iterable[str], since_s: float) -> None:
        """Take streams for open that were when somebody looked last; of one never heard nobody knows when it ended."""
        for stream in streams:
            self._streams[stream] = stream.rpartition("/")[2].removeprefix("poll-") if "/poll-" in stream else stream
            self._unheard[stream] = since_s

    def close_all(self, cause: str, at_s: float) -> Iterator[Captured]:
        """Close every stream, as a navigation, a crash or the end of the target does; at_s: seen until then."""
        self._polls.clear()
        self._upgraded.clear()
        self._opening.clear()
        unanswered = [want for want, _ in self._posts.values()]
        self._posts.clear()
        for want in [*self._coming.values(), *unanswered]:
            yield from self.fill(want, None)
        self._coming.clear()
        self._reading.clear()
        for stream in list(self._streams):
            yield from self._close(stream, cause, min(at_s, self._unheard.get(stream, at_s)))
        self._sockets.target_gone(self._stream(""))

    def expire(self, now_s: float) -> Iterator[Captured]:
        """Give up bodies that do not come."""
        yield from self._cleaned(self._line.expire(now_s))
        yield from self._end_upgraded()

    def held_since_s(self) -> float | None:
        """Return since when something waits here, None where nothing does."""
        return self._line.oldest_s()

    # WebSockets

    def _on_received(self, event: wire.SocketFrame, now_s: float) -> Iterator[Outcome]:
        if self._opening:
            yield from self._decide(self._stream(event.request_id), self.page, now_s)
        if self._forwards(event, now_s):
            yield from self._on_frame(event, False)

    def _on_sent(self, event: wire.SocketFrame, now_s: float) -> Iterator[Outcome]:
        if self._opening:
            yield from self._decide(self._stream(event.request_id), self.page, now_s)
        if not self._forwards(event, now_s):
            return
        yield from self._on_frame(event, True)
        if event.response.payload_data == UPGRADE:
            key = self._streams.get(self._stream(event.request_id))
            polling = self._stream(f"poll-{key}")
            if polling in self._streams:
                self._upgraded[polling] = event.timestamp
                yield from self._end_upgraded()

    def _end_upgraded(self) -> Iterator[Captured]:
        """Close polling streams that a WebSocket took over, once their last polls are read: those may come later."""
        for stream, at_s in list(self._upgraded.items()):
            if stream in self._streams and stream not in self._closing and not self._is_polling(stream):
                self._closing.add(stream)
                yield from self._close(stream, "upgraded", at_s)

    def _is_polling(self, stream: str) -> bool:
        wants = [*self._reading.values(), *(want for want, _ in self._posts.values())]
        reading = [want.poll for want in wants if not want.place.left]
        return any(self._stream(poll.stream_name([])) == stream for poll in [*self._polls.values(), *reading])

    def _forwards(self, event: wire.SocketFrame, now_s: float) -> bool:
        """Return whether a frame's socket counts, or may: else nothing more is done with it."""
        stream = self._stream(event.request_id)
        if stream in self._counting:
            return True
        return self._sockets.admits(stream, event.response.payload_data, self.page, self._site, now_s)

    def _on_frame(self, event: wire.SocketFrame, sent: bool) -> Iterator[Outcome]:
        stream = self._stream(event.request_id)
        self._streams.setdefault(stream, stream)
        opcode = int(event.response.opcode)
        payload = wire.payload_of(opcode, event.response.payload_data)
        yield from self.put(self._make.frame(stream, sent, opcode, payload, event.timestamp))

    def _on_created(self, event: wire.SocketCreated, now_s: float) -> Iterator[Outcome]:
        stream = self._stream(event.request_id)
        if self._site is None or not self._sockets.counts(clean_url(event.url)):
            yield from self._open(stream, event.url, now_s)
            return
        self._opening[stream] = event.url
        if len(self._opening) > OPENING_KEPT:
            del self._opening[next(iter(self._opening))]  # unknown from now on: the journal is asked

    def _on_handshake(self, event: wire.SocketHandshake, now_s: float) -> Iterator[Outcome]:
        yield from self._decide(self._stream(event.request_id), event.origin or self.page, now_s, seen=True)

    def _decide(self, stream: str, opener: str, now_s: float, *, seen: bool = False) -> Iterator[Captured]:
        """Decide on a socket of the game's address, by its opener. seen: its handshake; else the journal is asked."""
        url = self._opening.pop(stream, None)
        if url is None or self._site is None:
            return
        if self._site.covers(opener):
            yield from self._open(stream, url, now_s)
        elif seen:
            self._sockets.refuse(stream, origin_of(opener))

    def _open(self, stream: str, url: str, now_s: float) -> Iterator[Captured]:
        if not self._sockets.opened(stream, clean_url(url)):
            return
        sid = query_value(url, "sid")
        self._streams[stream] = short_hash(sid) if sid else stream
        yield from self.put(self._make.opened(stream, url, "websocket", now_s))

    def _on_closed(self, event: wire.SocketClosed, now_s: float) -> Iterator[Outcome]:
        stream = self._stream(event.request_id)
        self._opening.pop(stream, None)
        if stream in self._streams:
            yield from self._close(stream, "closed", event.timestamp)
        self._sockets.closed(stream)

    def _on_error(self, event: wire.SocketError, now_s: float) -> Iterator[Outcome]:
        stream = self._stream(event.request_id)
        if stream in self._streams:
            self._errors[stream] = f"error: {clean_urls_in(event.error_message)}"
        yield from ()

    # Polling

    def _on_request(self, event: wire.RequestSent, now_s: float) -> Iterator[Outcome]:
        yield from self._drop(event.request_id)  # redirected: who answers is not who was asked
        request = event.request
        poll = poll_of(event.request_id, request.url, request.method, event.timestamp)
        if poll is None or event.type not in PAGE_KINDS or not self._sockets.counts(clean_url(poll.url)):
            return
        opener = event.document_url or self.page
        if self._site is not None and not self._site.covers(opener):
            self._sockets.refuse(self._stream("polls"), origin_of(opener))
        elif request.method == "GET":
            self._polls[event.request_id] = poll
        elif request.post_data is not None or request.has_post_data:
            want = Want(poll, True, event.timestamp, self._line.reserve(now_s))
            self._posts[event.request_id] = (want, request.post_data)

    def _on_response(self, event: wire.ResponseReceived, now_s: float) -> Iterator[Outcome]:
        """Keep the place: the page acts on the body, and sends, before CDP says that loading finished."""
        poll = self._polls.pop(event.request_id, None)
        if poll is not None and event.response.is_own_word:  # else an error text, not packets
            want = Want(poll, False, event.timestamp, self._line.reserve(now_s))
            self._coming[event.request_id] = self._reading[event.request_id] = want
        elif event.request_id in self._posts:
            yield from self._on_answered(*self._posts.pop(event.request_id), taken=event.response.is_own_word)

    def _on_answered(self, want: Want, text: str | None, *, taken: bool) -> Iterator[Outcome]:
        """Store what a page sent only once the server took it: who sends into the void is nobody."""
        if taken and text is None:
            self._reading[want.poll.request_id] = want
            yield want
        else:
            yield from self.fill(want, text if taken else None)

    def _drop(self, request_id: str) -> Iterator[Captured]:
        """Forget a request that gets no answer of its own."""
        self._polls.pop(request_id, None)
        want, _ = self._posts.pop(request_id, (None, None))
        want = self._coming.pop(request_id, want)
        if want is not None:
            yield from self.fill(want, None)

    def _on_loaded(self, event: wire.LoadingEnded, now_s: float) -> Iterator[Outcome]:
        want = self._coming.pop(event.request_id, None)
        if want is not None:
            yield want

    def _on_failed(self, event: wire.LoadingEnded, now_s: float) -> Iterator[Outcome]:
        yield from self._drop(event.request_id)
        yield from self._end_upgraded()

    def _packets(self, poll: Poll, sent: bool, at_s: float, body: str) -> list[Captured]:
        packets = packets_of(body)
        name = poll.stream_name(packets)
        stream = self._stream(name)
        items: list[Captured] = []
        self._streams.setdefault(stream, name.removeprefix("poll-"))
        if stream not in self._announced:
            self._sockets.opened(stream, clean_url(poll.url))
            items.append(self._make.opened(stream, poll.url, "polling", poll.sent_s))
        items += [self._make.frame(stream, sent, opcode, payload, at_s) for opcode, payload in packets]
        return items

    # What both share

    def _stream(self, request_id: str) -> str:
        return self._make.stream(self._id, request_id)

    def _close(self, stream: str, cause: str, cdp_s: float) -> Iterator[Captured]:
        yield from self.put(self._make.closed(stream, self._errors.pop(stream, cause), cdp_s))

    def _cleaned(self, items: Iterable[Captured]) -> Iterator[Captured]:
        """Take the secrets out of what leaves the line; sees every item once, in order."""
        for item in items:
            if isinstance(item, FrameSeen):
                self._unheard.pop(item.stream, None)
                key = self._streams.setdefault(item.stream, item.stream)
                redactor = self._redactors.get(key)
                if redactor is None:
                    redactor = self._redactors[key] = Redactor(self._acks, key, self._veil)
                if self._breadcrumb is not None and len(item.payload) >= LARGE_BYTES:
                    self._breadcrumb.leave(self._words(item))
                is_own = self._sockets.is_own(item.stream)
                payload, changed = redactor.clean(item.sent, item.opcode, item.payload, item.stream, own_stream=is_own)
                yield replace(item, payload=payload, redacted=True) if changed else item
                continue
            if isinstance(item, StreamOpened):
                if item.stream in self._announced:
                    continue  # of two polls under way at once, the one that is first in line announces
                self._announced.add(item.stream)
            elif isinstance(item, StreamClosed):
                self._forget(item.stream)
            yield item

    def _words(self, item: FrameSeen) -> str:
        """Say which frame is worked on: its socket and size, never its content."""
        where = self._counting.get(item.stream, "").partition("?")[0] or f"socket {item.stream.partition('/')[2]}"
        return f"a {'sent' if item.sent else 'received'} frame of {len(item.payload)} bytes of {where}"

    def _forget(self, stream: str) -> None:
        self._sockets.closed(stream)
        self._announced.discard(stream)
        self._unheard.pop(stream, None)
        self._closing.discard(stream)
        key = self._streams.pop(stream, stream)
        if key not in self._streams.values():
            self._redactors.pop(key, None)
            self._acks.forget(key)
