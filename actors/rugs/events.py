"""The game's events and what we call them: one table from wire names to the types of contract 4.4.

A name that is not in it becomes `raw.<name>`. Older spellings stand beside today's. `game.completed` comes from the
histories in state frames, `order.*` from the page's requests and their acks, `system.*` from the journal's own notes;
none of them has a wire name.
"""

import re
from typing import Annotated, Final

from msgspec import Meta, Struct

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
_QUESTION: Final = re.compile(r"(?:get|check|fetch|list|load)(?![a-z])|.*(?:[hH]istory|[sS]tatus|[sS]tats)$")


def is_order(name: str, *, has_ack_id: bool) -> bool:
    """Say whether a sent event is an order.

    The names of short and leverage requests were never observed: a name that speaks of such a thing, wants an answer
    and asks no question counts.
    """
    if name in ORDERS:
        return True
    return has_ack_id and len(name) <= MAX_NAME and bool(_ORDER_WORDS.search(name)) and not _QUESTION.match(name)


Number = Annotated[float, Meta(ge=-1e18, le=1e18)]
"""An amount, price or count as the game writes it; beyond these bounds it is not the game's."""
Detail = dict[str, str | Number | bool | None]


class LeaderboardEntry(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One of the ten best of the round in `leaderboard`, as of 2026-02.

    pnl is regularPnl + sidebetPnl + shortPnl; pnlPercent is 100 pnl / totalInvested. The three parts are missing in two
    of three entries outside the round. Amounts are SOL, or the coin in selectedCoin.
    """

    id: str
    username: str | None = None
    level: Number | None = None
    pnl: Number | None = None
    regularPnl: Number | None = None
    sidebetPnl: Number | None = None
    shortPnl: Number | None = None
    pnlPercent: Number | None = None
    hasActiveTrades: bool | None = None  # true in every entry observed
    positionQty: Number | None = None  # tokens
    avgCost: Number | None = None
    totalInvested: Number | None = None  # of all the round's buys together
    position: Number | None = None  # rank, from 1
    selectedCoin: Detail | None = None  # None: SOL
    sidebetActive: bool | None = None
    sideBet: Detail | None = None
    shortPosition: Detail | None = None
