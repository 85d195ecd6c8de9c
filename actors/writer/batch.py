"""The rows of one imported file: derived, written aside as they come, and put in their places together.

In: frames and rows of one file, in order, and what is known already. Out: Parquet files of the writer's form in
`staging/import`, with numbers of their own, and one `import` system event that tells of them; `placing.py` brings all
of it into the data. Reads no file of a recording, never changes an existing row.
"""

import json
import os
import time
from pathlib import Path

from msgspec import Struct, field

from actors.core.files import PRIVATE_FILE, private_dir
from actors.core.messages import SEQ_STEP, Frame, Row
from actors.rugs.memory import Memory
from actors.rugs.normalize import derive
from actors.rugs.recordings import BadLine, Recorded
from actors.rugs.redact import Redactor
from actors.rugs.schema import DOC_TYPES
from actors.rugs.scrub import scrub
from actors.rugs.tables import Kept
from actors.rugs.veil import Veil
from actors.writer import layout, placing
from actors.writer.cleaning import clean, was_changed
from actors.writer.columns import Built
from actors.writer.flush import Piece, pieces
from actors.writer.known import Known

SOURCE = "ws_event"
CHUNK_ROWS = 20_000
CHUNK_BYTES = 32_000_000


class Said(Struct, kw_only=True, omit_defaults=True):
    """One line: a bad line of the file, how far it is, or, `done`, what became of it."""

    file: str
    unit: str = "lines"  # or rows, of a Parquet file
    bad: str | None = None
    done: bool = False
    trouble: str | None = None  # why nothing of the file was taken
    lines: int = 0
    frames: int = 0  # new ones
    kept: int = 0  # new rows that are no frames
    known: int = 0  # of both those that are in the data already
    bad_lines: int = 0
    rows: int = 0
    first_us: int | None = None
    last_us: int | None = None
    left: list[str] = field(default_factory=list)  # columns that nothing was made of
    moved: str | None = None  # where the file lies now
    stays: bool = False  # it lies among VECTRA's own and stays there: some of its rows were refused


class Batch:
    """The rows of one file: written aside as they come, put in their places together."""

    def __init__(
        self, data_dir: Path, seq: int, stream: str, veil: Veil | None, memory: Memory, known: Known
    ) -> None:  # fmt: skip
        self._data_dir, self._stream = data_dir, stream
        self._root, self._aside = layout.events_dir(data_dir), placing.aside(data_dir)
        self._begin = self._seq = seq  # the import's own event; frames follow
        self._memory = memory
        self._redactor = Redactor(veil=veil)
        self._known = known
        self._rows: list[Row] = []
        self._size = 0
        self._count = 0
        self._staged: list[placing.Rename] = []

    def take(self, recorded: Recorded, at_us: int) -> bool:
        """Derive a frame; say whether it is new. One that was imported before only feeds the memory.

        BadLine: a typed row out of which no row can be made.
        """
        payload, redacted = self._redactor.clean(recorded.sent, recorded.opcode, recorded.payload, self._stream)
        frame = Frame(self._seq + SEQ_STEP, at_us, self._stream, recorded.sent, recorded.opcode, payload, redacted)
        malformed = self._memory.malformed
        rows = derive(self._memory, frame).rows
        if recorded.is_restored:
            if self._memory.malformed > malformed:
                raise BadLine("has values that do not fit, no row can be made of it")
            rows = self._brought(rows)
        if not rows or not self._known.is_new_frame(frame):
            return False
        if not recorded.is_restored:
            rows = [row for row in rows if self._known.is_new_row(row)]
        self._add(frame.seq, rows, len(payload))
        return True

    def keep(self, kept: Kept, at_us: int) -> bool:
        """Take a row that is no frame; say whether it is new. BadLine: a value that its column cannot hold."""
        values = []
        for column, value in zip(DOC_TYPES[kept.doc_type], kept.values, strict=True):
            fit = clean(value, column.type)
            if was_changed(value, fit):
                raise BadLine(f"has {str(value)[:40]!r} as {column.name}, must be {column.type}")
            values.append(scrub(fit.encode()).decode() if column.name == "data" and fit is not None else fit)
        row = Row(self._seq + SEQ_STEP, kept.doc_type, at_us, clean(kept.game_id, "string"), values)
        if not self._known.is_new_kept(row):
            return False
        self._add(row.seq, [row], sum(len(value) for value in values if isinstance(value, str)))
        return True

    def seal(self, said: Said, moving: list[placing.Rename]) -> int:
        """Put everything in place and return the number of rows; none where nothing is new."""
        if said.frames or said.kept:
            self._write()
            self._stage(self._event(said))
        self._staged.sort(key=lambda pair: SOURCE in pair[1].parent.parent.name)  # stable, and the frames last
        if self._staged or moving:
            placing.place(self._data_dir, [*self._staged, *moving])
        self._staged = []
        return self._count

    def discard(self) -> None:
        """Remove what was written aside and is not on the way to its place."""
        if not (self._aside / placing.LIST).exists():
            for staged, _ in self._staged:
                staged.unlink(missing_ok=True)

    def _brought(self, rows: list[Row]) -> list[Row]:
        """Return the frame and the rows it brings, nothing where all of these are known."""
        frame, others = rows[0], [row for row in rows[1:] if row.doc_type != "system_event"]
        news = [row for row in others if self._known.is_new_row(row, is_restored=True)]
        return [frame, *news] if news else []

    def _add(self, seq: int, rows: list[Row], size: int) -> None:
        self._seq = seq
        self._rows += rows
        self._size += size
        if len(self._rows) >= CHUNK_ROWS or self._size >= CHUNK_BYTES:
            self._write()

    def _event(self, said: Said) -> Piece:
        told = {
            "file": Path(said.file).name, "lines": said.lines, "frames": said.frames, "knownFrames": said.known,
            "badLines": said.bad_lines, "firstSeq": self._begin, "lastSeq": self._seq + SEQ_STEP - 1,
            "from_us": said.first_us, "to_us": said.last_us,
        }  # fmt: skip
        told |= {"rows": said.kept} if said.kept else {}
        told |= {"columnsLeft": said.left} if said.left else {}
        at_us = time.time_ns() // 1000
        event = Row(self._begin, "system_event", at_us, None, ["import", json.dumps(told)])
        return Piece(doc_type="system_event", date=layout.date_of(at_us), rows=[event])

    def _write(self) -> None:
        for piece in pieces(self._rows, dict.fromkeys(DOC_TYPES, -1)):
            self._stage(piece)
        self._rows, self._size = [], 0

    def _stage(self, piece: Piece) -> None:
        path = private_dir(self._aside) / f"{piece.doc_type}-{piece.date}-{piece.rows[0].seq:016d}"
        with open(path, "wb", opener=lambda name, flags: os.open(name, flags, PRIVATE_FILE)) as file:
            file.write(Built(piece.doc_type, piece.rows).parquet())
            file.flush()
            os.fsync(file.fileno())
        self._staged.append((path, piece.path(self._root)))
        self._count += len(piece.rows)
