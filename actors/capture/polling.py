"""Engine.IO's polling transport: which requests belong to it, and what packets are in their bodies. Pure.

In: requests' URLs and bodies. Out: packets as (opcode, payload): text, or for `b…` the bytes behind the base64.
"""

import base64
import binascii

import msgspec

from actors.rugs.redact import query_value, short_hash

SEPARATOR = "\x1e"
MOST_PACKETS = 10_000
"""Of one body, taken by themselves; what follows is kept as the text that it is, which no reader takes for a packet.
A busy second of the game has a hundred; one megabyte can hold half a million."""
PAGE_KINDS = frozenset({"", "XHR", "Fetch"})
"""CDP's types of a request that a script makes and reads; a frame that goes to the game's address is no client."""


class Poll(msgspec.Struct, frozen=True):
    """One polling request of a page."""

    request_id: str
    url: str
    sent_s: float  # CDP seconds of the request
    sid: str | None  # Engine.IO session id; the first request has none

    def stream_name(self, packets: list[tuple[int, bytes]]) -> str:
        """Return the last part of the stream id, from the session id in the URL or in an open packet of `packets`."""
        return "poll-" + short_hash(self.sid or opened_sid(packets) or self.request_id)


def poll_of(request_id: str, url: str, method: str, sent_s: float) -> Poll | None:
    """Return the request as a poll, None where it is something else."""
    if method not in ("GET", "POST") or "transport=polling" not in url:
        return None
    if query_value(url, "transport") != "polling" or query_value(url, "EIO") is None:
        return None
    return Poll(request_id, url, sent_s, query_value(url, "sid"))


def packets_of(body: str) -> list[tuple[int, bytes]]:
    """Split a body into packets, at most `MOST_PACKETS` and a rest. A `b…` that is no base64 is kept as it is."""
    return [_packet(packet) for packet in body.split(SEPARATOR, MOST_PACKETS) if packet]


def opened_sid(packets: list[tuple[int, bytes]]) -> str | None:
    """Return the session id in an open packet `0{"sid": …}`, None where there is none."""
    for opcode, payload in packets:
        if opcode == 1 and payload.startswith(b"0{"):
            try:
                return msgspec.json.decode(payload[1:], type=_Open).sid
            except msgspec.DecodeError:
                return None
    return None


class _Open(msgspec.Struct):
    sid: str


def _packet(packet: str) -> tuple[int, bytes]:
    if packet.startswith("b"):
        try:
            return 2, base64.b64decode(packet[1:], validate=True)
        except (binascii.Error, ValueError):
            pass
    return 1, packet.encode(errors="surrogatepass")
