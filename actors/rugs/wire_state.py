"""The game's broadcast `gameStateUpdate`, field by field. Data only.

Prices are multiples of the price at tick 0, which is 1. Amounts are SOL, or the coin named beside them. Ticks count
from 0, one each 250 ms. Times are Unix milliseconds of the game's clock. Seen from 2025-07 to 2026-02.
"""

from typing import Annotated, Any

from msgspec import Struct

from actors.rugs.fields import ALWAYS, FULL, TICK, Flag, Num, Number, Text, Thing, Things, told


class Coin(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A coin to play with that is not SOL: practice money."""

    address: Annotated[Text, told("`0xPractice`", ALWAYS)] = None
    ticker: Annotated[Text, told("`FREE`", ALWAYS)] = None
    name: Annotated[Text, told("name to show")] = None
    max_bet: Annotated[Num, told("largest bet, in the coin")] = None
    max_win: Annotated[Num, told("largest win, in the coin")] = None
    logoURI: Annotated[Text, told("address of a picture")] = None


class RunningBet(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A side bet that runs, as `sideBet` tells it: the start and end are spelled as in histories."""

    startedAtTick: Annotated[Num, told("tick of placing; 0 before the round", ALWAYS)] = None
    end: Annotated[Num, told("last tick of the window, startedAtTick + 40", ALWAYS)] = None
    gameId: Annotated[Text, told("the round")] = None
    betAmount: Annotated[Num, told("stake, SOL or coin", ALWAYS)] = None
    xPayout: Annotated[Num, told("factor of a win, the stake included: 5")] = None
    coinAddress: Annotated[Text, told("mint address of the coin")] = None
    bonusPortion: Annotated[Num, told("part of the stake from the bonus balance", only="since 2025-08")] = None
    realPortion: Annotated[Num, told("part of the stake from the balance", only="since 2025-08")] = None


class ShortPosition(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A short position, first seen 2026-02. Its value is amount + pnl, its profit amount (entry - price) / entry."""

    amount: Annotated[Num, told("stake, SOL or coin", ALWAYS)] = None
    entryPrice: Annotated[Num, told("price at its opening", ALWAYS)] = None
    entryTick: Annotated[Num, told("tick of its opening")] = None
    currentValue: Annotated[Num, told("what closing it now would pay, SOL or coin")] = None
    pnl: Annotated[Num, told("profit now, SOL or coin")] = None
    coinAddress: Annotated[Text, told("mint address of the coin")] = None
    bonusPortion: Annotated[Num, told("part of the stake from the bonus balance")] = None
    realPortion: Annotated[Num, told("part of the stake from the balance")] = None


class LeaderboardEntry(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One of the ten best of the round. pnl = regularPnl + sidebetPnl + shortPnl; pnlPercent = 100 pnl / totalInvested.

    Before tick 0 it has the presale's positions; it is empty in the frames of tick 0.
    """

    id: Annotated[str, told("the player", ALWAYS)]
    username: Annotated[Text, told("null where the player has none", ALWAYS)] = None
    level: Annotated[Num, told("the player's level, from 0", ALWAYS)] = None
    pnl: Annotated[Num, told("profit of this round, SOL or coin", ALWAYS)] = None
    regularPnl: Annotated[Num, told("of it from long positions", only="in rounds; outside in one of three")] = None
    sidebetPnl: Annotated[Num, told("of it from side bets", only="in rounds; outside in one of three")] = None
    shortPnl: Annotated[Num, told("of it from shorts", only="in rounds; outside in one of three")] = None
    pnlPercent: Annotated[Num, told("profit, percent of totalInvested", ALWAYS)] = None
    hasActiveTrades: Annotated[Flag, told("true in every entry seen: says nothing")] = None
    positionQty: Annotated[Num, told("long position, tokens", ALWAYS)] = None
    avgCost: Annotated[Num, told("mean entry price of the position, 0 without one", ALWAYS)] = None
    totalInvested: Annotated[Num, told("all the round's buys together, SOL or coin", ALWAYS)] = None
    position: Annotated[Num, told("rank, from 1", ALWAYS)] = None
    selectedCoin: Annotated[Coin | None, told("null: SOL")] = None
    sidebetActive: Annotated[Flag, told("true while a side bet runs, else null")] = None
    sideBet: Annotated[RunningBet | None, told("the side bet that runs")] = None
    shortPosition: Annotated[ShortPosition | None, told("the short position")] = None


class Commitment(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What the site commits itself to before the round. Never the seed itself."""

    serverSeedHash: Annotated[Text, told("SHA-256 of the seed's text, 64 hex digits", ALWAYS)] = None
    version: Annotated[Text, told("version of the algorithm, `v3`")] = None


class PriceWindow(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The prices of the last five ticks, of fewer before tick 4. It slides by one each tick."""

    startTick: Annotated[Num, told("first tick", ALWAYS)] = None
    endTick: Annotated[Num, told("last tick: the frame's own, of the rug the rug's", ALWAYS)] = None
    values: Annotated[dict[str, Number] | None, told("price by tick", ALWAYS)] = None


class Rugpool(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The pool that is filled by rounds that end before tick 6 and drawn when ten of them have."""

    instarugCount: Annotated[Num, told("such rounds since the last drawing", ALWAYS)] = None
    threshold: Annotated[Num, told("of them until the drawing, 10", ALWAYS)] = None
    rugpoolAmount: Annotated[Num, told("the pool, SOL", ALWAYS)] = None


class Royale(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The tournament RugRoyale in short."""

    status: Annotated[Text, told("`INACTIVE`, `SCHEDULED` or `ACTIVE`", ALWAYS)] = None
    activeEventId: Annotated[Text, told("null without one")] = None
    currentEvent: Annotated[Thing, told("its id, startTime, endTime, prizes and so on")] = None
    upcomingEvents: Annotated[Things, told("the same of those to come")] = None
    events: Annotated[Things, told("the same of all")] = None


class StateFields(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The fields of a state frame that go on into `game.tick`.

    A countdown frame (ten a second) has the first seven only, a tick's frame (four a second) most, a full frame (on
    connect, at the rug, at the start of the countdown) all but tradeCount, rugpool and mostly rugRoyale.
    """

    gameId: Annotated[Text, told("the round, `YYYYMMDD-` and 16 hex digits; the date is UTC", ALWAYS)] = None
    cooldownTimer: Annotated[Num, told("until the round starts, 15,000 to 100 ms; 0 while it runs", ALWAYS)] = None
    cooldownPaused: Annotated[Flag, told("the site holds the countdown", ALWAYS)] = None
    allowPreRoundBuys: Annotated[Flag, told("presale: orders are taken, from 10,000 to 100 ms", ALWAYS)] = None
    leaderboard: Annotated[list[LeaderboardEntry] | None, told("the ten best of the round", ALWAYS)] = None
    connectedPlayers: Annotated[Num, told("sockets connected to the game", ALWAYS)] = None
    provablyFair: Annotated[Commitment | None, told("commitment for this round", ALWAYS)] = None
    active: Annotated[Flag, told("the round runs; stays true through the rug's frames", TICK)] = None
    rugged: Annotated[Flag, told("the round is over", TICK)] = None
    price: Annotated[Num, told("current price, the rug price once rugged", TICK)] = None
    tickCount: Annotated[Num, told("tick; counts on by 1 to 3 after the rug", TICK)] = None
    pauseMessage: Annotated[Text, told("what the site says while it holds the countdown", TICK)] = None
    tradeCount: Annotated[Num, told("trades of this round so far, liquidations included", TICK)] = None
    averageMultiplier: Annotated[Num, told("mean peak of the last 100 rounds", TICK)] = None
    count2x: Annotated[Num, told("of the last 100 rounds those that reached 2", TICK)] = None
    count10x: Annotated[Num, told("the same, 10", TICK)] = None
    count50x: Annotated[Num, told("the same, 50", TICK)] = None
    count100x: Annotated[Num, told("the same, 100", TICK)] = None
    rugpool: Annotated[Rugpool | None, told("the rug pool", TICK)] = None
    rugRoyale: Annotated[Royale | None, told("the tournament", TICK)] = None
    gameVersion: Annotated[Text, told("`v3`", FULL, only="full frames, and the first of a round")] = None
    highestToday: Annotated[Num, told("highest peak of the day", FULL)] = None
    highestTodayTimestamp: Annotated[Num, told("its time, ms", FULL)] = None
    highestTodayGameId: Annotated[Text, told("its round", only="full frames since 2026-02")] = None
    highestTodayServerSeed: Annotated[Text, told("its seed", only="full frames since 2026-02")] = None
    godCandle2x: Annotated[
        Num, told("peak of the day's newest round with a leap of ten times, tier 2; or null", FULL)
    ] = None
    godCandle2xTimestamp: Annotated[Num, told("its time, ms", FULL)] = None
    godCandle2xMassiveJump: Annotated[list[Number] | None, told("price before and after the leap", FULL)] = None
    godCandle2xGameId: Annotated[Text, told("a round, maybe the one after: verify", only="full, since 2026-02")] = None
    godCandle2xServerSeed: Annotated[Text, told("that round's seed", only="full, since 2026-02")] = None
    godCandle10x: Annotated[Num, told("the same, tier 10", FULL)] = None
    godCandle10xTimestamp: Annotated[Num, told("its time, ms", FULL)] = None
    godCandle10xMassiveJump: Annotated[list[Number] | None, told("price before and after the leap", FULL)] = None
    godCandle10xGameId: Annotated[Text, told("a round, maybe the one after: verify", only="full, since 2026-02")] = None
    godCandle10xServerSeed: Annotated[Text, told("that round's seed", only="full, since 2026-02")] = None
    godCandle50x: Annotated[Num, told("the same, tier 50", FULL)] = None
    godCandle50xTimestamp: Annotated[Num, told("its time, ms", FULL)] = None
    godCandle50xMassiveJump: Annotated[list[Number] | None, told("price before and after the leap", FULL)] = None
    godCandle50xGameId: Annotated[Text, told("a round, maybe the one after: verify", only="full, since 2026-02")] = None
    godCandle50xServerSeed: Annotated[Text, told("that round's seed", only="full, since 2026-02")] = None
    trades: Annotated[Things, told("empty", only="full frames of 2025-08")] = None


class SideBetRecord(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A side bet in a history: once placed (startedAtTick, end), once paid out (startTick, endTick), lost or won."""

    id: Annotated[Text, told("UUID")] = None
    type: Annotated[Text, told("`placed` or `payout`", ALWAYS)] = None
    playerId: Annotated[Text, told("who", ALWAYS)] = None
    username: Annotated[Text, told("null where the player has none")] = None
    level: Annotated[Num, told("the player's level", only="payout of a win")] = None
    gameId: Annotated[Text, told("the round")] = None
    betAmount: Annotated[Num, told("stake, SOL or coin", ALWAYS)] = None
    xPayout: Annotated[Num, told("5")] = None
    coinAddress: Annotated[Text, told("mint address of the coin")] = None
    timestamp: Annotated[Num, told("ms")] = None
    startedAtTick: Annotated[Num, told("tick of placing", only="placed")] = None
    end: Annotated[Num, told("last tick of the window", only="placed")] = None
    bonusPortion: Annotated[Num, told("part from the bonus balance", only="placed")] = None
    realPortion: Annotated[Num, told("part from the balance", only="placed")] = None
    startTick: Annotated[Num, told("tick of placing", only="payout")] = None
    endTick: Annotated[Num, told("last tick of the window", only="payout")] = None
    payout: Annotated[Num, told("paid out, the stake included; 0 for a loss", only="payout")] = None
    profit: Annotated[Num, told("payout less stake", only="payout")] = None
    tickIndex: Annotated[Num, told("of a win the rug's tick, of a loss startTick", only="payout")] = None
    price: Annotated[Num, told("the rug price", only="payout of a win")] = None


class Reveal(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What proves a finished round."""

    serverSeed: Annotated[Text, told("the seed, 64 hex digits", ALWAYS)] = None
    serverSeedHash: Annotated[Text, told("the commitment", ALWAYS)] = None


class HistoryEntry(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One of the last ten finished rounds, newest first. A round is in there from the next one's countdown on."""

    id: Annotated[Text, told("the round", ALWAYS)] = None
    timestamp: Annotated[Num, told("a moment after the rug, ms", ALWAYS)] = None
    prices: Annotated[
        list[Number] | None, told("every price from tick 0 on, the rug price last", only="not in samples of 2026-02")
    ] = None
    peakMultiplier: Annotated[Num, told("highest price", ALWAYS)] = None
    rugged: Annotated[Flag, told("true", ALWAYS)] = None
    globalTrades: Annotated[Things, told("always empty")] = None
    globalSidebets: Annotated[list[SideBetRecord] | None, told("all side bets of the round", ALWAYS)] = None
    provablyFair: Annotated[Reveal | None, told("seed and commitment", ALWAYS)] = None
    gameVersion: Annotated[Text, told("version of the algorithm")] = None


class GameState(StateFields, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`gameStateUpdate`: everything that the broadcast may bear."""

    partialPrices: Annotated[PriceWindow | None, told("prices of the last ticks", TICK)] = None
    prices: Annotated[list[Number] | None, told("the round so far", only="snapshot on connect; 2025-08 always")] = None
    gameHistory: Annotated[list[HistoryEntry] | None, told("the last ten rounds", FULL)] = None
    availableShitcoins: Annotated[list[Coin] | None, told("coins to play with", FULL)] = None
    highestTodayPrices: Annotated[list[Number] | None, told("prices of that round", only="full, until 2025-12")] = None
    godCandle2xPrices: Annotated[list[Number] | None, told("prices of that round", only="full, until 2025-12")] = None
    godCandle10xPrices: Annotated[list[Number] | None, told("prices of that round", only="full, until 2025-12")] = None
    godCandle50xPrices: Annotated[list[Number] | None, told("prices of that round", only="full, until 2025-12")] = None


WIRE: dict[str, Any] = {"gameStateUpdate": GameState}
