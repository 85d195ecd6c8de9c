"""Every event of the protocol: an example in, and the typed event that comes out, with all its fields and no drift."""

from typing import Any

import msgspec
import pytest

from actors.rugs import drift
from actors.rugs.typed import data_type
from tests.rugs.playbook import (
    TRACE,
    TRACE_ID,
    Play,
    broadcast_b,
    countdown,
    data,
    drifts,
    entry,
    game_of,
    history_entry,
    only,
    packet,
    state,
    std,
)

ME, GAME = "did:privy:me", game_of(3)
COIN = {"address": "0xPractice", "ticker": "FREE", "name": "Practice SOL", "max_bet": 10_000, "max_win": 100_000}
RUNNING = {"startedAtTick": 3, "end": 43, "gameId": GAME, "betAmount": 0.01, "xPayout": 5, "coinAddress": "So1",
           "bonusPortion": 0, "realPortion": 0.01}  # fmt: skip
SHORT = {"amount": 0.2, "entryPrice": 1.02, "entryTick": 3, "currentValue": 0.21, "pnl": 0.01, "coinAddress": "So1",
         "bonusPortion": 0, "realPortion": 0.2}  # fmt: skip
ROW = entry(1, regularPnl=0.5, sidebetPnl=0, shortPnl=0, sidebetActive=True, sideBet=RUNNING, shortPosition=SHORT)
PLAYER = {
    "id": ME, "role": None, "authenticated": True, "cash": 0.017619831, "bonusBalance": 0, "bonusWagerReq": 0,
    "bonusWagered": 0, "positionQty": 0.5, "avgCost": 1.25, "totalInvested": 0.625, "cumulativePnL": -0.01,
    "pnlPercent": -1.6, "sidebetPnl": 0, "hasInteracted": True, "selectedCoin": COIN,
    "levelInfo": {"level": 3, "xp": 10, "xpForNextLevel": 90, "totalXP": 310},
    "xpBoost": {"active": False, "activeUntil": None, "available": 0},
    "crateKeys": {"gold": 0, "diamond": 0, "coal": 1, "iron": 0, "tier0": 0, "tier1": 0, "tier2": 0, "referral": 0},
    "recentCrateRewards": [{"crateType": "coal", "reward": {"type": "sol", "amount": 0.001, "probability": 0.5}}],
    "crateCooldown": {"active": False, "cooldownEnds": None, "remainingSeconds": 0},
    "shitcoinBalances": {"0xPractice": 100}, "hitMaxWin": False, "sideBet": RUNNING, "sidebets": [],
    "shortPosition": SHORT, "leveragedPositions": [], "autobuysEnabled": False, "autosellPrice": None,
}  # fmt: skip
TRADE = {
    "id": "35b49232-5d50-4283-8bab-be0aab8129ef", "gameId": GAME, "playerId": "did:privy:1", "username": None,
    "level": 17, "type": "buy", "price": 1.25, "tickIndex": 7, "coin": "solana", "amount": 0.1, "qty": 0.08,
    "bonusPortion": 0, "realPortion": 0.1, "leverage": 4,
}  # fmt: skip
PRESALE = {**TRADE, "id": "a", "price": 1, "tickIndex": 0, "qty": 0.1}
LIQUIDATED = {**TRADE, "id": "b", "type": "sell", "price": 0.02, "tickIndex": 83, "amount": 0.0016}
SHORTED = {"id": "c", "gameId": GAME, "playerId": "did:privy:1", "username": "p", "level": 1, "type": "short_open",
           "price": 1.5, "tickIndex": 9, "coin": "solana", "amount": 0.1, "qty": 0}  # fmt: skip
OF_2025_08 = {**TRADE, "id": "17", "coin": "free"}
BET = {"playerId": ME, "gameId": GAME, "username": "me", "level": 3, "price": 1.25, "betAmount": 0.01, "xPayout": 5,
       "coinAddress": "So1", "startTick": 12, "endTick": 52, "tickIndex": 12, "timestamp": 1_765_000_000_000,
       "type": "placed"}  # fmt: skip
WON = {**BET, "type": "payout", "payout": 0.05, "profit": 0.04, "tickIndex": 48}
LOST = {**BET, "type": "payout", "payout": 0, "profit": -0.01}
RANK = {"success": True, "period": "7d", "sortDirection": "highest", "playerFound": True, "rank": 1163, "total": 2595,
        "playerEntry": {"playerId": ME, "username": "me", "pnl": 1.5},
        "surroundingEntries": [{"playerId": ME, "username": "me", "pnl": 1.5}]}  # fmt: skip
EVENT = {"id": "admin-1", "startTime": "2025-12-14T05:05:00.000Z", "endTime": "2025-12-14T06:05:00.000Z",
         "prepTimeMinutes": 0, "levelRequired": 10, "status": "SCHEDULED", "prizeAmount": 0.05}  # fmt: skip
ROYALE = {"status": "SCHEDULED", "activeEventId": "admin-1", "currentEvent": EVENT, "upcomingEvents": [],
          "events": [EVENT]}  # fmt: skip
CONTEST = {**ROYALE, "leaderboard": [{"playerId": ME, "rank": 1}], "history": [], "playerPosition": None,
           "timeRemaining": None, "finalRound": False, "isInFinalRound": False,
           "config": {"levelRequired": 1, "prizeTiers": {"6-10": 0.05}}}  # fmt: skip
BATTLE: dict[str, Any] = {
    "status": "SCHEDULED", "startTime": None, "endTime": None, "nextEventStartTime": None, "currentEvent": None,
    "nextEvent": None, "leaderboard": [], "fullLeaderboardSize": 0, "playerPosition": None, "participantCount": 0,
    "activeBattleCount": 0, "lobbyCreationDisabled": False,
    "queue": {"active": False, "queueSize": 0, "availableLobbies": 0}, "isShowingPreviousEvent": None,
    "eventSchedule": [], "config": {"token": "0xPractice"},
}  # fmt: skip
CHAT = {"playerId": ME, "username": "me", "level": 3, "message": "gm", "timestamp": 1, "filtered": False, "role": "mod",
        "tag": "ghoul", "verified": True, "discordUsername": None,
        "replyTo": {"key": "1", "username": "x", "message": "?"}}  # fmt: skip
GOLDEN = {"status": "ACTIVE", "activeEventId": "admin-1", "currentEvent": EVENT, "upcomingEvents": [],
          "events": [EVENT], "currentGameIsGolden": True}  # fmt: skip
DRAWING = {"id": "d", "timestamp": 1, "gameId": GAME, "winnerIndex": 0, "prizeAmount": 0.05, "winnerPlayerId": ME,
           "entries": [{"playerId": ME, "username": "me", "entryCount": 5, "entryPercentage": 100}]}  # fmt: skip
POOL = {"instarugCount": 3, "rugpoolAmount": 10.5, "totalEntries": 22_250, "threshold": 10, "playersWithEntries": 155,
        "solPerEntry": 0.001, "maxEntriesPerPlayer": 5000,
        "playerEntries": [{"playerId": ME, "entries": 5, "username": None, "percentage": 0.02}],
        "lastDrawing": {"timestamp": 1, "winners": [{"playerId": ME, "entries": 5, "username": None, "reward": 3.5}],
                        "rewardPerWinner": 3.5, "totalPoolAmount": 10.5},
        "config": {"threshold": 10, "instarugThreshold": 6, "rugpoolPercentage": 0.5}}  # fmt: skip
OWN = {"gameId": GAME, "leaderboardEntry": {**ROW, "position": 143}, "rugpool": POOL, "trades": []}
QUEST = {"questId": "q1", "questType": "daily", "description": "Play", "gems": 5}

RECEIVED: list[tuple[str, Any, str]] = [
    ("playerUpdate", PLAYER, "player.state"),
    ("playerLeaderboardPosition", RANK, "player.leaderboard"),
    ("standard/newTrade", TRADE, "player.trade"),
    ("standard/newTrade", PRESALE, "player.trade"),
    ("standard/newTrade", LIQUIDATED, "player.trade"),
    ("standard/newTrade", SHORTED, "player.trade"),
    ("standard/newTrade", OF_2025_08, "player.trade"),
    ("currentSidebet", BET, "sidebet.placed"),
    ("currentSidebetResult", WON, "sidebet.result"),
    ("currentSideBetResult", LOST, "sidebet.result"),
    ("newSideBet", {**BET, "startTick": -1}, "sidebet.other"),
    ("gameStatePlayerUpdate", OWN, "raw"),
    ("gameStatePlayerUpdate", {"gameId": GAME, "rugpool": {"instarugCount": 1, "threshold": 10}}, "raw"),
    ("newChatMessage", CHAT, "raw"),
    ("goldenHourUpdate", GOLDEN, "raw"),
    ("goldenHourDrawing", DRAWING, "raw"),
    ("rugRoyaleUpdate", CONTEST, "raw"),
    ("sidebetEventUpdate", CONTEST, "raw"),
    ("battleEventUpdate", BATTLE, "raw"),
    ("maintenanceUpdate", {"active": False, "message": "", "mega": False}, "raw"),
    ("gameNotification", {"type": "goldenhour", "message": "now"}, "raw"),
    ("rugPassQuestCompleted", QUEST, "raw"),
    ("rugpassQuestCompleted", QUEST, "raw"),
    ("leaderboardData", {"period": "7d", "entries": [{"playerId": ME, "username": "me", "pnl": 1}]}, "raw"),
    ("chatHistory", [CHAT], "raw"),
    ("mutedPlayers", [], "raw"),
    ("inboxMessages", [], "raw"),
    ("playerCosmetics", {}, "raw"),
    ("rugpassStatus", {}, "raw"),
    ("rugpoolDrawing", {}, "raw"),
    ("rugpoolStatus", {}, "raw"),
    ("pinpointPartyEventUpdate", {}, "raw"),
    ("diddyPartyUpdate", {}, "raw"),
]
SENT: list[tuple[str, list[Any], str]] = [
    ("buyOrder", [{"amount": 0.01}], "order.request"),
    ("sellOrder", [{"percentage": 50}], "order.request"),
    ("requestSidebet", [{"amount": 0.01, "coinAddress": "So1", "xPayout": 5}], "order.request"),
    ("authenticate", ["[redacted]"], "raw"),
    ("ping", [{"lastPing": 61.3}], "raw"),
    ("chatHistory", [], "raw"),
    ("checkUsername", [], "raw"),
    ("getPlayerCosmetics", [], "raw"),
    ("getLeaderboard", [{"period": "7d"}], "raw"),
    ("getPlayerLeaderboardPosition", [{"playerId": ME, "period": "7d"}], "raw"),
]


@pytest.mark.parametrize("traced", [True, False])
@pytest.mark.parametrize(("name", "payload", "type_"), RECEIVED)
def test_received(name: str, payload: Any, type_: str, traced: bool) -> None:
    derived = Play().received(name, *([TRACE] if traced else []), payload)
    assert only(derived, f"raw.{name}" if type_ == "raw" else type_) == (
        {"args": [payload]} if type_ == "raw" else payload
    )
    assert drifts(derived) == []
    msgspec.json.decode(derived.events[0].data, type=data_type(derived.events[0].type))


@pytest.mark.parametrize(("name", "args", "type_"), SENT)
def test_sent(name: str, args: list[Any], type_: str) -> None:
    derived = Play().sent(name, TRACE, *args, ack_id=58)
    if type_ == "raw":
        assert only(derived, f"raw.{name}") == {"args": args, "sent": True, "ackId": 58}
    else:
        assert only(derived, type_) == {"action": name, "ackId": 58, "args": args, "traceId": TRACE_ID}
    assert drifts(derived) == []
    msgspec.json.decode(derived.events[0].data, type=data_type(derived.events[0].type))


def test_username_status() -> None:
    told = {"id": ME, "hasUsername": True, "username": "me"}
    derived = Play().received("usernameStatus", TRACE, told)
    assert only(derived, "connection.authenticated") == {"player_id": ME, "username": "me", "hasUsername": True}


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        ("buyOrder", {"success": True}),
        ("sellOrder", {"success": True}),
        ("requestSidebet", {"success": True, "message": "Side bet placed", "sidebet": BET}),
    ],
)
def test_acknowledgements(action: str, answer: dict[str, Any]) -> None:
    playing = Play()
    playing.sent(action, TRACE, {"amount": 0.01}, ack_id=7)
    result = playing.frame("437" + packet("x", answer)[2:].replace('"x",', ""))
    told = only(result, "order.result")
    assert (told["action"], told["ackId"], told["success"], told["args"]) == (action, 7, True, [answer])
    assert told["latencyMs"] == 100
    msgspec.json.decode(result.events[0].data, type=data_type("order.result"))


def test_the_acknowledgement_of_the_pages_heartbeat_is_no_event() -> None:
    playing = Play()
    playing.sent("ping", {"lastPing": 61.3}, ack_id=59)
    assert playing.frame("4359[]").events == []


FULL: dict[str, Any] = {
    "gameVersion": "v3", "highestToday": 11450.16, "highestTodayTimestamp": 1, "availableShitcoins": [COIN],
    "highestTodayGameId": GAME, "highestTodayServerSeed": "ab", "godCandle2x": None, "godCandle2xTimestamp": None,
    "godCandle2xMassiveJump": None, "godCandle2xGameId": None, "godCandle2xServerSeed": None,
    "godCandle50x": 57.9, "godCandle50xTimestamp": 1, "godCandle50xMassiveJump": [0.5451, 5.451],
    "godCandle50xGameId": GAME, "godCandle50xServerSeed": "cd",
}  # fmt: skip
SHAPES = {
    "countdown": (countdown(3, 14_900), "COOLDOWN"),
    "presale": (countdown(3, 100), "PRESALE"),
    "start": (std(3, 0, leaderboard=[], gameVersion="v3"), "ACTIVE"),
    "tick": (std(3, 9, leaderboard=[ROW], rugRoyale=ROYALE, pauseMessage="", count2x=47), "ACTIVE"),
    "rug": (std(3, 9, rugged=True), "RUGGED"),
    "connect": (std(3, 9, prices=[1, 1.01], **FULL), "ACTIVE"),
    "2025-08": (std(3, 9, prices=[1, 1.01], trades=[]), "ACTIVE"),
    "2025-12": (std(3, 9, highestTodayPrices=[1], godCandle10xPrices=[]), "ACTIVE"),
}


@pytest.mark.parametrize(("payload", "phase"), SHAPES.values(), ids=SHAPES)
def test_game_state_update(payload: str, phase: str) -> None:
    derived = Play().frame(payload)
    tick = only(derived, "game.tick")
    frame = msgspec.json.decode(payload[2:])[1]
    gone = {"gameHistory", "prices", "availableShitcoins", *(name for name in frame if name.endswith("Prices"))}
    start = {"price": 1, "tickCount": 0, "active": False, "rugged": False}
    assert tick == {**start, **{name: frame[name] for name in frame.keys() - gone}, "phase": phase}
    assert drifts(derived) == []
    msgspec.json.decode(derived.events[0].data, type=data_type("game.tick"))


def test_game_history() -> None:
    bets = [
        {"playerId": ME, "username": None, "gameId": GAME, "betAmount": 0.01, "xPayout": 5, "coinAddress": "So1",
         "bonusPortion": 0, "realPortion": 0.01, "timestamp": 1, "type": "placed", "startedAtTick": 3, "end": 43,
         "id": "1"},
        {"playerId": ME, "gameId": GAME, "username": None, "level": 3, "betAmount": 0.01, "payout": 0.05,
         "profit": 0.04, "xPayout": 5, "coinAddress": "So1", "endTick": 43, "startTick": 3, "tickIndex": 30,
         "price": 0.02, "timestamp": 2, "type": "payout", "id": "2"},
    ]  # fmt: skip
    told = history_entry(3, globalSidebets=bets)
    derived = Play().frame(state(game_of(4), gameHistory=[told]))
    completed = derived.events[0]
    found = {"liveTicks": 0, "missingTicks": len(told["prices"]), "differingTicks": []}
    assert completed.type == "game.completed"
    assert data(completed) == {**told, "verified": True, "verifyReason": "matches the seed", **found}
    assert drifts(derived) == []
    msgspec.json.decode(completed.data, type=data_type("game.completed"))


def test_every_event_that_we_know_has_its_example() -> None:
    shown = {name for name, _, _ in RECEIVED} | {"gameStateUpdate", "usernameStatus"}
    assert drift.RECEIVED.keys() - shown == set()
    assert drift.SENT.keys() == {name for name, _, _ in SENT}
    assert Play().frame(broadcast_b(4)).events[-1].type == "game.tick"
