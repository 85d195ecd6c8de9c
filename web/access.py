"""Who may come in: the token, the session cookie, the Host and Origin rules, and a brake on guessing. Pure but for
the token file.

In: header values as they came. Out: yes or no. Comparisons take the same time whatever is wrong. The cookie is derived
from the token and the port, so it never shows the token, outlives a restart, and ends when the token file is replaced.
"""

import hashlib
import hmac
import os
import secrets
import stat
from collections import OrderedDict
from pathlib import Path
from urllib.parse import urlsplit

from actors.core.files import PRIVATE_FILE, private_dir, replace_file
from actors.core.ownership import is_ours

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
TOKEN_FILE_BYTES = 1024
TOKEN_BYTES = 32  # 256 bits: guessing is hopeless; the brake is there to keep the guesser from costing us anything


def load_token(runtime_dir: Path) -> str:
    """Return the token of `<runtime dir>/web_token`, made at the first start and kept from then on."""
    path = private_dir(runtime_dir) / "web_token"
    token = _own_token(path)
    if len(token) < TOKEN_BYTES:  # absent, or a file that somebody emptied
        token = secrets.token_urlsafe(TOKEN_BYTES)
        replace_file(path, token.encode())
    return token


def _own_token(path: Path) -> str:
    """Return what the token file holds; nothing where it is no plain file of this user's. Its mode is ours to set."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    with os.fdopen(fd, "rb") as file:
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode) or not is_ours(about):
            return ""
        os.fchmod(fd, PRIVATE_FILE)
        return file.read(TOKEN_FILE_BYTES).decode("ascii", "replace").strip()


class Guesses:
    """The brake: so many wrong tokens at once from one place, then one a second. Bounded in memory."""

    BURST = 20.0
    PER_S = 1.0
    PLACES = 1024

    def __init__(self) -> None:
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # place -> (tries left, as of)

    def allowed(self, place: str, now_s: float) -> bool:
        """Say whether `place` may try a token now. now_s: monotonic seconds."""
        return self._tries(place, now_s) >= 1

    def wrong(self, place: str, now_s: float) -> None:
        """Count a wrong token from `place`."""
        self._left[place] = (max(0.0, self._tries(place, now_s) - 1), now_s)
        self._left.move_to_end(place)
        while len(self._left) > self.PLACES:
            self._left.popitem(last=False)

    def _tries(self, place: str, now_s: float) -> float:
        left, at_s = self._left.get(place, (self.BURST, now_s))
        return min(self.BURST, left + (now_s - at_s) * self.PER_S)


class Door:
    """The rules of contract 4.8 for one server."""

    def __init__(self, token: str, host: str, port: int) -> None:
        self._token = token.encode()
        self._hosts = LOOPBACK | {_bracketed(host)}
        self.cookie_name = f"vectra-{port}"
        self.cookie_value = hmac.new(self._token, f"session for port {port}".encode(), hashlib.sha256).hexdigest()

    def knows_host(self, host: str | None) -> bool:
        """Say whether the Host header names us; anything else is a rebound DNS name."""
        return host is not None and _without_port(host.strip().lower()) in self._hosts

    def knows_origin(self, origin: str | None, host: str) -> bool:
        """Return whether a write or a WebSocket may come from a page of `origin`: none, or the control room itself.

        Pages that may read the feed (`feed.allowed_origins`, the monitor, artifacts) may not write here.
        """
        return origin is None or origin.strip().rstrip("/").lower() == f"http://{host.strip().lower()}"

    def knows_site(self, site: str | None) -> bool:
        """Return whether `Sec-Fetch-Site` allows a write: absent (no browser), typed by the user, or our own page.

        Cookies ignore ports: a page on another port of this host is `same-site` and brings our cookie along.
        """
        return site is None or site.strip().lower() in ("same-origin", "none")

    def knows_cookie(self, value: str | None) -> bool:
        """Say whether this is our session cookie."""
        return value is not None and _same(value.encode(), self.cookie_value.encode())

    def knows_token(self, value: str) -> bool:
        """Say whether this is the token."""
        return _same(value.encode(), self._token)


def bearer(authorization: str | None) -> str | None:
    """Return the token of an `Authorization: Bearer` header, None where there is none."""
    scheme, _, value = (authorization or "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" and value.strip() else None


def _same(given: bytes, wanted: bytes) -> bool:
    return hmac.compare_digest(hashlib.sha256(given).digest(), hashlib.sha256(wanted).digest())


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host.lower()


def _without_port(host: str) -> str | None:
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname, parts.port  # .port raises where it is no number
    except ValueError:
        return None
    if name is None or parts.path or parts.username is not None or parts.query or parts.fragment:
        return None
    return _bracketed(name)
