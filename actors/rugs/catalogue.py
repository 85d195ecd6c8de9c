"""The names of our event types, contract 4.4's and more: for whoever tells them or checks what a user typed."""

from typing import Final

from actors.rugs.typed import EVENTS

TYPES: Final = tuple(EVENTS)
"""Every type that has a name of its own; beside them there is `raw.<name>` for whatever else the game sends."""
