"""All typed rows again from `ws_event`, for `vectra-supervisor rebuild`: a parser mended today repairs what lies there.

In: a data directory whose lock the caller holds, and dates. The frames go through the normalizer's own core, its memory
from a checkpoint or warmed up on the day before; stored notes, presses and rounds feed it where the live system had
more than frames. Where recording was off the journal is asked for what was not stored; rounds cut by a pause that is
older than the journal stay as they are. Out: exchanged date directories, and JSON lines that tell how far it is. Never
touches `ws_event` or what was imported; a death leaves each directory old or new, and a second call completes it.
"""

import sys
import time
from collections.abc import Callable, Iterator
from datetime import date as Date
from datetime import timedelta
from heapq import merge
from pathlib import Path

import msgspec
from msgspec import Struct

from actors.core.checkpoints import Checkpoints
from actors.core.flow import frame_of
from actors.core.messages import SEQ_STEP, Frame, Row
from actors.core.segments import Reader
from actors.rugs.again import FED, follow, is_of_note, preload, span_us
from actors.rugs.memory import Memory
from actors.rugs.normalize import derive
from actors.writer import layout
from actors.writer.layout import DataFile
from actors.writer.offline import finish
from actors.writer.planning import date_in
from actors.writer.reading import Unreadable, frames, rows
from actors.writer.remaking import SOURCE, Counts, Remade
from actors.writer.swap import Remover, Stale, leftovers
from actors.writer.telling import tell, told

SAY_S = 1.0
OF_A_ROUND = ("game", "game_tick", "sidebet")


class Told(Struct, kw_only=True):
    """One line of progress: within a date, or with `counts` at its end."""

    date: str
    frames: int
    counts: dict[str, Counts] | None = None
    warm_up: bool = False


Say = Callable[[Told], None]


class Rebuild:
    """One pass over a span of dates, both inclusive; None: without bound."""

    def __init__(self, data_dir: Path, first: str | None, last: str | None, say: Say) -> None:
        self._data_dir = data_dir
        self._first, self._last = first or "", last or "9999-12-31"
        self._say = say
        self._root = layout.events_dir(data_dir)
        self._remover = Remover(self._root)
        self._reader = Reader(data_dir / "journal")
        self._blind: list[tuple[int, int]] = []  # spans of which neither the files nor the journal have the frames
        self._is_blind = False
        self._lost_in: str | None = None  # the round in which such a span ended; "" until a frame names it
        self._said_s = 0.0
        self._count = 0
        for folder in leftovers(layout.staging_dir(data_dir)):
            self._remover.add(folder, time.monotonic())

    def work(self) -> None:
        """Make all dates anew. Unreadable, Stale, OSError: the date at hand stays as it was."""
        sources = [file for file in self._files(SOURCE) if date_in(file) <= self._last]
        after, self._memory = self._begin()
        sources = [file for file in sources if file.last > after]
        self._fed = self._rows_fed(after)
        self._next_fed = next(self._fed, None)
        self._at = after
        ends = {date_in(file): place for place, file in enumerate(sources)}
        open_dates: dict[str, Remade] = {}
        for place, file in enumerate(sources):
            date = date_in(file)
            remade = open_dates.setdefault(date, Remade(date))
            for frame in frames([file], after):
                self._take(frame, remade)
            if ends[date] == place:
                del open_dates[date]
                self._finish(remade)
        finish(self._remover)

    def _files(self, doc_type: str) -> list[DataFile]:
        return [file for file in layout.files_of(self._root, doc_type) if not file.is_imported]

    def _begin(self) -> tuple[int, Memory]:
        """Return the number after which to derive, and the memory there."""
        if not self._first:
            return -1, Memory()
        begin = self._lowest(self._first)
        warm = self._lowest((Date.fromisoformat(self._first) - timedelta(days=1)).isoformat())
        found = Checkpoints(self._data_dir / "checkpoints").newest(begin - 1)
        if found is not None and found[0] >= warm:
            try:
                return found[0], msgspec.msgpack.decode(found[1], type=Memory)
            except msgspec.MsgspecError:
                pass  # of another version; warming up leads there too
        memory = Memory()
        for row in self._rows_of(("system_event", "game"), -1):
            if frame_of(row.seq) >= warm:
                break
            preload(memory, row)
        return warm - 1, memory

    def _lowest(self, date: str) -> int:
        found = [file.first for one in (SOURCE, *FED) for file in self._files(one) if date_in(file) >= date]
        return frame_of(min(found, default=0))

    def _rows_fed(self, after: int) -> Iterator[Row]:
        return self._rows_of(FED, after)

    def _rows_of(self, doc_types: tuple[str, ...], after: int) -> Iterator[Row]:
        wanted = {one: [file for file in self._files(one) if file.last > after] for one in doc_types}
        return merge(*(rows(files, one, after) for one, files in wanted.items()), key=lambda row: row.seq)

    def _take(self, frame: Frame, remade: Remade) -> None:
        """Derive a frame, after the stored rows before it were followed."""
        while self._next_fed is not None and frame_of(self._next_fed.seq) < frame.seq:
            self._follow(self._next_fed)
        olds = []
        while self._next_fed is not None and frame_of(self._next_fed.seq) == frame.seq:
            olds.append(self._next_fed)
            self._next_fed = next(self._fed, None)
        self._bridge(frame.seq - 1)
        self._at = frame.seq
        self._memory.recording = True  # or it would not be stored
        made = derive(self._memory, frame).rows
        if not self._is_lost():
            remade.frames.append(frame.seq)
            remade.add(self._without_blind(made, olds, remade) if self._blind else made)
        self._tell(remade.date)

    def _follow(self, row: Row) -> None:
        """Follow a row whose record is no stored frame: a note, or a frame that came while recording was off."""
        number = frame_of(row.seq)
        self._bridge(number - 1 if is_of_note(row) else number)
        was_off_us = self._memory.off_since_us
        follow(self._memory, row)
        self._at = max(self._at, number)
        if was_off_us is not None and self._memory.off_since_us is None and self._is_blind:
            self._blind.append((was_off_us, row.at_us))
            self._lost_in = ""
        self._next_fed = next(self._fed, None)

    def _bridge(self, upto: int) -> None:
        """Where recording was off, derive from the journal what was not stored, up to the record `upto`."""
        begin, self._at = self._at, max(self._at, upto)
        if self._memory.recording or upto - begin < SEQ_STEP:
            return
        oldest = self._reader.oldest()
        self._is_blind = oldest is None or oldest > max(begin, 0) + SEQ_STEP
        if not self._is_blind:
            for record in self._reader.read(begin, upto):
                derive(self._memory, record)

    def _is_lost(self) -> bool:
        """Whether the round at hand began unseen: its frames say less than the live system knew, old rows stay."""
        if self._lost_in == "":
            self._lost_in = self._memory.game_id
        elif self._lost_in != self._memory.game_id:
            self._lost_in = None
        return self._lost_in is not None

    def _without_blind(self, made: list[Row], olds: list[Row], remade: Remade) -> list[Row]:
        """Let rounds stay as they are that were played while frames were neither stored nor are in the journal."""
        held = {row.seq: row for row in olds if row.doc_type == "game"}
        blind = {
            row.seq for row in made
            if row.doc_type == "game" and row.seq in held and held[row.seq].game_id == row.game_id
            and any(_overlap(span_us(held[row.seq]), span) for span in self._blind)
        }  # fmt: skip
        remade.kept.extend(blind)
        return [row for row in made if row.seq not in blind or row.doc_type not in OF_A_ROUND]

    def _finish(self, remade: Remade) -> None:
        if not self._first <= remade.date <= self._last:
            return
        counts, left = remade.finish(self._data_dir)
        for folder in left:
            self._remover.add(folder, time.monotonic())
        self._remover.step(time.monotonic())
        self._say(Told(date=remade.date, frames=len(remade.frames), counts=counts))

    def _tell(self, date: str) -> None:
        self._count += 1
        now_s = time.monotonic()
        if now_s - self._said_s > SAY_S:
            self._said_s = now_s
            self._say(Told(date=date, frames=self._count, warm_up=date < self._first))


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def main(data_dir: str, parent: str, first: str, last: str) -> int:
    """Rebuild; say on standard output how far it is. Returns the exit code."""
    return told(parent, lambda: Rebuild(Path(data_dir), first or None, last or None, tell).work(), Unreadable, Stale)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
