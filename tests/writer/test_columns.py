"""Rows into Parquet: the schema of contract 4.7, and what becomes of values that do not fit."""

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.core.messages import Row
from actors.rugs.schema import DOC_TYPES
from actors.writer.cleaning import clean, was_changed
from actors.writer.columns import SCHEMAS, Built, columns_of

FITTING: dict[str, Any] = {
    "int8": 1, "int32": 7, "int64": 2**40, "double": 1.5, "bool": True, "string": "text",
    "timestamp[us, UTC]": 1_765_843_200_000_000, "list<double>": [1.0, 1.5],
}  # fmt: skip
LEAST = {"int8": -(2**7), "int32": -(2**31), "int64": -(2**63), "timestamp[us, UTC]": -(2**63)}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)


def row(doc_type: str, seq: int = 512, **changed: Any) -> Row:
    values = [changed.get(column.name, FITTING[column.type]) for column in DOC_TYPES[doc_type]]
    return Row(seq, doc_type, 1_765_843_200_000_000, "20251215-0123456789abcdef", values)


def read(built: Built) -> pa.Table:
    return pq.read_table(pa.BufferReader(built.parquet()))


@pytest.mark.parametrize("doc_type", DOC_TYPES)
def test_each_doc_type_has_its_columns_and_the_metadata(doc_type: str) -> None:
    table = read(Built(doc_type, [row(doc_type), row(doc_type, 768)]))
    assert table.schema == SCHEMAS[doc_type]
    assert table.schema.names[:3] == ["seq", "ts", "game_id"]
    assert table.schema.field("ts").type == pa.timestamp("us", "UTC")
    metadata = table.schema.metadata or {}
    assert (metadata[b"vectra.schema_version"], metadata[b"vectra.first_seq"], metadata[b"vectra.last_seq"]) == (
        b"2.0.0", b"512", b"768")  # fmt: skip
    assert table["ts"].to_pylist() == [datetime(2025, 12, 16, tzinfo=UTC)] * 2


@pytest.mark.parametrize("doc_type", DOC_TYPES)
def test_a_file_of_nothing_but_nulls_has_the_same_schema(doc_type: str) -> None:
    empty = Row(256, doc_type, 0, None, [None] * len(DOC_TYPES[doc_type]))
    built = Built(doc_type, [empty])
    assert read(built).schema == SCHEMAS[doc_type]
    assert built.bad_values == 0


def test_prices_are_split_counters_are_deltas_and_payloads_are_not_in_a_dictionary(tmp_path: Path) -> None:
    def encodings(doc_type: str) -> dict[str, set[str]]:
        file = pq.ParquetFile(pa.BufferReader(Built(doc_type, [row(doc_type)] * 100).parquet()))
        group = file.metadata.row_group(0)
        columns = [group.column(index) for index in range(group.num_columns)]
        assert {column.compression for column in columns} == {"ZSTD"}
        return {column.path_in_schema: set(column.encodings) for column in columns}

    ticks, frames, games = encodings("game_tick"), encodings("ws_event"), encodings("game")
    assert "BYTE_STREAM_SPLIT" in ticks["price"]
    assert "BYTE_STREAM_SPLIT" in games["prices.list.element"]
    assert "DELTA_BINARY_PACKED" in ticks["tick"] & frames["seq"] & frames["ts"]
    assert "RLE_DICTIONARY" in frames["event_name"] & ticks["phase"]
    assert "RLE_DICTIONARY" not in frames["raw"]


BAD = [
    ("game_tick", "tick", 1.5, None),
    ("game_tick", "tick", 2**31, None),
    ("game_tick", "tick", True, None),
    ("game_tick", "price", "2", None),
    ("game_tick", "price", True, None),
    ("game_tick", "price", [1.0], None),
    ("game_tick", "active", 1, None),
    ("game_tick", "phase", 5, None),
    ("ws_event", "opcode", 300, None),
    ("ws_event", "raw", b"a\xffb", "a\ufffdb"),
    ("ws_event", "raw", "a\ud800b", "a?b"),
    ("ws_event", "raw", {"no": "text"}, None),
    ("game", "ended_at", "yesterday", None),
    ("game", "ended_at", 1.5, None),
    ("game", "prices", 5, None),
    ("game", "prices", [1.0, "x", True, None], [1.0, None, None, None]),
]


@pytest.mark.parametrize(("doc_type", "name", "value", "kept"), BAD)
def test_what_does_not_fit_is_null_and_counted_and_spares_its_neighbours(
    doc_type: str, name: str, value: Any, kept: Any
) -> None:
    built = Built(doc_type, [row(doc_type), row(doc_type, 768, **{name: value})])
    fitting = FITTING[next(column.type for column in DOC_TYPES[doc_type] if column.name == name)]
    table = read(built)
    column = table[name].cast(pa.int64()) if name == "ended_at" else table[name]
    assert column.to_pylist() == [fitting, kept]
    assert built.bad_values == 1


@pytest.mark.parametrize(
    ("doc_type", "name", "value", "kept"),
    [
        ("game_tick", "price", 2, 2.0),
        ("game_tick", "tick", 7.0, 7),
        ("game_tick", "price", 2**60 + 1, float(2**60)),
        ("ws_event", "raw", b"caf\xc3\xa9", "café"),
        ("game", "prices", [1, 2.5], [1.0, 2.5]),
    ],
)
def test_another_spelling_of_the_same_value_is_kept(doc_type: str, name: str, value: Any, kept: Any) -> None:
    built = Built(doc_type, [row(doc_type, **{name: value})])
    assert (read(built)[name].to_pylist(), built.bad_values) == ([kept], 0)


@pytest.mark.parametrize("width", [0, 3, 5, 9])
def test_a_row_of_another_width_is_cut_or_filled(width: int) -> None:
    built = Built("ws_event", [row("ws_event"), Row(768, "ws_event", 5, None, ["s"] * width)])
    assert built.bad_values >= (width != 5)
    assert read(built)["stream"].to_pylist() == ["text", "s" if width else None]


@given(st.sampled_from(list(DOC_TYPES)), st.data())
def test_nothing_that_can_arrive_stops_it(doc_type: str, data: st.DataObject) -> None:
    width = len(DOC_TYPES[doc_type])
    values = data.draw(st.lists(st.lists(ANYTHING, min_size=width, max_size=width), min_size=1, max_size=4))
    built = Built(doc_type, [Row(n, doc_type, n, None, held) for n, held in enumerate(values)])
    assert read(built).schema == SCHEMAS[doc_type]


@given(ANYTHING, st.sampled_from(sorted(LEAST)))
def test_cleaning_keeps_whole_numbers_in_range_and_nothing_else(value: Any, kind: str) -> None:
    kept = clean(value, kind)
    whole = type(value) is int or (type(value) is float and math.isfinite(value) and value == int(value))
    fits = whole and LEAST[kind] <= value < -LEAST[kind]
    assert kept == (int(value) if fits else None)
    assert was_changed(value, kept) == (value is not None and not fits)


def test_every_column_type_of_the_schema_is_known() -> None:
    assert {column.type for doc_type in DOC_TYPES for column in columns_of(doc_type)} <= set(FITTING)
