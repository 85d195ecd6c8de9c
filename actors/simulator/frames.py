"""The four shapes of `gameStateUpdate`, key for key and in the game's order.

minimal: the countdown's ten a second. standard: each tick. start: the first of a round. full: on connect and around a
rug, with the last ten rounds. Pure: live state in, payload out.
"""

from typing import Any

from actors.simulator.amounts import plain
from actors.simulator.live import Live
from actors.simulator.payloads import Payload
from actors.simulator.rounds import VERSION
from actors.simulator.social import royale_summary

PARTIAL_TICKS = 5


def minimal(live: Live) -> Payload:
    """Return the sparse frame of cooldown and presale: no price, no phase flags."""
    return {
        "gameId": live.game_id,
        "cooldownTimer": live.timer_ms,
        "cooldownPaused": False,
        "allowPreRoundBuys": live.presale,
        "leaderboard": live.leaderboard(),
        "connectedPlayers": live.connected,
        "provablyFair": _fair(live),
    }


def standard(live: Live) -> Payload:
    """Return the frame of one tick, and of the presale's opening."""
    return {
        "active": live.active,
        "price": plain(live.price),
        "partialPrices": _partial_prices(live),
        "tradeCount": live.trade_count,
        "rugged": live.rugged,
        "tickCount": live.tick,
        "cooldownTimer": live.timer_ms,
        "cooldownPaused": False,
        "pauseMessage": "",
        "allowPreRoundBuys": live.presale,
        **live.records.averages(),
        "leaderboard": live.leaderboard(),
        "gameId": live.game_id,
        "connectedPlayers": live.connected,
        "rugpool": live.records.rugpool(),
        "rugRoyale": royale_summary(),
        "provablyFair": _fair(live),
    }


def start(live: Live) -> Payload:
    """Return the first frame of a round: tick 0, price 1, an empty leaderboard."""
    return {**_state(live), "partialPrices": _partial_prices(live), "provablyFair": _fair(live)}


def full(live: Live, *, on_connect: bool = False, overrun: int = 0) -> Payload:
    """Return the frame with the history.

    on_connect: all prices of the round instead of the last five. overrun: by how much the tick count has run past the
    rug, which it does in the broadcast that closes a round.
    """
    state = _state(live)
    state["tickCount"] += overrun
    if on_connect:
        prices: Payload = {"prices": live.secret.wire_prices(live.tick)}
    else:
        prices = {"partialPrices": _partial_prices(live)}
    return {**live.records.full_fields(), **state, **prices, "provablyFair": _fair(live)}


def _state(live: Live) -> Payload:
    return {
        "active": live.active,
        "price": plain(live.price),
        "rugged": live.rugged,
        "tickCount": live.tick,
        "cooldownTimer": live.timer_ms,
        "cooldownPaused": False,
        "pauseMessage": "",
        "allowPreRoundBuys": live.presale,
        "leaderboard": live.leaderboard(),
        "gameId": live.game_id,
        "connectedPlayers": live.connected,
        "gameVersion": VERSION,
    }


def _partial_prices(live: Live) -> dict[str, Any]:
    first = max(0, live.tick - PARTIAL_TICKS + 1)
    prices = live.secret.round.prices
    values = {str(tick): plain(prices[tick]) for tick in range(first, live.tick + 1)}
    return {"startTick": first, "endTick": live.tick, "values": values}


def _fair(live: Live) -> Payload:
    return {"serverSeedHash": live.secret.seed_hash, "version": VERSION}
