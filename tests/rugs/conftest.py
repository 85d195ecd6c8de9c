"""A live state that is played: events in by hand, each with its number, and the snapshot out."""

from typing import Any

import msgspec
import pytest

from actors.core.messages import SEQ_STEP, Event
from actors.rugs.live import Live

G1, G2, G3 = "20251215-0000000000000001", "20251215-0000000000000002", "20251216-0000000000000003"
ME = "did:privy:me"


class Played:
    """A live state and the number of the next event."""

    def __init__(self) -> None:
        self.live = Live()
        self.number = 0

    def __call__(self, kind: str, game_id: str | None = None, **data: Any) -> dict[str, Any]:
        self.number += 1
        event = Event(self.number * SEQ_STEP, kind, 1_000_000 + self.number, game_id, msgspec.json.encode(data))
        self.live.fold(event)
        return self.live.data()

    def tick(self, game: str, tick: int, price: float, phase: str = "ACTIVE", **more: Any) -> dict[str, Any]:
        return self("game.tick", game, gameId=game, tickCount=tick, price=price, phase=phase, **more)

    def own(self, **update: Any) -> dict[str, Any]:
        return self("player.state", G1, **{"id": ME, "cash": 1.0, "positionQty": 0, "avgCost": 0, **update})


@pytest.fixture
def play() -> Played:
    return Played()
