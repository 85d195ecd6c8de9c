"""How a process of its own tells what it does, for `supervisor/data_work.py`: JSON lines on standard output.

In: the process that waits for it, and the work. Out: lines, the last one an error where it did not work out, and an
exit code. Ends with whoever waits.
"""

import sys
from collections.abc import Callable

import msgspec
from msgspec import Struct

from actors.core.lifeline import die_with_parent


class Failed(Struct, kw_only=True):
    """The last line where nothing more can be done."""

    error: str


def tell(line: Struct) -> None:
    """Say one line, at once."""
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


def told(parent: str, work: Callable[[], None], *expected: type[Exception]) -> int:
    """Do the work; return the exit code. parent: its pid; expected: what may go wrong, told in its own words."""
    die_with_parent(int(parent))
    failures: tuple[type[Exception], ...] = (OSError, *expected)
    try:
        work()
    except failures as error:
        tell(Failed(error=str(error)))
        return 1
    return 0
