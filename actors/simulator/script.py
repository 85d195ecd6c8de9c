"""What the crowd will do in a round, laid down before it begins.

In come the players and the tick of the rug, out come moves by tick. Nobody here knows prices: a move says how much, the
table says at what price. Sized after recorded rounds: about 70 presale buys, 1.2 trades a tick, a side bet every
fourth tick.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from actors.simulator.dice import Dice
from actors.simulator.people import Person

MoveKind = Literal["buy", "sell", "short_open", "short_close", "sidebet"]
Moves = dict[int, list["Move"]]

TRADERS = 64
BETTORS = 18
SIDEBET_TICKS = 40
_STAKES = (0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.072, 0.1, 0.125, 0.2, 0.25, 0.5, 1.0, 3.0)
_BETS = (0.001, 0.001, 0.002, 0.003, 0.005, 0.01, 0.013, 0.025, 0.037, 0.05, 0.25, 1.0)


class Move(Struct, frozen=True, kw_only=True):
    """One thing one player does at one tick; tick 0 is the presale."""

    tick: int
    person: Person
    kind: MoveKind
    amount: float = 0.0  # stake, for buy, short_open and sidebet
    fraction: float = 1.0  # part of the position, for sell


def write_script(dice: Dice, people: list[Person], rug_tick: int) -> Moves:
    """Return the moves of a round that ends at `rug_tick`, in order within each tick; none at or after the rug."""
    moves: Moves = defaultdict(list)
    for person in dice.some_of(people, TRADERS):
        for move in _trades(dice, person, rug_tick):
            if move.tick < rug_tick:
                moves[move.tick].append(move)
    for person in dice.some_of(people, BETTORS):
        for move in _sidebets(dice, person, rug_tick):
            moves[move.tick].append(move)
    return moves


def _trades(dice: Dice, person: Person, rug_tick: int) -> Iterator[Move]:
    tick = 0 if dice.chance(0.75) else dice.waiting(60)
    while tick < rug_tick:
        short = tick > 0 and dice.chance(0.06)
        end = tick + dice.waiting(35)
        yield from _short(dice, person, tick, end) if short else _long(dice, person, tick, end)
        tick = end + dice.waiting(90)


def _long(dice: Dice, person: Person, tick: int, end: int) -> Iterator[Move]:
    stake = _stake(dice, person)
    yield Move(tick=tick, person=person, kind="buy", amount=stake)
    if dice.chance(0.35):
        yield Move(tick=tick + dice.waiting(4), person=person, kind="buy", amount=stake)
    if end - tick > 8 and dice.chance(0.5):
        part = dice.one_of((0.1, 0.25, 0.5))
        yield Move(tick=(tick + end) // 2, person=person, kind="sell", fraction=part)
    yield Move(tick=end, person=person, kind="sell")


def _short(dice: Dice, person: Person, tick: int, end: int) -> Iterator[Move]:
    yield Move(tick=tick, person=person, kind="short_open", amount=_stake(dice, person))
    yield Move(tick=end, person=person, kind="short_close")


def _sidebets(dice: Dice, person: Person, rug_tick: int) -> Iterator[Move]:
    """Bets one after another: often the next one starts in the very tick in which the last one ended."""
    tick = 0 if dice.chance(0.2) else dice.waiting(30)
    while tick < rug_tick:
        yield Move(tick=tick, person=person, kind="sidebet", amount=_bet(dice, person))
        pause = dice.whole(0, 4) if dice.chance(0.6) else dice.waiting(60)
        tick += SIDEBET_TICKS + pause


def _stake(dice: Dice, person: Person) -> float:
    return dice.one_of(_STAKES) * (100 if person.practice else 1)


def _bet(dice: Dice, person: Person) -> float:
    return dice.one_of(_BETS) * (100 if person.practice else 1)
