"""One target of the browser: a page, a frame, a worker. Pure.

A target may be attached more than once (a service worker is, from the browser and from its page): one session carries
the network events, the others wait as spares.
"""

from actors.capture.traffic import Traffic

READ_KINDS = frozenset({"page", "iframe", "worker", "shared_worker", "service_worker", "webview"})
DOCUMENT_KINDS = frozenset({"page", "iframe", "webview"})
FORBIDDEN = ("chrome-extension://", "devtools://")


def is_forbidden(url: str) -> bool:
    """Whether a target at `url` must never be read: wallets live in extensions."""
    return url.startswith(FORBIDDEN)


class Target:
    """A target and its sessions."""

    def __init__(self, target_id: str, kind: str, traffic: Traffic, alive_s: float) -> None:
        self.id = target_id
        self.alive_s = alive_s  # CDP seconds; up to here it surely worked, and all it saw was told
        self.asked_s: float | None = None  # a sign of life is owed since then
        self.lags = 0  # it owed one for too long: frames that it tells of now came long ago; signs until it is trusted
        self.kind = kind
        self.traffic = traffic
        self.sessions: dict[str, str] = {}  # session -> the session through which it came; the first one reads

    @property
    def reader(self) -> str | None:
        """The session that carries the network events."""
        return next(iter(self.sessions), None)

    @property
    def is_page(self) -> bool:
        """Whether it is a tab's page."""
        return self.kind == "page"

    def is_root(self, frame_id: str, parent_id: str | None) -> bool:
        """Whether a frame is the one with which the target begins and ends."""
        return frame_id == self.id or (self.is_page and parent_id is None)
