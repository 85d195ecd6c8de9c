"""What the normalizer must remember between frames, and nothing else.

Made by `derive`, kept in checkpoints as msgpack, so it holds plain values only: JSON text as bytes, numbers, strings.
Every collection is bounded; hostile frames can fill it but not burst it. Two normalizers with equal memories make the
same events of the same record.
"""

import hashlib
from typing import Any, Final

from msgspec import Struct, field

from actors.rugs.once import OnceLog
from actors.rugs.pending import Order, Press, Sequence, Unfinished
from actors.rugs.phases import Phase

MAX_GAMES: Final = 12
"""Rounds kept in detail: the current one, the ten of a history, one that overtakes."""
MAX_DETAILED: Final = 3
"""Rounds whose frame fields are kept; only the current one, its predecessor and an overtaking one still get frames."""
MAX_ROUNDS: Final = 16_384
"""Completed rounds known by id, twelve days of play without a break. A history shows the last ten, so an older round
comes up again only where an old recording is played through the system; its ids are 64 random bits, kept as such."""
MAX_KEYS: Final = 4096
"""Countdown values known of a round; the game counts down some 150. What comes beyond is not typed."""
MAX_ORDERS: Final = 256
MAX_PRESSES: Final = 64
"""Presses that may still send an order, which they do within seconds."""
MAX_TYPES: Final = 1000
MAX_TICK: Final = 20_000
"""The game ends a round at tick 5,000."""
MAX_OFF: Final = 64


class Core(Struct, frozen=True, kw_only=True):
    """The fields of a state frame that everything else hangs on, as they stand at the start of a round."""

    price: float = 1.0
    tick: int = 0
    active: bool = False
    rugged: bool = False
    presale: bool | None = None
    cooldown_ms: int | None = None
    trade_count: int | None = None
    connected_players: int | None = None


class Game(Struct, kw_only=True):
    """One game id as far as its frames told."""

    fields: dict[str, bytes] = field(default_factory=dict)  # the latest frame's, and older ones it left out; JSON
    core: Core = Core()
    phase: Phase = "COOLDOWN"
    prices: list[float | None] = field(default_factory=list)  # by tick, None where not seen
    countdown: dict[int, bool] = field(default_factory=dict)  # keys of countdown frames that were typed
    ended: bool = False  # the rug was typed, or the round was in a history
    is_open: bool = False  # it was reported to have ended unseen


class Memory(Struct, kw_only=True):
    """All of it. `last`, `recording` and `game_id` are read by others."""

    last: dict[str, int] = field(default_factory=dict)  # event type -> seq of its last event
    recording: bool | None = None  # None: no switch was ever recorded, which counts as off
    game_id: str | None = None  # the newest round seen
    player_id: str | None = None  # whose session the page is
    games: dict[str, Game] = field(default_factory=dict)  # oldest first
    rounds: dict[int, bool] = field(default_factory=dict)  # keys of completed rounds, oldest first
    trades: dict[int, bool] = field(default_factory=dict)  # of older checkpoints: read, never added to
    sidebets: dict[int, bool] = field(default_factory=dict)  # the same
    trades_once: OnceLog = field(default_factory=OnceLog)  # typed already
    bets_once: OnceLog = field(default_factory=OnceLog)
    passed: dict[int, bool] = field(default_factory=dict)  # rounds that were forgotten and in no history
    orders: dict[str, Order] = field(default_factory=dict)  # "<ack id> <namespace> <stream>", oldest first
    traces: dict[str, int] = field(default_factory=dict)  # trace ids of orders -> seq of the request
    unfinished: dict[str, Unfinished] = field(default_factory=dict)  # "<direction> <stream>" -> binary packet
    presses: list[Press] = field(default_factory=list)  # of buttons that send orders, oldest first
    sequence: Sequence | None = None  # the presses since the last order
    balance: float | None = None  # the own player's, as last told
    position_qty: float | None = None
    off_since_us: int | None = None
    off: list[tuple[int, int]] = field(default_factory=list)  # spans (from, until) with recording switched off
    drifts: dict[str, dict[str, int]] = field(default_factory=dict)  # event -> what was reported -> seq of its frame
    differed: dict[str, int] = field(default_factory=dict)  # event -> frames of it that were not as described
    presence: dict[str, dict[str, int]] = field(default_factory=dict)  # event or shape -> field -> times missing
    whole: dict[str, int] = field(default_factory=dict)  # the same -> how many fields it has when none is missing
    malformed: int = 0  # frames, or parts of them, that fit nothing we know
    failures: int = 0  # frames at which our own code failed: a defect of ours, to be found by its count

    def was_off(self, at_us: int) -> bool:
        """Say whether the user had recording switched off at that time."""
        if self.off_since_us is not None and at_us >= self.off_since_us:
            return True
        return any(since <= at_us < until for since, until in self.off)


def key_of(*parts: object) -> int:
    """Return a 64-bit key for an identity made of several parts."""
    text = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())


def is_new_in(log: OnceLog, before: dict[int, bool], game_id: str | None, key: int) -> bool:
    """Say whether a trade or bet is seen for the first time. before: what an older checkpoint knows."""
    if before:
        if key in before:
            return False
        if len(log.passed) > 0:
            before.clear()  # of rounds as long ago as those
    return log.is_new(game_id, key)


def is_new(known: dict[int, bool], key: int, limit: int = MAX_KEYS) -> bool:
    """Say whether `key` is unknown, and know it from now on; the oldest beyond `limit` is forgotten."""
    if key in known:
        return False
    put(known, key, True, limit)
    return True


def put(known: dict[Any, Any], key: Any, value: Any, limit: int) -> None:
    """Set an entry of a bounded dict; the oldest beyond `limit` is forgotten."""
    known[key] = value
    if len(known) > limit:
        del known[next(iter(known))]
