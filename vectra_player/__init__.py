"""Subscribe to a running VECTRA: `for event in vectra_player.subscribe("game.tick")`.

The public names are resolved on first use, so that the console script's entry imports nothing but the standard library.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vectra_player.version import __version__

if TYPE_CHECKING:
    from vectra_player.async_client import AsyncClient, asubscribe
    from vectra_player.client import Client, replay, snapshot, subscribe
    from vectra_player.event import Event, Hole, Snapshot
    from vectra_player.sockets import Keys, load_keys

_PUBLIC = {
    "subscribe": "vectra_player.client",
    "asubscribe": "vectra_player.async_client",
    "snapshot": "vectra_player.client",
    "replay": "vectra_player.client",
    "Client": "vectra_player.client",
    "AsyncClient": "vectra_player.async_client",
    "Event": "vectra_player.event",
    "Hole": "vectra_player.event",
    "Snapshot": "vectra_player.event",
    "Keys": "vectra_player.sockets",
    "load_keys": "vectra_player.sockets",
}
"""Public name -> the module that defines it."""

__all__ = [
    "AsyncClient",
    "Client",
    "Event",
    "Hole",
    "Keys",
    "Snapshot",
    "__version__",
    "asubscribe",
    "load_keys",
    "replay",
    "snapshot",
    "subscribe",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'vectra_player' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
