"""The rounds before the simulator began: the history of its first frames.

Ten rounds are played out in one go, crowd and side bets included, with times as if the last had ended a moment ago.
"""

from actors.simulator.dice import Dice
from actors.simulator.people import Person
from actors.simulator.records import HISTORY_ROUNDS, Records
from actors.simulator.rounds import Rounds, Secret
from actors.simulator.script import write_script
from actors.simulator.table import Table

TICK_MS = 250
BETWEEN_ROUNDS_MS = 16_160


def play_history(records: Records, rounds: Rounds, people: list[Person], dice: Dice, now_ms: int) -> None:
    """Fill `records` with rounds that are over. Takes about 30 ms."""
    secrets = [rounds.draw(now_ms) for _ in range(HISTORY_ROUNDS)]
    lengths = [secret.round.rug_tick * TICK_MS + BETWEEN_ROUNDS_MS for secret in secrets]
    begin_ms = now_ms - sum(lengths)
    for secret, length_ms in zip(secrets, lengths, strict=True):
        table = _play_out(secret, people, dice, begin_ms + BETWEEN_ROUNDS_MS)
        begin_ms += length_ms
        records.add(secret, table, begin_ms)


def _play_out(secret: Secret, people: list[Person], dice: Dice, begin_ms: int) -> Table:
    table = Table(secret.game_id, dice)
    rug_tick = secret.round.rug_tick
    script = write_script(dice, people, rug_tick)
    for tick, price in enumerate(secret.round.prices):
        at_ms = begin_ms + tick * TICK_MS
        table.settle(tick, price, at_ms, rugged=tick == rug_tick)
        for move in script.get(tick, ()):
            table.make(move, price, at_ms)
    return table
