"""Deaths on order: places where a test may make this process die, to see that nothing is lost or doubled by it.

`point(name)` does nothing unless the environment variable `VECTRA_FAULT` says `name:count`; then the `count`-th pass
ends the process at once, as SIGKILL would, with exit code 86. The order is read at a process's first pass, so that a
child forked from a warm parent obeys its own environment.
"""

import os

EXIT_CODE = 86

_order: tuple[str, int] | None = None
_passes = 0


def point(name: str) -> None:
    """Die here if this is the ordered place and pass."""
    global _order, _passes
    if _order is None:
        wanted, _, count = os.environ.get("VECTRA_FAULT", "").partition(":")
        _order = (wanted, int(count or 1))
    if name != _order[0]:
        return
    _passes += 1
    if _passes == _order[1]:
        os._exit(EXIT_CODE)
