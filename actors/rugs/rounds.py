"""Completed rounds: each entry of a `gameHistory` seen for the first time, with its proof and its repair.

An entry becomes one `game.completed` event and one `game` row; ticks that were not seen live are added to `game_tick`,
side bets that were not seen live to `sidebet`, all under the event's number. Where the site leaves out the prices they
are computed from the revealed seed, if its peak proves the seed right.
"""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from actors.rugs import drift, fairness
from actors.rugs.bets import Bet, is_first_copy, read_bet
from actors.rugs.columns import as_float, as_game_id, as_text, as_us
from actors.rugs.jsontext import Unreadable, encode, read
from actors.rugs.memory import MAX_ROUNDS, MAX_TICK, Game, Memory, is_new, key_of
from actors.rugs.output import Output

MAX_ENTRIES: Final = 64
"""Entries of one history that are looked at; the game sends 10, newest first."""
TICK_US: Final = 250_000


class Head(Struct):
    """What tells entries apart."""

    id: str


class Round(Struct, frozen=True, kw_only=True):
    """One entry as far as it fits; `series` is every price from tick 0, the rug price last, empty where unknown."""

    game_id: str
    entry: dict[str, Any]
    series: list[float]
    verdict: fairness.Verdict


_heads: Final = msgspec.json.Decoder(list[Head]).decode
_head: Final = msgspec.json.Decoder(Head).decode
_slices: Final = msgspec.json.Decoder(list[Raw]).decode


_NODE: Final = drift.STATE["gameHistory"].items or drift.Node()


def is_completed(memory: Memory, game_id: str) -> bool:
    """Say whether the round was in a history before."""
    return key_of(game_id) in memory.rounds


def is_passed(memory: Memory, game_id: str) -> bool:
    """Say whether the round was seen, was in no history, and is forgotten: it cannot be told from a repetition."""
    return bool(memory.passed) and key_of(game_id) in memory.passed


def take_history(memory: Memory, out: Output, text: bytes, shown_by: str | None) -> None:
    """Make the events and rows of every round in a `gameHistory` that was in none before, the oldest first.

    shown_by: the round of the frame that the history came with. Rounds before it that are in no history ended unseen.
    """
    try:
        heads = _heads(text)
    except msgspec.MsgspecError:
        heads = None  # at least one entry is no entry: look at each by itself
    if heads is not None and all(key_of(head.id) in memory.rounds for head in heads[:MAX_ENTRIES]):
        return
    try:
        slices = _slices(text)
    except msgspec.MsgspecError:
        memory.malformed += 1
        return
    for slice_ in reversed(slices[:MAX_ENTRIES]):
        _take_entry(memory, out, bytes(slice_))
    if slices and shown_by in memory.games:
        for game_id, game in memory.games.items():
            if game_id == shown_by:
                return
            if not (is_completed(memory, game_id) or game_id == memory.game_id):
                leave_open(memory, out, game_id, game)


def leave_open(memory: Memory, out: Output, game_id: str, game: Game) -> None:
    """Tell once that a round ended unseen: histories have passed over it, or it is forgotten now."""
    if game.is_open:
        return
    game.is_open = True
    seen = [tick for tick, price in enumerate(game.prices) if price is not None]
    told = {"what": "open", "gameId": game_id, "liveTicks": len(seen), "lastTick": seen[-1] if seen else None}
    data = encode({**told, "rugged": game.ended})
    seq = out.event("system.round", game_id, data)
    out.row("system_event", seq, game_id, ["round", data.decode()])


def _take_entry(memory: Memory, out: Output, text: bytes) -> None:
    """Take one entry unless its round is known; one that fits nothing is counted."""
    try:
        game_id = as_game_id(_head(text).id)
        if game_id is not None and is_completed(memory, game_id):
            return
        entry = read(text)
    except (msgspec.MsgspecError, Unreadable):
        game_id, entry = None, None
    if game_id is None:
        memory.malformed += 1
        return
    is_new(memory.rounds, key_of(game_id), MAX_ROUNDS)
    drift.differs(memory, out, "gameStateUpdate", drift.differences(_NODE, entry, "gameHistory[]"))
    _complete(memory, out, _judge(game_id, entry))


def _judge(game_id: str, entry: dict[str, Any]) -> Round:
    verdict = fairness.verify(entry)
    return Round(game_id=game_id, entry=entry, series=_series(game_id, entry, verdict), verdict=verdict)


def _series(game_id: str, entry: dict[str, Any], verdict: fairness.Verdict) -> list[float]:
    prices = entry.get("prices")
    if isinstance(prices, list) and prices:
        series = [number for number in map(as_float, prices) if number is not None]
        return series if len(series) == len(prices) <= MAX_TICK else []
    if not verdict.verified:
        return []
    return fairness.play(entry["provablyFair"]["serverSeed"], game_id, entry.get("gameVersion") or "v3").prices


def _complete(memory: Memory, out: Output, round_: Round) -> None:
    game = memory.games.get(round_.game_id)
    live = game.prices if game is not None else []
    seen = sum(price is not None for price in live[: len(round_.series)])
    missing = len(round_.series) - seen
    seq = out.event("game.completed", round_.game_id, _data(round_, live, seen, missing))
    out.row("game", seq, round_.game_id, _row(round_, seen, missing))
    ended_us = as_us(round_.entry.get("timestamp")) or out.at_us
    if missing:
        _repair(memory, out, seq, round_, live, ended_us)
    _take_bets(memory, out, seq, round_)
    if game is not None:
        game.prices, game.ended = [*round_.series] or live, True


def _data(round_: Round, live: list[float | None], seen: int, missing: int) -> bytes:
    """Return the event's data: the entry as the game sent it, then what we found."""
    differing = [
        tick
        for tick, (one, other) in enumerate(zip(live, round_.series, strict=False))
        if one is not None and one != other
    ]
    return encode(
        {
            **round_.entry,
            "verified": round_.verdict.verified,
            "verifyReason": round_.verdict.reason,
            "liveTicks": seen,
            "missingTicks": missing,
            "differingTicks": differing,
        }
    )


def _row(round_: Round, seen: int, missing: int) -> list[Any]:
    """Return the values of the `game` row; `live_ticks` and `missing_ticks` include tick 0 and the rug."""
    entry, series = round_.entry, round_.series
    fair = entry.get("provablyFair")
    fair = fair if isinstance(fair, dict) else {}
    bets = entry.get("globalSidebets")
    peak = as_float(entry.get("peakMultiplier"))
    return [
        as_us(entry.get("timestamp")),
        as_text(entry.get("gameVersion")),
        len(series) - 1 if series else None,
        max(series) if peak is None and series else peak,
        series.index(max(series)) if series else None,
        series[-1] if series else None,
        series or None,
        as_text(fair.get("serverSeed")),
        as_text(fair.get("serverSeedHash")),
        round_.verdict.verified,
        round_.verdict.reason,
        seen if series else None,
        missing if series else None,
        encode(bets).decode() if isinstance(bets, list) else None,
    ]


def _repair(memory: Memory, out: Output, seq: int, round_: Round, live: list[float | None], ended_us: int) -> None:
    """Add the ticks that were not seen live, but for the time the user had recording off."""
    rug_tick = len(round_.series) - 1
    for tick, price in enumerate(round_.series):
        was_seen = tick < len(live) and live[tick] is not None
        if was_seen or memory.was_off(ended_us - (rug_tick - tick) * TICK_US):
            continue
        is_rug = tick == rug_tick
        phase = "RUGGED" if is_rug else "ACTIVE"
        out.row("game_tick", seq, round_.game_id, [tick, price, phase, True, is_rug, 0, None, None, "history"])


def _take_bets(memory: Memory, out: Output, seq: int, round_: Round) -> None:
    """Add the round's side bets that were not seen live: the live events show only a sample of them."""
    entries = round_.entry.get("globalSidebets")
    for entry in entries if isinstance(entries, list) else []:
        bet: Bet | None = read_bet(entry, round_.game_id) if isinstance(entry, dict) else None
        if bet is None:
            memory.malformed += 1
        elif is_first_copy(memory, bet) and not memory.was_off(as_us(entry.get("timestamp")) or out.at_us):
            out.row("sidebet", seq, bet.game_id, bet.values())
