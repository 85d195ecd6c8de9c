"""Which files become which: the plan of a compaction. Pure: opens no file, reads no clock.

In: the files of a doc_type as their names and footers describe them, and the time of the newest row on disk. Out: runs
of files to be merged, one per finished hour, one per finished day. "Finished" is judged by the newest row and not by
the clock: a writer that catches up on yesterday is still in yesterday. Only neighbours are merged: two files of one
date with a third one's numbers between them stay apart, so that ranges stay disjoint; so do imported and recorded rows.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from msgspec import Struct

from actors.writer.layout import DataFile, date_of, file_path

HOUR_US = 3_600_000_000


class Merge(Struct, frozen=True, kw_only=True):
    """Two or more neighbouring files of one date that become one."""

    doc_type: str
    date: str
    inputs: list[DataFile]  # rising by number

    @property
    def name(self) -> str:
        """The name of the file they become: the lowest and the highest number."""
        return file_path(Path(), self.doc_type, self.date, self.inputs[0].first, self.inputs[-1].last).name


def date_in(file: DataFile) -> str:
    """Return the date whose directory a file lies in."""
    return file.path.parent.name.removeprefix("date=")


def neighbours(files: Sequence[DataFile], left_out: Callable[[DataFile], bool]) -> Iterator[list[DataFile]]:
    """Yield runs of one date with no other file's numbers between them.

    files: all of one doc_type, rising by number. left_out: what must not be merged, and ends a run.
    """
    run: list[DataFile] = []
    reached = -1
    for file in files:
        is_near = bool(run) and date_in(file) == date_in(run[-1]) and file.is_imported == run[-1].is_imported
        fits = is_near and file.first > reached and not left_out(file)
        if run and not fits:
            yield run
            run = []
        if file.first > reached and not left_out(file):
            run.append(file)
        reached = max(reached, file.last)
    if run:
        yield run


def plan(
    doc_type: str,
    files: Sequence[DataFile],
    newest_us: int,
    hour_of: Callable[[DataFile], int],
    left_out: Callable[[DataFile], bool],
) -> Iterator[Merge]:
    """Yield the merges that are due, in order of their numbers.

    newest_us: the time of the newest row on disk, of any doc_type. hour_of: the hour of a file's earliest row, in hours
    since 1970; asked only for files of the newest row's date.
    """
    today, this_hour = date_of(newest_us), newest_us // HOUR_US
    for run in neighbours(files, left_out):
        date = date_in(run[0])
        if date > today or len(run) < 2:
            continue
        parts = [run] if date < today else [list(part) for _, part in groupby(run, key=hour_of)]
        for part in parts:
            if len(part) > 1 and (date < today or hour_of(part[0]) < this_hour):
                yield Merge(doc_type=doc_type, date=date, inputs=part)
