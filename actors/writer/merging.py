"""Many Parquet files into one, a slice of rows at a time, so that memory stays small whatever the files' sizes.

In: files with rising, disjoint numbers. Out: one synced file of the same schema with all their rows, in order. Every
row's place is checked on the way: a file that is damaged, of another schema, or not what its name says is reported and
never merged. Changes nothing that exists.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from actors.core.faults import point
from actors.core.files import PRIVATE_FILE
from actors.rugs.schema import SCHEMA_VERSION
from actors.writer.columns import SCHEMAS, give_back_memory, metadata_of, parquet_options
from actors.writer.layout import DataFile
from actors.writer.planning import Merge

ZSTD_LEVEL = 9
SLICE_BYTES = 1_000_000
MOST_SLICE_ROWS = 1000
READ_BYTES = 262_144  # of a column at a time: never a whole compressed row group
GROUP_BYTES = 4_000_000  # a row group in memory: 1,300 frames, or 50,000 ticks; 8 MB would save 1 % of the file
PAGE_STEP_ROWS = 64  # a page ends at 1 MB, looked at after so many rows; Arrow's 1,024 of 20 KB would be 20 MB
_TIME = 1  # the place of `ts` among the columns


class Damaged(Exception):
    """A file cannot be merged: unreadable, of another schema, or not what its name says."""

    def __init__(self, file: DataFile, why: object) -> None:
        super().__init__(f"{file.path}: {why}")
        self.file = file


def times_of(file: DataFile) -> tuple[int, int]:
    """Return the earliest and the latest time of a file's rows in microseconds, from its footer. Damaged."""
    try:
        with pq.ParquetFile(file.path) as parquet:
            _check(file, parquet)
            groups = [parquet.metadata.row_group(number) for number in range(parquet.metadata.num_row_groups)]
            spans: list[Any] = [group.column(_TIME).statistics for group in groups]
            return min(_us(span.min) for span in spans), max(_us(span.max) for span in spans)
    except (pa.ArrowException, OSError, ValueError, AttributeError) as error:
        raise Damaged(file, error) from error


def merge(order: Merge, path: Path, beat: Callable[[int], None]) -> int:
    """Write the merged file at `path`, synced, and return its size.

    beat: called for each row group with the number of files that were begun since it was called before.
    Damaged: an input; OSError: the disk refuses.
    """
    schema = SCHEMAS[order.doc_type].with_metadata(metadata_of(order.inputs[0].first, order.inputs[-1].last))
    point("compact.merge.before")
    with open(path, "xb", opener=_private) as sink:
        options = parquet_options(order.doc_type, ZSTD_LEVEL)
        with pq.ParquetWriter(sink, schema, write_batch_size=PAGE_STEP_ROWS, **options) as writer:
            for group, files in _groups(order.inputs):
                writer.write_table(group.replace_schema_metadata(schema.metadata), row_group_size=group.num_rows)
                del group  # before the next is read
                give_back_memory()
                beat(files)
        sink.flush()
        point("compact.merge.after")
        point("compact.merge-fsync.before")
        os.fsync(sink.fileno())
        point("compact.merge-fsync.after")
        return os.fstat(sink.fileno()).st_size


def _groups(inputs: list[DataFile]) -> Iterator[tuple[pa.Table, int]]:
    """Yield row groups, each with the number of files that were begun since the one before."""
    held: list[pa.Table] = []
    size = files = 0
    for file in inputs:
        files += 1
        for part in _slices(file):
            held.append(part)
            size += part.nbytes
            if size >= GROUP_BYTES:
                yield pa.concat_tables(held), files
                held, size, files = [], 0, 0
    if held:
        yield pa.concat_tables(held), files


def _slices(file: DataFile) -> Iterator[pa.Table]:
    """Yield a file's rows; Damaged as soon as they are not what the name says."""
    reached, count = file.first, 0
    try:
        with pq.ParquetFile(file.path, pre_buffer=False, buffer_size=READ_BYTES) as parquet:
            _check(file, parquet)
            for batch in parquet.iter_batches(_slice_rows(parquet), use_threads=False):
                first, last = batch.column(0)[0].as_py(), batch.column(0)[-1].as_py()
                if not reached <= first <= last <= file.last or (count == 0 and first != file.first):
                    raise ValueError(f"holds the numbers {first} to {last} after {reached}")
                reached, count = last, count + batch.num_rows
                yield pa.Table.from_batches([batch])
            if reached != file.last or count != parquet.metadata.num_rows:
                raise ValueError(f"ends at {reached} after {count} rows")
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Damaged(file, error) from error


def _slice_rows(parquet: pq.ParquetFile) -> int:
    groups = [parquet.metadata.row_group(number) for number in range(parquet.metadata.num_row_groups)]
    fitting = SLICE_BYTES * parquet.metadata.num_rows // sum(group.total_byte_size for group in groups)
    return max(1, min(fitting, MOST_SLICE_ROWS))


def _check(file: DataFile, parquet: pq.ParquetFile) -> None:
    doc_type = file.path.parent.parent.name.removeprefix("doc_type=")
    version = (parquet.schema_arrow.metadata or {}).get(b"vectra.schema_version", b"none").decode(errors="replace")
    if version != SCHEMA_VERSION or not parquet.schema_arrow.equals(SCHEMAS[doc_type]):
        raise ValueError(f"its schema is {version}, must be {SCHEMA_VERSION} of {doc_type}")
    if parquet.metadata.num_rows == 0:
        raise ValueError("it holds no rows")


def _us(moment: Any) -> int:
    return int(pa.scalar(moment, pa.timestamp("us", tz="UTC")).cast(pa.int64()).as_py())


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE_FILE)
