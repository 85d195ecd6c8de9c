"""Same-site check: whether a document belongs to the game's site, and what is recorded of other documents' addresses.

Pure. The site is the page that the pilot opens (`site.url`), the names below its host, and where the server of that
page redirected to: it says where its home is. A link or a script that leads elsewhere says nothing.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from actors.capture.wire import RequestSent

HOMES_KEPT = 8  # origins; a redirect has a handful of steps, and the site moves rarely
JOURNEYS_KEPT = 16
SITE_URL_BYTES = 2048
FOREIGN_URL_BYTES = 200  # of an origin: a host has at most 253, and who is interested finds the site by less

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class HostPort(NamedTuple):
    """Host and port of an address; the port is 0 where it is the scheme's own."""

    host: str
    port: int


def is_at(origin: str, site: str | None) -> bool:
    """Whether a document is of the site: its host and port, or a name below its host."""
    if site is None:
        return False
    here, there = _place(origin), _place(site)
    if here is None or there is None or here.port != there.port:
        return False
    return here.host == there.host or here.host.endswith(f".{there.host}")


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address, of one without a host the scheme: bounded, and nothing private."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if not host:
        return f"{parts.scheme}:"[:FOREIGN_URL_BYTES]
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}".encode()[:FOREIGN_URL_BYTES].decode(errors="ignore")


class GameSite:
    """The game's page as it is known now; documents in, whether they belong to it out."""

    def __init__(self, url: Callable[[], str | None], homes: Iterable[str] = ()) -> None:
        """url: of the page that the pilot opens, None while unknown. homes: origins that it redirected to before."""
        self._ask = url
        self._url: str | None = None
        self._homes: dict[str, None] = {}
        self._journeys: dict[str, None] = {}  # requests that began at the site's page
        self.learn(homes)

    @property
    def url(self) -> str | None:
        """The page that the pilot opens, as it was known last."""
        self._url = self._ask() or self._url
        return self._url

    @property
    def homes(self) -> list[str]:
        """The origins that the site redirected to."""
        return list(self._homes)

    def learn(self, homes: Iterable[str]) -> None:
        """Take origins that the site redirected to."""
        for home in homes:
            if home not in self._homes and not is_at(home, self.url):
                self._homes[home] = None
        while len(self._homes) > HOMES_KEPT:
            del self._homes[next(iter(self._homes))]

    def covers(self, address: str) -> bool:
        """Return whether a document of this address, or origin, is of the site. One without a host never is."""
        return is_at(address, self.url) or any(is_at(address, home) for home in self._homes)

    def follow(self, tab: str, request: RequestSent) -> None:
        """Take a request of a tab: where its document is redirected from the site's page, the site is there too."""
        before = request.redirect_response
        if before is not None and request.frame_id == tab:
            self.redirected(f"{tab}/{request.request_id}", before.url, request.request.url)

    def redirected(self, request: str, before: str, after: str) -> bool:
        """Take a redirect of a tab's document; return whether it told a new home. request: the same for each step."""
        if request not in self._journeys and not _is_same(before, self.url):
            return False
        self._journeys[request] = None
        while len(self._journeys) > JOURNEYS_KEPT:
            del self._journeys[next(iter(self._journeys))]
        known = self.homes
        if _place(after) is not None:
            self.learn([origin_of(after)])
        return self.homes != known

    def shown(self, url: str) -> str:
        """Return what is recorded of a page's address: of another site's only where it is, and all of it bounded."""
        if url == "about:blank":
            return url
        return url.encode()[:SITE_URL_BYTES].decode(errors="ignore") if self.covers(url) else origin_of(url)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url.removeprefix("blob:"))
        return parts if parts.hostname and (parts.port is None or parts.port) else None
    except ValueError:
        return None


def _place(url: str) -> HostPort | None:
    parts = _split(url)
    if parts is None or parts.hostname is None:
        return None
    host = parts.hostname.rstrip(".")
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            return None
    port = parts.port or 0
    return HostPort(host, 0 if port == _PORTS.get(parts.scheme) else port)


def _is_same(url: str, page: str | None) -> bool:
    """Whether two addresses are one page's, but for their fragments."""
    one, other = _split(url), _split(page or "")
    if one is None or other is None or _place(url) != _place(page or ""):
        return False
    return (one.scheme, one.path or "/", one.query) == (other.scheme, other.path or "/", other.query)
