"""What to do with the page, decided from what is seen of it. Pure.

In: a `View` each turn, and the outcome of the last order. Out: at most one `Order` a turn (each blocks its shell for a
few seconds at worst), and `Told`: recoveries, for the journal. Connects to a tab as soon as a browser runs, but opens
the page only when captures see everything. Kills the browser only when it, or a reloaded page, missed two probes in a
row: a page may be busy for two seconds rightly.
"""

from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

PROBE_S = 1.0
MISSES = 2
SECOND_CAPTURE_S = 2.0
TAB_CLOSED_S = 5.0
SOCKET_CLOSED_S = 5.0  # Socket.IO's own client comes back within 5 s, where it comes back at all
UNKNOWN_S = 1.0  # without a known socket, beside one that may be the game's but was not seen to open
LONGEST_SOCKET_WAIT_S = 60.0
RETRY_S = 0.5
LONGEST_RETRY_S = 30.0
STEADY_S = 10.0  # a page that lived so long since its last crash is reloaded at once when it crashes
AFTER_KILL_S = 5.0

Kind = Literal["find", "new_tab", "open", "probe_browser", "probe_page", "count_sockets", "reload", "kill"]
ERROR_PAGE = "chrome-error:"
BLANK_PAGE = "about:blank"


class View(Struct, frozen=True, kw_only=True):
    """What the shell sees at a glance."""

    guid: str | None  # of the browser that runs
    captures: int  # attached to it
    site: str | None  # URL to open, None while unknown
    connected: bool  # whether our connection to the tab stands
    crashed: bool = False  # the tab said so since the last turn
    closed_for_s: float | None = None  # since the site's last socket was closed; None while one is open, or unknown
    sockets: int = 0  # of the site, as a capture sees them
    suspects: int = 0  # sockets that opened while no capture looked, and speak the game's protocol in a page of it
    blind: bool = False  # no capture knows whether the site has one: all of them came late, and hear nothing


class Order(Struct, frozen=True, kw_only=True):
    """What the shell must do now. `cause` in plain words."""

    kind: Kind
    url: str = ""
    cause: str = ""


class Told(Struct, frozen=True, kw_only=True):
    """What was done, for the journal."""

    what: str  # loaded, adopted, reloaded, relaunched, killed, left, returned ("opened" is the journal's, of streams)
    cause: str
    url: str = ""


def same_origin(one: str, other: str) -> bool:
    """Whether two URLs are of one site."""
    return urlsplit(one)[:2] == urlsplit(other)[:2]


def place_of(url: str) -> str:
    """Return where a URL leads, without what may be private in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}" if parts.hostname else f"a {parts.scheme or 'blank'}: page"


class Watch:
    """Views and outcomes in; orders and reports out."""

    def __init__(self, wanted_captures: int) -> None:
        self._wanted = wanted_captures
        self._guid: str | None = None  # the browser we deal with
        self._first_capture_s: float | None = None
        self._page: Literal["none", "blank", "site"] = "none"
        self._site = ""
        self._cause = "start"  # why the page must be opened
        self._missing_since_s: float | None = None  # the tab was closed
        self._wait_until_s = 0.0
        self._retry_s = RETRY_S
        self._next_probe_s = 0.0
        self._probe: Kind = "probe_browser"
        self._misses: dict[str, int] = {}
        self._reloaded_for_hang = False
        self._socket_wait_s = SOCKET_CLOSED_S
        self._socket_after_s = 0.0
        self._next_count_s = 0.0
        self._blind_since_s: float | None = None
        self._suspect_since_s: float | None = None
        self._no_socket_since_s: float | None = None  # as the page itself says
        self._sockets = 0
        self._crash_due_s: float | None = None  # when the crashed page is loaded again
        self._crash_wait_s = 0.0
        self._crash_last_s: float | None = None
        self._away = ""  # what the tab shows instead of the site
        self._told: list[Told] = []

    @property
    def trouble(self) -> str | None:
        """What keeps the game out of sight, in words for the user; None where nothing is known to."""
        if self._crash_wait_s:
            return f"the page crashes again and again; it is loaded again {self._crash_wait_s:g} s after each crash"
        if self._away:
            return (
                f"the tab shows {self._away}, not the game; go back to {self._site.split('?')[0]}, "
                "or close the tab to have the game opened again"
            )
        return None

    def told(self) -> list[Told]:
        """Return, once, what is to be reported."""
        told, self._told = self._told, []
        return told

    def next(self, view: View, now_s: float) -> Order | None:
        """Return what to do now, None for nothing."""
        self._notice(view, now_s)
        if view.guid is None or view.site is None or now_s < self._wait_until_s:
            return None
        if self._page == "none":
            self._site = view.site
            return Order(kind="find", url=view.site)
        if view.crashed:
            return self._after_crash(now_s)
        if self._page == "blank" or self._site != view.site:
            if not self._may_open(view, now_s):
                return Order(kind="probe_browser") if now_s >= self._next_probe_s else None
            return Order(kind="open", url=view.site, cause=self._cause if self._page == "blank" else "site moved")
        if self._socket_is_missed(self._without_socket_s(view, now_s), now_s):
            return Order(kind="reload", cause="socket closed")
        if self._is_unknown(view, now_s):
            return Order(kind="reload", cause="socket not known")
        if self._must_count(view, now_s):
            return Order(kind="count_sockets")
        if now_s < self._next_probe_s:
            return None
        return Order(kind=self._probe)

    def _after_crash(self, now_s: float) -> Order | None:
        """Load a crashed page again: at once, but ever more slowly one that crashes again and again."""
        if self._crash_due_s is None:
            if self._crash_last_s is None or now_s >= self._crash_last_s + STEADY_S:
                self._crash_wait_s = 0.0
            else:
                self._crash_wait_s = min(max(RETRY_S, 2 * self._crash_wait_s), LONGEST_RETRY_S)
            self._crash_due_s = now_s + self._crash_wait_s
        return Order(kind="reload", cause="page crashed") if now_s >= self._crash_due_s else None

    def _must_count(self, view: View, now_s: float) -> bool:
        """Whether only the page itself can tell if it has a socket: the captures came late, and hear nothing."""
        if not view.blind or self._away:
            self._blind_since_s = self._no_socket_since_s = None
            return False
        if self._blind_since_s is None:
            self._blind_since_s = now_s
            self._next_count_s = now_s + PROBE_S
        return now_s >= self._next_count_s

    def _is_unknown(self, view: View, now_s: float) -> bool:
        """Whether the page has to open its socket again, in sight: nobody can tell the address of the one it has.

        It opened while no capture looked, so it does not count, whatever it says: any page could have opened it.
        """
        if not view.suspects or view.sockets or self._away:
            self._suspect_since_s = None
            return False
        if self._suspect_since_s is None:
            self._suspect_since_s = now_s
        if now_s < self._suspect_since_s + UNKNOWN_S:
            return False
        self._suspect_since_s = now_s + SOCKET_CLOSED_S
        return True

    def counted(self, sockets: int | None, now_s: float) -> None:
        """Outcome of `count_sockets`; None: the page did not say."""
        self._next_count_s = now_s + (PROBE_S if sockets == 0 else SOCKET_CLOSED_S)
        if sockets == 0:
            self._no_socket_since_s = now_s if self._no_socket_since_s is None else self._no_socket_since_s
        elif sockets is not None:
            self._no_socket_since_s = None

    def _without_socket_s(self, view: View, now_s: float) -> float | None:
        """Return since when the site has no socket, as captures or the page say; None where it has, or nobody knows."""
        if view.blind and self._no_socket_since_s is not None:
            return now_s - self._no_socket_since_s
        return view.closed_for_s

    def _socket_is_missed(self, closed_for_s: float | None, now_s: float) -> bool:
        """Whether the page had its time to open another socket, and reloading was not tried just now."""
        if closed_for_s is None:
            self._socket_wait_s, self._socket_after_s = SOCKET_CLOSED_S, 0.0
            return False
        if closed_for_s < SOCKET_CLOSED_S or now_s < self._socket_after_s:
            return False
        self._socket_wait_s = min(2 * self._socket_wait_s, LONGEST_SOCKET_WAIT_S)
        self._socket_after_s = now_s + self._socket_wait_s
        return True

    def _notice(self, view: View, now_s: float) -> None:
        self._sockets = view.sockets
        if self._crash_last_s is not None and not view.crashed and now_s >= self._crash_last_s + STEADY_S:
            self._crash_wait_s, self._crash_last_s = 0.0, None
        if view.guid != self._guid:
            if self._guid is not None:
                self._cause = "browser gone" if self._cause in ("start", "tab closed") else self._cause
            self._forget_page()
            self._guid, self._first_capture_s, self._missing_since_s = view.guid, None, None
            self._wait_until_s = 0.0
        elif self._page != "none" and not view.connected:
            self._forget_page()
            self._missing_since_s = now_s
        if view.captures == 0:
            self._first_capture_s = None
        elif self._first_capture_s is None:
            self._first_capture_s = now_s

    def _may_open(self, view: View, now_s: float) -> bool:
        if self._first_capture_s is None:
            return False
        return view.captures >= self._wanted or now_s >= self._first_capture_s + SECOND_CAPTURE_S

    def found(self, page: Literal["none", "blank", "site"], now_s: float) -> Order | None:
        """Outcome of `find`: which tab we are connected to now. Returns what must be done at once."""
        self._page = page
        self._misses.clear()
        self._probe, self._next_probe_s = "probe_browser", now_s + PROBE_S
        if page == "site":
            self._site_is_there("adopted", now_s)
        elif page == "none":
            if self._missing_since_s is None or now_s >= self._missing_since_s + TAB_CLOSED_S:
                self._cause = self._cause if self._missing_since_s is None else "tab closed"
                return Order(kind="new_tab")
            self._wait_until_s = now_s + RETRY_S
        return None

    def opened(self, url: str, error: str | None, now_s: float) -> None:
        """Outcome of `open`: the page is loading, or `error`."""
        self._site, self._page = url, "site"
        if error is not None:
            self._page = "blank"
            self._back_off(now_s)
            return
        what = "loaded" if self._cause in ("start", "tab closed") else "relaunched"
        self._site_is_there(what, now_s)

    def probed(self, kind: Kind, answer: str | None, now_s: float) -> Order | None:
        """Outcome of a probe: its answer (of the page: its address), None for no answer in time."""
        if answer is None:
            self._misses[kind] = self._misses.get(kind, 0) + 1
            self._probe = "probe_browser"  # a page that is silent may sit in a browser that is
            return self._judge(kind)
        self._misses[kind] = 0
        if kind == "probe_browser" and self._page == "site":
            self._probe = "probe_page"
            return None
        self._probe, self._next_probe_s = "probe_browser", now_s + PROBE_S
        if kind == "probe_browser":
            return None  # a blank page waits for captures
        self._reloaded_for_hang = False
        if answer.startswith(ERROR_PAGE) or answer == BLANK_PAGE:
            self._page, self._cause = "blank", "page did not load"
            self._back_off(now_s)
        else:
            self._retry_s = RETRY_S
            self._look_where(answer)
        return None

    def _look_where(self, url: str) -> None:
        """Take note of a user who went elsewhere in our tab: that is not fought, but said: the game is out of sight."""
        at_home = same_origin(url, self._site) or self._sockets > 0
        if at_home == (not self._away):
            return
        self._away = "" if at_home else place_of(url)
        what, cause = ("returned", "back at the site") if at_home else ("left", "another site in the tab")
        self._told.append(Told(what=what, cause=cause, url=self._site))

    def _judge(self, kind: Kind) -> Order | None:
        silent = sum(self._misses.values()) if kind == "probe_browser" else self._misses[kind]
        if silent < MISSES:
            return None
        self._misses.clear()
        if kind == "probe_browser":
            return Order(kind="kill", cause="browser hung")
        if self._reloaded_for_hang:
            return Order(kind="kill", cause="page hung")
        self._reloaded_for_hang = True
        return Order(kind="reload", cause="page hung")

    def reloaded(self, cause: str, now_s: float, *, answered: bool = True) -> None:
        """Outcome of `reload`; a hung page may not answer, which counts as a missed probe."""
        self._told.append(Told(what="reloaded", cause=cause, url=self._site))
        if cause == "page crashed":
            self._crash_due_s, self._crash_last_s = None, now_s
        self._misses = {} if answered else {"probe_page": 1}
        self._probe, self._next_probe_s = "probe_page", now_s + (PROBE_S if answered else 0.0)

    def killed(self, cause: str, now_s: float) -> None:
        """Outcome of `kill`: the browser's actor starts another."""
        self._told.append(Told(what="killed", cause=cause, url=self._site))
        self._cause, self._wait_until_s = cause, now_s + AFTER_KILL_S
        self._reloaded_for_hang = False
        self._forget_page()

    def failed(self, kind: Kind, now_s: float) -> Order | None:
        """Outcome of any other order that could not be done: try again, and kill a browser that never answers."""
        if kind in ("find", "new_tab"):
            self._wait_until_s = now_s + RETRY_S
            self._misses["find"] = self._misses.get("find", 0) + 1
            if self._misses["find"] >= 2 * MISSES:
                self._misses.clear()
                return Order(kind="kill", cause="browser hung")
        return None

    def _site_is_there(self, what: str, now_s: float) -> None:
        self._told.append(Told(what=what, cause=self._cause, url=self._site))
        self._cause, self._missing_since_s = "start", None
        self._probe, self._next_probe_s = "probe_browser", now_s + PROBE_S

    def _back_off(self, now_s: float) -> None:
        self._wait_until_s = now_s + self._retry_s
        self._retry_s = min(2 * self._retry_s, LONGEST_RETRY_S)

    def _forget_page(self) -> None:
        self._page = "none"
        self._away, self._crash_due_s = "", None
        self._blind_since_s = self._no_socket_since_s = self._suspect_since_s = None
        self._misses.clear()
        self._probe, self._next_probe_s = "probe_browser", 0.0
