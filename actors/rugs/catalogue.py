"""The names of our event types, as contract 4.4 lists them: for whoever tells them or checks what a user typed."""

TYPES = (
    "connection.authenticated",
    "game.completed",
    "game.tick",
    "order.request",
    "order.result",
    "player.action",
    "player.leaderboard",
    "player.state",
    "player.trade",
    "sidebet.other",
    "sidebet.placed",
    "sidebet.result",
    "system.actor",
    "system.connection",
    "system.drift",
    "system.gap",
    "system.recording",
)
"""Every type that has a name of its own; beside them there is `raw.<name>` for whatever else the game sends."""
