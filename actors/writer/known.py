"""What is in the data already, so that an import brings each frame and each row once.

In: frames and rows of an import. Out: whether they are new. A frame is known when an import brought one of the same
time, direction and content; as often as it was brought. So is a press or an event of the recording. Any other row is
known by what tells rows of its doc_type apart, be it recorded or imported: a round by its id, a tick by round and tick,
a trade by its id, a side bet by player and tick. Looks at the dates at hand only; reads each date once.
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
MOST_KEYS: Final = 200_000
"""Of one file, remembered for the next; beyond them the dates are read again."""
FRAMES: Final = "ws_event"

Place = tuple[str, str]  # doc_type and date


def _tick(row: Row) -> tuple[Any, ...]:
    tick, _, phase, _, _, cooldown_ms = row.values[:6]
    return (row.game_id, tick) if phase in ("ACTIVE", "RUGGED") else (row.game_id, phase, cooldown_ms)


_IDENTITIES: Final[dict[str, Callable[[Row], tuple[Any, ...] | None]]] = {
    "game": lambda row: (row.game_id,),
    "game_tick": _tick,
    "trade": lambda row: (row.game_id, row.values[0]) if row.values[0] else None,
    "sidebet": lambda row: (row.game_id, row.values[1], row.values[6], row.values[3]),
}
_OF_RESTORED: Final[dict[str, Callable[[Row], tuple[Any, ...] | None]]] = {
    **_IDENTITIES,
    "trade": lambda row: (row.game_id, row.values[0]) if row.values[0] else (row.game_id, *row.values[1:8]),
    "server_state": lambda row: (row.at_us // 1_000_000, *row.values[:4]),
}
"""Of rows made of an earlier system's typed rows, whose times may be those of writing: more of them are copies."""


class Known:
    """Of one data directory, while files are imported one after the other."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._rows: dict[str, set[int]] = {}
        self._copies: dict[Place, Counter[int]] = {}
        self._answered: dict[Place, Counter[int]] = {}  # of the file at hand: each known copy answers for one
        self._brought: list[tuple[Place, int]] = []  # by the file at hand
        self._made: list[tuple[str, int]] = []

    def is_new_frame(self, frame: Frame) -> bool:
        """Say whether no import brought this frame; each known one answers for one copy."""
        return self._is_new_copy((FRAMES, layout.date_of(frame.at_us)), _frame_key(frame))

    def is_new_kept(self, row: Row) -> bool:
        """Say the same of a row that was made of no frame."""
        return self._is_new_copy((row.doc_type, layout.date_of(row.at_us)), _row_key(row))

    def is_new_row(self, row: Row, *, is_restored: bool = False) -> bool:
        """Say whether a row is new; the copies within one file are known to the core."""
        identify = (_OF_RESTORED if is_restored else _IDENTITIES).get(row.doc_type)
        told = identify(row) if identify is not None else None
        if told is None:
            return True
        key = key_of(row.doc_type, *told)
        dates = [layout.date_of(at_us) for at_us in (row.at_us - DAY_US, row.at_us, row.at_us + DAY_US)]
        if any(key in self._date(date) for date in dates):
            return False
        _note(self._made, (dates[1], key))
        return True

    def end_file(self, *, is_kept: bool) -> None:
        """Go on to the next file. is_kept: whether what the last one brought is in the data now."""
        if len(self._brought) + len(self._made) > MOST_KEYS:
            self._copies, self._rows = {}, {}
        elif is_kept:
            for place, key in self._brought:
                if place in self._copies:
                    self._copies[place][key] += 1
            for date, key in self._made:
                if date in self._rows:
                    self._rows[date].add(key)
        self._answered, self._brought, self._made = {}, [], []

    def _is_new_copy(self, place: Place, key: int) -> bool:
        if place not in self._copies:
            _make_room(self._copies)
            self._copies[place] = self._read_copies(place)
        answered = self._answered.setdefault(place, Counter())
        if self._copies[place][key] > answered[key]:
            answered[key] += 1
            return False
        _note(self._brought, (place, key))
        return True

    def _read_copies(self, place: Place) -> Counter[int]:
        doc_type, date = place
        files = [file for file in _files(self._root, doc_type, date) if file.is_imported]
        if doc_type == FRAMES:
            return Counter(map(_frame_key, frames(files, -1)))
        return Counter(map(_row_key, rows(files, doc_type, -1)))

    def _date(self, date: str) -> set[int]:
        if date not in self._rows:
            _make_room(self._rows)
            self._rows[date] = {
                key_of(row.doc_type, *told)
                for doc_type in _OF_RESTORED
                for row in rows(_files(self._root, doc_type, date), doc_type, -1)
                for identify in {_IDENTITIES.get(doc_type), _OF_RESTORED[doc_type]}
                if identify is not None and (told := identify(row)) is not None
            }
        return self._rows[date]


def _note(noted: list[Any], one: Any) -> None:
    if len(noted) <= MOST_KEYS:
        noted.append(one)


def _make_room(dates: dict[Any, Any]) -> None:
    if len(dates) >= MOST_DATES:
        del dates[next(iter(dates))]


def _files(root: Path, doc_type: str, date: str) -> Iterator[DataFile]:
    folder = root / f"doc_type={doc_type}" / f"date={date}"
    yield from sorted(
        (file for path in folder.glob("*.parquet") if (file := layout.parse(path))), key=lambda f: f.first
    )


def _frame_key(frame: Frame) -> int:
    return key_of(frame.at_us, frame.sent, frame.payload)


def _row_key(row: Row) -> int:
    return key_of(row.at_us, row.game_id, *row.values)
