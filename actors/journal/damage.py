"""What was lost where a segment cannot be read, as far as its neighbours tell."""

from pathlib import Path

from actors.core.blocks import Cut
from actors.core.segments import Damage, Reader, first_seq


def place_of(damage: Damage) -> str:
    """Return the name under which a place is told once: "segment/offset"."""
    return f"{first_seq(damage.segment)}/{damage.cut.offset}"


def times_around(directory: Path, cut: Cut) -> tuple[int | None, int | None]:
    """Return when the last record before the damage and the first one after it were captured, Unix microseconds."""
    before = after = None
    with Reader(directory) as reader:
        for record in reader.read(max(-1, cut.after - 1), cut.after):
            before = record.at_us
    if cut.upto is not None:
        with Reader(directory) as reader:
            after = next((record.at_us for record in reader.read(cut.upto)), None)
    return before, after
