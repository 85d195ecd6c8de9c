"""The values of a foreign Parquet file's batches as plain Python, each by itself where a column as a whole will not do.

In: Arrow columns. Out: values; times in microseconds; what Python cannot hold, a day beyond the year 9999, as text that
says so.
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from actors.writer.merging import SLICE_BYTES

pc: Any = pyarrow.compute  # its stubs do not know arrays beside plain values

MOST_SLICE_ROWS = 200  # full snapshots of 0.5 MB become 100 MB of values
MOST_SHARED_BYTES = 100_000_000
_ERRORS = (pa.ArrowException, ValueError, ArithmeticError)


def slice_rows(parquet: pq.ParquetFile) -> int:
    """Return how many rows are read at a time.

    A text in a column's dictionary may stand in every row and be stored once: such a column chunk counts whole for each
    row, since its values cannot be larger than it is.
    """
    groups = [parquet.metadata.row_group(number) for number in range(parquet.metadata.num_row_groups)]
    size = sum(group.total_byte_size for group in groups)
    fitting = SLICE_BYTES * parquet.metadata.num_rows // max(size, 1)
    shared = max((_dictionary_bytes(group) for group in groups), default=0)
    if shared > 0:
        fitting = min(fitting, MOST_SHARED_BYTES // shared)
    return max(1, min(fitting, MOST_SLICE_ROWS))


def column_values(column: Any) -> list[Any]:
    """Return a column's values as plain Python; text that is no UTF-8 shows its bytes as \\xNN."""
    if pa.types.is_dictionary(column.type):
        shared = column_values(column.dictionary)
        return [None if place is None else shared[place] for place in column.indices.to_pylist()]
    try:
        kind = _plain_type(column.type)
        plain = column if kind == column.type else pc.cast(column, options=_exactly(kind))
        values: list[Any] = plain.to_pylist()
    except _ERRORS:
        values = [_value(one) for one in column]
    return values


def _value(value: Any) -> Any:
    if not value.is_valid:
        return None
    kind = _plain_type(value.type)
    try:
        plain = value if kind == value.type else pc.cast(value, options=_exactly(kind))
        return plain.as_py()
    except UnicodeDecodeError:
        return _bytes_shown(value)
    except _ERRORS:
        return _unheld(value)


def _bytes_shown(value: Any) -> Any:
    if _is_text(value.type):
        return value.as_buffer().to_pybytes().decode(errors="backslashreplace")
    return f"(text in a {value.type} that is not UTF-8)"


def _unheld(value: Any) -> str:
    try:
        return f"{value.cast(pa.int64()).as_py()} as {value.type}"
    except _ERRORS:
        return f"(a {value.type} beyond what can be held)"


def _exactly(kind: Any) -> Any:
    return pc.CastOptions(kind, allow_time_truncate=True)


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_binary(kind))


def _plain_type(kind: Any) -> Any:
    """Return the type in which times are microseconds, which is what Python's have."""
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", tz="UTC" if kind.tz else None)
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_plain_type(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_plain_type(kind.value_type)))
    return kind


def _dictionary_bytes(group: Any) -> int:
    columns = [group.column(number) for number in range(group.num_columns)]
    return sum(
        one.total_uncompressed_size for one in columns if one.physical_type == "BYTE_ARRAY" and one.has_dictionary_page
    )
