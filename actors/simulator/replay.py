"""A recorded session, read to be sent again: frames as they were received, with the times between them.

In comes a `.jsonl.gz` (or `.jsonl`) file of `{"t": seconds, "dir": "received"|"sent", "frame": text}`, further keys
allowed; out come the frames to send, exact to the byte. Sent frames are left out: the page makes its own requests, as
it would on the real site. So is what belongs to one connection only (Engine.IO packets, Socket.IO's connect, disconnect
and errors) and binary, whose attachments are no text: it would break the connection that carries the replay.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, cast

import msgspec
from msgspec import Struct

REPLAYED: Final = ("42", "43")  # events and acknowledgements


class Recorded(Struct, frozen=True, kw_only=True):
    """One line of a recording."""

    t: float  # seconds, from any origin, rising
    dir: str
    frame: str


def read_recording(path: Path) -> Iterator[Recorded]:
    """Yield the frames to replay, in order, read as they are wanted.

    OSError: the file cannot be read. ValueError: a line is not what a recording has; the message names file and line.
    """
    decoder = msgspec.json.Decoder(Recorded)
    with _open(path) as lines:
        for number, line in enumerate(lines, 1):
            try:
                recorded = decoder.decode(line)
            except msgspec.DecodeError as error:
                raise ValueError(f"{path}:{number}: not a line of a recording: {error}") from error
            if recorded.dir == "received" and recorded.frame.startswith(REPLAYED):
                yield recorded


def delay_s(earlier: float | None, later: float, speed: float) -> float:
    """Return how long to wait between two recorded times; speed 0 does not wait at all."""
    if earlier is None or speed == 0:
        return 0.0
    return max(0.0, later - earlier) / speed


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    if compressed:
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return path.open("rb")
