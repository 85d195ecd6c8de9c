"""Events about players: own state and identity, trades, rankings. Received objects in, events and rows out.

Each function returns False where the object is not what its event's name says; it becomes a raw event then.
"""

from typing import Any

from actors.rugs.columns import as_float, as_game_id, as_int, as_text
from actors.rugs.jsontext import encode
from actors.rugs.memory import Memory, is_new_in, key_of
from actors.rugs.output import Output


def take_player(memory: Memory, out: Output, type_: str, fields: dict[str, Any]) -> bool:
    """Make `player.state` and its `server_state` row: the own player's balance and position."""
    amounts = [_amount(fields, name) for name in ("cash", "bonusBalance", "positionQty", "avgCost", "totalInvested")]
    profit = _amount(fields, "cumulativePnL")
    if not fields or any(fields.get(name) is not None and as_float(fields[name]) is None for name in _AMOUNTS):
        return False
    memory.player_id = as_text(fields.get("id")) or memory.player_id
    memory.balance = memory.balance if amounts[0] is None else amounts[0]
    memory.position_qty = memory.position_qty if amounts[2] is None else amounts[2]
    data = encode(fields)
    seq = out.event(type_, memory.game_id, data)
    out.row("server_state", seq, memory.game_id, [*amounts, profit, data.decode()])
    return True


_AMOUNTS = ("cash", "bonusBalance", "positionQty", "avgCost", "totalInvested", "cumulativePnL")


def _amount(fields: dict[str, Any], name: str) -> float | None:
    return as_float(fields.get(name))


def take_identity(memory: Memory, out: Output, type_: str, fields: dict[str, Any]) -> bool:
    """Make `connection.authenticated`: whose session the page is."""
    player_id = as_text(fields.get("id"))
    if player_id is None:
        return False
    memory.player_id = player_id
    data = {"player_id": player_id, "username": fields.get("username"), "hasUsername": fields.get("hasUsername")}
    out.event(type_, memory.game_id, encode(data))
    return True


def take_rank(memory: Memory, out: Output, type_: str, fields: dict[str, Any]) -> bool:
    """Make `player.leaderboard`: the own place in a ranking."""
    out.event(type_, memory.game_id, encode(fields))
    return True


def take_trade(memory: Memory, out: Output, type_: str, fields: dict[str, Any]) -> bool:
    """Make `player.trade` and its `trade` row, once for each trade: the game broadcasts a sample of all trades."""
    side, price, tick = as_text(fields.get("type")), as_float(fields.get("price")), as_int(fields.get("tickIndex"))
    if side is None or price is None or tick is None:
        return False
    game_id = as_game_id(fields.get("gameId")) or memory.game_id
    trade_id = as_text(fields.get("id"))
    data = encode(fields)
    # Ids were small numbers in 2025-08: only with the round they tell trades apart. Without one the content does.
    key = key_of(game_id, data if trade_id is None else trade_id)
    if is_new_in(memory.trades_once, memory.trades, game_id, key):
        seq = out.event(type_, game_id, data)
        out.row("trade", seq, game_id, _trade_row(fields, trade_id, side, price, tick))
    return True


def _trade_row(fields: dict[str, Any], trade_id: str | None, side: str, price: float, tick: int) -> list[Any]:
    return [
        trade_id,
        as_text(fields.get("playerId")),
        as_text(fields.get("username")),
        side,
        price,
        tick,
        as_float(fields.get("qty")),
        as_float(fields.get("amount")),
        as_text(fields.get("coin")),
        as_float(fields.get("leverage")),
        as_int(fields.get("level")),
    ]
