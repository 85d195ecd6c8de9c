"""What the game tells about players: the own state, identity and rank, trades and side bets, field by field. Data only.

Received with a session; trades and other players' side bets also without. Units as in `wire_state.py`.
"""

from typing import Annotated, Any

from msgspec import Struct

from actors.rugs.fields import ALWAYS, Flag, Num, Number, Text, Thing, Things, told
from actors.rugs.wire_state import Coin, LeaderboardEntry, RunningBet, ShortPosition


class LevelInfo(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Where the player stands in levels."""

    level: Annotated[Num, told("level, from 0", ALWAYS)] = None
    xp: Annotated[Num, told("points in this level")] = None
    xpForNextLevel: Annotated[Num, told("points until the next")] = None
    totalXP: Annotated[Num, told("points altogether")] = None


class Boost(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Double points for a while."""

    active: Annotated[Flag, told("it runs", ALWAYS)] = None
    activeUntil: Annotated[Any, told("when it ends; null without one")] = None
    available: Annotated[Any, told("whether, or how many, are left")] = None


class PlayerUpdate(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`playerUpdate`: the own player. After connecting, each own trade, bet and settlement, and at a round's start.

    Not traced. With no position left, positionQty and avgCost are 0.
    """

    id: Annotated[Text, told("the player, `did:privy:...`", ALWAYS)] = None
    role: Annotated[Text, told("null, `mod`, ...")] = None
    authenticated: Annotated[Flag, told("the session is logged in")] = None
    cash: Annotated[Num, told("balance, SOL", ALWAYS)] = None
    bonusBalance: Annotated[Num, told("bonus balance, SOL")] = None
    bonusWagerReq: Annotated[Num, told("to be staked until the bonus is free, SOL")] = None
    bonusWagered: Annotated[Num, told("of it staked, SOL")] = None
    positionQty: Annotated[Num, told("long position, tokens", ALWAYS)] = None
    avgCost: Annotated[Num, told("mean entry price of the position", ALWAYS)] = None
    totalInvested: Annotated[Num, told("this round's buys together, SOL or coin", ALWAYS)] = None
    cumulativePnL: Annotated[Num, told("profit of this round, SOL or coin", ALWAYS)] = None
    pnlPercent: Annotated[Num, told("the same, percent")] = None
    sidebetPnl: Annotated[Num, told("of it from side bets")] = None
    hasInteracted: Annotated[Flag, told("took part in this round")] = None
    selectedCoin: Annotated[Coin | None, told("null: SOL")] = None
    levelInfo: Annotated[LevelInfo | None, told("level and points")] = None
    xpBoost: Annotated[Boost | None, told("double points")] = None
    crateKeys: Annotated[
        dict[str, Number | None] | None, told("keys by kind: gold, diamond, coal, iron, tier0, ...")
    ] = None
    recentCrateRewards: Annotated[Things, told("crates opened: crateType, reward, ...")] = None
    crateCooldown: Annotated[Thing, told("until the next free crate", only="2025-08")] = None
    shitcoinBalances: Annotated[dict[str, Number | None] | None, told("balance by coin address")] = None
    hitMaxWin: Annotated[Flag, told("the round's largest win was reached")] = None
    sideBet: Annotated[RunningBet | None, told("the side bet that runs")] = None
    sidebets: Annotated[Things, told("the round's side bets")] = None
    shortPosition: Annotated[ShortPosition | None, told("the short position")] = None
    leveragedPositions: Annotated[Things, told("positions with leverage, 2 to 5")] = None
    autobuysEnabled: Annotated[Flag, told("a setting of the site")] = None
    autosellPrice: Annotated[Num, told("price at which the site sells by itself; or null")] = None


class UsernameStatus(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`usernameStatus`, traced: the answer to `authenticate`, whose session this is."""

    id: Annotated[Text, told("the player", ALWAYS)] = None
    hasUsername: Annotated[Flag, told("whether the player chose a name", ALWAYS)] = None
    username: Annotated[Text, told("the name", ALWAYS)] = None


class RankEntry(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One row of a ranking."""

    playerId: Annotated[Text, told("who", ALWAYS)] = None
    username: Annotated[Text, told("null where the player has none")] = None
    pnl: Annotated[Num, told("profit of the period, SOL", ALWAYS)] = None
    level: Annotated[Num, told("the player's level", only="`leaderboardData`")] = None


class RankPosition(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`playerLeaderboardPosition`, traced: the own place in a ranking, asked for by the page."""

    success: Annotated[Flag, told("the question was answered", ALWAYS)] = None
    period: Annotated[Text, told("`7d`, ...")] = None
    sortDirection: Annotated[Text, told("`highest`, ...")] = None
    playerFound: Annotated[Flag, told("the player is in it")] = None
    rank: Annotated[Num, told("place, from 1")] = None
    total: Annotated[Num, told("players ranked")] = None
    playerEntry: Annotated[RankEntry | None, told("the own row")] = None
    surroundingEntries: Annotated[list[RankEntry] | None, told("rows around it")] = None


class NewTrade(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`standard/newTrade`, public, traced: one trade. A sample of all: about one each eight ticks.

    amount = qty price, and price is exactly that of its tick. A liquidation looks like a sell at the rug. Buys of the
    presale come after the start, with tick 0 and price 1.
    """

    id: Annotated[Text, told("UUID; in 2025-08 a small number as text")] = None
    gameId: Annotated[Text, told("the round", ALWAYS)] = None
    playerId: Annotated[Text, told("who", ALWAYS)] = None
    username: Annotated[Text, told("null where the player has none")] = None
    level: Annotated[Num, told("the player's level")] = None
    type: Annotated[Text, told("`buy`, `sell`, `short_open` or `short_close`", ALWAYS)] = None
    price: Annotated[Num, told("price of the trade", ALWAYS)] = None
    tickIndex: Annotated[Num, told("tick of the trade", ALWAYS)] = None
    coin: Annotated[Text, told("`solana`, or `free` for practice")] = None
    amount: Annotated[Num, told("SOL or coin", ALWAYS)] = None
    qty: Annotated[Num, told("tokens; 0 for shorts", ALWAYS)] = None
    bonusPortion: Annotated[Num, told("part from the bonus balance", only="not of shorts")] = None
    realPortion: Annotated[Num, told("part from the balance", only="not of shorts")] = None
    leverage: Annotated[Num, told("1 to 5", only="buys")] = None


class SideBet(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`currentSidebet` (own) and `newSideBet` (a sample of others'), traced: a bet that the rug comes in 40 ticks.

    Wins where the rug's tick is at most endTick, and then pays five times the stake.
    """

    playerId: Annotated[Text, told("who", ALWAYS)] = None
    gameId: Annotated[Text, told("the round", ALWAYS)] = None
    username: Annotated[Text, told("null where the player has none")] = None
    level: Annotated[Num, told("the player's level", only="since 2025-09")] = None
    price: Annotated[Num, told("price at that moment", only="since 2025-09")] = None
    betAmount: Annotated[Num, told("stake, SOL or coin", ALWAYS)] = None
    xPayout: Annotated[Num, told("5")] = None
    coinAddress: Annotated[Text, told("mint address of the coin")] = None
    startTick: Annotated[Num, told("tick of placing; before the round 0, in 2025-07 -1", ALWAYS)] = None
    endTick: Annotated[Num, told("last tick of the window, startTick + 40", ALWAYS)] = None
    tickIndex: Annotated[Num, told("tick at that moment")] = None
    timestamp: Annotated[Num, told("ms")] = None
    type: Annotated[Text, told("`placed`, or `payout`")] = None
    bonusPortion: Annotated[Num, told("part from the bonus balance")] = None
    realPortion: Annotated[Num, told("part from the balance")] = None
    id: Annotated[Text, told("the game's id, where it tells one")] = None


class SideBetResult(SideBet, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`currentSidebetResult` (2025-08: `currentSideBetResult`), own, traced: at the rug if won, else behind endTick."""

    payout: Annotated[Num, told("paid out, the stake included; 0 for a loss", ALWAYS)] = None
    profit: Annotated[Num, told("payout less stake", ALWAYS)] = None


class PoolEntry(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A player's part in the rug pool."""

    playerId: Annotated[Text, told("who", ALWAYS)] = None
    entries: Annotated[Num, told("tickets", ALWAYS)] = None
    username: Annotated[Text, told("null where the player has none")] = None
    percentage: Annotated[Num, told("part of all, percent", only="`playerEntries`")] = None
    reward: Annotated[Num, told("won, SOL", only="`winners`")] = None


class PoolDrawing(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The last drawing of the rug pool."""

    timestamp: Annotated[Num, told("ms")] = None
    winners: Annotated[list[PoolEntry] | None, told("three")] = None
    rewardPerWinner: Annotated[Num, told("SOL")] = None
    totalPoolAmount: Annotated[Num, told("SOL")] = None


class PoolConfig(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The rules of the rug pool."""

    threshold: Annotated[Num, told("instant rugs until a drawing, 10")] = None
    instarugThreshold: Annotated[Num, told("a rug before this tick is one, 6")] = None
    rugpoolPercentage: Annotated[Num, told("part of the losses that goes in, 0.5")] = None


class PlayerRugpool(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The rug pool as players see it; sometimes only its first four fields."""

    instarugCount: Annotated[Num, told("instant rugs since the last drawing")] = None
    rugpoolAmount: Annotated[Num, told("the pool, SOL")] = None
    totalEntries: Annotated[Num, told("tickets of all")] = None
    threshold: Annotated[Num, told("instant rugs until the drawing")] = None
    playersWithEntries: Annotated[Num, told("players with tickets")] = None
    solPerEntry: Annotated[Num, told("SOL a ticket, 0.001")] = None
    maxEntriesPerPlayer: Annotated[Num, told("tickets a player at most, 5000")] = None
    playerEntries: Annotated[list[PoolEntry] | None, told("the ten with most")] = None
    lastDrawing: Annotated[PoolDrawing | None, told("the last drawing")] = None
    config: Annotated[PoolConfig | None, told("the rules")] = None


class GameStatePlayerUpdate(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`gameStatePlayerUpdate`, with a session, not traced: follows every state frame, some 2 KB."""

    gameId: Annotated[Text, told("the round", ALWAYS)] = None
    leaderboardEntry: Annotated[
        LeaderboardEntry | None, told("the own row; rank may exceed 10", only="with a position or bet this round")
    ] = None
    rugpool: Annotated[PlayerRugpool | None, told("the rug pool")] = None
    trades: Annotated[Things, told("empty", only="first frame of a session")] = None


WIRE: dict[str, Any] = {
    "playerUpdate": PlayerUpdate,
    "usernameStatus": UsernameStatus,
    "playerLeaderboardPosition": RankPosition,
    "standard/newTrade": NewTrade,
    "currentSidebet": SideBet,
    "currentSidebetResult": SideBetResult,
    "newSideBet": SideBet,
    "gameStatePlayerUpdate": GameStatePlayerUpdate,
}
