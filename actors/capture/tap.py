"""One connection to one browser: CDP messages in; commands, and items for the journal, out. Pure.

Attaches to every target, recursively, and turns on network events in each before it runs. Items carry no number yet.
Nothing leaves before the first round of attaching is settled: then `Attached` says from when on everything is seen, and
frames of older streams from before that moment are dropped (they lie in the time not covered; a stream that was seen
to begin is kept whole). Owns no socket and no clock: `handle` is told the time, in CDP's monotonic seconds.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from actors.capture import wire
from actors.capture.line import Place
from actors.capture.polling import Poll, packets_of, poll_of
from actors.capture.redact import clean_url, clean_urls_in, query_value, short_hash
from actors.capture.targets import DOCUMENT_KINDS, READ_KINDS, Target, is_forbidden
from actors.capture.wire import Command
from actors.core.messages import Attached, Captured, Detached, FrameSeen, PageChanged, StreamOpened

SETTLE_S = 2.0  # 5 to 50 ms are usual; a renderer that hangs must not hold back the others for ever
AUTO_ATTACH = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
NETWORK = {"maxPostDataSize": 1_000_000}

Out = Command | Captured


class Asked(msgspec.Struct, frozen=True):
    """A body that was asked for."""

    target: Target
    poll: Poll
    sent: bool
    at_s: float  # CDP seconds of its packets
    place: Place


class Tap:
    """Sessions, targets, streams of one connection."""

    def __init__(self, guid: str, offset_s: float) -> None:
        """offset_s: wall clock minus monotonic clock; the shell keeps it up to date."""
        self.guid = guid
        self.offset_s = offset_s
        self.frames = 0
        self.bytes = 0
        self.redacted = 0
        self.undecodable = 0
        self.unread_polls = 0
        self.is_attached = False
        self._targets: dict[str, Target] = {}
        self._sessions: dict[str, Target] = {}
        self._parents: dict[str, str] = {}
        self._last_id = 0
        self._asked: dict[int, Asked] = {}
        self._settling: set[int] = set()
        self._settle_by_s = 0.0
        self._early: list[Captured] = []
        self._handlers: dict[str, Any] = {
            "Network.webSocketCreated": self._on_socket_created,
            "Network.webSocketClosed": self._on_socket_closed,
            "Network.webSocketFrameError": self._on_socket_error,
            "Network.requestWillBeSent": self._on_request,
            "Network.responseReceived": self._on_response,
            "Network.loadingFinished": self._on_loaded,
            "Network.loadingFailed": self._on_failed,
            "Page.frameNavigated": self._on_navigated,
            "Inspector.targetCrashed": self._on_crashed,
        }

    @property
    def sessions(self) -> int:
        """Open sessions."""
        return len(self._sessions)

    def begin(self, now_s: float) -> Iterator[Out]:
        """Attach to what is there and to what will come."""
        self._settle_by_s = now_s + SETTLE_S
        yield self._command("Target.setAutoAttach", AUTO_ATTACH, settles=True)

    def handle(self, message: bytes, now_s: float) -> Iterator[Out]:
        """Take one message of the browser."""
        try:
            envelope = wire.decode(message)
            if envelope.id:
                yield from self._on_answer(envelope, now_s)
                return
            params = wire.decode_params(envelope)
        except wire.Undecodable:
            self.undecodable += 1
            return
        if isinstance(params, wire.AttachedToTarget):
            yield from self._on_attached(envelope.session_id, params, now_s)
        elif isinstance(params, wire.DetachedFromTarget):
            yield from self._on_detached(params.session_id, now_s)
        elif params is not None:
            target = self._sessions.get(envelope.session_id)
            if target is not None and target.reads(envelope.session_id):
                yield from self._on_event(envelope, target, params, now_s)

    def tick(self, now_s: float) -> Iterator[Out]:
        """Give up what was waited for too long; call every 100 ms or so."""
        for target in self._targets.values():
            yield from self._leave(target, target.line.expire(now_s))
        if not self.is_attached and now_s >= self._settle_by_s:
            yield from self._settle(now_s)

    def held_since_s(self) -> float | None:
        """Return since when something is held back here, None where nothing is."""
        held = [since_s for target in self._targets.values() if (since_s := target.line.oldest_s()) is not None]
        return min(held, default=None)

    def end(self, cause: str, read_until_s: float, now_s: float, *, browser_gone: bool) -> Iterator[Captured]:
        """Say that this connection ended. browser_gone: its streams ended with it."""
        for target in self._targets.values():
            yield from self._released(target.cleaned(target.line.expire(float("inf"))))
            if browser_gone:
                yield from self._released(target.cleaned(target.close_all(cause, self._at_us(now_s), now_s)))
        if self.is_attached:
            at_us = self._at_us(read_until_s)
            yield Detached(n=0, at_us=at_us, cdp_s=read_until_s, guid=self.guid, cause=cause)

    # Sessions

    def _on_attached(self, parent: str, event: wire.AttachedToTarget, now_s: float) -> Iterator[Out]:
        info, session = event.target_info, event.session_id
        if is_forbidden(info.url):
            yield self._command("Runtime.runIfWaitingForDebugger", session=session)
            yield self._command("Target.detachFromTarget", {"sessionId": session}, parent)
            return
        if info.type in READ_KINDS:
            target = self._targets.setdefault(info.target_id, Target(info.target_id, info.type))
            self._sessions[session] = target
            self._parents[session] = parent
            target.sessions.append(session)
            if target.reads(session):
                yield from self._enable(target)
                if info.type == "page":
                    yield from self._page_changed(target, "opened", info.url, now_s)
        yield self._command("Runtime.runIfWaitingForDebugger", session=session)

    def _enable(self, target: Target) -> Iterator[Out]:
        session = target.sessions[0]
        yield self._command("Network.enable", NETWORK, session, settles=True)
        if target.kind in DOCUMENT_KINDS:
            yield self._command("Page.enable", session=session)
            yield self._command("Inspector.enable", session=session)
        yield self._command("Target.setAutoAttach", AUTO_ATTACH, session, settles=True)

    def _on_detached(self, session: str, now_s: float) -> Iterator[Out]:
        target = self._sessions.pop(session, None)
        self._parents.pop(session, None)
        if target is None:
            return
        was_reading = target.reads(session)
        target.sessions.remove(session)
        if target.sessions:
            if was_reading:
                yield from self._enable(target)
            return
        yield from self._close_all(target, "target gone", now_s)
        if target.kind == "page":
            yield from self._page_changed(target, "gone", "", now_s)
        yield from self._leave(target, target.line.expire(float("inf")))
        self._targets.pop(target.id, None)

    def _leave_alone(self, target: Target, now_s: float) -> Iterator[Out]:
        """A page we read went to an extension's page: read nothing more of it."""
        yield from self._close_all(target, "target gone", now_s)
        for session in target.sessions:
            self._sessions.pop(session, None)
            yield self._command("Network.disable", session=session)
            yield self._command("Target.detachFromTarget", {"sessionId": session}, self._parents.pop(session, ""))
        target.sessions.clear()
        self._targets.pop(target.id, None)

    # Events

    def _on_event(self, envelope: wire.Envelope, target: Target, params: wire.Wire, now_s: float) -> Iterator[Out]:
        if isinstance(params, wire.SocketFrame):
            yield from self._on_frame(target, params, envelope.method == "Network.webSocketFrameSent", now_s)
            return
        yield from self._handlers[envelope.method](target, params, now_s)

    def _on_frame(self, target: Target, event: wire.SocketFrame, sent: bool, now_s: float) -> Iterator[Out]:
        stream = self._stream(target, event.request_id)
        key = target.streams.get(stream)
        if key is None:
            target.open(stream, key := stream, announced=False)
        opcode, text = int(event.response.opcode), event.response.payload_data
        frame = self._frame(stream, sent, opcode, _payload(opcode, text), event.timestamp)
        yield from self._put(target, frame)
        polling = self._stream(target, "poll-" + key)
        if sent and text == "5" and polling in target.streams and polling != stream:
            yield from self._close(target, polling, "upgraded", event.timestamp)

    def _on_socket_created(self, target: Target, event: wire.SocketCreated, now_s: float) -> Iterator[Out]:
        stream = self._stream(target, event.request_id)
        sid = query_value(event.url, "sid")
        target.open(stream, short_hash(sid) if sid else stream, announced=True)
        yield from self._put(target, self._opened(stream, event.url, "websocket", now_s))

    def _on_socket_closed(self, target: Target, event: wire.SocketClosed, now_s: float) -> Iterator[Out]:
        yield from self._close(target, self._stream(target, event.request_id), "closed", event.timestamp)

    def _on_socket_error(self, target: Target, event: wire.SocketError, now_s: float) -> Iterator[Out]:
        target.errors[self._stream(target, event.request_id)] = f"error: {clean_urls_in(event.error_message)}"
        yield from ()

    def _on_request(self, target: Target, event: wire.RequestSent, now_s: float) -> Iterator[Out]:
        request = event.request
        poll = poll_of(event.request_id, request.url, request.method, event.timestamp)
        if poll is None:
            return
        if request.method == "GET":
            target.polls[event.request_id] = poll
        elif request.post_data is not None:
            yield from self._put_all(target, self._poll_items(target, poll, True, event.timestamp, request.post_data))
        elif request.has_post_data:
            yield self._ask(target, poll, sent=True, at_s=event.timestamp, now_s=now_s)

    def _on_response(self, target: Target, event: wire.ResponseReceived, now_s: float) -> Iterator[Out]:
        if event.response.status != 200:
            target.polls.pop(event.request_id, None)  # an error text, not packets
        yield from ()

    def _on_loaded(self, target: Target, event: wire.LoadingEnded, now_s: float) -> Iterator[Out]:
        poll = target.polls.pop(event.request_id, None)
        if poll is not None:
            yield self._ask(target, poll, sent=False, at_s=event.timestamp, now_s=now_s)

    def _on_failed(self, target: Target, event: wire.LoadingEnded, now_s: float) -> Iterator[Out]:
        target.polls.pop(event.request_id, None)
        yield from ()

    def _on_navigated(self, target: Target, event: wire.FrameNavigated, now_s: float) -> Iterator[Out]:
        frame = event.frame
        if frame.id != target.id and (target.kind != "page" or frame.parent_id is not None):
            return
        if is_forbidden(frame.url):
            yield from self._leave_alone(target, now_s)
            return
        yield from self._close_all(target, "page navigated", now_s)
        if target.kind == "page":
            yield from self._page_changed(target, "navigated", frame.url, now_s)

    def _on_crashed(self, target: Target, event: wire.NoParams, now_s: float) -> Iterator[Out]:
        yield from self._close_all(target, "page crashed", now_s)
        if target.kind == "page":
            yield from self._page_changed(target, "crashed", "", now_s)

    # Answers

    def _on_answer(self, envelope: wire.Envelope, now_s: float) -> Iterator[Out]:
        asked = self._asked.pop(envelope.id, None)
        if asked is not None:
            items = self._answered(asked, envelope)
            yield from self._leave(asked.target, asked.target.line.fill(asked.place, items))
        self._settling.discard(envelope.id)
        if not self._settling and not self.is_attached:
            yield from self._settle(now_s)

    def _answered(self, asked: Asked, envelope: wire.Envelope) -> list[Captured]:
        if not bytes(envelope.result):
            self.unread_polls += 1
            return []
        answer = wire.decode_body(envelope.result)
        text = answer.post_data if asked.sent else answer.body
        if answer.base64_encoded:
            text = _payload(2, text).decode(errors="replace")
        return self._poll_items(asked.target, asked.poll, asked.sent, asked.at_s, text)

    def _settle(self, now_s: float) -> Iterator[Captured]:
        self.is_attached = True
        self._settling.clear()
        early, self._early = self._early, []
        yield Attached(n=0, at_us=self._at_us(now_s), cdp_s=now_s, guid=self.guid)
        begun = {item.stream for item in early if isinstance(item, StreamOpened)}
        for item in early:
            if not isinstance(item, FrameSeen) or item.stream in begun or item.cdp_s >= now_s:
                yield from self._released([item])

    # Making and releasing items

    def _poll_items(self, target: Target, poll: Poll, sent: bool, at_s: float, body: str) -> list[Captured]:
        packets = packets_of(body)
        name = poll.stream_name(packets)
        stream = self._stream(target, name)
        items: list[Captured] = []
        if stream not in target.streams:
            target.open(stream, name.removeprefix("poll-"), announced=True)
            items.append(self._opened(stream, poll.url, "polling", poll.sent_s))
        items += [self._frame(stream, sent, opcode, payload, at_s) for opcode, payload in packets]
        return items

    def _opened(self, stream: str, url: str, transport: str, cdp_s: float) -> StreamOpened:
        at_us = self._at_us(cdp_s)
        return StreamOpened(n=0, at_us=at_us, cdp_s=cdp_s, stream=stream, url=clean_url(url), transport=transport)

    def _frame(self, stream: str, sent: bool, opcode: int, payload: bytes, cdp_s: float) -> FrameSeen:
        at_us = self._at_us(cdp_s)
        return FrameSeen(n=0, at_us=at_us, cdp_s=cdp_s, stream=stream, sent=sent, opcode=opcode, payload=payload)

    def _page_changed(self, target: Target, what: str, url: str, now_s: float) -> Iterator[Captured]:
        at_us = self._at_us(now_s)
        yield from self._put(
            target, PageChanged(n=0, at_us=at_us, cdp_s=now_s, target=target.id, what=what, url=clean_url(url))
        )

    def _close(self, target: Target, stream: str, cause: str, cdp_s: float) -> Iterator[Captured]:
        yield from self._leave(target, target.close(stream, cause, self._at_us(cdp_s), cdp_s))

    def _close_all(self, target: Target, cause: str, now_s: float) -> Iterator[Captured]:
        yield from self._leave(target, target.close_all(cause, self._at_us(now_s), now_s))

    def _put(self, target: Target, item: Captured) -> Iterator[Captured]:
        yield from self._leave(target, target.line.put(item))

    def _put_all(self, target: Target, items: Iterable[Captured]) -> Iterator[Captured]:
        for item in items:
            yield from self._put(target, item)

    def _leave(self, target: Target, items: Iterable[Captured]) -> Iterator[Captured]:
        """Items that left the target's line: clean them, and hold them back while attaching is not settled."""
        cleaned = target.cleaned(items)
        if self.is_attached:
            yield from self._released(cleaned)
        else:
            self._early.extend(cleaned)

    def _released(self, items: Iterable[Captured]) -> Iterator[Captured]:
        for item in items:
            if isinstance(item, FrameSeen):
                self.frames += 1
                self.bytes += len(item.payload)
                self.redacted += item.redacted
            yield item

    def _command(
        self, method: str, params: dict[str, Any] | None = None, session: str = "", *, settles: bool = False
    ) -> Command:
        self._last_id += 1
        if settles and not self.is_attached:
            self._settling.add(self._last_id)
        return Command(id=self._last_id, method=method, params=params or {}, session=session)

    def _ask(self, target: Target, poll: Poll, *, sent: bool, at_s: float, now_s: float) -> Command:
        method = "Network.getRequestPostData" if sent else "Network.getResponseBody"
        command = self._command(method, {"requestId": poll.request_id}, target.sessions[0])
        self._asked[command.id] = Asked(target, poll, sent, at_s, target.line.reserve(now_s))
        return command

    def _stream(self, target: Target, request_id: str) -> str:
        return f"{self.guid}/{target.id}/{request_id}"

    def _at_us(self, cdp_s: float) -> int:
        return round((cdp_s + self.offset_s) * 1e6)


def _payload(opcode: int, text: str) -> bytes:
    """Return a message's exact bytes; CDP gives all but text as base64."""
    if opcode == 1:
        return text.encode(errors="surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return text.encode(errors="surrogatepass")
