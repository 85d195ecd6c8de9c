"""The game's events and what we call them: one table from wire names to the types of contract 4.4.

A name that is not in it becomes `raw.<name>`. Capitals do not count: `currentSideBetResult` is an older spelling.
`game.completed` comes from the histories in state frames, `order.*` from the page's requests and their acks, `system.*`
from the journal's own notes; none of them has a wire name.
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
    "currentSidebetResult": "sidebet.result",
    "newSideBet": "sidebet.other",
}
"""Received event -> our type."""

_TYPES: Final = {name.lower(): type_ for name, type_ in TYPES.items()}

ORDERS: Final = frozenset({"buyorder", "sellorder", "requestsidebet"})
"""Requests of the page that stake or return money, as observed; in lower case."""

MAX_NAME: Final = 100
"""Longest event name that becomes part of a type."""

_ORDER_WORDS: Final = re.compile(r"order|sidebet|short|leverage", re.IGNORECASE)
_QUESTION: Final = re.compile(r"(?:get|check|fetch|list|load)(?![a-z])|.*(?:[hH]istory|[sS]tatus|[sS]tats)$")


def type_of(name: str) -> str | None:
    """Return our type of a received event, None where it has none."""
    return TYPES.get(name) or _TYPES.get(name.lower())


def is_order(name: str, *, has_ack_id: bool) -> bool:
    """Say whether a sent event is an order.

    The names of short and leverage requests were never observed: a name that speaks of such a thing, wants an answer
    and asks no question counts.
    """
    if name.lower() in ORDERS:
        return True
    return has_ack_id and len(name) <= MAX_NAME and bool(_ORDER_WORDS.search(name)) and not _QUESTION.match(name)
