"""State frames: the game's broadcast, ten or four a second, into `game.tick` events and `game_tick` rows.

The fields of a frame are taken as text slices: what goes out is put together from them, nothing is encoded again. A
field left out keeps its last value of the same round. Each tick, countdown value and rug is typed once; a second tab,
a reload and Broadcast A repeat them. Order is by content: an older frame of a round fills holes, it overwrites nothing.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from actors.rugs import rounds
from actors.rugs.columns import as_bool, as_float, as_game_id, as_int
from actors.rugs.events import LeaderboardEntry
from actors.rugs.jsontext import Unreadable, check_depth, encode, tamed
from actors.rugs.memory import MAX_DETAILED, MAX_GAMES, MAX_TICK, Core, Game, Memory, is_new
from actors.rugs.output import Output
from actors.rugs.phases import ORDER, Phase, phase_of

NAME: Final = "gameStateUpdate"
HEAD: Final = b'42["gameStateUpdate",{'
"""How nearly all state frames begin; others take the long way through `packets.parse`."""

LEFT_OUT: Final = frozenset({"gameHistory", "prices", "availableShitcoins"})
"""Fields that stay in `ws_event`, with all whose names end in `Prices`."""

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
_SHAPES: Final[dict[str, type]] = {"leaderboard": list, "provablyFair": dict, "rugpool": dict, "rugRoyale": dict}
_MAX_FIELDS: Final = 128
_MAX_FIELD_BYTES: Final = 65_536

_slice: Final = msgspec.json.Decoder(tuple[str, dict[str, Raw]]).decode
_decode: Final = msgspec.json.Decoder().decode
_decode_leaderboard: Final = msgspec.json.Decoder(list[LeaderboardEntry]).decode


class Misfit(ValueError):
    """A field that everything else hangs on is not of its type; the message names it."""


class _Reading(Struct, kw_only=True, gc=False):
    """A frame held against what its round said before."""

    shown: dict[str, Any]  # slices of the fields that go out
    changed: dict[str, bytes]  # texts that differ from the last ones
    core: Core


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
    if history is not None:
        rounds.take_history(memory, out, bytes(history))
    game_id = as_game_id(_read(bytes(fields.get("gameId", b"null"))))
    if game_id is None:
        raise Misfit("gameId")
    game = memory.games.get(game_id)
    if game is None and rounds.is_completed(memory, game_id):
        return game_id  # ended before the rounds we know in detail: an old recording read again
    _take(memory, out, game_id, game or Game(fields=dict(_START)), fields)
    return game_id


def _take(memory: Memory, out: Output, game_id: str, game: Game, fields: dict[str, Raw]) -> None:
    reading = _read_frame(game, fields)
    core = reading.core
    phase = phase_of(rugged=core.rugged, active=core.active, presale=core.presale, cooldown_ms=core.cooldown_ms)
    tick = _rug_tick(fields, core.tick) if phase == "RUGGED" else core.tick
    if game_id not in memory.games:
        _enter(memory, game_id, game, phase)
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
    known = game.fields
    for name, slice_ in fields.items():
        if name in known:
            text = bytes(slice_)
            if text == known[name]:
                shown[name] = slice_
                continue
        elif name in LEFT_OUT or name.endswith("Prices"):
            continue
        else:
            text = bytes(slice_)
        if name in _CORE:
            if text == b"null":
                continue  # as if left out
            attribute, convert = _CORE[name]
            values[attribute] = _fit(name, convert(_read(text)))
        else:
            text, slice_ = _checked(name, text, slice_)
        shown[name], changed[name] = slice_, text
    return _Reading(shown=shown, changed=changed, core=_core(game.core, values))


def _fit(name: str, value: Any) -> Any:
    if value is None:
        raise Misfit(name)
    return value


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


def _checked(name: str, text: bytes, slice_: Raw) -> tuple[bytes, Raw]:
    """Return the field, rewritten where a later actor could not read it; Misfit where it is of another shape."""
    if name == "leaderboard":
        try:
            _decode_leaderboard(text)  # half the cost of reading it without a type
        except msgspec.MsgspecError:
            pass  # a new field, or nonsense: look again
        else:
            return text, slice_
    value = _read(text)
    shape = _SHAPES.get(name)
    if shape is not None and value is not None and type(value) is not shape:
        raise Misfit(name)
    if shape is list and not all(type(entry) is dict for entry in value or ()):
        raise Misfit(name)
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


def _enter(memory: Memory, game_id: str, game: Game, phase: Phase) -> None:
    """Know a new game id. It is the newest round, unless it is a late rug: the next countdown runs already then."""
    current = memory.games.get(memory.game_id or "")
    memory.games[game_id] = game
    if current is None or phase != "RUGGED" or current.phase not in ("COOLDOWN", "PRESALE"):
        memory.game_id = game_id
    if len(memory.games) > MAX_GAMES:
        del memory.games[next(known for known in memory.games if known != memory.game_id)]
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
        is_first = tick >= len(game.prices) or game.prices[tick] is None
    else:
        return is_new(game.countdown, (core.cooldown_ms or 0) * 2 + (phase == "PRESALE"))
    if is_first:
        game.prices.extend([None] * (tick + 1 - len(game.prices)))
        game.prices[tick] = core.price
    return is_first


def _place(phase: Phase, core: Core) -> tuple[int, int]:
    """Return where in its round a frame stands."""
    order = ORDER[phase]
    return (order, core.tick) if order > 1 else (order, -(core.cooldown_ms or 0))
