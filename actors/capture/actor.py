"""The capture's shell: the browser's socket, the journal's streams, the clock. `capture-a` and `capture-b` run it.

In: CDP messages of the browser named in `browser.json`, positions of the journal. Out: `CaptureBatch`es, after every
read and as a read mark each 100 ms, and `attached/<name>`, which tells the pilot that this capture sees everything.
One thread, one loop, nothing that waits but the connection's handshake (0.4 s at most). Never writes to disk what it
read (but who the own player is, for `privacy.pseudonymise`), never logs a payload.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from functools import partial

from actors.capture.attached_report import AttachedReport
from actors.capture.buttons import Buttons
from actors.capture.cdp import CdpSocket, ConnectionGone
from actors.capture.notes_file import read_notes, write_notes
from actors.capture.presence import Presence
from actors.capture.ring import Ring
from actors.capture.same_site import GameSite
from actors.capture.socket_filter import SocketFilter
from actors.capture.tap import Out, Tap
from actors.capture.wire import Command
from actors.core import endpoints, streams
from actors.core.breadcrumb import LARGE_BYTES, Breadcrumb, read_breadcrumb
from actors.core.browser_file import (
    AttachedFile,
    BrowserFile,
    attached_captures,
    read_attached_file,
    read_browser_file,
    remove_attached_file,
)
from actors.core.changes import Changes
from actors.core.clock import monotonic_s, wall_minus_monotonic_s
from actors.core.messages import Attached, Captured
from actors.core.privacy_files import keep_own, pseudonym_key, read_own
from actors.core.runtime import Context
from actors.rugs.acks import Acks, Notes
from actors.rugs.veil import Veil

LOOK_S = 0.05  # how often a connection is tried while there is none; a change of the browser's file is seen at once
MARK_S = 0.1
FAREWELL_S = 1.0
PORTION = 500  # items of one message in a turn, some 25 ms: a poll's body has 10,000 at most, half a second's work
STEADY_S = 1.0  # a connection that lasted so long is replaced at once when it is lost


class Capture:
    """One capture process's parts, joined."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._log = context.log
        left = read_breadcrumb(context.runtime_dir, context.name)
        if left:
            self._log.warning("the process before was killed while working on %s", left)
        self._breadcrumb = Breadcrumb(context.runtime_dir, context.name)
        self._ring = Ring(context.name, time.time_ns(), context.config.capture.ring_bytes, left)
        self._outbox = context.bus.outbox(streams.FRAMES)
        self._positions = context.bus.inbox(streams.FRAME_POSITIONS)
        self._predecessor = read_attached_file(context.runtime_dir, context.name)
        remove_attached_file(context.runtime_dir, context.name)
        self._changes = Changes([context.runtime_dir])
        self._socket: CdpSocket | None = None
        self._browser: BrowserFile | None = None  # at the other end of the socket
        self._connected_s = 0.0
        self._tap: Tap | None = None
        self._acks = Acks()
        self._veil = self._new_veil()
        self._presence = Presence(context.config.site.socket_pattern)
        self._sockets = SocketFilter(context.config.site.socket_pattern)  # of one browser, whatever becomes of the tap
        self._sockets_guid = ""
        self._game_site = GameSite(self._site, self._predecessor.homes if self._predecessor is not None else ())
        self._rest: Iterator[Out] | None = None  # what comes of the last message, as far as it was not taken yet
        self._report = AttachedReport(context.runtime_dir, context.name, context.log, self._game_site)
        self._told: tuple[str, str] = ("", "")  # the last failure to connect that was logged
        self._totals = dict.fromkeys(("frames", "bytes", "redacted", "undecodable", "unread_polls"), 0)

    def run(self) -> None:
        """Work until told to stop, then hand over what is left."""
        loop = self._context.loop
        loop.read(self._positions, self._hear)
        loop.read(self._changes, self._on_change)
        loop.every(LOOK_S, self._connect)
        loop.every(MARK_S, self._mark)
        loop.each_turn(self._after_turn)
        self._context.ready()
        self._connect()
        self._context.run_loop()
        self._say_farewell()
        self._changes.close()
        self._breadcrumb.close()

    def _new_veil(self) -> Veil | None:
        if not self._context.config.privacy.pseudonymise:
            return None
        return Veil(pseudonym_key(self._context.data_dir), read_own(self._context.data_dir))

    # The browser's side

    def _on_change(self) -> None:
        self._changes.drain()
        self._connect()

    def _connect(self) -> None:
        if self._socket is not None or self._context.loop.stopping:
            return
        browser = read_browser_file(self._context.runtime_dir)
        if browser is None:
            return
        try:
            self._begin(browser, CdpSocket(browser.ws))
        except ConnectionGone as gone:
            self._tell_once(browser, str(gone))

    def _begin(self, browser: BrowserFile, socket: CdpSocket) -> None:
        self._socket, self._browser, self._connected_s = socket, browser, monotonic_s()
        buttons = Buttons(self._site) if self._context.config.capture.buttons else None
        self._acks = Acks(self._noted(browser.guid), partial(self._noted_by_others, browser.guid))
        known = self._known_streams(browser.guid)
        for other in attached_captures(self._context.runtime_dir, browser.guid).values():
            self._game_site.learn(other.homes)
        if self._sockets_guid != browser.guid:
            self._sockets = SocketFilter(self._context.config.site.socket_pattern)
            self._sockets_guid = browser.guid
        self._tap = Tap(
            browser.guid, wall_minus_monotonic_s(), buttons, self._acks, known, self._veil, self._sockets,
            self._breadcrumb, self._game_site,
        )  # fmt: skip
        self._presence = Presence(self._context.config.site.socket_pattern, known)
        self._context.loop.read(socket, self._read)
        self._guarded(self._tap.begin(monotonic_s()))

    def _known_streams(self, guid: str) -> list[str]:
        """Return the site's open sockets as the other capture sees them, else as our predecessor saw them last."""
        others = attached_captures(self._context.runtime_dir, guid).values()
        mine = self._predecessor
        last = mine.streams if mine is not None and mine.guid == guid else []
        seeing = [other for other in others if not other.blind]
        return [stream for other in seeing for stream in other.streams] if seeing else last

    def _noted(self, guid: str) -> Notes:
        """Return what we, or our predecessor, noted of this browser's requests."""
        notes = read_notes(self._context.runtime_dir, self._context.name)
        return notes if notes is not None and notes.guid == guid else Notes(guid=guid)

    def _noted_by_others(self, guid: str) -> list[Notes]:
        names = {"capture-a", "capture-b"} - {self._context.name}
        found = (read_notes(self._context.runtime_dir, name) for name in names)
        return [notes for notes in found if notes is not None and notes.guid == guid]

    def _site(self) -> str | None:
        """Return the game's page, as the pilot opens it."""
        if self._context.demo:
            return endpoints.lookup(self._context.runtime_dir, "simulator")
        return self._context.config.site.url

    def _tell_once(self, browser: BrowserFile, why: str) -> None:
        if self._told != (browser.guid, why):
            self._told = (browser.guid, why)
            self._log.warning("browser %s: %s", browser.guid, why)

    def _read(self) -> None:
        socket, tap = self._socket, self._tap
        if socket is None or tap is None:
            return
        try:
            if not self._take_rest():
                return
            for message in socket.messages():
                if len(message) >= LARGE_BYTES:
                    self._breadcrumb.leave(f"a message of {len(message)} bytes of the browser")
                if not self._take(tap.handle(message, monotonic_s())):
                    break
        except ConnectionGone as gone:
            self._lose(str(gone))
        self._send()

    def _after_turn(self) -> None:
        if self._rest is not None:
            self._read()
            self._context.loop.again()
        self._report.write(self._presence, self._sockets)

    def _guarded(self, out: Iterator[Out]) -> None:
        try:
            self._take_all(out)
        except ConnectionGone as gone:
            self._lose(str(gone))

    def _lose(self, cause: str) -> None:
        """The connection ended: with it the browser, unless that takes another; then its streams go on meanwhile."""
        browser, lasted_s = self._browser, monotonic_s() - self._connected_s
        again = None
        if browser is not None:
            with contextlib.suppress(ConnectionGone):
                again = CdpSocket(browser.ws)
        self._disconnect(cause, browser_gone=again is None)
        if browser is None or again is None:
            return
        if lasted_s >= STEADY_S:
            self._begin(browser, again)
        else:
            again.close()  # the timer tries again: no tight loop

    def _take(self, out: Iterator[Out]) -> bool:
        """Take what comes of a message; False where that is more than a turn's portion: the rest comes first next."""
        for count, each in enumerate(out, 1):
            if isinstance(each, Command):
                if self._socket is not None:
                    self._socket.send(each.encode())
            else:
                self._keep(each)
            if count == PORTION:
                self._rest = out
                return False
        self._breadcrumb.clear()
        self._report.look(self._sockets)
        if self._acks.changed:
            self._acks.changed = False
            write_notes(self._context.runtime_dir, self._context.name, self._acks.notes)
        if self._veil is not None and self._veil.changed:
            self._veil.changed = False
            keep_own(self._context.data_dir, self._veil.own)
        return True

    def _keep(self, item: Captured) -> None:
        self._ring.add(item)
        if isinstance(item, Attached):
            self._log.info("attached to browser %s", item.guid)
            self._report.attached = AttachedFile(pid=os.getpid(), guid=item.guid, since_us=item.at_us)
            self._report.changed()
        elif self._presence.take(item):
            self._report.changed()

    def _take_rest(self) -> bool:
        """Take the next portion of a message's items; return whether none are left."""
        rest, self._rest = self._rest, None
        return rest is None or self._take(rest)

    def _take_all(self, out: Iterator[Out]) -> None:
        """Take all that comes, in one turn: of a start and of a tick, whose bounds are their targets'."""
        self._take(out)
        while not self._take_rest():
            pass

    def _disconnect(self, cause: str, *, browser_gone: bool) -> None:
        socket, tap = self._socket, self._tap
        if socket is None or tap is None:
            return
        self._report.remove()
        self._breadcrumb.clear()
        rest, self._rest = self._rest or iter(()), None
        for item in (each for each in rest if not isinstance(each, Command)):
            self._keep(item)
        for item in tap.end(cause, socket.read_until_s, browser_gone=browser_gone):
            self._ring.add(item)
        self._log.info("detached from browser %s: %s", tap.guid, cause)
        self._count(tap)
        self._context.loop.forget(socket)
        socket.close()
        self._predecessor = self._report.now(self._presence, self._sockets) or self._predecessor
        self._socket = self._tap = self._report.attached = self._browser = None

    # The journal's side

    def _hear(self) -> None:
        heard = False
        while (positions := self._positions.receive()) is not None:
            self._ring.hear(positions)
            self._sockets.answer(positions.answers, monotonic_s())
            heard = True
        self._report.look(self._sockets)
        if heard:
            self._send()

    def _mark(self) -> None:
        self._read()  # a look at an empty socket is what moves the read mark
        if self._tap is not None and self._socket is not None:
            self._tap.make.offset_s = wall_minus_monotonic_s()
            try:
                self._socket.flush()
                if self._rest is None:
                    self._take_all(self._tap.tick(monotonic_s()))
            except ConnectionGone as gone:
                self._lose(str(gone))
        self._send(mark=True)
        self._show()

    def _send(self, *, mark: bool = False) -> None:
        """Send what may be sent; with `mark`, at least one batch, be it empty."""
        while True:
            batch = self._ring.next_batch(self._read_until_s(), self._attached_to(), self._sockets)
            if not (batch.items or mark) or not self._outbox.send(batch):
                return
            self._ring.sent(batch)
            mark = False

    def _read_until_s(self) -> float:
        if self._socket is None or self._tap is None or not self._tap.is_attached:
            return 0.0
        bounds_s = (self._socket.read_until_s, self._tap.held_since_s(), self._tap.silent_since_s(monotonic_s()))
        return min(bound_s for bound_s in bounds_s if bound_s is not None)

    def _attached_to(self) -> str | None:
        return self._tap.guid if self._tap is not None and self._tap.is_attached else None

    # The end, and figures

    def _say_farewell(self) -> None:
        self._read()
        self._disconnect("stopped", browser_gone=False)
        deadline_s = monotonic_s() + FAREWELL_S
        self._send(mark=True)
        while self._ring.unacked and monotonic_s() < deadline_s:
            self._context.loop.turn(MARK_S)

    def _count(self, tap: Tap) -> None:
        for name in self._totals:
            self._totals[name] += getattr(tap, name)

    def _show(self) -> None:
        tap, ring = self._tap, self._ring
        now = {name: total + (getattr(tap, name) if tap else 0) for name, total in self._totals.items()}
        self._context.stats.update(
            now,
            attached=self._attached_to() is not None,
            sessions=tap.sessions if tap else 0,
            unacked=ring.unacked,
            lost=ring.forgotten,
            ignored_frames=self._sockets.ignored_frames,
            refused_openers=self._sockets.refused_openers,
        )


def run(context: Context) -> None:
    """Be a capture."""
    Capture(context).run()
