"""JSON that is read comes out plain: it can be encoded again as JSON and as msgpack, whatever went in."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.rugs.jsontext import MAX_DEPTH, Unreadable, check_depth, mend, read


@pytest.mark.parametrize("text", [b"[]", b'{"a":[1,2.5,-3e-7,true,null,"\\u00e9\\ud83d\\ude00"]}', '"é😀"'.encode()])
def test_well_formed_text_is_read_as_any_reader_reads_it(text: bytes) -> None:
    assert read(text) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (rb'"\ud800"', "\ufffd"),
        (rb'"\udc00x"', "\ufffdx"),
        (rb'"\ud800\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\\ud800 \ud800"', "\\ud800 \ufffd"),
        (b'"\xff"', "\ufffd"),
        (b'"\xed\xa0\x80"', "\ufffd\ufffd\ufffd"),
    ],
)
def test_what_no_text_may_hold_is_replaced(text: bytes, value: str) -> None:
    assert read(text) == value


def test_mending_leaves_good_text_alone() -> None:
    text = rb'{"a":"\ud83d\ude00 \\ud800 \u00e9"}'
    assert mend(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"18446744073709551615", 2**64 - 1),
        (b"18446744073709551616", 2.0**64),
        (b'{"a":[-9223372036854775809]}', {"a": [-(2.0**63)]}),
        (b"9" * 400, 1.7976931348623157e308),
    ],
)
def test_an_integer_beyond_64_bits_becomes_the_nearest_float(text: bytes, value: Any) -> None:
    assert read(text) == value


@pytest.mark.parametrize("text", [b"", b"NaN", b"[1,]", b"1e999", b'"a', b"{'a':1}", b"[1] 2", b"9" * 5_000, b'"\n"'])
def test_what_is_not_json_is_unreadable(text: bytes) -> None:
    with pytest.raises(Unreadable):
        read(text)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_depth_is_bounded_exactly(opening: bytes, closing: bytes) -> None:
    levels = MAX_DEPTH // len(closing)
    assert read(opening * levels + b"1" + closing * levels) is not None
    with pytest.raises(Unreadable, match="deeper"):
        read(opening * (levels + 1) + b"1" + closing * (levels + 1))


@pytest.mark.parametrize(
    "text", [b'["' + b"[" * 500 + b'"]', b'["' + b'\\"[' * 500 + b'"]', b"[" + b"[{}]," * 500 + b"1]"]
)
def test_brackets_in_texts_and_side_by_side_are_no_depth(text: bytes) -> None:
    check_depth(text)
    assert read(text)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=400, deadline=None)
@given(JSON)
def test_whatever_is_read_can_be_written_as_json_and_msgpack(value: Any) -> None:
    read_back = read(json.dumps(value).encode())
    assert read(msgspec.json.encode(read_back)) == read_back
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(read_back)) == read_back
