"""One connection to one browser: CDP messages in; commands, and items for the journal, out. Pure.

Attaches to every target, recursively, and turns on network events in each before it runs. Items carry no number yet.
Nothing leaves before the first round of attaching is settled: then `Attached` says from when on everything is seen, and
frames of older streams from before that moment are dropped (they lie in the time not covered; a stream that was seen
to begin is kept whole). Who is silent is asked for a sign of life: a stream that ends without a word, as under a crash,
a reload or a dead browser, counts as seen until the last sign only. Owns no socket and no clock: `handle` is told the
time, in CDP's monotonic seconds.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from actors.capture import wire
from actors.capture.buttons import BINDING, Asked, Buttons
from actors.capture.maker import Maker
from actors.capture.same_site import GameSite
from actors.capture.socket_filter import SocketFilter
from actors.capture.targets import DOCUMENT_KINDS, READ_KINDS, Target, is_forbidden
from actors.capture.traffic import Outcome, Traffic, Want
from actors.capture.wire import Command
from actors.core.breadcrumb import Breadcrumb
from actors.core.messages import Captured, FrameSeen, PageChanged, StreamOpened
from actors.rugs.acks import Acks
from actors.rugs.veil import Veil

SETTLE_S = 2.0  # 5 to 50 ms are usual; a renderer that hangs must not hold back the others for ever
AUTO_ATTACH = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
NETWORK = {"maxPostDataSize": 1_000_000}
SILENT_S = 0.5  # then a sign of life is asked for; the game itself gives four a second
SIGNS_OF_TRUST = 3  # after which a page that was busy has told of all that waited in it
FORGOTTEN_S = 60.0  # a page that crashed never answers
NEVER_S = float("inf")

Out = Command | Captured


class Tap:
    """Sessions and targets of one connection."""

    def __init__(
        self,
        guid: str,
        offset_s: float,
        buttons: Buttons | None = None,
        acks: Acks | None = None,
        known: Iterable[str] = (),
        veil: Veil | None = None,
        sockets: SocketFilter | None = None,
        breadcrumb: Breadcrumb | None = None,
        site: GameSite | None = None,
    ) -> None:
        """buttons: tells of presses; None where they are not recorded.

        acks: what was asked before, by all captures. known: streams that were open when somebody looked last.
        veil: gives other players pseudonyms. sockets: which of them count. breadcrumb: names what is worked on.
        site: the game's page, whose documents may open what counts; None where everybody's may.
        """
        self._sockets = sockets or SocketFilter()
        self._breadcrumb = breadcrumb
        self._site = site
        self._veil = veil
        self._known = tuple(known)
        self._sockets.expect(self._known)
        self._acks = acks or Acks()
        self.make = Maker(guid, offset_s)
        self._buttons = buttons
        self.guid = guid
        self.frames = 0
        self.bytes = 0
        self.redacted = 0
        self.undecodable = 0
        self.unread_polls = 0
        self.is_attached = False
        self._targets: dict[str, Target] = {}
        self._sessions: dict[str, Target] = {}
        self._last_id = 0
        self._wanted: dict[int, tuple[Target, Want]] = {}
        self._leaving: dict[int, tuple[str, str]] = {}  # resumed sessions, to be detached when they run
        self._alive_s = 0.0  # CDP seconds; up to here the browser surely worked, and all it sent was read
        self._asked_s = 0.0  # when signs of life were asked for last
        self._signs: dict[int, tuple[Target | None, float]] = {}  # asked for; None: of the browser itself
        self._settling: set[int] = set()
        self._settle_by_s = NEVER_S
        self._early: list[Captured] = []

    @property
    def sessions(self) -> int:
        """Open sessions."""
        return len(self._sessions)

    def begin(self, now_s: float) -> Iterator[Out]:
        """Attach to what is there and to what will come."""
        self._settle_by_s = now_s + SETTLE_S
        self._alive_s = now_s
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
            if target is not None and target.reader == envelope.session_id:
                yield from self._on_event(target, envelope.method, params, now_s)

    def tick(self, now_s: float) -> Iterator[Out]:
        """Give up what was waited for too long; call every 100 ms or so."""
        for target in self._targets.values():
            yield from self._leave(target.traffic.expire(now_s))
        if not self.is_attached and now_s >= self._settle_by_s:
            yield from self._settle(now_s)
        if now_s >= self._asked_s + SILENT_S:
            self._asked_s = now_s
            yield from self._ask_for_signs(now_s)

    def _ask_for_signs(self, now_s: float) -> Iterator[Command]:
        """Ask the silent ones for nothing much; the answer comes from the thread that tells of frames, behind them."""
        self._signs = {id_: sign for id_, sign in self._signs.items() if sign[1] > now_s - FORGOTTEN_S}
        if self._alive_s < now_s - SILENT_S:
            yield self._sign(self._command("Browser.getVersion"), None, now_s)
        for target in self._targets.values():
            if target.asked_s is not None:
                target.lags = SIGNS_OF_TRUST
                continue
            silent = target.lags or target.alive_s < now_s - SILENT_S
            if target.reader is not None and target.traffic.is_busy and silent:
                target.asked_s = now_s
                yield self._sign(self._command("Runtime.disable", session=target.reader), target, now_s)

    def _sign(self, command: Command, target: Target | None, now_s: float) -> Command:
        self._signs[command.id] = (target, now_s)
        return command

    def _saw_alive(self, target: Target | None, at_s: float) -> None:
        self._alive_s = max(self._alive_s, at_s)
        if target is not None and not target.lags:
            target.alive_s = max(target.alive_s, at_s)

    def silent_since_s(self, now_s: float) -> float | None:
        """Return the browser's last sign of life where it owes one, None where all is well."""
        return self._alive_s if self._alive_s < now_s - 3 * SILENT_S else None

    def held_since_s(self) -> float | None:
        """Return since when something is held back here, None where nothing is."""
        held = (target.traffic.held_since_s() for target in self._targets.values())
        return min((since_s for since_s in held if since_s is not None), default=None)

    def end(self, cause: str, read_until_s: float, *, browser_gone: bool) -> Iterator[Captured]:
        """Say that this connection ended. browser_gone: its streams ended with it, nobody knows when."""
        if not self.is_attached:
            return
        for target in self._targets.values():
            yield from self._leave(target.traffic.expire(NEVER_S))
            if browser_gone:
                yield from self._leave(target.traffic.close_all(cause, target.alive_s))
        yield self.make.detached(cause, min(read_until_s, self._alive_s) if browser_gone else read_until_s)

    # Sessions

    def _on_attached(self, parent: str, event: wire.AttachedToTarget, now_s: float) -> Iterator[Out]:
        info, session = event.target_info, event.session_id
        if is_forbidden(info.url):
            # Detached before it runs, an extension's worker stays frozen for ever: the wallet would be dead.
            resume = self._command("Runtime.runIfWaitingForDebugger", session=session)
            self._leaving[resume.id] = (session, parent)
            yield resume
            return
        if info.type in READ_KINDS:
            yield from self._add(info, session, parent, now_s)
        yield self._command("Runtime.runIfWaitingForDebugger", session=session)

    def _add(self, info: wire.TargetInfo, session: str, parent: str, now_s: float) -> Iterator[Out]:
        target = self._targets.get(info.target_id)
        if target is None:
            traffic = Traffic(
                info.target_id, self.make, self._acks, self._veil, self._sockets, self._breadcrumb, self._site
            )
            target = Target(info.target_id, info.type, traffic, now_s)
            target.traffic.expect((s for s in self._known if s.split("/")[1] == target.id), now_s)
            self._targets[target.id] = target
        target.traffic.page = info.url
        target.sessions[session] = parent
        self._sessions[session] = target
        if target.reader == session:
            yield from self._enable(target, session)
            if target.is_page:
                yield from self._leave(target.traffic.put(self._page(target, "opened", info.url, now_s)))

    def _enable(self, target: Target, session: str) -> Iterator[Out]:
        yield self._command("Network.enable", NETWORK, session, settles=True)
        if target.kind in DOCUMENT_KINDS:
            yield self._command("Page.enable", session=session)
            yield self._command("Inspector.enable", session=session)
            if self._buttons is not None:
                yield from self._each(session, self._buttons.install())
        yield self._command("Target.setAutoAttach", AUTO_ATTACH, session, settles=True)

    def _on_detached(self, session: str, now_s: float) -> Iterator[Out]:
        target = self._sessions.pop(session, None)
        if target is None:
            return
        was_reader = target.reader == session
        del target.sessions[session]
        if target.reader is None:
            yield from self._gone(target, now_s)
        elif was_reader:
            target.asked_s = None
            yield from self._enable(target, target.reader)

    def _gone(self, target: Target, now_s: float) -> Iterator[Captured]:
        del self._targets[target.id]
        yield from self._leave(target.traffic.close_all("target gone", target.alive_s))
        if target.is_page:
            yield from self._leave(target.traffic.put(self._page(target, "gone", "", now_s)))
        yield from self._leave(target.traffic.expire(NEVER_S))

    def _leave_alone(self, target: Target, now_s: float) -> Iterator[Out]:
        """A page went to an extension's page: read nothing more of it."""
        for session, parent in target.sessions.items():
            del self._sessions[session]
            yield self._command("Network.disable", session=session)
            yield self._command("Target.detachFromTarget", {"sessionId": session}, parent)
        target.sessions.clear()
        yield from self._gone(target, now_s)

    # Events and answers

    def _on_event(self, target: Target, method: str, params: wire.Wire, now_s: float) -> Iterator[Out]:
        # Of the page itself only what its own thread tells: a reload of a hung page is told by the browser.
        of_page = isinstance(params, wire.SocketFrame | wire.SocketClosed)
        self._saw_alive(target if of_page else None, getattr(params, "timestamp", 0.0))
        if isinstance(params, wire.FrameNavigated):
            if target.is_root(params.frame.id, params.frame.parent_id):
                yield from self._on_navigated(target, params.frame.url, now_s)
            if self._buttons is not None and target.reader is not None:
                yield from self._each(target.reader, self._buttons.follow(params.frame.id))
        elif isinstance(params, wire.BindingCalled):
            yield from self._on_press(target, params, now_s)
        elif method == "Inspector.targetCrashed":
            yield from self._restarted(target, "page crashed", "crashed", "", now_s)
        else:
            if isinstance(params, wire.RequestSent) and self._site is not None and target.is_page:
                self._site.follow(target.id, params)
            yield from self._pass(target, target.traffic.handle(method, params, now_s))

    def _on_navigated(self, target: Target, url: str, now_s: float) -> Iterator[Out]:
        target.traffic.page = url
        if is_forbidden(url):
            yield from self._leave_alone(target, now_s)
        else:
            yield from self._restarted(target, "page navigated", "navigated", url, now_s)

    def _restarted(self, target: Target, cause: str, what: str, url: str, now_s: float) -> Iterator[Captured]:
        """The document, and with it every stream, went away without a word."""
        yield from self._leave(target.traffic.close_all(cause, target.alive_s))
        target.alive_s, target.asked_s, target.lags = now_s, None, 0
        if target.is_page:
            yield from self._leave(target.traffic.put(self._page(target, what, url, now_s)))

    def _page(self, target: Target, what: str, url: str, now_s: float) -> PageChanged:
        """What the user looks at besides the game is nobody's business: of another site only where it is."""
        shown = self._site.shown(url) if self._site is not None and url else url
        return self.make.page(target.id, what, shown, now_s)

    def _on_press(self, target: Target, call: wire.BindingCalled, now_s: float) -> Iterator[Captured]:
        if self._buttons is None or call.name != BINDING:
            return
        try:
            press = self._buttons.read(call.payload, target.id, self.make, now_s)
        except wire.Undecodable:
            self.undecodable += 1
        else:
            yield from self._leave(target.traffic.put(press) if press is not None else ())

    def _each(self, session: str, asked: Iterable[Asked]) -> Iterator[Command]:
        for method, params in asked:
            yield self._command(method, params, session)

    def _pass(self, target: Target, outcomes: Iterable[Outcome]) -> Iterator[Out]:
        for outcome in outcomes:
            if isinstance(outcome, Want):
                yield self._ask(target, outcome)
            else:
                yield from self._leave([outcome])

    def _ask(self, target: Target, want: Want) -> Command:
        method = "Network.getRequestPostData" if want.sent else "Network.getResponseBody"
        command = self._command(method, {"requestId": want.poll.request_id}, target.reader or "")
        self._wanted[command.id] = (target, want)
        return command

    def _on_answer(self, envelope: wire.Envelope, now_s: float) -> Iterator[Out]:
        if envelope.id in self._signs:
            target, asked_s = self._signs.pop(envelope.id)
            if target is not None and target.asked_s == asked_s:
                target.asked_s, target.lags = None, max(0, target.lags - 1)
            self._saw_alive(target, asked_s)
        if envelope.id in self._wanted:
            wanting, want = self._wanted.pop(envelope.id)
            text = wire.text_of(envelope.result, sent=want.sent)
            self.unread_polls += text is None
            yield from self._leave(wanting.traffic.fill(want, text))
        if envelope.id in self._leaving:
            session, parent = self._leaving.pop(envelope.id)
            yield self._command("Target.detachFromTarget", {"sessionId": session}, parent)
        self._settling.discard(envelope.id)
        if not self._settling and not self.is_attached:
            yield from self._settle(now_s)

    # Letting items out

    def _settle(self, now_s: float) -> Iterator[Captured]:
        self.is_attached = True
        self._settling.clear()
        early, self._early = self._early, []
        begun = {item.stream for item in early if isinstance(item, StreamOpened)}
        yield self.make.attached(now_s)
        yield from self._leave(
            item for item in early if not isinstance(item, FrameSeen) or item.stream in begun or item.cdp_s >= now_s
        )

    def _leave(self, items: Iterable[Captured]) -> Iterator[Captured]:
        """Let items out, or hold them back while attaching is not settled."""
        for item in items:
            if not self.is_attached:
                self._early.append(item)
                continue
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
