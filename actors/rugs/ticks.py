"""State frames: the game's broadcast, ten or four a second, into `game.tick` events and `game_tick` rows.

The fields of a frame are taken as text slices: what goes out is put together from them, nothing is encoded again. A
field left out keeps its last value of the same round. Each tick, countdown value and rug is typed once; a second tab,
a reload and Broadcast A repeat them. Order is by content: an older frame of a round fills holes, it overwrites nothing.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Raw

from actors.rugs import rounds
from actors.rugs.columns import as_bool, as_float, as_game_id, as_int
from actors.rugs.jsontext import Unreadable, check_depth, encode, tamed
from actors.rugs.memory import MAX_DETAILED, MAX_GAMES, MAX_TICK, Core, Game, Memory, is_new
from actors.rugs.output import Output
from actors.rugs.phases import ORDER, Phase, phase_of

T = TypeVar("T")
D = TypeVar("D")

NAME: Final = "gameStateUpdate"
HEAD: Final = b'42["gameStateUpdate",{'
"""How nearly all state frames begin; others take the long way through `packets.parse`."""

LEFT_OUT: Final = frozenset({"gameHistory", "prices", "availableShitcoins"})
"""Fields that stay in `ws_event`, with all whose names end in `Prices`."""

_START: Final[dict[str, bytes]] = {"price": b"1", "tickCount": b"0", "active": b"false", "rugged": b"false"}
_CORE: Final = frozenset(
    {*_START, "cooldownTimer", "allowPreRoundBuys", "tradeCount", "connectedPlayers", "gameId"},
)
_SHAPES: Final[dict[str, type]] = {"leaderboard": list, "provablyFair": dict, "rugpool": dict, "rugRoyale": dict}
_MAX_FIELDS: Final = 128
_MAX_FIELD_BYTES: Final = 65_536

_slice: Final = msgspec.json.Decoder(tuple[str, dict[str, Raw]]).decode
_decode: Final = msgspec.json.Decoder().decode


class Misfit(ValueError):
    """A field that everything else hangs on is not of its type; the message names it."""


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
    texts, values = _texts(game.fields, fields)
    core = _core(game.core, values)
    phase = phase_of(rugged=core.rugged, active=core.active, presale=core.presale, cooldown_ms=core.cooldown_ms)
    if game_id not in memory.games:
        _enter(memory, game_id, game, phase)
    merged = {**game.fields, **texts}
    tick = _rug_tick(fields, core.tick) if phase == "RUGGED" else core.tick
    if _is_first(game, phase, tick, core):
        data: dict[str, Any] = {name: Raw(text) for name, text in merged.items()}
        data["phase"] = phase
        seq = out.event("game.tick", game_id, encode(data))
        out.row("game_tick", seq, game_id, live_row(core, tick, phase))
    if _place(phase, core) >= _place(game.phase, game.core):
        game.fields, game.core, game.phase = _bounded(merged), core, phase
    else:
        game.fields = _bounded({**texts, **game.fields})


def _texts(known: dict[str, bytes], fields: dict[str, Raw]) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return the fields that go out, each checked to be readable by all, and the values of the core ones."""
    texts: dict[str, bytes] = {}
    values: dict[str, Any] = {}
    for name, slice_ in fields.items():
        if name in LEFT_OUT or name.endswith("Prices"):
            continue
        text = bytes(slice_)
        if name in _CORE:
            value = values[name] = _read(text)
            if value is None:
                continue  # as if left out
        elif text != known.get(name):
            text = _checked(name, text)
        texts[name] = text
    return texts, values


def _read(text: bytes) -> Any:
    """Return a small value; Misfit where it is none."""
    try:
        return _decode(text)
    except msgspec.MsgspecError as error:
        raise Misfit(str(error)) from error


def _checked(name: str, text: bytes) -> bytes:
    """Return the text of a field, rewritten where a later actor could not read it; Misfit where that is no help."""
    value = _read(text)
    shape = _SHAPES.get(name)
    if shape is not None and value is not None and type(value) is not shape:
        raise Misfit(name)
    if shape is list and not all(type(entry) is dict for entry in value or ()):
        raise Misfit(name)
    fit = tamed(value)
    return text if fit is value else encode(fit)


def _core(known: Core, values: dict[str, Any]) -> Core:
    """Return the core of a frame: its own values, the round's last ones for those it leaves out."""
    price = _fit("price", values, as_float, known.price)
    tick = _fit("tickCount", values, as_int, known.tick)
    if not 0 <= tick <= MAX_TICK:
        raise Misfit("tickCount")
    return Core(
        price=price,
        tick=tick,
        active=_fit("active", values, as_bool, known.active),
        rugged=_fit("rugged", values, as_bool, known.rugged),
        presale=_fit("allowPreRoundBuys", values, as_bool, known.presale),
        cooldown_ms=_fit("cooldownTimer", values, as_int, known.cooldown_ms),
        trade_count=as_int(values.get("tradeCount", known.trade_count)),
        connected_players=as_int(values.get("connectedPlayers", known.connected_players)),
    )


def _fit(name: str, values: dict[str, Any], convert: Callable[[Any], T | None], known: D) -> T | D:
    value = values.get(name)
    if value is None:
        return known
    fit = convert(value)
    if fit is None:
        raise Misfit(name)
    return fit


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


def _bounded(fields: dict[str, bytes]) -> dict[str, bytes]:
    """Return the fields to remember: all, but for what only a hostile frame has."""
    if len(fields) <= _MAX_FIELDS and all(len(text) <= _MAX_FIELD_BYTES for text in fields.values()):
        return fields
    small = [(name, text) for name, text in fields.items() if len(text) <= _MAX_FIELD_BYTES and len(name) <= 100]
    return dict(small[:_MAX_FIELDS])


def live_row(core: Core, tick: int, phase: Phase) -> list[Any]:
    """Return the values of a `game_tick` row seen live."""
    counts = [core.cooldown_ms, core.trade_count, core.connected_players]
    return [tick, core.price, phase, core.active, core.rugged, *counts, "live"]
