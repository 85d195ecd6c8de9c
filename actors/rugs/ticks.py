"""State frames: the game's broadcast, ten or four a second, into `game.tick` events and `game_tick` rows.

The fields of a frame are taken as text slices: what goes out is put together from them, nothing is encoded again. A
field left out keeps its last value of the same round. Each tick, countdown value and rug is typed once; a second tab,
a reload and Broadcast A repeat them. Order is by content: an older frame of a round fills holes, it overwrites nothing.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from actors.rugs import drift, rounds
from actors.rugs.columns import as_bool, as_float, as_game_id, as_int
from actors.rugs.jsontext import Unreadable, check_depth, encode, tamed
from actors.rugs.memory import (
    MAX_DETAILED,
    MAX_GAMES,
    MAX_KEYS,
    MAX_ROUNDS,
    MAX_TICK,
    Core,
    Game,
    Memory,
    is_new,
    key_of,
    put,
)
from actors.rugs.output import Output
from actors.rugs.phases import ORDER, Phase, phase_of
from actors.rugs.wire_state import LeaderboardEntry

NAME: Final = "gameStateUpdate"
HEAD: Final = b'42["gameStateUpdate",{'
"""How nearly all state frames begin; others take the long way through `packets.parse`."""

LEFT_OUT: Final = frozenset({"gameHistory", "prices", "availableShitcoins"})
"""Fields that stay in `ws_event`, with all whose names end in `Prices`."""
_FIRST: Final = {ord("{"): "object", ord("["): "array", ord('"'): "text", ord("t"): "bool", ord("f"): "bool"}
_NULL: Final = ord("n")
"""The JSON type that a value's first byte tells; null is as if left out, and all others are numbers."""

_START: Final[dict[str, bytes]] = {"price": b"1", "tickCount": b"0", "active": b"false", "rugged": b"false"}
_CORE: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "price": ("price", as_float),
    "tickCount": ("tick", as_int),
    "active": ("active", as_bool),
    "rugged": ("rugged", as_bool),
    "allowPreRoundBuys": ("presale", as_bool),
    "cooldownTimer": ("cooldown_ms", as_int),
    "tradeCount": ("trade_count", as_int),
    "connectedPlayers": ("connected_players", as_int),
}
"""Wire name -> attribute of `Core` and what makes it fit."""
_COUNTS: Final = frozenset({"tradeCount", "connectedPlayers"})
"""Of these nothing else hangs: one that does not fit costs itself, not the frame."""
_MAX_FIELDS: Final = 128
_MAX_FIELD_BYTES: Final = 65_536

_slice: Final = msgspec.json.Decoder(tuple[str, dict[str, Raw]]).decode
_decode: Final = msgspec.json.Decoder().decode
_decode_leaderboard: Final = msgspec.json.Decoder(list[LeaderboardEntry]).decode


class Misfit(ValueError):
    """A field that everything else hangs on is not of its type; the message names it, `finding` says more."""

    def __init__(self, message: str, finding: drift.Finding | None = None) -> None:
        super().__init__(message)
        self.finding = finding


class _Reading(Struct, kw_only=True, gc=False):
    """A frame held against what its round said before."""

    shown: dict[str, Any]  # slices of the fields that go out
    changed: dict[str, bytes]  # texts that differ from the last ones
    core: Core
    findings: list[drift.Finding]


def slices(payload: bytes) -> dict[str, Raw] | None:
    """Return the fields of a state frame as text slices, None where it is not written as nearly all are."""
    if not payload.startswith(HEAD):
        return None
    text = payload[2:]
    try:
        check_depth(text)
        if not text.isascii():
            text.decode()
        return _slice(text)[1]
    except (msgspec.MsgspecError, UnicodeDecodeError, Unreadable):
        return None


def take_state(memory: Memory, out: Output, fields: dict[str, Raw]) -> str:
    """Make the events and rows of a state frame, first of the rounds in its history, then its own.

    Return its game id. Misfit where the frame's own fields are not what they must be; nothing of them is taken then.
    """
    history = fields.get("gameHistory")
    told_id = _read(bytes(fields.get("gameId", b"null")))
    if history is not None:
        rounds.take_history(memory, out, bytes(history), as_game_id(told_id))
    game_id: str = _fit("gameId", told_id, as_game_id)
    game = memory.games.get(game_id)
    if game is None and (rounds.is_completed(memory, game_id) or rounds.is_passed(memory, game_id)):
        return game_id  # ended before the rounds we know in detail: an old recording read again
    _take(memory, out, game_id, game or Game(fields=dict(_START)), fields)
    return game_id


def _take(memory: Memory, out: Output, game_id: str, game: Game, fields: dict[str, Raw]) -> None:
    reading = _read_frame(game, fields)
    core = reading.core
    drift.differs(memory, out, NAME, reading.findings)
    drift.check_state_presence(memory, out, NAME, fields, active=core.active)
    phase = phase_of(rugged=core.rugged, active=core.active, presale=core.presale, cooldown_ms=core.cooldown_ms)
    tick = _rug_tick(fields, core.tick) if phase == "RUGGED" else core.tick
    if game_id not in memory.games:
        _enter(memory, out, game_id, game, phase)
    if _is_first(game, phase, tick, core):
        seq = out.event("game.tick", game_id, _data(game, reading.shown, phase))
        counts = [core.cooldown_ms, core.trade_count, core.connected_players]
        out.row("game_tick", seq, game_id, [tick, core.price, phase, core.active, core.rugged, *counts, "live"])
    if _place(phase, core) >= _place(game.phase, game.core):
        game.core, game.phase = core, phase
        _remember(game, reading.changed)
    else:
        _remember(game, {name: text for name, text in reading.changed.items() if _is_hole(game, name)})


def _read_frame(game: Game, fields: dict[str, Raw]) -> _Reading:
    """Read what a frame says that its round did not say before in the same words: the rest was checked then."""
    shown: dict[str, Any] = {}
    changed: dict[str, bytes] = {}
    values: dict[str, Any] = {}
    findings: list[drift.Finding] = []
    known, told = game.fields, drift.STATE
    for name, slice_ in fields.items():
        if name in known:
            text = bytes(slice_)
            if text == known[name]:
                shown[name] = slice_
                continue
        elif name in LEFT_OUT or name.endswith("Prices"):
            _compare_unread(name, slice_, findings)
            continue
        else:
            if name not in told:
                _compare_unread(name, slice_, findings)
            text = bytes(slice_)
        if name in _CORE:
            if text == b"null":
                continue  # as if left out
            attribute, convert = _CORE[name]
            value = _read(text)
            if name in _COUNTS and convert(value) is None:
                findings += drift.differences(drift.STATE[name], value, name)
                continue
            values[attribute] = _fit(name, value, convert)
        else:
            checked = _checked(name, text, slice_, findings)
            if checked is None:
                continue
            text, slice_ = checked
        shown[name], changed[name] = slice_, text
    return _Reading(shown=shown, changed=changed, core=_core(game.core, values), findings=findings)


def _compare_unread(name: str, slice_: Raw, findings: list[drift.Finding]) -> None:
    """Compare a field that is not read by its first byte alone; one that nobody knows is a finding."""
    first = memoryview(slice_)[0]
    found = _FIRST.get(first, "number")
    node = drift.STATE.get(name)
    if node is None:
        findings.append(drift.Finding(name[: drift.MAX_NAME], "unknown", None, "null" if first == _NULL else found))
    elif found not in node.types and first != _NULL:
        findings.append(drift.Finding(name, "retyped", " or ".join(node.types), found))


def _fit(name: str, value: Any, convert: Callable[[Any], Any]) -> Any:
    """Return a value that fits; Misfit where it does not."""
    fit = convert(value)
    if fit is None:
        raise Misfit(name, next(drift.differences(drift.STATE[name], value, name), None))
    return fit


def _core(known: Core, values: dict[str, Any]) -> Core:
    core = msgspec.structs.replace(known, **values) if values else known
    if not 0 <= core.tick <= MAX_TICK:
        raise Misfit("tickCount")
    return core


def _read(text: bytes) -> Any:
    """Return a value; Misfit where a number is beyond the range of a double."""
    try:
        return _decode(text)
    except msgspec.MsgspecError as error:
        raise Misfit(str(error)) from error


def _checked(name: str, text: bytes, slice_: Raw, findings: list[drift.Finding]) -> tuple[bytes, Raw] | None:
    """Return the field, rewritten where a later actor could not read it; None where it is of another type."""
    if name == "leaderboard":
        try:
            _decode_leaderboard(text)  # half the cost of reading it without a type
        except msgspec.MsgspecError:
            pass  # a new field, or nonsense: look again
        else:
            return text, slice_
    try:
        value = _read(text)
    except Misfit:
        return None
    if name == "leaderboard" and isinstance(value, list) and None in value:
        return None
    node = drift.STATE.get(name)
    if node is not None:
        found = list(drift.differences(node, value, name))
        findings += found
        if any(finding.field in (name, f"{name}[]") and finding.what == "retyped" for finding in found):
            return None
    fit = tamed(value)
    if fit is value:
        return text, slice_
    text = encode(fit)
    return text, Raw(text)


def _data(game: Game, shown: dict[str, Any], phase: Phase) -> bytes:
    """Return the event's data: the frame's fields, the last values of those it left out, and the phase."""
    for name, text in game.fields.items():
        if name not in shown:
            shown[name] = Raw(text)
    shown["phase"] = phase
    return encode(shown)


def _remember(game: Game, changed: dict[str, bytes]) -> None:
    """Keep the fields for later frames that leave them out; not those that only a hostile frame has."""
    fields = game.fields
    fields.update(changed)
    for name, text in changed.items():
        if len(text) > _MAX_FIELD_BYTES or len(name) > 100 or len(fields) > _MAX_FIELDS:
            del fields[name]


def _is_hole(game: Game, name: str) -> bool:
    return name not in game.fields and name not in _CORE


def _enter(memory: Memory, out: Output, game_id: str, game: Game, phase: Phase) -> None:
    """Know a new game id. It is the newest round, unless it is a late rug: the next countdown runs already then."""
    current = memory.games.get(memory.game_id or "")
    memory.games[game_id] = game
    if current is None or phase != "RUGGED" or current.phase not in ("COOLDOWN", "PRESALE"):
        memory.game_id = game_id
    if len(memory.games) > MAX_GAMES:
        oldest = next(known for known in memory.games if known != memory.game_id)
        forgotten = memory.games.pop(oldest)
        if not rounds.is_completed(memory, oldest):
            put(memory.passed, key_of(oldest), True, MAX_ROUNDS)
            rounds.leave_open(memory, out, oldest, forgotten)
    for older in list(memory.games.values())[:-MAX_DETAILED]:
        older.fields = {}


def _rug_tick(fields: dict[str, Raw], tick: int) -> int:
    """Return the tick of the rug price. Broadcast A counts on after the rug; the prices it shows do not."""
    window = _read(bytes(fields.get("partialPrices", b"null")))
    end = as_int(window.get("endTick")) if isinstance(window, dict) else None
    if end is None:
        prices = _read(bytes(fields.get("prices", b"null")))
        end = len(prices) - 1 if isinstance(prices, list) else None
    return end if end is not None and 0 < end <= tick else tick


def _is_first(game: Game, phase: Phase, tick: int, core: Core) -> bool:
    """Say whether this tick, rug or countdown value of the round is seen for the first time, and know it."""
    if phase == "RUGGED":
        is_first, game.ended = not game.ended, True
    elif phase == "ACTIVE":
        is_behind = tick >= len(game.prices)
        is_first = not game.ended if is_behind else game.prices[tick] is None  # nothing follows the rug
    else:
        key = (core.cooldown_ms or 0) * 2 + (phase == "PRESALE")
        return len(game.countdown) < MAX_KEYS and is_new(game.countdown, key)
    if is_first:
        game.prices.extend([None] * (tick + 1 - len(game.prices)))
        game.prices[tick] = core.price
    return is_first


def _place(phase: Phase, core: Core) -> tuple[int, int]:
    """Return where in its round a frame stands."""
    order = ORDER[phase]
    return (order, core.tick) if order > 1 else (order, -(core.cooldown_ms or 0))
