"""Special files among recorded ones: a named pipe or a device, whose opening would wait for ever. Only looks.

In: a path. Out: whether it is one.
"""

import stat
from pathlib import Path


def is_special(path: Path) -> bool:
    """Return whether opening it could wait, or read without an end. A directory, or nothing, fails at once instead."""
    try:
        mode = path.stat().st_mode
    except OSError:  # a link to what may not be looked at cannot be opened either
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISBLK(mode) or stat.S_ISSOCK(mode)
