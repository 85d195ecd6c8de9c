"""All chance of the simulator: one seeded source per concern, so that one player's clicks never move another's luck.

A `Dice` is made from text; the same text gives the same throws on every machine and Python from 3.2 on. It also makes
the identifiers that look as the game's: hex seeds, UUIDs, player ids, trace arguments.
"""

import random
import uuid
from collections.abc import Sequence
from typing import Any, TypeVar

T = TypeVar("T")


class Dice:
    """A seeded source of chance. Not for secrets."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return self._random.random() < probability

    def between(self, low: float, high: float) -> float:
        """Return a float, evenly from low to high."""
        return self._random.uniform(low, high)

    def whole(self, low: int, high: int) -> int:
        """Return an int from low to high, both included."""
        return self._random.randint(low, high)

    def waiting(self, mean: float) -> int:
        """Return a whole waiting time of at least 1 with this mean, memoryless."""
        return 1 + int(self._random.expovariate(1 / mean))

    def one_of(self, choices: Sequence[T]) -> T:
        """Return one of the choices."""
        return self._random.choice(choices)

    def some_of(self, choices: Sequence[T], count: int) -> list[T]:
        """Return `count` different choices in random order, all of them where there are fewer."""
        return self._random.sample(choices, min(count, len(choices)))

    def hexadecimal(self, digits: int) -> str:
        """Return so many lower-case hexadecimal digits."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def unique_id(self) -> str:
        """Return a version 4 UUID as text."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def player_id(self) -> str:
        """Return an id as the game's login service gives them."""
        return f"did:privy:{self.hexadecimal(24)}"

    def trace(self, trace_id: str | None = None) -> dict[str, Any]:
        """Return a leading trace argument; what derives from a client's request keeps that request's trace id."""
        return {"__trace": True, "traceparent": f"00-{trace_id or self.hexadecimal(32)}-{self.hexadecimal(16)}-01"}
