"""Parquet schema 2.0.0: every doc_type with its columns, as data.

Each row begins with `seq`, `ts` and `game_id`; the columns listed here follow, in this order, which is also the order
of `Row.values`. Types are Arrow's names. From this table come the writer's Arrow schemas and the data reference.
"""

from msgspec import Struct

SCHEMA_VERSION = "2.0.0"


class Column(Struct, frozen=True):
    """One column: its name, Arrow type, and what it means."""

    name: str
    type: str
    meaning: str


LEADING = (
    Column("seq", "int64", "number of the frame, or of the event, this row was made of"),
    Column("ts", "timestamp[us, UTC]", "time of capture"),
    Column("game_id", "string", "the round; null where none applies"),
)

DOC_TYPES: dict[str, tuple[Column, ...]] = {
    "ws_event": (
        Column("stream", "string", "the socket: browser GUID, target id and request id"),
        Column("direction", "string", "received or sent, as the page sees it"),
        Column("opcode", "int8", "1 text, 2 binary"),
        Column("event_name", "string", "the Socket.IO event; null for Engine.IO packets and acks"),
        Column("raw", "string", "the frame's exact text; base64 for opcode 2"),
    ),
    "game_tick": (
        Column("tick", "int32", "0-based within the round"),
        Column("price", "double", "multiple of the price at tick 0"),
        Column("phase", "string", "COOLDOWN, PRESALE, ACTIVE or RUGGED"),
        Column("active", "bool", "as the game says"),
        Column("rugged", "bool", "as the game says"),
        Column("cooldown_ms", "int32", "ms until the round starts; 0 while it runs"),
        Column("trade_count", "int32", "trades executed in this round so far"),
        Column("connected_players", "int32", "sockets connected to the game"),
        Column("origin", "string", "live, or history for ticks repaired from gameHistory"),
    ),
    "server_state": (
        Column("cash", "double", "balance, SOL"),
        Column("bonus_balance", "double", "bonus balance, SOL"),
        Column("position_qty", "double", "long position, tokens"),
        Column("avg_cost", "double", "mean entry price of the position"),
        Column("total_invested", "double", "SOL put in this round"),
        Column("cumulative_pnl", "double", "profit of this round, SOL"),
        Column("data", "string", "the whole playerUpdate, JSON"),
    ),
    "player_action": (
        Column("button", "string", "label of the button: BUY, +0.01, 25%, ...; of an order sent without one, its kind"),
        Column("category", "string", "amount, percentage, trade or sidebet; other for what is not known any more"),
        Column("actor", "string", "human, ui or bot; null for the outcome of an order without a press"),
        Column("amount", "double", "value of the amount field before the press, or amount of the order; SOL"),
        Column("percentage", "double", "share to sell, percent"),
        Column("tick", "int32", "tick at that moment"),
        Column("price", "double", "price at that moment"),
        Column("phase", "string", "phase at that moment"),
        Column("balance", "double", "balance at that moment, SOL"),
        Column("position_qty", "double", "position at that moment, tokens"),
        Column("success", "bool", "of an outcome; null for a press, and for an answer that says nothing"),
        Column("latency_ms", "double", "request to acknowledgement; null for a press, and without an acknowledgement"),
        Column("trace_id", "string", "joins a press with its outcome; without a press the order's own trace id"),
        Column("data", "string", "JSON: sequence, text; of an outcome action, message and what the order caused"),
    ),
    "system_event": (
        Column("event", "string", "gap, connection, recording, actor, drift, ..."),
        Column("data", "string", "JSON"),
    ),
    "game": (
        Column("ended_at", "timestamp[us, UTC]", "when the round ended, by the game's clock"),
        Column("version", "string", "version of the round's algorithm"),
        Column("ticks", "int32", "tick of the rug"),
        Column("peak", "double", "highest price"),
        Column("peak_tick", "int32", "its first tick"),
        Column("rug_price", "double", "price after the rug"),
        Column("prices", "list<double>", "all prices from tick 0, the rug price last"),
        Column("server_seed", "string", "revealed seed"),
        Column("server_seed_hash", "string", "commitment shown before the round"),
        Column("verified", "bool", "reproduced from the seed; null where that cannot be told"),
        Column("verify_reason", "string", "why"),
        Column("live_ticks", "int32", "ticks of this round that were seen live"),
        Column("missing_ticks", "int32", "ticks that were not"),
        Column("sidebets", "string", "the round's side bets, JSON"),
    ),
    "trade": (
        Column("trade_id", "string", "the game's id"),
        Column("player_id", "string", "who"),
        Column("username", "string", "null where the player has none"),
        Column("side", "string", "buy, sell, short_open or short_close"),
        Column("price", "double", "price of the trade"),
        Column("tick", "int32", "tick of the trade"),
        Column("qty", "double", "tokens; 0 for shorts"),
        Column("amount", "double", "SOL"),
        Column("coin", "string", "solana, or the token"),
        Column("leverage", "double", "1 to 5; null where the game says nothing"),
        Column("level", "int32", "the player's level"),
    ),
    "sidebet": (
        Column("bet_id", "string", "the game's id; null where the event has none"),
        Column("player_id", "string", "who"),
        Column("username", "string", "null where the player has none"),
        Column("kind", "string", "placed or payout"),
        Column("amount", "double", "stake, SOL"),
        Column("payout", "double", "SOL paid out; 0 for a loss; null when placed"),
        Column("start_tick", "int32", "first tick is start_tick + 1"),
        Column("end_tick", "int32", "last tick of the window"),
        Column("settled_tick", "int32", "tick of the settlement; null when placed"),
    ),
}
