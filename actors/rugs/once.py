"""Deduplication of trades and side bets: which were typed already, by round. Pure; part of the memory.

The game broadcasts the same trade to each tab, and again after a reload. Keys are kept for whole rounds, and only
whole rounds are forgotten; what comes of a forgotten round is known, as a tick of one is (`ticks.take_state`): a copy
must never become another trade because much was seen in between. It stays in `ws_event`.
"""

import hashlib
from typing import Final

from msgspec import Struct, field

ROUNDS_KEPT: Final = 12  # as `memory.MAX_GAMES`: a history names ten; copies come within seconds
KEYS_KEPT: Final = 16_384  # of all rounds; a round has some hundred. One that alone has more gets no further row
PASSED_KEPT: Final = 16_384  # forgotten rounds known by id, twelve days of play; as `memory.MAX_ROUNDS`


class OnceLog(Struct, kw_only=True):
    """Keys in; whether they are new, out."""

    rounds: dict[str, dict[int, bool]] = field(default_factory=dict)  # game id -> keys, the round seen first first
    passed: dict[int, bool] = field(default_factory=dict)  # keys of forgotten rounds
    size: int = 0

    def is_new(self, game_id: str | None, key: int) -> bool:
        """Return whether a key is seen for the first time, and know it from now on."""
        keys = self.rounds.get(game_id or "")
        if keys is None:
            if self.passed and _key(game_id or "") in self.passed:
                return False
            keys = self.rounds[game_id or ""] = {}
            if len(self.rounds) > ROUNDS_KEPT:
                self._forget()
        if key in keys:
            return False
        while self.size >= KEYS_KEPT:
            if next(iter(self.rounds.values())) is keys:
                return False
            self._forget()
        keys[key] = True
        self.size += 1
        return True

    def _forget(self) -> None:
        game_id = next(iter(self.rounds))
        self.size -= len(self.rounds.pop(game_id))
        self.passed[_key(game_id)] = True
        if len(self.passed) > PASSED_KEPT:
            del self.passed[next(iter(self.passed))]


def _key(game_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(game_id.encode("utf-8", "surrogatepass"), digest_size=8).digest())
