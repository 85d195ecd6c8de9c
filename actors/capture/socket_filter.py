"""Socket filter: which of the browser's sockets this capture forwards, by the address with which they opened. Pure.

In: openings, ends, frames of sockets that opened before anybody looked, the journal's answers. Out: verdicts. A socket
that does not count costs no redaction and no message. One whose opening this capture did not see is forwarded while
the journal is asked about it; where the journal does not know it either, nobody does, and it does not count: a page can
open a socket while no capture looks, and write on it what it likes. `suspects` says how many of those speak the game's
protocol in a page of the site: then the page must be loaded again, so that its sockets are seen to open. The address is
not all: a socket of the game that another site's page opened is that page's, who can authenticate as anybody on it.
"""

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

from actors.capture.same_site import GameSite

V = TypeVar("V")

UNDECIDED_S = 2.0
"""The journal answers within 0.1 s, a capture that saw the opening reports it within as long; a restarted journal needs
half a second."""
FOREIGN_KEPT = 10_000
COUNTING_KEPT = 4096
STRANGERS_KEPT = 300  # a browser has 255 WebSockets open
UNKNOWN_KEPT = 300  # asked about at a time; a browser has 255 WebSockets open

_ENGINE_IO = re.compile(r"[0-6]$|0\{|[23]probe$|4[0-6]|b[A-Za-z0-9+/]")


def looks_like_engine_io(text: str) -> bool:
    """Return whether a text frame could be the game's by its form; never a reason to believe that it is."""
    return _ENGINE_IO.match(text[:8]) is not None


class SocketFilter:
    """Openings, frames and answers in; what counts, out. What is forgotten is asked about again: no verdict changes."""

    def __init__(self, socket_pattern: str = "") -> None:
        """socket_pattern: empty where every socket counts."""
        self._pattern = re.compile(socket_pattern)
        self.counting: dict[str, str] = {}  # stream -> URL; "" where only another capture knows it
        self._foreign: dict[str, None] = {}  # seen to open elsewhere
        self._undecided: dict[str, float] = {}  # unknown streams -> since when they are forwarded
        self._unnamed: dict[str, None] = {}  # counting, but of unknown address
        self._refused: dict[str, bool] = {}  # unknown to all -> whether it could be the game's
        self._strangers: dict[str, str] = {}  # the game's by address, opened by another site -> by which
        self.ignored_frames = 0
        self.refused_openers = 0

    def expect(self, streams: Iterable[str]) -> None:
        """Take streams that another capture, or our predecessor, saw open."""
        for stream in streams:
            if stream not in self.counting:
                self.counting[stream] = ""
                _put(self._unnamed, stream, None, UNKNOWN_KEPT)

    def counts(self, url: str) -> bool:
        """Return whether a socket, or a polling session, of this address is the game's."""
        return self._pattern.search(url.replace("http", "ws", 1) if url.startswith("http") else url) is not None

    def is_own(self, stream: str) -> bool:
        """Return whether a stream is known to be the game's; never where there is no pattern to know it by."""
        return bool(self._pattern.pattern) and stream in self.counting

    def opened(self, stream: str, url: str) -> bool:
        """Take an opening that this capture saw; return whether the stream counts. url: cleaned of tokens."""
        self.closed(stream)
        if self.counts(url):
            _put(self.counting, stream, url, COUNTING_KEPT)
            return True
        _put(self._foreign, stream, None, FOREIGN_KEPT)
        return False

    def refuse(self, stream: str, opener: str) -> None:
        """Take an opening of the game's address by another site's document: it does not count. opener: its origin."""
        self.closed(stream)
        self.refused_openers += 1
        _put(self._foreign, stream, None, FOREIGN_KEPT)
        _put(self._strangers, stream, opener, STRANGERS_KEPT)

    def closed(self, stream: str) -> None:
        """Forget a stream that ended."""
        for known in (
            self.counting, self._unnamed, self._foreign, self._undecided, self._refused, self._strangers,
        ):  # fmt: skip
            known.pop(stream, None)

    def target_gone(self, prefix: str) -> None:
        """Forget all streams of a target whose document went away. prefix: of their names."""
        for stream in [one for one in {*self._foreign, *self._undecided, *self._refused} if one.startswith(prefix)]:
            self.closed(stream)

    def admits(self, stream: str, text: str, page: str, site: GameSite | None, now_s: float) -> bool:
        """Return whether to forward a frame of a stream that is not known to count. page: where the frame came to."""
        if stream in self._foreign:
            self.ignored_frames += 1
            return False
        if stream in self._refused:
            self.ignored_frames += 1
            is_suspect = looks_like_engine_io(text) and site is not None and site.covers(page)
            self._refused[stream] = self._refused[stream] or is_suspect
            return False
        if stream not in self._undecided:
            _put(self._undecided, stream, now_s, UNKNOWN_KEPT)
        return True

    def answer(self, answers: Mapping[str, str | None], now_s: float) -> None:
        """Take the journal's verdicts: an address where the stream counts, None where nobody knows it."""
        for stream, url in answers.items():
            if url is not None:
                if stream in self._undecided or stream in self._refused or stream in self._unnamed:
                    self.closed(stream)
                    _put(self.counting, stream, url, COUNTING_KEPT)
            elif now_s - self._undecided.get(stream, now_s) > UNDECIDED_S:
                del self._undecided[stream]
                _put(self._refused, stream, False, UNKNOWN_KEPT)

    @property
    def asks(self) -> list[str]:
        """The streams of which the journal is asked."""
        if not (self._undecided or self._refused or self._unnamed):
            return []
        return [*self._unnamed, *self._undecided, *self._refused]

    @property
    def suspects(self) -> int:
        """How many streams, unknown to all, speak the game's protocol in a page of the site."""
        return sum(self._refused.values())

    @property
    def stranger(self) -> str:
        """The origin of another site's document that has the game's sockets or polls; "" where there is none."""
        return next(iter(self._strangers.values()), "")

    @property
    def table(self) -> dict[str, str]:
        """The streams that this capture knows to count, with their addresses."""
        return {stream: url for stream, url in self.counting.items() if url}


def _put(known: dict[str, V], key: str, value: V, kept: int) -> None:
    known[key] = value
    if len(known) > kept:
        del known[next(iter(known))]
