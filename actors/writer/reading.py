"""Stored rows back into what they were made of: frames from `ws_event`, rows from the other doc_types.

In: files of a doc_type, rising by number. Out: records and rows in that order, a slice of a file at a time, so that
memory stays small. An older file that lacks a column gives null for it. `Unreadable` names a file that is damaged.
Changes nothing.
"""

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from actors.core.flow import frame_of
from actors.core.messages import Frame, Row
from actors.rugs.packets import TEXT
from actors.rugs.schema import columns_of
from actors.writer.columns import SCHEMAS
from actors.writer.layout import DataFile

_ESCAPED = re.compile(rb"(?<!\\)((?:\\\\)*)\\x([0-9a-f]{2})")
SLICE_ROWS = 500  # of ws_event 1.5 MB, with full snapshots at most 200 MB


class Unreadable(Exception):
    """A file cannot be read; the message names it."""

    def __init__(self, path: Path, why: object) -> None:
        super().__init__(f"{path} cannot be read: {why}. Nothing of its date was changed; move it away to go on.")


def frames(files: Iterable[DataFile], after: int) -> Iterator[Frame]:
    """Yield the frames of `ws_event` files beyond the number `after`, each file only when it comes to it."""
    for file in files:
        for batch in _slices(file.path, "ws_event", after):
            for seq, at_us, _, stream, direction, opcode, _, raw in _lines(batch):
                if seq > after:
                    payload = _bytes_of(raw) if opcode == TEXT else b64decode(raw)
                    yield Frame(seq, at_us, stream, direction == "sent", opcode, payload)


def rows(files: Iterable[DataFile], doc_type: str, after: int) -> Iterator[Row]:
    """Yield the rows of a doc_type's files that belong to frames beyond `after`."""
    for file in files:
        for batch in _slices(file.path, doc_type, after):
            for seq, at_us, game_id, *values in _lines(batch):
                if frame_of(seq) > after:
                    yield Row(seq, doc_type, at_us, game_id, values)


def table_of(files: Iterable[DataFile], doc_type: str) -> pa.Table:
    """Return all rows of files, none of them large."""
    found = [_fitted(_read(file.path), SCHEMAS[doc_type]) for file in files]
    return pa.concat_tables([SCHEMAS[doc_type].empty_table(), *found])


def _bytes_of(raw: str) -> bytes:
    """Return the frame as it came: bytes that are no UTF-8 stand in `raw` as \\xNN, which no JSON text contains."""
    if "\\x" not in raw:
        return raw.encode()
    payload = _ESCAPED.sub(lambda found: found[1] + bytes.fromhex(found[2].decode()), raw.encode())
    is_so = payload.decode("utf-8", "backslashreplace") == raw
    return payload if is_so else raw.encode()


def _slices(path: Path, doc_type: str, after: int) -> Iterator[pa.RecordBatch]:
    names = [column.name for column in columns_of(doc_type)]
    try:
        with pq.ParquetFile(path, pre_buffer=False) as parquet:
            present = [name for name in names if name in parquet.schema_arrow.names]
            for batch in parquet.iter_batches(SLICE_ROWS, columns=present, use_threads=False):
                if batch.num_rows and batch.column(0)[-1].as_py() > after:
                    yield from _fitted(pa.Table.from_batches([batch]), SCHEMAS[doc_type]).to_batches()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Unreadable(path, error) from error


def _read(path: Path) -> pa.Table:
    try:
        with pq.ParquetFile(path) as parquet:
            return parquet.read(use_threads=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Unreadable(path, error) from error


def _fitted(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return the table with exactly the columns of the schema: an older one may lack some."""
    names = set(table.column_names)
    columns: list[Any] = [
        table.column(field.name).cast(field.type) if field.name in names else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _lines(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    return zip(*(_plain(column) for column in batch.columns), strict=True)


def _plain(column: Any) -> list[Any]:
    """Return a column's values; times as Unix microseconds."""
    values: list[Any] = (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist()
    return values
