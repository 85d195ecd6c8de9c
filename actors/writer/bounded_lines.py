"""Lines of a file read in bounded memory, whatever it unpacks to: one that is too long is skipped to its end.

In: a file open for reading, compressed or not. Out: each line, or `TooLong` in its place.
Never holds more than one line.
"""

from collections.abc import Iterator
from typing import IO, Any

MOST_LINE_BYTES = 100_000_000  # the largest known frames have 2 MB
_PIECE_BYTES = 1_000_000


class TooLong:
    """A line of more than `MOST_LINE_BYTES`, of which nothing was kept."""

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes


def bounded_lines(file: IO[bytes] | Any) -> Iterator[bytes | TooLong]:
    """Yield the file's lines. OSError, EOFError and the decompressor's errors: it is damaged."""
    while line := file.readline(MOST_LINE_BYTES + 1):
        if len(line) <= MOST_LINE_BYTES or line.endswith(b"\n"):
            yield line
            continue
        size = len(line)
        del line
        while piece := file.readline(_PIECE_BYTES):
            size += len(piece)
            if piece.endswith(b"\n"):
                break
        yield TooLong(size)
