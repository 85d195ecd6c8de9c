"""How large a settings file may be, and its content up to there.

Apart from the YAML reader, whose import costs a command 15 ms.
In: an open file. Out: bytes, one more than allowed where there are more.
"""

import os

SIZE_MAX_BYTES = 262_144  # the shipped file with every key and comment has 6,000


def read_start(fd: int) -> bytes:
    """Return what an open file holds, at most one byte more than it may. OSError: it cannot be read."""
    parts: list[bytes] = []
    left = SIZE_MAX_BYTES + 1
    while left and (part := os.read(fd, left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
