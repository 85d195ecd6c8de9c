"""Rows into Arrow tables and Parquet bytes. Pure.

In: rows of one doc_type. Out: a whole Parquet file of schema 2.0.0 in memory. A value that its column cannot hold
becomes null and is counted: a bad frame is data, and never stops the writer.
"""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from actors.core.messages import Row
from actors.rugs.schema import DOC_TYPES, SCHEMA_VERSION, Column
from actors.rugs.schema import columns_of as columns_of
from actors.writer.cleaning import clean, was_changed

ZSTD_LEVEL = 3  # 1.2 GB/s of JSON; higher levels belong to compaction

_TYPES: dict[str, Any] = {
    "int8": pa.int8(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "string": pa.string(),
    "timestamp[us, UTC]": pa.timestamp("us", tz="UTC"),
    "list<double>": pa.list_(pa.float64()),
}
_PLAIN: dict[str, set[type]] = {
    "int8": {int},
    "int32": {int},
    "int64": {int},
    "double": {float, int},
    "bool": {bool},
    "string": {str, bytes},
    "timestamp[us, UTC]": {int},
    "list<double>": set(),  # each item is looked at
}
"""What Arrow converts as it should. By itself it would take 1.5 for 1 and True for 1.0."""

_FEW_VALUES = {"game_id", "stream", "direction", "opcode", "event_name", "phase", "origin", "button", "category"}
_FEW_VALUES |= {"actor", "event", "version", "verify_reason", "side", "coin", "kind"}
"""Columns with few different values: there a dictionary helps; on payloads and ids it only costs."""

_ENCODINGS = {
    "int32": "DELTA_BINARY_PACKED",
    "int64": "DELTA_BINARY_PACKED",
    "timestamp[us, UTC]": "DELTA_BINARY_PACKED",
    "double": "BYTE_STREAM_SPLIT",
    "list<double>": "BYTE_STREAM_SPLIT",
}


def give_back_memory() -> None:
    """Return what Arrow's pool keeps to the system: after flushes of 5,000 rows of 3 KB it is 80 MB."""
    pa.default_memory_pool().release_unused()


def metadata_of(first: int, last: int) -> dict[str | bytes, str | bytes]:
    """Return a file's key-value metadata of contract 4.7."""
    return {
        "vectra.schema_version": SCHEMA_VERSION,
        "vectra.first_seq": str(first),
        "vectra.last_seq": str(last),
    }


def parquet_options(doc_type: str, level: int) -> dict[str, Any]:
    """Return how pyarrow is to write a file of a doc_type, at this zstd level."""
    return {
        "compression": "zstd",
        "compression_level": level,
        "use_dictionary": [column.name for column in columns_of(doc_type) if column.name in _FEW_VALUES],
        "column_encoding": _encodings(doc_type),
    }


def _encodings(doc_type: str) -> dict[str, str]:
    chosen = {}
    for column in columns_of(doc_type):
        if column.name not in _FEW_VALUES and column.type in _ENCODINGS:
            leaf = f"{column.name}.list.element" if column.type.startswith("list") else column.name
            chosen[leaf] = _ENCODINGS[column.type]
    return chosen


SCHEMAS: dict[str, pa.Schema] = {
    doc_type: pa.schema([pa.field(column.name, _TYPES[column.type]) for column in columns_of(doc_type)])
    for doc_type in DOC_TYPES
}


class Built:
    """Rows of one doc_type as an Arrow table, and how many of their values had to be changed."""

    def __init__(self, doc_type: str, rows: Sequence[Row]) -> None:
        """rows: at least one, rising by seq."""
        self.doc_type = doc_type
        self.bad_values = 0
        width = len(DOC_TYPES[doc_type])
        lines = [row.values if len(row.values) == width else self._fitted(row.values, width) for row in rows]
        leading: list[list[Any]] = [
            [row.seq for row in rows],
            [row.at_us for row in rows],
            [row.game_id for row in rows],
        ]
        held: list[Sequence[Any]] = [*leading, *zip(*lines, strict=True)]
        arrays = [self._array(column, values) for column, values in zip(columns_of(doc_type), held, strict=True)]
        schema = SCHEMAS[doc_type].with_metadata(metadata_of(rows[0].seq, rows[-1].seq))
        self.table = pa.Table.from_arrays(arrays, schema=schema)

    def parquet(self) -> pa.Buffer:
        """Return the whole file."""
        sink = pa.BufferOutputStream()
        pq.write_table(self.table, sink, **parquet_options(self.doc_type, ZSTD_LEVEL))
        return sink.getvalue()

    def _fitted(self, values: list[Any], width: int) -> list[Any]:
        self.bad_values += 1
        return (values + [None] * width)[:width]

    def _array(self, column: Column, values: Sequence[Any]) -> Any:
        """Convert in one go where all values are plain; else look at each."""
        kind = _TYPES[column.type]
        if set(map(type, values)) - {type(None)} <= _PLAIN[column.type]:
            try:
                return pa.array(values, kind)
            except (pa.ArrowException, ValueError, TypeError, OverflowError):
                pass  # one of them does not fit
        cleaned = [clean(value, column.type) for value in values]
        self.bad_values += sum(map(was_changed, values, cleaned))
        return pa.array(cleaned, kind)
