"""Who may speak to the feed and the monitor: Host and Origin, checked before anything else happens.

A foreign Host is DNS rebinding, a foreign Origin a page that is not ours: both are refused with 403. Our own pages are
those of the web actor and the monitor, wherever they listen now; a request without Origin comes from no page.
"""

import ipaddress
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from actors.core.config import Config
from actors.core.endpoints import lookup

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
ANY_ADDRESS = ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound
OWN_PAGES = ("web", "monitor")


class Refused(Exception):
    """The request is not answered; the text says why."""


class Guard:
    """Knows the hosts and origins that are ours."""

    def __init__(self, config: Config, runtime_dir: Path) -> None:
        self._runtime_dir = runtime_dir
        self._any_address = config.feed.host in ANY_ADDRESS
        configured = {bracketed(host) for host in (config.feed.host, config.web.host) if host not in ANY_ADDRESS}
        self._hosts = frozenset({*LOCAL_HOSTS, *configured})
        self._origins = frozenset(origin.rstrip("/").lower() for origin in config.feed.allowed_origins)

    def check(self, host: str | None, origin: str | None) -> None:
        """Pass, or raise Refused."""
        if not self._host_is_ours(host):
            raise Refused(f"Host is {host!r}, must be one of {', '.join(sorted(self._hosts))}")
        if origin is not None and not self._origin_is_ours(origin):
            raise Refused(f"Origin {origin!r} is not allowed; add it to feed.allowed_origins")

    def _host_is_ours(self, host: str | None) -> bool:
        name = _name(host or "")
        return bracketed(name) in self._hosts or (self._any_address and _is_address(name))

    def _origin_is_ours(self, origin: str) -> bool:
        return origin.lower() in self._origins or origin.lower() in self._own_origins()

    def _own_origins(self) -> set[str]:
        ports = [urlsplit(url).port for name in OWN_PAGES if (url := lookup(self._runtime_dir, name))]
        return {f"http://{host}:{port}" for host in self._hosts for port in ports}

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse, or pass on and guard what goes back."""
        try:
            for origin in request.headers.getall("Origin", [None]):  # a page sends one; a second one hides nothing
                self.check(request.headers.get("Host"), origin)
        except Refused as refusal:
            return error_response(403, "forbidden", str(refusal))
        try:
            return await handler(request)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            response = error_response(error.status, error.reason.lower().replace(" ", "_"), error.reason)
            if "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
            return response


def error_response(status: int, code: str, message: str) -> web.Response:
    """Return an error as in contract 4.8."""
    return web.json_response({"error": {"code": code, "message": message, "details": None}}, status=status)


def bracketed(host: str) -> str:
    """Return a host as it stands in a URL."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host.lower()


def _name(host: str) -> str:
    """Return the name in a Host header; nothing where that is more than a name and a port."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises where it is no number
    except ValueError:
        return ""
    return (parts.hostname or "") if parts.netloc == host and parts.username is None else ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
