"""Report of one capture to the others, to its successor and to the pilot: `attached/<name>`, written once a turn.

In: that something may have changed. Out: the file, whole. A page can open and close sockets without end, so the file is
written when the turn is over, not at each of them; a socket of the game that another site's page opened is logged once.
"""

import logging
from pathlib import Path

from msgspec.structs import replace

from actors.capture.presence import Presence
from actors.capture.same_site import GameSite
from actors.capture.socket_filter import SocketFilter
from actors.core.browser_file import AttachedFile, remove_attached_file, write_attached_file

STRANGERS_LOGGED = 20  # origins


class AttachedReport:
    """What a capture sees in; the file out."""

    def __init__(self, runtime_dir: Path, name: str, log: logging.Logger, site: GameSite) -> None:
        self.attached: AttachedFile | None = None  # with what is true as long as it is attached
        self._runtime_dir, self._name, self._log, self._site = runtime_dir, name, log, site
        self._is_stale = False
        self._seen: tuple[int, str] = (0, "")  # suspects and stranger, as was reported last
        self._strangers: set[str] = set()  # that were logged

    def changed(self) -> None:
        """Have the file written at the end of the turn."""
        self._is_stale = True

    def look(self, sockets: SocketFilter) -> None:
        """Note what has changed of sockets that may be the game's and do not count."""
        seen = (sockets.suspects, sockets.stranger)
        if seen == self._seen:
            return
        self._seen, self._is_stale = seen, True
        stranger = sockets.stranger
        if stranger and stranger not in self._strangers and len(self._strangers) < STRANGERS_LOGGED:
            self._strangers.add(stranger)
            self._log.warning(
                "sockets of the game opened by %s do not count: it is not of site.url, %s", stranger, self._site.url
            )

    def now(self, seen: Presence, sockets: SocketFilter) -> AttachedFile | None:
        """Return what is true now, None where the capture is not attached."""
        if self.attached is None:
            return None
        return replace(
            self.attached, sockets=seen.open, closed_us=seen.closed_us, streams=seen.streams, blind=seen.blind,
            suspects=sockets.suspects, stranger=sockets.stranger, homes=self._site.homes,
        )  # fmt: skip

    def write(self, seen: Presence, sockets: SocketFilter) -> None:
        """Write the file where something changed."""
        if self._is_stale and (report := self.now(seen, sockets)) is not None:
            self._is_stale = False
            write_attached_file(self._runtime_dir, self._name, report)

    def remove(self) -> None:
        """Say that the capture is attached no more."""
        remove_attached_file(self._runtime_dir, self._name)
