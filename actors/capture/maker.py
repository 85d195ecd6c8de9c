"""Makes the items of one connection: stream ids, both clocks, cleaned URLs. Pure; numbers are given later."""

from actors.core.messages import Attached, Detached, FrameSeen, PageChanged, StreamClosed, StreamOpened
from actors.rugs.redact import clean_url


class Maker:
    """What happened, in CDP's words, in; items out."""

    def __init__(self, guid: str, offset_s: float) -> None:
        """offset_s: wall clock minus monotonic clock; the shell keeps it up to date."""
        self.guid = guid
        self.offset_s = offset_s

    def at_us(self, cdp_s: float) -> int:
        """Return Unix microseconds."""
        return round((cdp_s + self.offset_s) * 1e6)

    def stream(self, target_id: str, request_id: str) -> str:
        """Return the stream's id, unique among all browsers and targets."""
        return f"{self.guid}/{target_id}/{request_id}"

    def attached(self, cdp_s: float) -> Attached:
        """The connection sees everything from now on."""
        return Attached(n=0, at_us=self.at_us(cdp_s), cdp_s=cdp_s, guid=self.guid)

    def detached(self, cause: str, cdp_s: float) -> Detached:
        """The connection saw everything until then."""
        return Detached(n=0, at_us=self.at_us(cdp_s), cdp_s=cdp_s, guid=self.guid, cause=cause)

    def page(self, target_id: str, what: str, url: str, cdp_s: float) -> PageChanged:
        """A page came, went, crashed or shows another document."""
        at_us = self.at_us(cdp_s)
        return PageChanged(n=0, at_us=at_us, cdp_s=cdp_s, target=target_id, what=what, url=clean_url(url))

    def opened(self, stream: str, url: str, transport: str, cdp_s: float) -> StreamOpened:
        """A stream began."""
        at_us = self.at_us(cdp_s)
        return StreamOpened(n=0, at_us=at_us, cdp_s=cdp_s, stream=stream, url=clean_url(url), transport=transport)

    def closed(self, stream: str, cause: str, cdp_s: float) -> StreamClosed:
        """A stream ended."""
        return StreamClosed(n=0, at_us=self.at_us(cdp_s), cdp_s=cdp_s, stream=stream, cause=cause)

    def frame(self, stream: str, sent: bool, opcode: int, payload: bytes, cdp_s: float) -> FrameSeen:
        """A message; its secrets are still in it."""
        at_us = self.at_us(cdp_s)
        return FrameSeen(n=0, at_us=at_us, cdp_s=cdp_s, stream=stream, sent=sent, opcode=opcode, payload=payload)
