"""The typed rows of one date, made anew: collected, joined with what is carried over, and exchanged with the old files.

In: rows as they are derived, rising by number. On disk: for each doc_type one file in a directory below `staging`, then
the exchange of `swap.py`, so readers see the old rows or the new ones, never both and never neither. What is carried
over: imported files as they are, and old rows of which the stored frames do not tell.
"""

from array import array
from collections.abc import Iterable
from os import fsync
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from msgspec import Struct

from actors.core.files import private_dir, sync_dir
from actors.core.messages import SEQ_STEP, Row
from actors.rugs.schema import DOC_TYPES
from actors.writer import layout
from actors.writer.columns import SCHEMAS, Built, give_back_memory, metadata_of, parquet_options
from actors.writer.merging import ZSTD_LEVEL
from actors.writer.reading import table_of
from actors.writer.swap import folder_for, live_dir, swap

SOURCE = "ws_event"
MADE = tuple(doc_type for doc_type in DOC_TYPES if doc_type != SOURCE)
CHUNK_ROWS = 5000
GROUP_ROWS = 50_000


class Counts(Struct):
    """Rows of a doc_type before and after."""

    before: int = 0
    after: int = 0


class Remade:
    """One date's rows."""

    def __init__(self, date: str) -> None:
        self.date = date
        self.frames = array("q")  # numbers of the stored frames, from which rows are derived
        self.kept = array("q")  # numbers of rows that stay though their frame is stored
        self._rows: dict[str, list[Row]] = {doc_type: [] for doc_type in MADE}
        self._tables: dict[str, list[pa.Table]] = {doc_type: [] for doc_type in MADE}

    def add(self, rows: Iterable[Row]) -> None:
        """Take what a frame became."""
        for row in rows:
            if row.doc_type == SOURCE:
                continue
            held = self._rows[row.doc_type]
            held.append(row)
            if len(held) >= CHUNK_ROWS:
                self._pack(row.doc_type)

    def finish(self, data_dir: Path) -> tuple[dict[str, Counts], list[Path]]:
        """Exchange the date's directories; return what changed, and what lies in staging now to be deleted."""
        counts: dict[str, Counts] = {}
        left: list[Path] = []
        for doc_type in MADE:
            counts[doc_type] = self._remake(data_dir, doc_type, left)
            give_back_memory()
        return counts, left

    def _remake(self, data_dir: Path, doc_type: str, left: list[Path]) -> Counts:
        root, staging = layout.events_dir(data_dir), private_dir(layout.staging_dir(data_dir))
        folder = folder_for(staging, doc_type, self.date)
        live = live_dir(root, folder)
        files = [file for path in live.glob("*.parquet") if (file := layout.parse(path)) and not file.is_imported]
        old = table_of(sorted(files, key=lambda file: file.first), doc_type)
        new = self._joined(doc_type, old)
        counts = Counts(before=old.num_rows, after=new.num_rows)
        if not files and not new.num_rows:
            return counts
        folder.mkdir(mode=0o700)
        if new.num_rows:
            _write(folder, doc_type, new)
        if live.is_dir():
            swap(root, folder, {file.path.name for file in files})
            left.append(folder)
        else:
            sync_dir(folder)
            folder.rename(private_dir(live.parent) / live.name)
            sync_dir(live.parent)
        return counts

    def _joined(self, doc_type: str, old: pa.Table) -> pa.Table:
        """Return the derived rows and those carried over, in order of their numbers."""
        self._pack(doc_type)
        frame = pc.bit_wise_and(old["seq"], pa.scalar(-SEQ_STEP, pa.int64()))
        derived = pc.is_in(frame, value_set=pa.array(self.frames, pa.int64()))
        kept = pc.is_in(old["seq"], value_set=pa.array(self.kept, pa.int64()))
        carried = old.filter(pc.or_(pc.invert(derived), kept))
        joined = pa.concat_tables([*self._tables[doc_type], carried]) if self._tables[doc_type] else carried
        return joined.take(pc.sort_indices(joined, [("seq", "ascending")]))  # stable: rows of one number keep order

    def _pack(self, doc_type: str) -> None:
        rows = self._rows[doc_type]
        if rows:
            self._tables[doc_type].append(Built(doc_type, rows).table.replace_schema_metadata(None))
            self._rows[doc_type] = []


def _write(folder: Path, doc_type: str, table: pa.Table) -> None:
    """Write one synced file with the metadata of contract 4.7."""
    first, last = table["seq"][0].as_py(), table["seq"][-1].as_py()
    schema = SCHEMAS[doc_type].with_metadata(metadata_of(first, last))
    path = folder / layout.file_path(Path(), doc_type, "", first, last).name
    with path.open("xb") as sink:
        path.chmod(0o600)
        with pq.ParquetWriter(sink, schema, **parquet_options(doc_type, ZSTD_LEVEL)) as writer:
            writer.write_table(table.replace_schema_metadata(schema.metadata), row_group_size=GROUP_ROWS)
        sink.flush()
        fsync(sink.fileno())
