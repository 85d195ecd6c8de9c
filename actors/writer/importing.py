"""Recordings of other programs into the same data, for `vectra-supervisor import`, each frame and row once.

In: files of JSON lines, plain, gzip or zstd, and a data directory whose lock the caller holds. Frames are redacted,
then go through the normalizer's own core. Out: Parquet files of the writer's form whose numbers begin at `IMPORT_SEQ`,
beyond any of the journal's, with the stream `import/<file>`, an `import` system event for each file, and JSON lines
that say what was found. A file appears in the data whole: its rows are renamed to their places when all are written,
those of `ws_event` last; what a death left of the others is removed by the next import. Changes no existing row.
"""

import gzip
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import zstandard
from msgspec import Struct

from actors.core.files import PRIVATE_FILE, private_dir, sync_dir
from actors.core.messages import SEQ_STEP, Frame, Row
from actors.core.privacy_files import pseudonym_key, read_own
from actors.rugs.memory import Memory
from actors.rugs.normalize import derive
from actors.rugs.recordings import BadLine, Recorded, beginning_us, read_line
from actors.rugs.redact import Redactor
from actors.rugs.schema import DOC_TYPES, IMPORT_SEQ
from actors.rugs.veil import Veil
from actors.writer import layout
from actors.writer.columns import Built
from actors.writer.flush import Piece, pieces
from actors.writer.known import Known
from actors.writer.reading import Unreadable
from actors.writer.telling import tell, told

SOURCE = "ws_event"
CHUNK_ROWS = 20_000
CHUNK_BYTES = 32_000_000
SAY_S = 1.0
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class Said(Struct, kw_only=True, omit_defaults=True):
    """One line: a bad line of the file, how far it is, or, `done`, what became of it."""

    file: str
    bad: str | None = None
    done: bool = False
    trouble: str | None = None  # why nothing of the file was taken
    lines: int = 0
    frames: int = 0  # new ones
    known: int = 0  # frames that were imported before
    bad_lines: int = 0
    rows: int = 0
    first_us: int | None = None
    last_us: int | None = None


Say = Callable[[Said], None]


class Import:
    """Takes one file after the other."""

    def __init__(self, data_dir: Path, say: Say, began_us: int | None = None, veil: Veil | None = None) -> None:
        """began_us: when recordings began whose times count from 0; by default their content tells."""
        self._veil = veil
        self._root = layout.events_dir(data_dir)
        self._staging = private_dir(layout.staging_dir(data_dir))
        self._say = say
        self._began_us = began_us
        self._said_s = 0.0
        self._remove_unfinished()

    def take(self, path: Path) -> Said:
        """Import one file; return, and say, what became of it."""
        try:
            base_us = self._beginning(path)
            found = self._take(path, base_us)
        except (OSError, EOFError, zstandard.ZstdError, ValueError) as error:
            found = Said(file=str(path), done=True, trouble=f"{path}: {getattr(error, 'strerror', None) or error}")
        self._say(found)
        return found

    def _beginning(self, path: Path) -> int:
        """Return what to add to times that count from 0."""
        if self._began_us is not None:
            return self._began_us
        with _open(path) as lines:
            base_us = beginning_us(lines, path.name)
        return -1 if base_us is None else base_us

    def _take(self, path: Path, base_us: int) -> Said:
        said = Said(file=str(path), done=True)
        batch = _Batch(self._root, self._staging, self._next_seq(), f"import/{path.name}", self._veil)
        try:
            with _open(path) as lines:
                for number, line in enumerate(lines, 1):
                    self._line(line, number, base_us, batch, said)
            said.rows = batch.seal(said)
        except BaseException:
            batch.discard()
            raise
        return said

    def _line(self, line: bytes, number: int, base_us: int, batch: "_Batch", said: Said) -> None:
        if not line.strip():
            return
        said.lines += 1
        try:
            recorded = read_line(line)
            if recorded.is_relative and base_us < 0:
                raise BadLine("counts its time from 0, and nothing tells the date: give --began-at")
        except BadLine as bad:
            said.bad_lines += 1
            self._say(Said(file=said.file, bad=f"{said.file}:{number}: {bad}"))
            return
        at_us = recorded.at_us + (base_us if recorded.is_relative else 0)
        if batch.take(recorded, at_us):
            said.frames += 1
            said.first_us = min(said.first_us or at_us, at_us)
            said.last_us = max(said.last_us or at_us, at_us)
        else:
            said.known += 1
        now_s = time.monotonic()
        if now_s - self._said_s > SAY_S:
            self._said_s = now_s
            self._say(Said(file=said.file, lines=said.lines))

    def _imported(self, doc_type: str) -> list[layout.DataFile]:
        return [file for file in layout.files_of(self._root, doc_type) if file.is_imported]

    def _next_seq(self) -> int:
        last = max((file.last for one in DOC_TYPES for file in self._imported(one)), default=IMPORT_SEQ - SEQ_STEP)
        return last - last % SEQ_STEP + SEQ_STEP

    def _remove_unfinished(self) -> None:
        """Remove typed rows of an import that died before its frames were in place; calling it again brings them."""
        end = max((file.last for file in self._imported(SOURCE)), default=IMPORT_SEQ - SEQ_STEP)
        end = end - end % SEQ_STEP + SEQ_STEP
        for doc_type in DOC_TYPES:
            for file in self._imported(doc_type):
                if file.first >= end:
                    file.path.unlink()


class _Batch:
    """The rows of one file: written aside as they come, put in their places together."""

    def __init__(self, root: Path, staging: Path, seq: int, stream: str, veil: Veil | None) -> None:
        self._root, self._staging, self._stream = root, staging, stream
        self._begin = self._seq = seq  # the import's own event; frames follow
        self._memory = Memory(recording=True)
        self._redactor = Redactor(veil=veil)
        self._known = Known(root)
        self._rows: list[Row] = []
        self._size = 0
        self._count = 0
        self._staged: list[tuple[Path, Path]] = []

    def take(self, recorded: Recorded, at_us: int) -> bool:
        """Derive a frame; say whether it is new. One that was imported before only feeds the memory."""
        payload, redacted = self._redactor.clean(recorded.sent, 1, recorded.payload, self._stream)
        frame = Frame(self._seq + SEQ_STEP, at_us, self._stream, recorded.sent, 1, payload, redacted)
        rows = derive(self._memory, frame).rows
        if not self._known.is_new_frame(frame):
            return False
        self._seq = frame.seq
        self._rows += [row for row in rows if self._known.is_new_row(row)]
        self._size += len(payload)
        if len(self._rows) >= CHUNK_ROWS or self._size >= CHUNK_BYTES:
            self._write()
        return True

    def seal(self, said: Said) -> int:
        """Put everything in place and return the number of rows; nothing where no frame is new."""
        if not said.frames:
            return 0
        told = {
            "file": Path(said.file).name, "lines": said.lines, "frames": said.frames, "knownFrames": said.known,
            "badLines": said.bad_lines, "firstSeq": self._begin, "lastSeq": self._seq + SEQ_STEP - 1,
            "from_us": said.first_us, "to_us": said.last_us,
        }  # fmt: skip
        at_us = time.time_ns() // 1000
        self._write()
        event = Row(self._begin, "system_event", at_us, None, ["import", json.dumps(told)])
        self._stage(Piece(doc_type="system_event", date=layout.date_of(at_us), rows=[event]))
        self._staged.sort(key=lambda pair: SOURCE in pair[1].parent.parent.name)  # stable, and the frames last
        parents = []
        for staged, final in self._staged:
            parents.append(private_dir(final.parent))
            staged.rename(final)
        for parent in sorted({place for one in parents for place in (one, one.parent, self._root)}):
            sync_dir(parent)
        self._staged = []
        return self._count

    def discard(self) -> None:
        """Remove what was written aside."""
        for staged, _ in self._staged:
            staged.unlink(missing_ok=True)

    def _write(self) -> None:
        for piece in pieces(self._rows, dict.fromkeys(DOC_TYPES, -1)):
            self._stage(piece)
        self._rows, self._size = [], 0

    def _stage(self, piece: Piece) -> None:
        path = self._staging / f"import-{piece.doc_type}-{piece.date}-{piece.rows[0].seq:016d}.staged"
        with open(path, "wb", opener=lambda name, flags: os.open(name, flags, PRIVATE_FILE)) as file:
            file.write(Built(piece.doc_type, piece.rows).parquet())
            file.flush()
            os.fsync(file.fileno())
        self._staged.append((path, piece.path(self._root)))
        self._count += len(piece.rows)


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes] | Any]:
    """Open a file of lines, compressed or not. OSError: it cannot be read."""
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        if head[:2] == _GZIP:
            with gzip.open(file) as lines:
                yield lines
        elif head == _ZSTD:
            with zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as reader:
                yield io.BufferedReader(reader)
        else:
            yield file


def main(data_dir: str, parent: str, began_us: str, veiled: str, *paths: str) -> int:
    """Import files; say on standard output what was found. Returns the exit code."""

    def take_all() -> None:
        place = Path(data_dir)
        veil = Veil(pseudonym_key(place), read_own(place)) if veiled else None
        importing = Import(place, tell, int(began_us) if began_us else None, veil)
        for path in paths:
            importing.take(Path(path))

    return told(parent, take_all, Unreadable)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
