"""The own player's account: cash, level, and what the game tells its owner about it.

Stakes and proceeds go in, `playerUpdate` and the other events that only an authenticated client gets come out. Cash is
SOL with nine decimals. What the player holds in the round is at the table, not here.
"""

from typing import Any

from actors.simulator.amounts import plain, sol
from actors.simulator.live import Live
from actors.simulator.payloads import Payload
from actors.simulator.people import PRACTICE_ADDRESS, Person
from actors.simulator.social import player_rugpool

START_CASH = 5.0
XP_PER_LEVEL = 10_000


class Account:
    """The own player. Mutable; owned by the game."""

    def __init__(self, person: Person, people: list[Person], now_ms: int) -> None:
        self.person = person
        self.cash = START_CASH
        self.xp = 4_200
        self._people = people
        self._since_ms = now_ms
        self._pool: tuple[Payload, Payload] | None = None

    def pay(self, amount: float) -> None:
        """Take a stake out; one experience point for each 0.001 SOL."""
        self.cash = round(self.cash - amount, 9)
        self.xp += round(amount * 1000)

    def receive(self, amount: float) -> None:
        """Put proceeds in."""
        self.cash = round(self.cash + amount, 9)

    def update(self, live: Live) -> Payload:
        """Return `playerUpdate`."""
        holding = live.table.holding(self.person)
        longs, bets, shorts = holding.profits(live.price)
        profit = longs + bets + shorts
        row = holding.row(live.price, 1)
        return {
            "id": self.person.player_id,
            "role": None,
            "authenticated": True,
            "cash": sol(self.cash),
            "bonusBalance": 0,
            "bonusWagerReq": 0,
            "bonusWagered": 0,
            "positionQty": row["positionQty"],
            "avgCost": row["avgCost"],
            "totalInvested": row["totalInvested"],
            "cumulativePnL": sol(profit),
            "pnlPercent": row["pnlPercent"],
            "sidebetPnl": bets,
            "hasInteracted": holding.invested > 0,
            "selectedCoin": None,
            **self._progress(),
            "shitcoinBalances": {PRACTICE_ADDRESS: 100},
            "hitMaxWin": False,
            "sideBet": row["sideBet"],
            "sidebets": [row["sideBet"]] if row["sideBet"] else [],
            "shortPosition": None,
            "leveragedPositions": [],
            "autobuysEnabled": False,
            "autosellPrice": None,
        }

    def frame(self, live: Live, *, first: bool = False) -> Payload:
        """Return `gameStatePlayerUpdate`, which follows every `gameStateUpdate`; only the first carries `trades`."""
        row = live.table.own_row(self.person, live.price)
        return {
            "gameId": live.game_id,
            **({"leaderboardEntry": row} if row else {}),
            "rugpool": self._rugpool(live),
            **({"trades": []} if first else {}),
        }

    def identity(self) -> Payload:
        """Return `usernameStatus`."""
        return {"id": self.person.player_id, "hasUsername": True, "username": self.person.username}

    def _rugpool(self, live: Live) -> Payload:
        """Return the long rug pool, built anew only when the short one has changed: it goes out ten times a second."""
        short = live.records.rugpool()
        if self._pool is None or self._pool[0] != short:
            self._pool = short, player_rugpool(self._people, short, self._since_ms)
        return self._pool[1]

    def _progress(self) -> dict[str, Any]:
        level, xp = divmod(self.xp, XP_PER_LEVEL)
        keys = dict.fromkeys(("gold", "diamond", "coal", "iron", "tier0"), 0)
        return {
            "levelInfo": {
                "level": self.person.level + level,
                "xp": xp,
                "xpForNextLevel": XP_PER_LEVEL,
                "totalXP": plain(self.person.level * XP_PER_LEVEL + self.xp),
            },
            "xpBoost": {"active": False, "activeUntil": None, "available": 0},
            "crateKeys": keys,
            "recentCrateRewards": [],
            "crateCooldown": {"active": False, "cooldownEnds": None, "remainingSeconds": 0},
        }
