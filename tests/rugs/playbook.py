"""Plays a game to the normalizer's core: frames as the site sends them in, what became of them out.

`Play` numbers and times the frames; `whole_round` writes every state frame of a round from a seed, in the order and
shapes of the wire, with made-up players. No clock, no randomness: the same call gives the same frames.
"""

import json
from typing import Any

import msgspec

from actors.core.messages import SEQ_STEP, Event, Frame, Note, Row
from actors.rugs.fairness import play, seed_hash
from actors.rugs.normalize import Derived, Memory, derive
from actors.rugs.schema import DOC_TYPES

STREAM = "browser/page/1"
TRACE_ID = "8bd73008ccac9487ac7c97d69679d5ed"
TRACE = {"__trace": True, "traceparent": f"00-{TRACE_ID}-7365549278738270-01"}
START_US = 1_765_000_000_000_000
_INT32 = range(-(2**31), 2**31)


class Play:
    """One normalizer and the journal in front of it."""

    def __init__(self, *, recording: bool | None = True) -> None:
        self.memory = Memory(recording=recording)
        self.seq = 0
        self.at_us = START_US

    def frame(self, payload: str | bytes, *, sent: bool = False, opcode: int = 1, stream: str = STREAM) -> Derived:
        self.seq += SEQ_STEP
        self.at_us += 100_000
        data = payload.encode() if isinstance(payload, str) else payload
        return derive(self.memory, Frame(self.seq, self.at_us, stream, sent, opcode, data))

    def received(self, name: str, *args: Any, **options: Any) -> Derived:
        return self.frame(packet(name, *args), **options)

    def sent(self, name: str, *args: Any, ack_id: int | None = None) -> Derived:
        return self.frame(packet(name, *args, ack_id=ack_id), sent=True)

    def note(self, event: str, **data: Any) -> Derived:
        self.seq += SEQ_STEP
        return derive(self.memory, Note(self.seq, self.at_us, event, json.dumps(data).encode()))

    def restart(self) -> None:
        """Go on from a checkpoint."""
        self.memory = msgspec.msgpack.decode(msgspec.msgpack.encode(self.memory), type=Memory)

    def all(self, payloads: list[str]) -> tuple[list[Event], list[Row]]:
        """Play frames and return all their events and rows."""
        made = [self.frame(payload) for payload in payloads]
        return [event for one in made for event in one.events], [row for one in made for row in one.rows]


def packet(name: str, *args: Any, ack_id: int | None = None) -> str:
    return f"42{'' if ack_id is None else ack_id}{json.dumps([name, *args], separators=(',', ':'))}"


def state(game_id: Any, **fields: Any) -> str:
    return packet("gameStateUpdate", {**fields, "gameId": game_id})


def data(event: Event) -> Any:
    return msgspec.json.decode(event.data)


def types(derived: Derived) -> list[str]:
    """Return the types of the events, but for reports of drift."""
    return [event.type for event in derived.events if event.type != "system.drift"]


def doc_types(derived: Derived) -> list[str]:
    """Return the doc_types of the rows, but for reports of drift."""
    return [row.doc_type for row in derived.rows if not (row.doc_type == "system_event" and row.values[0] == "drift")]


def drifts(made: Derived | list[Event]) -> list[tuple[str, str | None, str]]:
    """Return (event, field, what) of every report of drift."""
    events = made.events if isinstance(made, Derived) else made
    told = [data(event) for event in events if event.type == "system.drift"]
    return [(one["event"], one["field"], one["what"]) for one in told]


def only(derived: Derived, type_: str) -> Any:
    """Return the data of the one event, which must be of this type."""
    assert types(derived) == [type_]
    return data(derived.events[0])


def rows(derived: Derived | list[Row], doc_type: str) -> list[dict[str, Any]]:
    """Return the rows of a doc_type as dicts by column."""
    found = derived.rows if isinstance(derived, Derived) else derived
    names = ["seq", "game_id", *(column.name for column in DOC_TYPES[doc_type])]
    return [
        dict(zip(names, [row.seq, row.game_id, *row.values], strict=True)) for row in found if row.doc_type == doc_type
    ]


def fits(row: Row) -> bool:
    """Say whether a row's values are what its Parquet columns take."""
    columns = DOC_TYPES[row.doc_type]
    return len(row.values) == len(columns) and all(
        value is None or _fits_type(value, column.type) for value, column in zip(row.values, columns, strict=True)
    )


def _fits_type(value: Any, type_: str) -> bool:
    match type_:
        case "bool":
            return type(value) is bool
        case "int8" | "int32":
            return type(value) is int and value in _INT32
        case "double":
            return type(value) is float
        case "list<double>":
            return all(type(one) is float for one in value)
        case "timestamp[us, UTC]":
            return type(value) is int and 0 <= value < 2**63
        case _:
            text = value.decode() if isinstance(value, bytes) else value
            return isinstance(text, str) and bool(text.encode() or True)


def seed_of(number: int) -> str:
    return seed_hash(f"seed {number}")


def game_of(number: int) -> str:
    return f"20251214-{seed_hash(f'game {number}')[:16]}"


def history_entry(number: int, **changes: Any) -> dict[str, Any]:
    round_ = play(seed_of(number), game_of(number))
    fair = {"serverSeed": seed_of(number), "serverSeedHash": seed_hash(seed_of(number))}
    return {
        "id": game_of(number),
        "timestamp": START_US // 1000 + number * 60_000,
        "prices": list(round_.prices),
        "peakMultiplier": round_.peak,
        "rugged": True,
        "globalTrades": [],
        "globalSidebets": [],
        "provablyFair": fair,
        "gameVersion": "v3",
        **changes,
    }


def history(number: int, length: int = 3) -> list[dict[str, Any]]:
    """Return the finished rounds before `number`, newest first."""
    return [history_entry(before) for before in range(number - 1, max(-1, number - 1 - length), -1)]


def _common(number: int) -> dict[str, Any]:
    fair = {"serverSeedHash": seed_hash(seed_of(number)), "version": "v3"}
    return {"connectedPlayers": 200 + number, "provablyFair": fair, "leaderboard": [entry(number)]}


def entry(number: int, **changes: Any) -> dict[str, Any]:
    who = {"id": f"did:privy:{number}", "username": f"player_{number}", "level": 3, "position": 1}
    profit = {"pnl": 0.5, "pnlPercent": 50, "positionQty": 1, "avgCost": 1, "totalInvested": 1}
    return {**who, **profit, "hasActiveTrades": True, "selectedCoin": None, **changes}


def countdown(number: int, timer: int) -> str:
    """Return a min frame."""
    presale = {"cooldownTimer": timer, "cooldownPaused": False, "allowPreRoundBuys": timer <= 10_000}
    return state(game_of(number), **presale, **_common(number))


def std(number: int, tick: int, **changes: Any) -> str:
    """Return the frame of a tick, the rug's included."""
    prices = play(seed_of(number), game_of(number)).prices
    window = {str(at): prices[at] for at in range(max(0, tick - 4), tick + 1)}
    fields = {
        "active": True,
        "price": prices[tick],
        "partialPrices": {"startTick": max(0, tick - 4), "endTick": tick, "values": window},
        "tradeCount": tick + 10,
        "rugged": tick == len(prices) - 1,
        "tickCount": tick,
        "cooldownTimer": 0,
        "cooldownPaused": False,
        "allowPreRoundBuys": False,
        "averageMultiplier": 4.7,
        "rugpool": {"instarugCount": 1, "threshold": 10, "rugpoolAmount": 1.5},
        **_common(number),
    }
    return state(game_of(number), **{**fields, **changes})


def broadcast_a(number: int) -> str:
    """Return the full frame after the rug: still the old round, its tick overrun, its history one round behind."""
    rug_tick = len(play(seed_of(number), game_of(number)).prices) - 1
    return std(number, rug_tick, tickCount=rug_tick + 2, gameHistory=history(number), highestToday=50.5)


def broadcast_b(number: int) -> str:
    """Return the full frame that begins the countdown to round `number` and reveals the one before."""
    fields = {"active": False, "price": 1, "rugged": False, "tickCount": 0, "cooldownTimer": 15_000}
    more = {"allowPreRoundBuys": False, "gameHistory": history(number), "highestToday": 50.5}
    return state(game_of(number), **fields, **more, **_common(number))


def whole_round(number: int, *, step_ms: int = 500, overtake: bool = True) -> list[str]:
    """Return every state frame of a round, from its countdown to the Broadcast B of the next one.

    overtake: the next round's first countdown frame comes before Broadcast A, as it was recorded.
    """
    ticks = len(play(seed_of(number), game_of(number)).prices)
    frames = [countdown(number, timer) for timer in range(14_500, 0, -step_ms)]
    frames += [std(number, 0, leaderboard=[]), *(std(number, tick) for tick in range(ticks))]
    ending = [broadcast_a(number), broadcast_b(number + 1)]
    early = countdown(number + 1, 14_900)
    return [*frames, *([early, *ending] if overtake else [*ending, early])]
