"""Side bets: the four spellings of one thing, into `sidebet.*` events and `sidebet` rows.

Own placements and results, other players' placements (a sample), and the histories' complete lists tell of the same
bets: a row is made of the first copy, an event of the first of its type. A loss bears the start tick where a win bears
the tick of the rug; it is settled when its window ends.
"""

from typing import Any, Final

from msgspec import Struct

from actors.rugs.columns import as_float, as_game_id, as_int, as_text
from actors.rugs.jsontext import encode
from actors.rugs.memory import Memory, is_new_in, key_of
from actors.rugs.output import Output

WINDOW_TICKS: Final = 40


class Bet(Struct, frozen=True, kw_only=True):
    """One side bet, placed or settled."""

    game_id: str
    bet_id: str | None
    player_id: str
    username: str | None
    kind: str  # "placed" or "payout"
    amount: float | None
    payout: float | None  # the stake included; None when placed
    start_tick: int  # 0 for a bet before the round; -1 in 2025-07
    end_tick: int | None
    settled_tick: int | None  # None when placed

    def values(self) -> list[Any]:
        """Return the values of its row."""
        who = [self.bet_id, self.player_id, self.username, self.kind]
        return [*who, self.amount, self.payout, self.start_tick, self.end_tick, self.settled_tick]


def read_bet(fields: dict[str, Any], game_id: str | None, kind: str | None = None) -> Bet | None:
    """Return the bet that an event or a history entry tells of, None where it tells of none.

    game_id, kind: what to take where the fields have none.
    """
    kind = as_text(fields.get("type")) or kind
    game_id = as_game_id(fields.get("gameId")) or game_id
    player_id = as_text(fields.get("playerId"))
    start = as_int(fields.get("startTick", fields.get("startedAtTick")))
    if game_id is None or player_id is None or start is None or kind not in ("placed", "payout"):
        return None
    end = as_int(fields.get("endTick", fields.get("end")))
    payout = as_float(fields.get("payout")) if kind == "payout" else None
    return Bet(
        game_id=game_id,
        bet_id=as_text(fields.get("id")),
        player_id=player_id,
        username=as_text(fields.get("username")),
        kind=kind,
        amount=as_float(fields.get("betAmount")),
        payout=payout,
        start_tick=start,
        end_tick=end,
        settled_tick=_settled(fields, payout, end) if kind == "payout" else None,
    )


def _settled(fields: dict[str, Any], payout: float | None, end: int | None) -> int | None:
    return as_int(fields.get("tickIndex")) if payout else end


def is_first_copy(memory: Memory, bet: Bet, type_: str = "row") -> bool:
    """Say whether this is the first copy of the bet for events of `type_`, or for rows."""
    key = key_of(type_, bet.game_id, bet.player_id, bet.start_tick, bet.kind)
    return is_new_in(memory.bets_once, memory.sidebets, bet.game_id, key)


def take_bet(memory: Memory, out: Output, type_: str, fields: dict[str, Any]) -> bool:
    """Make the event and row of a side bet event; False where it is none."""
    bet = read_bet(fields, memory.game_id, "payout" if type_ == "sidebet.result" else "placed")
    if bet is None:
        return False
    if is_first_copy(memory, bet, type_):
        seq = out.event(type_, bet.game_id, encode(fields))
        if is_first_copy(memory, bet):
            out.row("sidebet", seq, bet.game_id, bet.values())
    return True
