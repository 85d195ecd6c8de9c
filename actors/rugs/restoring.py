"""Typed rows back into the messages they tell of, as far as their columns say it. Pure.

In: the doc_type of a row and its fields, under the names that the game gives them. Out: a frame of the event that the
game would have sent, with these fields and no others. The core makes the row again from it, by the same rules as from
a recorded frame: phases, identities, the check of a round against its seed. `BadLine` says what a row lacks.
"""

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from actors.rugs.jsontext import Unreadable, read
from actors.rugs.recordings import BadLine, written_anew


class Typed(Struct, frozen=True, kw_only=True):
    """How rows of a doc_type become messages."""

    event: str
    fields: dict[str, str]  # a column's name in lower case -> the game's name of the field
    needed: tuple[str, ...]  # fields without which the core makes no row
    finish: Callable[[dict[str, Any]], dict[str, Any]]


def restored(doc_type: str, fields: dict[str, Any]) -> bytes:
    """Return the message of a typed row. BadLine: a field is missing on which everything hangs."""
    typed = TYPED[doc_type]
    missing = [name for name in typed.needed if fields.get(name) is None]
    if missing or not fields:
        columns = [column for column, field in typed.fields.items() if field in missing[:1]]
        raise BadLine(f"has nothing in {' or '.join(columns or typed.fields)}, without which it is no {doc_type}")
    return written_anew(typed.event, typed.finish(fields))


def _state(fields: dict[str, Any]) -> dict[str, Any]:
    """A tick: its phase, where it is told and not the fields that it follows from, becomes those."""
    phase = fields.pop("phase", None)
    if isinstance(phase, str) and "active" not in fields and "rugged" not in fields:
        fields |= {"active": phase in ("ACTIVE", "RUGGED"), "rugged": phase == "RUGGED"}
        if phase in ("PRESALE", "COOLDOWN"):
            fields["allowPreRoundBuys"] = phase == "PRESALE"
    return fields


def _as_told(fields: dict[str, Any]) -> dict[str, Any]:
    """What the columns say is the message."""
    return fields


def _round(fields: dict[str, Any]) -> dict[str, Any]:
    """A round, as the game's history tells of it."""
    entry = {name: _json(value) for name, value in fields.items()}
    seed = {name: entry.pop(name) for name in ("serverSeed", "serverSeedHash") if name in entry}
    entry = {**entry, "rugged": True, **({"provablyFair": seed} if seed else {})}
    return {"gameId": entry["id"], "gameHistory": [entry]}


def _json(value: Any) -> Any:
    """Return a list that a column holds as JSON text."""
    if isinstance(value, str) and value.startswith("["):
        try:
            return read(value.encode("utf-8", "surrogatepass"))
        except Unreadable:
            return value
    return value


def _columns(**names: str) -> dict[str, str]:
    """Return columns by their names: ours, given here, and the game's own."""
    return names | {field.lower(): field for field in names.values()}


_WHO: Final = {"game_id": "gameId", "player_id": "playerId", "username": "username"}

TYPED: Final[dict[str, Typed]] = {
    "game_tick": Typed(
        event="gameStateUpdate",
        fields=_columns(
            game_id="gameId", tick="tickCount", tick_count="tickCount", price="price", phase="phase", active="active",
            rugged="rugged", cooldown_ms="cooldownTimer", cooldown_timer="cooldownTimer", trade_count="tradeCount",
            connected_players="connectedPlayers", allow_pre_round_buys="allowPreRoundBuys",
        ),
        needed=("gameId", "tickCount", "price"),
        finish=_state,
    ),
    "server_state": Typed(
        event="playerUpdate",
        fields=_columns(
            cash="cash", balance="cash", bonus_balance="bonusBalance", position_qty="positionQty", avg_cost="avgCost",
            total_invested="totalInvested", cumulative_pnl="cumulativePnL",
        ),
        needed=("cash",),
        finish=_as_told,
    ),
    "trade": Typed(
        event="standard/newTrade",
        fields=_columns(
            **_WHO, trade_id="id", side="type", price="price", tick="tickIndex", qty="qty", amount="amount",
            coin="coin", leverage="leverage", level="level",
        ),
        needed=("type", "price", "tickIndex"),
        finish=_as_told,
    ),
    "sidebet": Typed(
        event="newSideBet",
        fields=_columns(
            **_WHO, bet_id="id", kind="type", amount="betAmount", bet_amount="betAmount", payout="payout",
            start_tick="startTick", started_at_tick="startTick", end_tick="endTick", settled_tick="tickIndex",
        ),
        needed=("gameId", "playerId", "startTick", "type"),
        finish=_as_told,
    ),
    "game": Typed(
        event="gameStateUpdate",
        fields=_columns(
            game_id="id", gameid="id", ended_at="timestamp", version="gameVersion", game_version="gameVersion",
            peak="peakMultiplier", peak_multiplier="peakMultiplier", prices="prices", server_seed="serverSeed",
            seed="serverSeed", server_seed_hash="serverSeedHash", sidebets="globalSidebets",
            global_sidebets="globalSidebets",
        ),
        needed=("id",),
        finish=_round,
    ),
}  # fmt: skip
