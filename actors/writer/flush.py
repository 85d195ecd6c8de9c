"""The one place where rows become durable: a flush, whole or not at all.

In: the rows of a range. On disk: every doc_type's new file is made in `staging` and synced; then all are renamed to
their places; then the directories are synced; only then `_position` says that the range is done. A death anywhere in
between leaves either nothing, or sealed files beyond `_position`: their names tell which rows to skip when the range
comes again. A refusal of the disk (OSError) leaves the same, minus the staged files, and the flush may be tried again.
"""

import contextlib
import logging
import os
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from actors.core.faults import point
from actors.core.files import PRIVATE_FILE, private_dir, remove_file, sync_dir
from actors.core.messages import Row
from actors.rugs.schema import DOC_TYPES
from actors.writer import layout
from actors.writer.columns import Built, give_back_memory

_STAGED = ".staged"
_STAGED_NAME = re.compile(rf"([a-z_]+-[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}-[0-9]{{16}}|{layout.POSITION})\{_STAGED}")
_SEQ = attrgetter("seq")
_log = logging.getLogger("writer")


class Position(Struct, frozen=True):
    """What `_position` holds: every row up to `upto` is in a sealed file."""

    upto: int


class Piece(Struct, frozen=True, kw_only=True):
    """One file to be: rows of one doc_type and one date, rising by number."""

    doc_type: str
    date: str
    rows: list[Row]

    def path(self, root: Path) -> Path:
        """Return its final path."""
        return layout.file_path(root, self.doc_type, self.date, self.rows[0].seq, self.rows[-1].seq)


class Staged(Struct, frozen=True, kw_only=True):
    """A piece as a file that no reader sees yet."""

    piece: Piece
    path: Path
    size_bytes: int
    bad_values: int


def pieces(rows: Iterable[Row], covered: dict[str, int]) -> Iterator[Piece]:
    """Cut the rows that no file covers yet into files: by doc_type, and where the date changes."""
    by_type: dict[str, list[Row]] = {}
    for row in rows:
        if row.seq > covered[row.doc_type]:
            by_type.setdefault(row.doc_type, []).append(row)
    for doc_type, held in by_type.items():
        held.sort(key=_SEQ)
        for _, run in groupby(held, key=lambda row: row.at_us // layout.DAY_US):
            rows_of_day = list(run)
            yield Piece(doc_type=doc_type, date=layout.date_of(rows_of_day[0].at_us), rows=rows_of_day)


class Store:
    """The Parquet files of one data directory. The only writer there."""

    def __init__(self, data_dir: Path) -> None:
        """Find out how far earlier incarnations came, and remove what they left unfinished."""
        self.root = layout.events_dir(data_dir)
        self._staging = layout.staging_dir(data_dir)
        self._remove_staged()
        self.covered = {doc_type: layout.covered(self.root, doc_type) for doc_type in DOC_TYPES}
        self.position = self._read_position()
        self._made = {data_dir}
        self._to_sync: set[Path] = set()
        self.rows: dict[str, int] = {}
        self.files = 0
        self.bytes_written = 0
        self.bad_values = 0

    def flush(self, rows: Iterable[Row], upto: int) -> None:
        """Make the rows of the range that ends at `upto` durable, and the position after them.

        OSError: the disk refused; what was not renamed is gone, the same rows may be given again.
        """
        try:
            self._make(self.root)
            self._make(self._staging)
            for staged in [self._stage_piece(piece) for piece in pieces(rows, self.covered)]:
                self._seal(staged)
            self._sync_dirs()
            self._move_position(upto)
        except OSError:
            self._remove_staged()
            raise
        finally:
            give_back_memory()

    def _stage_piece(self, piece: Piece) -> Staged:
        built = Built(piece.doc_type, piece.rows)
        content = built.parquet()
        path = self._stage(f"{piece.doc_type}-{piece.date}-{piece.rows[0].seq:016d}", content)
        return Staged(piece=piece, path=path, size_bytes=content.size, bad_values=built.bad_values)

    def _stage(self, name: str, content: Any) -> Path:
        """Write and sync one file outside every reader's glob."""
        path = self._staging / f"{name}{_STAGED}"
        with open(path, "wb", opener=_private) as file:
            point("writer.write.before")
            file.write(content)
            file.flush()
            point("writer.write.after")
            point("writer.fsync.before")
            os.fsync(file.fileno())
            point("writer.fsync.after")
        return path

    def _seal(self, staged: Staged) -> None:
        piece = staged.piece
        path = piece.path(self.root)
        self._make(path.parent)
        point("writer.rename.before")
        staged.path.rename(path)
        point("writer.rename.after")
        self.covered[piece.doc_type] = piece.rows[-1].seq
        self._to_sync.add(path.parent)
        self.files += 1
        self.bytes_written += staged.size_bytes
        self.bad_values += staged.bad_values
        self.rows[piece.doc_type] = self.rows.get(piece.doc_type, 0) + len(piece.rows)

    def _make(self, directory: Path) -> None:
        """Make a directory, and have its name synced: also one that an earlier incarnation may just have made."""
        if directory not in self._made:
            self._make(directory.parent)
            private_dir(directory)
            self._to_sync.add(directory.parent)
            self._made.add(directory)

    def _sync_dirs(self) -> None:
        for directory in sorted(self._to_sync):
            point("writer.dir-fsync.before")
            sync_dir(directory)
            point("writer.dir-fsync.after")
            self._to_sync.discard(directory)

    def _move_position(self, upto: int) -> None:
        staged = self._stage(layout.POSITION, msgspec.json.encode(Position(upto)))
        point("writer.position-rename.before")
        staged.rename(self.root / layout.POSITION)
        point("writer.position-rename.after")
        point("writer.position-dir-fsync.before")
        sync_dir(self.root)
        point("writer.position-dir-fsync.after")
        self.position = upto

    def _read_position(self) -> int:
        """Without a readable position all is replayed, and the files' names still tell every double."""
        path = self.root / layout.POSITION
        try:
            return msgspec.json.decode(path.read_bytes(), type=Position).upto
        except FileNotFoundError:
            return 0
        except msgspec.MsgspecError as error:
            _log.warning(
                "%s is damaged (%s); starting from the oldest record kept, skipping what files hold", path, error
            )
            return 0

    def _remove_staged(self) -> None:
        for left in self._staging.glob(f"*{_STAGED}"):
            if _STAGED_NAME.fullmatch(left.name):
                with contextlib.suppress(OSError):  # what stays is overwritten, or removed at the next start
                    remove_file(left)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE_FILE)
