"""The game's events and what we call them: one table from wire names to the types of contract 4.4.

A name that is not in it becomes `raw.<name>`. Older spellings stand beside today's. `game.completed` comes from the
histories in state frames, `order.*` from the page's requests and their acks, `system.*` from the journal's own notes;
none of them has a wire name.
"""

import re
from typing import Final

TYPES: Final[dict[str, str]] = {
    "gameStateUpdate": "game.tick",
    "playerUpdate": "player.state",
    "usernameStatus": "connection.authenticated",
    "standard/newTrade": "player.trade",
    "playerLeaderboardPosition": "player.leaderboard",
    "currentSidebet": "sidebet.placed",
    "currentSideBet": "sidebet.placed",
    "currentSidebetResult": "sidebet.result",
    "currentSideBetResult": "sidebet.result",
    "newSideBet": "sidebet.other",
    "newSidebet": "sidebet.other",
}
"""Received event -> our type."""

ORDERS: Final = frozenset({"buyOrder", "sellOrder", "requestSidebet", "requestSideBet"})
"""Requests of the page that stake or return money, as observed."""

MAX_NAME: Final = 100
"""Longest event name that becomes part of a type."""

_ORDER_WORDS: Final = re.compile(r"order|sidebet|short|leverage", re.IGNORECASE)
_QUESTION: Final = re.compile(r"(get|check|fetch|list|load)(?![a-z])|.*(history|status|stats)$", re.IGNORECASE)


def is_order(name: str, *, has_ack_id: bool) -> bool:
    """Say whether a sent event is an order.

    The names of short and leverage requests were never observed: a name that speaks of such a thing, wants an answer
    and asks no question counts.
    """
    if name in ORDERS:
        return True
    return has_ack_id and len(name) <= MAX_NAME and bool(_ORDER_WORDS.search(name)) and not _QUESTION.match(name)
