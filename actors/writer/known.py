"""What is in the data already, so that an import brings each frame and each row once.

In: frames and rows of an import. Out: whether they are new. A frame is known when an import brought one of the same
time, direction and content; as often as it was brought. A row is known by what tells rows of its doc_type apart, be it
recorded or imported: a round by its id, a tick by round and tick, a trade by its id, a side bet by player and tick.
Looks at the dates at hand only; reads each date once.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from actors.core.messages import Frame, Row
from actors.rugs.memory import key_of
from actors.writer import layout
from actors.writer.layout import DAY_US, DataFile
from actors.writer.reading import frames, rows

MOST_DATES: Final = 4
"""Kept at once; a day of ticks is 30 MB of keys."""


def _tick(row: Row) -> tuple[Any, ...]:
    tick, _, phase, _, _, cooldown_ms = row.values[:6]
    return (row.game_id, tick) if phase in ("ACTIVE", "RUGGED") else (row.game_id, phase, cooldown_ms)


_IDENTITIES: Final[dict[str, Callable[[Row], tuple[Any, ...] | None]]] = {
    "game": lambda row: (row.game_id,),
    "game_tick": _tick,
    "trade": lambda row: (row.game_id, row.values[0]) if row.values[0] else None,
    "sidebet": lambda row: (row.game_id, row.values[1], row.values[6], row.values[3]),
}


class Known:
    """Of one data directory, while one file is imported."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._rows: dict[str, set[int]] = {}
        self._frames: dict[str, Counter[int]] = {}

    def is_new_frame(self, frame: Frame) -> bool:
        """Say whether no import brought this frame; each known one answers for one copy."""
        date = layout.date_of(frame.at_us)
        if date not in self._frames:
            _make_room(self._frames)
            files = (file for file in _files(self._root, "ws_event", date) if file.is_imported)
            self._frames[date] = Counter(map(_frame_key, frames(files, -1)))
        key = _frame_key(frame)
        if not self._frames[date][key]:
            return True
        self._frames[date][key] -= 1
        return False

    def is_new_row(self, row: Row) -> bool:
        """Say whether a row is new, and know it from now on; the copies within one file are known to the core."""
        identify = _IDENTITIES.get(row.doc_type)
        told = identify(row) if identify is not None else None
        if told is None:
            return True
        key = key_of(row.doc_type, *told)
        dates = [layout.date_of(at_us) for at_us in (row.at_us - DAY_US, row.at_us, row.at_us + DAY_US)]
        return not any(key in self._date(date) for date in dates)

    def _date(self, date: str) -> set[int]:
        if date not in self._rows:
            _make_room(self._rows)
            self._rows[date] = {
                key_of(row.doc_type, *told)
                for doc_type, identify in _IDENTITIES.items()
                for row in rows(_files(self._root, doc_type, date), doc_type, -1)
                if (told := identify(row)) is not None
            }
        return self._rows[date]


def _make_room(dates: dict[str, Any]) -> None:
    if len(dates) >= MOST_DATES:
        del dates[next(iter(dates))]


def _files(root: Path, doc_type: str, date: str) -> Iterator[DataFile]:
    folder = root / f"doc_type={doc_type}" / f"date={date}"
    yield from sorted(
        (file for path in folder.glob("*.parquet") if (file := layout.parse(path))), key=lambda f: f.first
    )


def _frame_key(frame: Frame) -> int:
    return key_of(frame.at_us, frame.sent, frame.payload)
