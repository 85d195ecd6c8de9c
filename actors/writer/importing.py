"""Recordings of other programs into the same data, for `vectra-supervisor import`, each frame and row once.

In: what `sources.py` reads of files of JSON lines and Parquet files, and a data directory whose lock the caller holds.
Frames are redacted, then go through the normalizer's own core. Out: Parquet files of the writer's form whose numbers
begin at `IMPORT_SEQ`, beyond any of the journal's, with the stream `import/<file>`, an `import` system event for each
file, and JSON lines that say what was found. A file appears in the data whole (`placing.py`); one of another schema
that lay among VECTRA's own is moved to `taken_over` in the same step. Changes no existing row, deletes no file.
"""

import resource
import sys
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import zstandard

from actors.core.messages import SEQ_STEP
from actors.core.privacy_files import pseudonym_key, read_own
from actors.rugs.memory import Memory
from actors.rugs.recordings import RELATIVE_BELOW, BadLine, Recorded, beginning_us, check_time
from actors.rugs.schema import DOC_TYPES, IMPORT_SEQ
from actors.rugs.tables import Kept
from actors.rugs.veil import Veil
from actors.writer import layout, placing
from actors.writer.batch import Batch, Said
from actors.writer.columns import give_back_memory
from actors.writer.known import Known
from actors.writer.reading import Unreadable
from actors.writer.sources import UNREADABLE, Item, Source, TableSource, sources
from actors.writer.telling import tell, told

TAKEN_OVER = "taken_over"
SAY_S = 1.0
MEMORY_BYTES = 3_000_000_000  # ordinary files take 300 MB, a line of 100 MB some 1.5 GB

Say = Callable[[Said], None]


class Import:
    """Takes one file after the other."""

    def __init__(self, data_dir: Path, say: Say, began_us: int | None = None, veil: Veil | None = None) -> None:
        """began_us: when recordings began whose times count from 0; by default their content tells."""
        self._veil = veil
        self.data_dir = data_dir
        self._root = layout.events_dir(data_dir)
        self._say = say
        self._began_us = began_us
        self._said_s = 0.0
        self._known = Known(self._root)
        self._memory = Memory(recording=True)
        self._reached: tuple[str | None, int] | None = None  # doc_type and time of the Parquet file before
        placing.complete(data_dir)

    def take(self, source: Source) -> Said:
        """Import one file; return, and say, what became of it."""
        try:
            placing.complete(self.data_dir)
            found = self._take(source, self._beginning(source))
        except Unreadable:
            raise
        except Exception as error:
            self._reached = None
            self._memory = Memory(recording=True)
            why = f"{source.path}: {_words(error)}"
            found = Said(file=str(source.path), done=True, trouble=why)
        self._say(found)
        return found

    def _beginning(self, source: Source) -> int:
        """Return what to add to times that count from 0."""
        if self._began_us is not None:
            return self._began_us
        if isinstance(source, TableSource) and source.first_us >= RELATIVE_BELOW * 1_000_000:
            return -1
        frames = (item if isinstance(item, Recorded) else None for _, item in source.items())
        base_us = beginning_us(frames, source.path.name)
        return -1 if base_us is None else base_us

    def _take(self, source: Source, base_us: int) -> Said:
        said = Said(file=str(source.path), unit=source.unit, done=True)
        batch = self._batch(source)
        is_kept = False
        try:
            for number, item in source.items():
                self._item(item, number, base_us, batch, said)
            said.left = sorted(source.left)
            moving = self._moving(source, said)
            said.rows = batch.seal(said, moving)
            is_kept = True
        finally:
            batch.discard()
            self._known.end_file(is_kept=is_kept)
            give_back_memory()
        if isinstance(source, TableSource):
            self._reached = (source.doc_type, said.last_us or source.first_us)
        for _, target in moving:
            said.moved = str(target)
            self._tidy(source.path.parent)
        return said

    def _batch(self, source: Source) -> Batch:
        """Parquet files of one doc_type whose times follow each other are one recording."""
        if not self._follows(source):
            self._memory = Memory(recording=True)
        self._reached = None
        stream = f"import/{source.path.name}"
        return Batch(self.data_dir, self._next_seq(), stream, self._veil, self._memory, self._known)

    def _follows(self, source: Source) -> bool:
        if not isinstance(source, TableSource) or self._reached is None:
            return False
        doc_type, last_us = self._reached
        return doc_type == source.doc_type and last_us <= source.first_us

    def _item(self, item: Item, number: int, base_us: int, batch: Batch, said: Said) -> None:
        said.lines += 1
        try:
            if isinstance(item, BadLine):
                raise item
            if item.is_relative and base_us < 0:
                raise BadLine("counts its time from 0, and nothing tells the date: give --began-at")
            at_us = check_time(item.at_us + (base_us if item.is_relative else 0))
            is_new = self._taken(batch, item, at_us)
        except BadLine as bad:
            said.bad_lines += 1
            place = f"{said.file}:{number}" if said.unit == "lines" else f"{said.file}: row {number}"
            self._say(Said(file=said.file, bad=f"{place}: {bad}"))
            return
        if not is_new:
            said.known += 1
        elif isinstance(item, Recorded):
            said.frames += 1
        else:
            said.kept += 1
        if is_new:
            said.first_us = at_us if said.first_us is None else min(said.first_us, at_us)
            said.last_us = at_us if said.last_us is None else max(said.last_us, at_us)
        now_s = time.monotonic()
        if now_s - self._said_s > SAY_S:
            self._said_s = now_s
            self._say(Said(file=said.file, unit=said.unit, lines=said.lines))

    @staticmethod
    def _taken(batch: Batch, item: Recorded | Kept, at_us: int) -> bool:
        """Say whether an item is new. BadLine: nothing can be made of it, whatever it is that it breaks."""
        try:
            return batch.take(item, at_us) if isinstance(item, Recorded) else batch.keep(item, at_us)
        except BadLine:
            raise
        except UNREADABLE as error:
            raise BadLine(f"cannot be taken: {type(error).__name__}: {error}") from error

    def _moving(self, source: Source, said: Said) -> list[placing.Rename]:
        """Return where a file goes that lies among VECTRA's own, if all of it was taken."""
        path, root = source.path.resolve(), self._root.resolve()
        if not isinstance(source, TableSource) or not path.is_relative_to(root):
            return []
        if said.bad_lines:
            said.stays = True
            return []
        inner = path.relative_to(root)
        target = wanted = self.data_dir / TAKEN_OVER / inner
        count = 1
        while target.exists():
            count += 1
            target = wanted.with_name(f"{wanted.stem}.{count}{wanted.suffix}")
        return [(self._root / inner, target)]

    def _tidy(self, folder: Path) -> None:
        """Remove folders in which nothing is left."""
        with suppress(OSError):
            while folder.resolve() != self._root.resolve():
                folder.rmdir()
                folder = folder.parent

    def _next_seq(self) -> int:
        files = [file for one in DOC_TYPES for file in layout.files_of(self._root, one) if file.is_imported]
        last = max((file.last for file in files), default=IMPORT_SEQ - SEQ_STEP)
        return last - last % SEQ_STEP + SEQ_STEP


def _words(error: Exception) -> str:
    """Return why a file was not taken: a system's error as such, one that nobody thought of with its kind."""
    if isinstance(error, MemoryError):
        return f"takes more than {MEMORY_BYTES // 10**9} GB of memory to read, which is the limit"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    expected = isinstance(error, OSError | EOFError | ValueError | zstandard.ZstdError | zlib.error)
    return str(error) if expected else f"cannot be read: {type(error).__name__}: {error}"


def bound_memory() -> None:
    """Have this process be refused more memory than `MEMORY_BYTES`: a file's trouble, and not the machine's."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    bound = pages * resource.getpagesize() + MEMORY_BYTES
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (bound if most == resource.RLIM_INFINITY else min(bound, most), most))


def main(data_dir: str, parent: str, began_us: str, veiled: str, *paths: str) -> int:
    """Import files; say on standard output what was found. Returns the exit code."""

    bound_memory()

    def take_all() -> None:
        place = Path(data_dir)
        veil = Veil(pseudonym_key(place), read_own(place)) if veiled else None
        importing = Import(place, tell, int(began_us) if began_us else None, veil)
        for source in sources([Path(path) for path in paths], importing.data_dir):
            importing.take(source)

    return told(parent, take_all, Unreadable)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
