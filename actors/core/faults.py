"""Deaths on order: places where a test may make this process die, to see that nothing is lost or doubled by it.

`point(name)` does nothing unless the environment variable `VECTRA_FAULT` says `name:count`; then the `count`-th pass
ends the process at once, as SIGKILL would, with exit code 86.
"""

import os

EXIT_CODE = 86

_name, _, _count = os.environ.get("VECTRA_FAULT", "").partition(":")
_left = int(_count or 1)


def point(name: str) -> None:
    """Die here if this is the ordered place and pass."""
    global _left
    if name != _name:
        return
    _left -= 1
    if _left == 0:
        os._exit(EXIT_CODE)
