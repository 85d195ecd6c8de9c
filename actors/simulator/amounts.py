"""Numbers as JavaScript writes them: amounts have nine decimals, and a whole number has no point.

The game's frames are JSON made by JavaScript, where 1.0 is written `1`. These two functions are applied where a payload
is built, so that the simulator's frames have the game's look to the last character.
"""


def plain(value: float) -> float:
    """Return a whole float as int, so that JSON shows 1 and not 1.0."""
    return int(value) if value == int(value) else value


def sol(value: float) -> float:
    """Round an amount to the nine decimals of SOL, whole ones as int."""
    return plain(round(value, 9))
