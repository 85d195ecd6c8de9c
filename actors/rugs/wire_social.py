"""What else the game sends: chat, tournaments, golden hours, drawings, quests, answers to questions. Data only.

Public and traced where nothing else is said. They become `raw.<name>` events with all their arguments.
"""

from typing import Annotated, Any

from msgspec import Struct

from actors.rugs.fields import ALWAYS, Flag, Num, Text, Thing, Things, told
from actors.rugs.wire_player import RankEntry
from actors.rugs.wire_state import Royale


class ReplyTo(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The message that is answered."""

    key: Annotated[Any, told("its key")] = None
    username: Annotated[Text, told("who wrote it")] = None
    message: Annotated[Text, told("its text")] = None


class ChatMessage(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`newChatMessage`."""

    playerId: Annotated[Text, told("who", ALWAYS)] = None
    username: Annotated[Text, told("null where the player has none", ALWAYS)] = None
    level: Annotated[Num, told("the player's level")] = None
    message: Annotated[Text, told("the text", ALWAYS)] = None
    timestamp: Annotated[Num, told("ms")] = None
    filtered: Annotated[Flag, told("words were masked")] = None
    role: Annotated[Text, told("null or `mod`")] = None
    tag: Annotated[Text, told("null, `ghoul`, `ogplayer`, `grindoor`")] = None
    verified: Annotated[Flag, told("the player is verified")] = None
    discordUsername: Annotated[Text, told("or null")] = None
    replyTo: Annotated[ReplyTo | None, told("the message that is answered")] = None


class GoldenHourUpdate(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`goldenHourUpdate`: rounds with a drawing at their end."""

    status: Annotated[Text, told("`ACTIVE`, `INACTIVE`, `SCHEDULED`", ALWAYS)] = None
    activeEventId: Annotated[Text, told("null without one")] = None
    currentEvent: Annotated[Thing, told("id, startTime, endTime (ISO), prizeAmount, maxEntries, ...")] = None
    upcomingEvents: Annotated[Things, told("the same of those to come")] = None
    events: Annotated[Things, told("the same of all")] = None
    currentGameIsGolden: Annotated[Flag, told("this round has a drawing")] = None


class DrawingEntry(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A player's part in the drawing."""

    playerId: Annotated[Text, told("who", ALWAYS)] = None
    username: Annotated[Text, told("null where the player has none")] = None
    entryCount: Annotated[Num, told("tickets")] = None
    entryPercentage: Annotated[Num, told("part of all, percent")] = None


class GoldenHourDrawing(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`goldenHourDrawing`, right after the rug of a golden round."""

    id: Annotated[Text, told("the drawing")] = None
    timestamp: Annotated[Num, told("ms")] = None
    gameId: Annotated[Text, told("the round", ALWAYS)] = None
    entries: Annotated[list[DrawingEntry] | None, told("who took part", ALWAYS)] = None
    winnerIndex: Annotated[Num, told("place in entries, from 0")] = None
    prizeAmount: Annotated[Num, told("SOL")] = None
    winnerPlayerId: Annotated[Text, told("who won")] = None


class Contest(Royale, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`rugRoyaleUpdate` (not traced) and `sidebetEventUpdate`: a tournament with its ranking."""

    leaderboard: Annotated[Things, told("rows by rank: balance, or sidebetsHit, sidebetsPlaced, accuracy, ...")] = None
    history: Annotated[Things, told("earlier ones, with winners")] = None
    playerPosition: Annotated[Any, told("the own place; or null")] = None
    timeRemaining: Annotated[Num, told("until its end; or null")] = None
    finalRound: Annotated[Flag, told("the last round runs")] = None
    isInFinalRound: Annotated[Flag, told("the player is in it")] = None
    config: Annotated[Thing, told("token, startingBalance, prepTimeMinutes, levelRequired, prizeTiers")] = None


class BattleQueue(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Who waits for a battle."""

    active: Annotated[Flag, told("it is open")] = None
    queueSize: Annotated[Num, told("players waiting")] = None
    availableLobbies: Annotated[Num, told("lobbies open")] = None


class BattleEventUpdate(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`battleEventUpdate`."""

    status: Annotated[Text, told("`SCHEDULED`, ...", ALWAYS)] = None
    startTime: Annotated[Any, told("ISO time or null")] = None
    endTime: Annotated[Any, told("ISO time or null")] = None
    nextEventStartTime: Annotated[Any, told("ISO time or null")] = None
    currentEvent: Annotated[Thing, told("the event that runs")] = None
    nextEvent: Annotated[Thing, told("the next one")] = None
    leaderboard: Annotated[Things, told("rows by rank")] = None
    fullLeaderboardSize: Annotated[Num, told("rows altogether")] = None
    playerPosition: Annotated[Any, told("the own place; or null")] = None
    participantCount: Annotated[Num, told("players")] = None
    activeBattleCount: Annotated[Num, told("battles that run")] = None
    lobbyCreationDisabled: Annotated[Flag, told("no new lobbies")] = None
    queue: Annotated[BattleQueue | None, told("who waits")] = None
    isShowingPreviousEvent: Annotated[Flag, told("the ranking is the last event's")] = None
    eventSchedule: Annotated[Things, told("events to come")] = None
    config: Annotated[Thing, told("token, startingBalance, prepTimeMinutes, levelRequired")] = None


class MaintenanceUpdate(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`maintenanceUpdate`."""

    active: Annotated[Flag, told("the site is in maintenance", ALWAYS)] = None
    message: Annotated[Text, told("what it says")] = None
    mega: Annotated[Flag, told("a flag of the site")] = None


class GameNotification(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`gameNotification`."""

    type: Annotated[Text, told("`event` or `goldenhour`", ALWAYS)] = None
    message: Annotated[Text, told("the text", ALWAYS)] = None


class QuestCompleted(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """`rugPassQuestCompleted`, own; its capitals differ."""

    questId: Annotated[Any, told("the quest")] = None
    questType: Annotated[Text, told("its kind")] = None
    description: Annotated[Text, told("what had to be done")] = None
    gems: Annotated[Num, told("reward, gems")] = None


class LeaderboardData(Struct, kw_only=True, gc=False):
    """`leaderboardData`: the answer to `getLeaderboard`; no recording has kept all its fields."""

    period: Annotated[Text, told("`7d`, ...")] = None
    entries: Annotated[list[RankEntry] | None, told("rows by rank")] = None


class OrderArguments(Struct, kw_only=True, gc=False):
    """`buyOrder`, `sellOrder` and requests like them, sent, traced, answered by `{success}`; maybe with more fields."""

    amount: Annotated[Num, told("SOL or coin", only="`buyOrder`")] = None
    percentage: Annotated[Num, told("part of the position, percent", only="`sellOrder`")] = None


class SideBetRequest(Struct, kw_only=True, gc=False):
    """`requestSidebet`, sent, traced, answered by `{success, message, sidebet}`."""

    amount: Annotated[Num, told("stake, SOL or coin", ALWAYS)] = None
    coinAddress: Annotated[Text, told("mint address of the coin")] = None
    xPayout: Annotated[Num, told("5")] = None


class AppPing(Struct, kw_only=True, gc=False):
    """`ping`, sent, answered by `[]`: the page's own heartbeat."""

    lastPing: Annotated[Num, told("how long the last one took, ms")] = None


class PeriodQuestion(Struct, kw_only=True, gc=False):
    """`getLeaderboard` and `getPlayerLeaderboardPosition`, sent."""

    period: Annotated[Text, told("`7d`, ...")] = None
    playerId: Annotated[Text, told("who", only="`getPlayerLeaderboardPosition`")] = None


WIRE: dict[str, Any] = {
    "newChatMessage": ChatMessage,
    "goldenHourUpdate": GoldenHourUpdate,
    "goldenHourDrawing": GoldenHourDrawing,
    "rugRoyaleUpdate": Contest,
    "sidebetEventUpdate": Contest,
    "battleEventUpdate": BattleEventUpdate,
    "maintenanceUpdate": MaintenanceUpdate,
    "gameNotification": GameNotification,
    "rugPassQuestCompleted": QuestCompleted,
    "leaderboardData": LeaderboardData,
    # known by name, their payloads were never kept by anyone:
    "chatHistory": None,
    "mutedPlayers": None,
    "inboxMessages": None,
    "playerCosmetics": None,
    "rugpassStatus": None,
    "rugpoolDrawing": None,
    "rugpoolStatus": None,
    "pinpointPartyEventUpdate": None,
    "diddyPartyUpdate": None,
}

SENT: dict[str, Any] = {
    "buyOrder": OrderArguments,
    "sellOrder": OrderArguments,
    "requestSidebet": SideBetRequest,
    "ping": AppPing,
    "getLeaderboard": PeriodQuestion,
    "getPlayerLeaderboardPosition": PeriodQuestion,
    "authenticate": None,  # its credential never gets here
    "chatHistory": None,
    "checkUsername": None,
    "getPlayerCosmetics": None,
}
