"""The `data` of every event type of ours, field by field. Data only.

`player.state`, `player.trade`, `sidebet.*` and `player.leaderboard` are the game's own objects; what they gain here are
keys of ours. A type that is not in `EVENTS` is `raw.<name>`, an event of the game that has none of its own.
"""

from typing import Annotated, Any

from msgspec import Struct

from actors.rugs.fields import ALWAYS, Flag, Num, Text, Things, told
from actors.rugs.wire_player import NewTrade, PlayerUpdate, RankPosition, SideBet, SideBetResult
from actors.rugs.wire_state import HistoryEntry, StateFields

REQUEST = told("`seq` of the own order that caused it", only="caused by an own order that was seen")


class GameTick(StateFields, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A state frame: each tick, countdown value and rug of a round once, whatever number of copies arrive.

    What a frame leaves out keeps its last value of the same round; a new round begins at price 1, tick 0, neither
    active nor rugged. A frame whose gameId, price, tickCount, active, rugged, allowPreRoundBuys or cooldownTimer is of
    another type becomes `raw.gameStateUpdate`; any other field of another type is left out alone. gameHistory, prices,
    availableShitcoins and all fields whose names end in `Prices` stay in `ws_event`.
    """

    phase: Annotated[Text, told("`COOLDOWN`, `PRESALE`, `ACTIVE` or `RUGGED`", ALWAYS)] = None


class PlayerState(PlayerUpdate, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`playerUpdate` as it came; also where it repeats the last. What it leaves out is unchanged."""

    requestSeq: Annotated[Num, REQUEST] = None


class Authenticated(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`usernameStatus`: whose session the page is."""

    player_id: Annotated[str, told("the player", ALWAYS)]
    username: Annotated[Text, told("the name", ALWAYS)] = None
    hasUsername: Annotated[Flag, told("whether the player chose a name", ALWAYS)] = None


class PlayerTrade(NewTrade, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`standard/newTrade` as it came, each trade once by its id."""

    requestSeq: Annotated[Num, REQUEST] = None


class PlayerLeaderboard(RankPosition, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`playerLeaderboardPosition` as it came."""

    requestSeq: Annotated[Num, REQUEST] = None


class SideBetEvent(SideBet, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`currentSidebet`, or of other players `newSideBet`, as it came; each bet once."""

    requestSeq: Annotated[Num, REQUEST] = None


class SideBetOutcome(SideBetResult, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`currentSidebetResult` as it came; each bet once."""

    requestSeq: Annotated[Num, REQUEST] = None


class OrderRequest(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What the page sent: `buyOrder`, `sellOrder`, `requestSidebet`, and other requests of that kind for an answer."""

    action: Annotated[str, told("the request's name", ALWAYS)]
    ackId: Annotated[Num, told("its acknowledgement's id; null without one", ALWAYS)] = None
    args: Annotated[Things, told("all arguments but the trace object", ALWAYS)] = None
    traceId: Annotated[Text, told("the game's trace id; what the order causes bears it too", ALWAYS)] = None
    pressSeq: Annotated[Num, told("`seq` of the press that sent it", only="where one was seen")] = None
    pressTraceId: Annotated[Text, told("`traceId` of that press", only="where one was seen")] = None


class OrderResult(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One for each request: with its acknowledgement, or without one 30 s later."""

    action: Annotated[str, told("as in the request", ALWAYS)]
    ackId: Annotated[Num, told("as in the request", ALWAYS)] = None
    traceId: Annotated[Text, told("as in the request", ALWAYS)] = None
    pressSeq: Annotated[Num, told("as in the request", only="where one was seen")] = None
    pressTraceId: Annotated[Text, told("as in the request", only="where one was seen")] = None
    requestSeq: Annotated[Num, told("`seq` of the request", ALWAYS)] = None
    args: Annotated[Things, told("the answer", ALWAYS)] = None
    success: Annotated[
        Flag, told("what the answer says; without that true where trade or side bet was seen, else null", ALWAYS)
    ] = None
    message: Annotated[Text, told("the answer's words; `no acknowledgement within 30 s`", ALWAYS)] = None
    latencyMs: Annotated[Num, told("request to acknowledgement, ms; null without one", ALWAYS)] = None
    effects: Annotated[
        Things, told("what the order had caused by then: type, seq, latencyMs and the event's own numbers", ALWAYS)
    ] = None


class PlayerAction(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A press of one of the game's buttons, with the state of the newest round at that moment."""

    button: Annotated[
        str,
        told(
            "`BUY`, `SELL`, `SHORT`, `SIDEBET`, `X`, `+0.001`, `+0.01`, `+0.1`, `+1`, `1/2`, `X2`, `MAX`, `10%`, "
            "`25%`, `50%`, `100%`; the text of one that is known no more",
            ALWAYS,
        ),
    ]
    category: Annotated[Text, told("`amount`, `percentage`, `trade`, `sidebet`; `other`: known no more", ALWAYS)] = None
    actor: Annotated[
        Text, told("`human`: mouse or finger; `bot`: a script clicked; `ui` is kept for our own", ALWAYS)
    ] = None
    amount: Annotated[Num, told("the amount field before the press, SOL", ALWAYS)] = None
    percentage: Annotated[Num, told("of a share button its share, of `SELL` the chosen one", ALWAYS)] = None
    tick: Annotated[Num, told("tick; null where nothing is known", ALWAYS)] = None
    price: Annotated[Num, told("price", ALWAYS)] = None
    phase: Annotated[Text, told("phase", ALWAYS)] = None
    cooldownMs: Annotated[Num, told("until the round starts, ms", ALWAYS)] = None
    balance: Annotated[Num, told("SOL, as last told", ALWAYS)] = None
    positionQty: Annotated[Num, told("tokens, as last told", ALWAYS)] = None
    traceId: Annotated[Text, told("32 hex digits of our own; joins the press with its outcome", ALWAYS)] = None
    sequenceId: Annotated[Text, told("of presses without a pause of 30 s, up to the order they lead to", ALWAYS)] = None
    sequencePosition: Annotated[Num, told("place in it, from 1", ALWAYS)] = None
    text: Annotated[Text, told("the button's whole text", ALWAYS)] = None


class GameCompleted(HistoryEntry, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A round seen for the first time in a gameHistory: the entry as it came, and what we found."""

    verified: Annotated[Flag, told("reproduced from its seed; null where that cannot be told", ALWAYS)] = None
    verifyReason: Annotated[Text, told("why", ALWAYS)] = None
    liveTicks: Annotated[Num, told("ticks that were seen live, tick 0 and the rug included", ALWAYS)] = None
    missingTicks: Annotated[Num, told("ticks that were not, now added to `game_tick`", ALWAYS)] = None
    differingTicks: Annotated[Things, told("ticks whose live price the history denies", ALWAYS)] = None


class SystemDrift(Struct, kw_only=True, gc=False):
    """What the game sends and this page does not tell, once each: told behind the event of the frame that shows it."""

    event: Annotated[str, told("the game's event", ALWAYS)]
    field: Annotated[Text, told("path of the field, as `leaderboard[].pnl`; null for the event itself", ALWAYS)] = None
    what: Annotated[
        Text,
        told("`unknown event`, `unknown`, `retyped`, `vanished` (missing five times in a row)", ALWAYS),
    ] = None
    expected: Annotated[Text, told("JSON type it should have", ALWAYS)] = None
    type: Annotated[Text, told("JSON type it has", ALWAYS)] = None
    firstSeenSeq: Annotated[Num, told("`seq` of the frame", ALWAYS)] = None
    firstSeenAt: Annotated[Num, told("its time, ms", ALWAYS)] = None


class SystemRound(Struct, kw_only=True, gc=False):
    """A round that was seen live and ended unseen: the histories have passed over it, so it stays open."""

    what: Annotated[str, told("`open`", ALWAYS)]
    gameId: Annotated[Text, told("the round", ALWAYS)] = None
    liveTicks: Annotated[Num, told("ticks that were seen", ALWAYS)] = None
    lastTick: Annotated[Num, told("the last of them; null without one", ALWAYS)] = None
    rugged: Annotated[Flag, told("the rug was seen", ALWAYS)] = None


class SystemGap(Struct, kw_only=True, gc=False):
    """A time in which nobody saw the game."""

    from_us: Annotated[Num, told("from, Unix microseconds", ALWAYS)] = None
    to_us: Annotated[Num, told("to, Unix microseconds", ALWAYS)] = None
    cause: Annotated[Text, told("why; several causes of one hole are joined by `; `", ALWAYS)] = None


class SystemConnection(Struct, kw_only=True, gc=False):
    """A capture, page or socket comes or goes."""

    what: Annotated[
        str,
        told(
            "`attached`, `detached`, `opened`, `found`, `resumed`, `closed`, `lost`, `continued`, `page ...`",
            ALWAYS,
        ),
    ]
    capture: Annotated[Text, told("which capture", only="attached, detached")] = None
    stream: Annotated[Text, told("which socket", only="opened, found, resumed, closed")] = None
    url: Annotated[Text, told("its address", only="opened, found, resumed, page")] = None
    cause: Annotated[Text, told("why", only="closed, lost, continued")] = None


class SystemRecording(Struct, kw_only=True, gc=False):
    """The recording switch."""

    on: Annotated[Flag, told("recording is on from here", ALWAYS)] = None
    by: Annotated[Text, told("`ui`, `cli`, `autostart`, ...", ALWAYS)] = None


class SystemActor(Struct, kw_only=True, gc=False):
    """What the supervisor did, or saw."""

    actor: Annotated[str, told("which actor", ALWAYS)]
    what: Annotated[Text, told("`exited`, `restarted`, `hung`, `started`, `stopping`, `restarting`", ALWAYS)] = None
    reason: Annotated[Text, told("in words", only="exited, hung, stopping, restarting")] = None


class SystemJournal(Struct, kw_only=True, gc=False):
    """The journal skipped numbers, or found bytes that cannot be read."""

    what: Annotated[str, told("`damage` or `numbers skipped`", ALWAYS)]
    cause: Annotated[Text, told("why", ALWAYS)] = None


class SystemMerge(Struct, kw_only=True, gc=False):
    """The two captures' readings could be laid together in several ways."""

    what: Annotated[str, told("`ambiguous`", ALWAYS)]
    stream: Annotated[Text, told("which socket", ALWAYS)] = None
    seq: Annotated[Num, told("the frame", ALWAYS)] = None
    cause: Annotated[Text, told("why", ALWAYS)] = None


class Raw(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Any other event of the game, or one that does not fit its own type: `raw.<name>`, trace object removed."""

    args: Annotated[Things, told("all arguments", ALWAYS)] = None
    sent: Annotated[Flag, told("true: the page sent it", only="sent ones")] = None
    ackId: Annotated[Num, told("id of the acknowledgement it wants", only="where it wants one")] = None
    name: Annotated[Text, told("the name", only="`raw.other`: too long, odd, or one too many")] = None
    unreadBytes: Annotated[Num, told("size of a frame that is too large to be read", only="above 8,000,000")] = None


EVENTS: dict[str, type[Struct]] = {
    "connection.authenticated": Authenticated,
    "game.completed": GameCompleted,
    "game.tick": GameTick,
    "order.request": OrderRequest,
    "order.result": OrderResult,
    "player.action": PlayerAction,
    "player.leaderboard": PlayerLeaderboard,
    "player.state": PlayerState,
    "player.trade": PlayerTrade,
    "sidebet.other": SideBetEvent,
    "sidebet.placed": SideBetEvent,
    "sidebet.result": SideBetOutcome,
    "system.actor": SystemActor,
    "system.connection": SystemConnection,
    "system.drift": SystemDrift,
    "system.gap": SystemGap,
    "system.journal": SystemJournal,
    "system.merge": SystemMerge,
    "system.recording": SystemRecording,
    "system.round": SystemRound,
}
"""Every type that has a name of its own -> what its data is."""


def data_type(type_: str) -> Any:
    """Return the struct of a type's data."""
    return EVENTS.get(type_, Raw)
