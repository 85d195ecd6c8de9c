"""Parquet schema 2.0.0: every doc_type with its columns, as data.

Each row begins with `seq`, `ts` and `game_id`; the columns listed here follow, in this order, which is also the order
of `Row.values`. Types are Arrow's names. From this table come the writer's Arrow schemas, the tables of
`vectra-supervisor sql` and `docs/reference/data.md`. Never changed without a new `SCHEMA_VERSION`: files of one version
have the same columns, and a test holds their fingerprint.
"""

import hashlib

from msgspec import Struct

SCHEMA_VERSION = "2.0.0"
IMPORT_SEQ = 1 << 52
"""From here on numbers are an import's; at 1,000 frames a second the journal comes here in 500 years."""


class Column(Struct, frozen=True):
    """One column: its name, Arrow type, what it means, its unit or values, where it comes from, an example."""

    name: str
    type: str
    meaning: str
    unit: str
    source: str
    example: str


class DocType(Struct, frozen=True):
    """What one row of a doc_type is, and its own columns."""

    row: str
    columns: tuple[Column, ...]


_STATE = "`gameStateUpdate` "
_PLAYER = "`playerUpdate` "
_TRADE = "`standard/newTrade` "
_ENTRY = "`gameHistory[]` "
_BET = "side bet events, `globalSidebets[]` "
_PRESS = "the listener in the page"
_MOMENT = "the newest round's and player's state"

LEADING = (
    Column("seq", "int64", "number of the frame, or of the event, this row was made of", "steps of 256 a frame",
           "the journal; from 2^52 on the import", "1536"),
    Column("ts", "timestamp[us, UTC]", "time of capture", "UTC", "this machine's clock; an imported file's times",
           "2025-12-15 01:16:58.881"),
    Column("game_id", "string", "the round; null where none applies", "`YYYYMMDD-<16 hex>`", "`gameId`, or the newest",
           "20251215-3c3ebc6051054e71"),
)  # fmt: skip

DOC: dict[str, DocType] = {
    "ws_event": DocType("one WebSocket message or polling packet, both directions, all of them", (
        Column("stream", "string", "the socket; `import/<file>` for imported frames",
               "browser GUID, target id, request id", "CDP", "5b1c.../8A31.../1000012345.7"),
        Column("direction", "string", "as the page sees it", "received, sent", "CDP", "received"),
        Column("opcode", "int8", "kind of message", "1 text, 2 binary", "CDP", "1"),
        Column("event_name", "string", "the Socket.IO event; null for Engine.IO packets and acks", "text",
               "first element of the packet", "gameStateUpdate"),
        Column("raw", "string", "the frame's exact text but for redactions; base64 for opcode 2", "text", "CDP",
               '42["ping",{"lastPing":21.3}]'),
    )),
    "game_tick": DocType("one tick of a round, or one step of a countdown, each once", (
        Column("tick", "int32", "tick within the round", "ticks from 0", _STATE + "`tickCount`", "104"),
        Column("price", "double", "price", "multiple of the price at tick 0", _STATE + "`price`", "1.0496"),
        Column("phase", "string", "phase of the round", "COOLDOWN, PRESALE, ACTIVE, RUGGED",
               "rules of the reference of events", "ACTIVE"),
        Column("active", "bool", "the round runs, the rug included", "true, false", _STATE + "`active`", "true"),
        Column("rugged", "bool", "the round is over", "true, false", _STATE + "`rugged`", "false"),
        Column("cooldown_ms", "int32", "time until the round starts; 0 while it runs", "ms",
               _STATE + "`cooldownTimer`", "14900"),
        Column("trade_count", "int32", "trades executed in this round so far", "trades", _STATE + "`tradeCount`",
               "345"),
        Column("connected_players", "int32", "sockets connected to the game", "sockets",
               _STATE + "`connectedPlayers`", "201"),
        Column("origin", "string", "seen live, or repaired from a history", "live, history",
               "a frame; `gameHistory[].prices`", "live"),
    )),
    "server_state": DocType("one message about the own player's balance and position", (
        Column("cash", "double", "balance", "SOL", _PLAYER + "`cash`", "0.017619831"),
        Column("bonus_balance", "double", "bonus balance", "SOL", _PLAYER + "`bonusBalance`", "0"),
        Column("position_qty", "double", "long position", "tokens", _PLAYER + "`positionQty`", "0.0025"),
        Column("avg_cost", "double", "mean entry price of the position", "price", _PLAYER + "`avgCost`", "1.21"),
        Column("total_invested", "double", "put in this round", "SOL", _PLAYER + "`totalInvested`", "0.003"),
        Column("cumulative_pnl", "double", "profit of this round", "SOL", _PLAYER + "`cumulativePnL`", "-0.0004"),
        Column("data", "string", "the whole message", "JSON", _PLAYER.strip(), '{"cash":0.0176,...}'),
    )),
    "player_action": DocType("one press of a button (`success` null), or one outcome, joined by `trace_id`", (
        Column("button", "string", "label of the button; of an order sent without one its kind",
               "BUY, SELL, +0.01, 25%, ...", _PRESS, "BUY"),
        Column("category", "string", "what kind of button", "amount, percentage, trade, sidebet, other", _PRESS,
               "trade"),
        Column("actor", "string", "who pressed; null for the outcome of an order without a press", "human, ui, bot",
               "the press event's `isTrusted`", "human"),
        Column("amount", "double", "value of the amount field before the press, or amount of the order", "SOL",
               _PRESS + ", or the order", "0.03"),
        Column("percentage", "double", "share to sell", "percent", _PRESS + ", or the order", "25"),
        Column("tick", "int32", "tick at that moment", "ticks from 0", _MOMENT, "71"),
        Column("price", "double", "price at that moment", "multiple of the price at tick 0", _MOMENT, "1.39"),
        Column("phase", "string", "phase at that moment", "COOLDOWN, PRESALE, ACTIVE, RUGGED", _MOMENT, "ACTIVE"),
        Column("balance", "double", "balance at that moment", "SOL", _MOMENT, "0.21"),
        Column("position_qty", "double", "position at that moment", "tokens", _MOMENT, "0"),
        Column("success", "bool", "of an outcome; null for a press, and for an answer that says nothing",
               "true, false", "the acknowledgement", "true"),
        Column("latency_ms", "double", "request to acknowledgement; null for a press", "ms", "capture times", "219.4"),
        Column("trace_id", "string", "joins a press with its outcome; without a press the order's own", "32 hex",
               "the press's key; the order's trace", "9f0c..."),
        Column("data", "string", "sequence and text; of an outcome action, message and what the order caused", "JSON",
               "press, order, acknowledgement", '{"sequencePosition":2,...}'),
    )),
    "system_event": DocType("one thing that happened to the recording itself", (
        Column("event", "string", "what kind", "gap, connection, recording, actor, drift, import, ...",
               "the journal's notes, the normalizer", "gap"),
        Column("data", "string", "what, when, why", "JSON", "the journal's notes, the normalizer",
               '{"cause":"page navigated",...}'),
    )),
    "game": DocType("one completed round, once, as soon as a history shows it", (
        Column("ended_at", "timestamp[us, UTC]", "when the round ended", "UTC, the game's clock",
               _ENTRY + "`timestamp`", "2025-12-15 01:16:58.881"),
        Column("version", "string", "version of the round's algorithm", "v1, v2, v3", _ENTRY + "`gameVersion`", "v3"),
        Column("ticks", "int32", "tick of the rug", "ticks from 0", "length of `prices` less one", "233"),
        Column("peak", "double", "highest price", "multiple of the price at tick 0", _ENTRY + "`peakMultiplier`",
               "2.0543558617583932"),
        Column("peak_tick", "int32", "its first tick", "ticks from 0", "`prices`", "118"),
        Column("rug_price", "double", "price after the rug", "multiple of the price at tick 0", "last of `prices`",
               "0.013737905389966283"),
        Column("prices", "list<double>", "all prices from tick 0, the rug price last",
               "multiples of the price at tick 0", _ENTRY + "`prices`; without them from the seed",
               "[1, 1.0142, ..., 0.0137]"),
        Column("server_seed", "string", "revealed seed", "hex text", _ENTRY + "`provablyFair.serverSeed`",
               "7f122ef9..."),
        Column("server_seed_hash", "string", "commitment shown before the round", "64 hex, SHA-256",
               _ENTRY + "`provablyFair.serverSeedHash`", "961079f9..."),
        Column("verified", "bool", "reproduced from the seed; null where that cannot be told", "true, false",
               "computed", "true"),
        Column("verify_reason", "string", "why", "text", "computed", "matches the seed"),
        Column("live_ticks", "int32", "ticks of this round that were seen live", "ticks", "counted", "234"),
        Column("missing_ticks", "int32", "ticks that were not", "ticks", "counted", "0"),
        Column("sidebets", "string", "the round's side bets", "JSON list", _ENTRY + "`globalSidebets`",
               '[{"type":"placed",...}]'),
    )),
    "trade": DocType("one trade that the game told of: a sample of all trades, and all of the own ones", (
        Column("trade_id", "string", "the game's id", "uuid", _TRADE + "`id`", "4f8a..."),
        Column("player_id", "string", "who", "`did:privy:<id>`", _TRADE + "`playerId`", "did:privy:cm3x..."),
        Column("username", "string", "null where the player has none", "text", _TRADE + "`username`", "somebody"),
        Column("side", "string", "what was done", "buy, sell, short_open, short_close", _TRADE + "`type`", "buy"),
        Column("price", "double", "price of the trade", "multiple of the price at tick 0", _TRADE + "`price`", "1.39"),
        Column("tick", "int32", "tick of the trade", "ticks from 0", _TRADE + "`tickIndex`", "71"),
        Column("qty", "double", "how much; 0 for shorts", "tokens", _TRADE + "`qty`", "0.0216"),
        Column("amount", "double", "what it cost or gave", "SOL, or the coin", _TRADE + "`amount`", "0.03"),
        Column("coin", "string", "what was paid with", "solana, or the token", _TRADE + "`coin`", "solana"),
        Column("leverage", "double", "null where the game says nothing", "1 to 5", _TRADE + "`leverage`", "1"),
        Column("level", "int32", "the player's level", "levels", _TRADE + "`level`", "12"),
    )),
    "sidebet": DocType("one side bet placed, or one settled", (
        Column("bet_id", "string", "the game's id; null where the event has none", "uuid", _BET + "`id`", "77d1..."),
        Column("player_id", "string", "who", "`did:privy:<id>`", _BET + "`playerId`", "did:privy:cm3x..."),
        Column("username", "string", "null where the player has none", "text", _BET + "`username`", "somebody"),
        Column("kind", "string", "placed or settled", "placed, payout", _BET + "`type`", "placed"),
        Column("amount", "double", "stake", "SOL, or the coin", _BET + "`betAmount`", "0.01"),
        Column("payout", "double", "paid out, the stake included; 0 for a loss; null when placed", "SOL, or the coin",
               _BET + "`payout`", "0.05"),
        Column("start_tick", "int32", "the window's first tick is the next one", "ticks from 0",
               _BET + "`startTick`, `startedAtTick`", "30"),
        Column("end_tick", "int32", "last tick of the window; start_tick + 40", "ticks from 0",
               _BET + "`endTick`, `end`", "70"),
        Column("settled_tick", "int32", "tick of the rug for a win, end of the window for a loss; null when placed",
               "ticks from 0", _BET + "`tickIndex`", "55"),
    )),
}  # fmt: skip

DOC_TYPES: dict[str, tuple[Column, ...]] = {name: doc.columns for name, doc in DOC.items()}


def columns_of(doc_type: str) -> tuple[Column, ...]:
    """Return all columns of a doc_type, in file order."""
    return LEADING + DOC_TYPES[doc_type]


def fingerprint() -> str:
    """Return what changes with any column's name, type or place: 16 hex digits."""
    told = ";".join(f"{one}:{','.join(f'{c.name} {c.type}' for c in columns_of(one))}" for one in sorted(DOC_TYPES))
    return hashlib.sha256(told.encode()).hexdigest()[:16]
