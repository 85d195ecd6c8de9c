"""The pilot's shell: looks at files, does one order a turn over pychrome, reports what it did.

In: `browser.json`, the captures' markers, answers of browser and page. Out: calls on one tab; notes for the journal.
Never clicks a trading button, never opens the site's URL with a new tab (its first frames would be missed), never
waits longer than 4 s in one turn.
"""

import contextlib
import os
import re
import signal
import socket
from collections.abc import Iterable

from actors.core import endpoints
from actors.core.browser_file import AttachedFile, BrowserFile, attached_captures, read_browser_file
from actors.core.changes import Changes
from actors.core.clock import monotonic_s, now_us
from actors.core.files import private_dir
from actors.core.runtime import LEAST_WAIT_S, Context
from actors.pilot.reports import Reports
from actors.pilot.tabs import ERRORS, Tabs, patch
from actors.pilot.watch import Order, View, Watch

TURN_S = 0.05  # after an order: the next one may follow from it
REST_S = 0.25  # else: files that change wake us, the rest is a matter of seconds


class Pilot:
    """The parts, joined."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._log = context.log
        self._watch = Watch(2 if context.config.capture.standby else 1)
        self._reports = Reports(context.bus, context.log)
        self._tabs: Tabs | None = None
        self._browser: BrowserFile | None = None
        self._crashed = False
        self._open_error: str | None = None
        self._stranger: str | None = None  # who has the game's sockets instead of the site, in words
        self._turn_at_s = 0.0
        self._sockets = re.compile(context.config.site.socket_pattern)
        runtime_dir = context.runtime_dir
        self._changes = Changes([runtime_dir, *(private_dir(runtime_dir / name) for name in ("attached", "endpoints"))])
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)

    def run(self) -> None:
        """Work until told to stop."""
        patch()
        os.environ["NO_PROXY"] = "127.0.0.1"  # pychrome's HTTP calls go nowhere else
        loop = self._context.loop
        loop.read(self._reports.results, self._reports.hear)
        loop.read(self._wake_read, self._on_wake)
        loop.read(self._changes, self._on_change)
        loop.each_turn(self._turn_in_time)
        self._context.ready()
        self._context.run_loop()
        self._drop_tabs()
        self._wake_read.close()
        self._wake_write.close()
        self._changes.close()

    def _on_crash(self, **_: object) -> None:
        """Runs in pychrome's thread."""
        self._crashed = True
        with contextlib.suppress(OSError):
            self._wake_write.send(b"!")

    def _on_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wake_read.recv(64)
        self._turn()

    def _on_change(self) -> None:
        self._changes.drain()
        self._turn()

    def _turn_in_time(self) -> None:
        if monotonic_s() >= self._turn_at_s:
            self._turn()
            self._reports.resend()
        self._context.loop.again(max(LEAST_WAIT_S, self._turn_at_s - monotonic_s()))

    def _turn(self) -> None:
        self._look()
        order = self._watch.next(self._view(), monotonic_s())
        if order is not None:
            self._do(order)
        for told in self._watch.told():
            self._log.info("%s (%s) %s", told.what, told.cause, told.url.split("?")[0])
            self._reports.tell(told)
        self._turn_at_s = monotonic_s() + (REST_S if order is None else TURN_S)
        self._context.stats["error"] = self._open_error or self._watch.trouble or self._stranger

    def _look(self) -> None:
        browser = read_browser_file(self._context.runtime_dir)
        if browser != self._browser:
            self._drop_tabs()
            self._browser = browser

    def _view(self) -> View:
        browser = self._browser
        captures = attached_captures(self._context.runtime_dir, browser.guid) if browser else {}
        self._context.stats.update(captures=len(captures), connected=self._tabs is not None and self._tabs.connected)
        self._stranger = stranger_words(captures.values(), self._site())
        return View(
            guid=browser.guid if browser else None,
            captures=len(captures),
            site=self._site(),
            connected=self._tabs is not None and self._tabs.connected,
            crashed=self._crashed,
            closed_for_s=closed_for_s(captures.values(), now_us()),
            sockets=max((capture.sockets for capture in captures.values()), default=0),
            suspects=max((capture.suspects for capture in captures.values()), default=0),
            blind=bool(captures) and all(capture.blind for capture in captures.values()),
        )

    def _site(self) -> str | None:
        if self._context.demo:
            return endpoints.lookup(self._context.runtime_dir, "simulator")
        return self._context.config.site.url

    def _do(self, order: Order) -> None:
        """Do it, tell the watch how it went, and do what follows from that at once."""
        following: Order | None = order
        while following is not None:
            following = getattr(self, f"_{following.kind}")(following)

    def _find(self, order: Order) -> Order | None:
        if self._browser is None:
            return None
        self._drop_tabs()
        self._tabs = Tabs(f"http://127.0.0.1:{self._browser.port}", self._on_crash)
        try:
            page = self._tabs.find(order.url)
        except ERRORS as error:
            return self._failed(order, error)
        return self._watch.found(page, monotonic_s())  # type: ignore[arg-type]

    def _new_tab(self, order: Order) -> Order | None:
        if self._tabs is None:
            return None
        try:
            self._tabs.new_tab()
        except ERRORS as error:
            return self._failed(order, error)
        return self._watch.found("blank", monotonic_s())

    def _open(self, order: Order) -> Order | None:
        if self._tabs is None:
            return None
        try:
            error = self._tabs.navigate(order.url)
        except ERRORS as failure:
            error = str(failure)
        if error is not None:
            self._log.warning("cannot open %s: %s", order.url.split("?")[0], error)
        self._open_error = None if error is None else f"the page did not open ({error})"
        self._watch.opened(order.url, error, monotonic_s())
        return None

    def _probe_browser(self, order: Order) -> Order | None:
        return self._probed(order)

    def _probe_page(self, order: Order) -> Order | None:
        return self._probed(order)

    def _probed(self, order: Order) -> Order | None:
        if self._tabs is None:
            return None
        answer = None
        try:
            answer = self._tabs.probe_browser() if order.kind == "probe_browser" else self._tabs.probe_page()
        except ERRORS as error:
            if not self._tabs.connected or self._crashed:
                return None  # the next turn sees it
            self._log.warning("%s: %s", order.kind.replace("_", " "), error)
        return self._watch.probed(order.kind, answer, monotonic_s())

    def _count_sockets(self, order: Order) -> Order | None:
        if self._tabs is None:
            return None
        count = None
        try:
            count = sum(self._sockets.search(url) is not None for url in self._tabs.open_sockets())
        except ERRORS as error:
            self._log.warning("count sockets: %s", error)
        self._watch.counted(count, monotonic_s())
        return None

    def _reload(self, order: Order) -> Order | None:
        self._crashed = answered = False
        if self._tabs is not None:
            for step in ([self._tabs.interrupt] if "hung" in order.cause else []) + [self._tabs.reload]:
                try:
                    step()
                    answered = True
                except ERRORS as error:
                    self._log.warning("%s: %s", step.__name__, error)
                    answered = False
        self._watch.reloaded(order.cause, monotonic_s(), answered=answered)
        return None

    def _kill(self, order: Order) -> Order | None:
        if self._browser is not None and self._browser == read_browser_file(self._context.runtime_dir):
            self._log.warning("killing browser %d: %s", self._browser.pid, order.cause)
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._browser.pid, signal.SIGKILL)
        self._drop_tabs()
        self._watch.killed(order.cause, monotonic_s())
        return None

    def _failed(self, order: Order, error: BaseException) -> Order | None:
        self._log.warning("%s: %s", order.kind.replace("_", " "), error)
        self._drop_tabs()
        return self._watch.failed(order.kind, monotonic_s())

    def _drop_tabs(self) -> None:
        self._crashed = False
        if self._tabs is not None:
            tabs, self._tabs = self._tabs, None
            with contextlib.suppress(*ERRORS):
                tabs.close()


def closed_for_s(captures: Iterable[AttachedFile], now_us: int) -> float | None:
    """Return since when the site has no socket, by what the captures say; None where one sees one, or none knows."""
    closed = [capture.closed_us for capture in captures if not capture.sockets and capture.closed_us is not None]
    if not closed or any(capture.sockets for capture in captures):
        return None
    return (now_us - max(closed)) / 1e6


def stranger_words(captures: Iterable[AttachedFile], site: str | None) -> str | None:
    """Return who opens the game's sockets while no page of the site has one: a site that moved looks like that."""
    told = list(captures)
    stranger = next((capture.stranger for capture in told if capture.stranger), "")
    if not stranger or any(capture.sockets for capture in told):
        return None
    return (
        f"the game's sockets are opened by {stranger}, and site.url is {(site or 'unknown').split('?')[0]}: only what "
        "the site's own pages open counts. If the game moved there, set site.url to it"
    )


def run(context: Context) -> None:
    """Be the pilot."""
    Pilot(context).run()
