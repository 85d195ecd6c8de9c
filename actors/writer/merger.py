"""The process that does a compaction's slow part for the writer: reads, merges, and says what is ready to be swapped.

In: a data directory. Out: one directory in `staging` for each date directory with something to merge, filled with the
merged files, and a JSON line for each on standard output; `Planned` before the first, `Beat` lines in between. Runs
niced, dies with its parent, touches nothing outside staging. The swap is the writer's, between two flushes.
"""

import os
import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import msgspec
import pyarrow as pa
from msgspec import Struct

from actors.core.files import private_dir
from actors.core.lifeline import die_with_parent
from actors.rugs.schema import DOC_TYPES
from actors.writer import layout
from actors.writer.layout import DataFile
from actors.writer.merging import Damaged, merge, times_of
from actors.writer.planning import HOUR_US, Merge, plan
from actors.writer.swap import folder_for

NICE = 10
SPARE_BYTES = 64_000_000  # a compaction leaves this free, and once again what it reads: the recording comes first


class Built(Struct, frozen=True, kw_only=True, tag="built"):
    """A successor whose merged files are on disk, to be swapped."""

    folder: str
    inputs: list[str]
    outputs: int
    bytes_before: int
    bytes_after: int


class Planned(Struct, frozen=True, kw_only=True, tag="planned"):
    """How many files are to be merged in all."""

    files: int


class Beat(Struct, frozen=True, kw_only=True, tag="beat"):
    """Still at work; files: how many were read since the last one."""

    files: int = 0


class Skipped(Struct, frozen=True, kw_only=True, tag="skipped"):
    """A file that stays as it is, since it cannot be merged."""

    why: str


class Refused(Struct, frozen=True, kw_only=True, tag="refused"):
    """The disk is full or fails; nothing more is merged now."""

    why: str


Said = Planned | Built | Beat | Skipped | Refused


class Merger:
    """One pass over a data directory."""

    def __init__(self, data_dir: Path, beat: Callable[[int], None]) -> None:
        """beat: called now and then during long work, with the number of files read since the last time."""
        self._beat = beat
        self._root = layout.events_dir(data_dir)
        self._staging = layout.staging_dir(data_dir)
        self._bad: dict[Path, str] = {}
        self._told: set[Path] = set()  # of the bad ones
        self._hours: dict[Path, int] = {}

    def work(self) -> Iterator[Said]:
        """Build one successor after the other."""
        newest_us = newest_time(self._root)
        if newest_us is None:
            return
        private_dir(self._staging)
        yield Planned(files=self._planned(newest_us))
        for doc_type in DOC_TYPES:
            try:
                yield from self._doc_type(doc_type, newest_us)
            except OSError as error:
                yield Refused(why=str(error))
                return

    def _planned(self, newest_us: int) -> int:
        """Count the files that are due; what turns out to be damaged later counts too."""
        files = {doc_type: layout.files_of(self._root, doc_type) for doc_type in DOC_TYPES}
        return sum(len(order.inputs) for one in files for order in self._orders(one, files[one], newest_us))

    def _orders(self, doc_type: str, files: list[DataFile], newest_us: int) -> list[Merge]:
        return list(plan(doc_type, files, newest_us, self._hour, lambda file: file.path in self._bad))

    def _doc_type(self, doc_type: str, newest_us: int) -> Iterator[Said]:
        done: set[str] = set()
        files = layout.files_of(self._root, doc_type)
        while True:
            orders = self._orders(doc_type, files, newest_us)
            if found := self._bad.keys() - self._told:  # footers that cannot be read: what is beside them is cut anew
                self._told |= found
                yield from (Skipped(why=self._bad[path]) for path in sorted(found))
                continue
            for date, group in groupby(orders, key=lambda order: order.date):
                if date in done:
                    continue
                try:
                    yield from self._build(doc_type, date, list(group))
                except Damaged as error:
                    self._bad[error.file.path] = str(error)
                    self._told.add(error.file.path)
                    yield Skipped(why=str(error))
                    break
                done.add(date)
            else:
                return

    def _build(self, doc_type: str, date: str, orders: list[Merge]) -> Iterator[Said]:
        sizes = [file.path.stat().st_size for order in orders for file in order.inputs]
        self._require_space(sum(sizes))
        folder = folder_for(self._staging, doc_type, date)
        folder.mkdir(mode=0o700)
        size_bytes = 0
        try:
            for order in orders:
                size_bytes += merge(order, folder / order.name, self._beat)
        except BaseException:
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()
            raise
        inputs = [file.path.name for order in orders for file in order.inputs]
        yield Built(
            folder=str(folder), inputs=inputs, outputs=len(orders), bytes_before=sum(sizes), bytes_after=size_bytes
        )

    def _require_space(self, size_bytes: int) -> None:
        found = os.statvfs(self._staging)
        free = found.f_bavail * found.f_frsize
        wanted = 2 * size_bytes + SPARE_BYTES
        if free < wanted:
            raise OSError(f"{self._staging} has {free} bytes free, a compaction needs {wanted}. Free some space.")

    def _hour(self, file: DataFile) -> int:
        if file.path not in self._hours:
            try:
                self._hours[file.path] = times_of(file)[0] // HOUR_US
            except Damaged as error:
                self._bad[file.path] = str(error)
                self._hours[file.path] = -1
        return self._hours[file.path]


def newest_time(root: Path) -> int | None:
    """Return the latest time in the recorded file with the highest numbers of all, None without a readable one."""
    files = [file for one in DOC_TYPES for file in layout.files_of(root, one) if not file.is_imported]
    for file in sorted(files, key=lambda file: file.last, reverse=True):
        try:
            return times_of(file)[1]
        except Damaged:
            continue
    return None


def main(data_dir: str, parent: str) -> None:
    """Say on standard output what is ready; end when all is said."""
    die_with_parent(int(parent))
    os.nice(NICE)
    pa.set_cpu_count(1)
    for said in Merger(Path(data_dir), lambda files: say(Beat(files=files))).work():
        say(said)


def say(said: Said) -> None:
    """Write one line to standard output."""
    sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
