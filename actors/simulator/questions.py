"""What a page asks apart from orders: log me in, who am I, chat, rankings, and the app-level ping.

A request's name and arguments go in, a `Reply` to the asker comes out. What we do not know gets the empty
acknowledgement, as `ping` does.
"""

from collections.abc import Sequence
from typing import Any

from actors.simulator import social
from actors.simulator.account import START_CASH, Account
from actors.simulator.dice import Dice
from actors.simulator.live import Live
from actors.simulator.messages import Emit, Reply
from actors.simulator.payloads import Payload
from actors.simulator.people import Person, chat_message
from actors.simulator.surroundings import Surroundings

CHAT_MESSAGES = 20


class Questions:
    """Answers questions; changes nothing."""

    def __init__(
        self, live: Live, account: Account, people: list[Person], surroundings: Surroundings, dice: Dice
    ) -> None:
        self._live = live
        self._account = account
        self._people = people
        self._surroundings = surroundings
        self._dice = dice

    def handle(self, name: str, args: Sequence[Any], trace_id: str | None, now_ms: int) -> Reply:
        """Answer one question. args: without the leading trace."""
        if name == "authenticate":
            return self._authenticate(args, trace_id, now_ms)
        answer = self._answer(name, args[0] if args and isinstance(args[0], dict) else {}, now_ms)
        return Reply(emits=[self._to_sender(*answer, trace_id)]) if answer else Reply()

    def _authenticate(self, args: Sequence[Any], trace_id: str | None, now_ms: int) -> Reply:
        """Log the asker in. Any credential will do, an empty one will not."""
        if not args or not args[0]:
            return Reply(ack={"success": False, "message": "Credential missing"})
        update, frame = self._account.update(self._live), self._account.frame(self._live, first=True)
        emits = [
            Emit(name="playerUpdate", args=(update,), audience="sender"),
            Emit(name="gameStatePlayerUpdate", args=(frame,), audience="sender"),
            self._to_sender("usernameStatus", self._account.identity(), trace_id),
            self._to_sender("mutedPlayers", [], trace_id),
            *self._surroundings.events(now_ms, trace_id),
            self._to_sender("inboxMessages", [], trace_id),
            self._to_sender("rugpassStatus", {"active": False, "quests": []}, trace_id),
        ]
        return Reply(emits=emits, ack={"success": True}, authenticates=True)

    def _answer(self, name: str, payload: Payload, now_ms: int) -> tuple[str, Any] | None:
        period = str(payload.get("period", "7d"))[:8]
        match name:
            case "chatHistory":
                ages = range(CHAT_MESSAGES, 0, -1)
                return name, [chat_message(self._dice, self._people, now_ms - 5000 * age) for age in ages]
            case "getLeaderboard":
                return "leaderboardData", social.ranking(self._people, period)
            case "getPlayerLeaderboardPosition":
                profit = self._account.cash - START_CASH
                rank = social.own_rank(self._people, self._account.person, period, profit)
                return "playerLeaderboardPosition", rank
            case "checkUsername":
                return "usernameStatus", self._account.identity()
            case "getPlayerCosmetics":
                return "playerCosmetics", {"owned": [], "equipped": {}}
        return None

    def _to_sender(self, name: str, payload: Any, trace_id: str | None) -> Emit:
        return Emit(name=name, args=(self._dice.trace(trace_id), payload), audience="sender")
