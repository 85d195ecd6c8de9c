"""The events around the game: golden hour, battles, royale, side-bet contests, maintenance, drawings, ranking.

Shapes as the protocol reference gives them; what they say is made up, and quiet (inactive) where a running event would
need rules of its own. Pure: payloads from arguments.
"""

from typing import Any

from actors.simulator.amounts import sol
from actors.simulator.dice import Dice
from actors.simulator.payloads import Payload
from actors.simulator.people import PRACTICE_ADDRESS, Person

_PRIZES = {"1": 3, "2": 1, "3": 0.5, "4": 0.15, "5": 0.1, "6-10": 0.05}
_GOLDEN_EVENT = {
    "id": "admin-00000000-0000-4000-8000-000000000001",
    "startTime": "2026-01-01T05:05:00.000Z",
    "endTime": "2026-01-01T06:05:00.000Z",
    "prepTimeMinutes": 0,
    "levelRequired": 10,
    "status": "SCHEDULED",
    "createdAt": "2026-01-01T05:01:15.318Z",
    "createdBy": "admin",
    "prizeAmount": 0.05,
    "maxEntries": 50,
    "durationMinutes": 60,
}


def royale_summary() -> Payload:
    """Return the royale as standard frames carry it."""
    return {"status": "INACTIVE", "activeEventId": None, "currentEvent": None, "upcomingEvents": [], "events": []}


def golden_hour(*, golden: bool) -> Payload:
    """Return `goldenHourUpdate`."""
    return {
        "status": "ACTIVE" if golden else "INACTIVE",
        "activeEventId": _GOLDEN_EVENT["id"] if golden else None,
        "currentEvent": _GOLDEN_EVENT if golden else None,
        "upcomingEvents": [],
        "events": [_GOLDEN_EVENT] if golden else [],
        "currentGameIsGolden": golden,
    }


def golden_drawing(dice: Dice, people: list[Person], game_id: str, now_ms: int) -> Payload:
    """Return `goldenHourDrawing`, the raffle right after the rug of a golden round."""
    counts = [dice.whole(1, 50) for _ in people]
    entries = [
        {
            "playerId": person.player_id,
            "username": person.username,
            "entryCount": count,
            "entryPercentage": 100 * count / sum(counts),
        }
        for person, count in zip(people, counts, strict=True)
    ]
    winner = dice.whole(0, len(people) - 1)
    return {
        "id": dice.unique_id(),
        "timestamp": now_ms,
        "gameId": game_id,
        "entries": entries,
        "winnerIndex": winner,
        "prizeAmount": 0.05,
        "winnerPlayerId": people[winner].player_id,
    }


def battle() -> Payload:
    """Return `battleEventUpdate`."""
    return {
        "status": "SCHEDULED",
        **dict.fromkeys(("startTime", "endTime", "nextEventStartTime", "currentEvent", "nextEvent")),
        "leaderboard": [],
        "fullLeaderboardSize": 0,
        "playerPosition": None,
        "participantCount": 0,
        "activeBattleCount": 0,
        "lobbyCreationDisabled": False,
        "queue": {"active": False, "queueSize": 0, "availableLobbies": 0},
        "isShowingPreviousEvent": None,
        "eventSchedule": [],
        "config": {"token": PRACTICE_ADDRESS, "startingBalance": 100, "prepTimeMinutes": 30, "levelRequired": 1},
    }


def royale(people: list[Person], now_ms: int) -> Payload:
    """Return `rugRoyaleUpdate`, with the ranking of the last one."""
    ranking = [
        {
            "playerId": person.player_id,
            "username": person.username,
            "balance": sol(5000 / rank),
            "level": person.level,
            "lastUpdated": now_ms - 86_400_000,
            "rank": rank,
        }
        for rank, person in enumerate(people[:10], 1)
    ]
    config = {"token": PRACTICE_ADDRESS, "startingBalance": 100, "prepTimeMinutes": 30, "levelRequired": 1}
    return {**_contest(ranking), "config": {**config, "prizeTiers": _PRIZES}}


def sidebet_contest(people: list[Person], now_ms: int) -> Payload:
    """Return `sidebetEventUpdate`, with the ranking of the last one."""
    ranking = [
        {
            "playerId": person.player_id,
            "username": person.username,
            "sidebetsHit": 2,
            "sidebetsPlaced": 5 + rank,
            "accuracy": 100 * 2 / (5 + rank),
            "avgTicksOff": 7.5,
            "level": person.level,
            "lastUpdated": now_ms - 86_400_000,
            "rank": rank,
        }
        for rank, person in enumerate(people[10:20], 1)
    ]
    return {**_contest(ranking), "config": {"prepTimeMinutes": 30, "levelRequired": 1, "prizeTiers": _PRIZES}}


def maintenance() -> Payload:
    """Return `maintenanceUpdate`: all is well."""
    return {"active": False, "message": "", "mega": False}


def player_rugpool(people: list[Person], short: Payload, now_ms: int) -> Payload:
    """Return the rug pool as `gameStatePlayerUpdate` carries it, with its ten best entries and the last drawing."""
    entries = [
        {"playerId": person.player_id, "entries": 5000 - 450 * place, "username": person.username}
        for place, person in enumerate(people[:10])
    ]
    total = 22_250
    winners = [{**entry, "reward": 3.5} for entry in entries[:3]]
    return {
        "instarugCount": short["instarugCount"],
        "rugpoolAmount": short["rugpoolAmount"],
        "totalEntries": total,
        "threshold": short["threshold"],
        "playersWithEntries": 155,
        "solPerEntry": 0.001,
        "maxEntriesPerPlayer": 5000,
        "playerEntries": [{**entry, "percentage": 100 * _whole(entry["entries"]) / total} for entry in entries],
        "lastDrawing": {"timestamp": now_ms, "winners": winners, "rewardPerWinner": 3.5, "totalPoolAmount": 10.5},
        "config": {"threshold": short["threshold"], "instarugThreshold": 6, "rugpoolPercentage": 0.5},
    }


def ranking(people: list[Person], period: str) -> Payload:
    """Return `leaderboardData` for a period."""
    entries = [
        {"playerId": person.player_id, "username": person.username, "level": person.level, "pnl": sol(90 / rank)}
        for rank, person in enumerate(people[:25], 1)
    ]
    return {"success": True, "period": period, "sortDirection": "highest", "entries": entries}


def own_rank(people: list[Person], own: Person, period: str, profit: float) -> Payload:
    """Return `playerLeaderboardPosition` for the own player."""
    entry = {"playerId": own.player_id, "username": own.username, "pnl": sol(profit)}
    around = [{"playerId": person.player_id, "username": person.username, "pnl": 0.5} for person in people[:4]]
    return {
        "success": True,
        "period": period,
        "sortDirection": "highest",
        "playerFound": True,
        "rank": 1163,
        "total": 2595,
        "playerEntry": entry,
        "surroundingEntries": [*around[:2], entry, *around[2:]],
    }


def _contest(ranking_rows: list[Any]) -> Payload:
    return {
        **royale_summary(),
        "leaderboard": ranking_rows,
        "history": [],
        "playerPosition": None,
        "timeRemaining": None,
        "finalRound": False,
        "isInFinalRound": False,
    }


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
