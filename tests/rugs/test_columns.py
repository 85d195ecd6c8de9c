"""A column takes what is of its type, and null for everything else."""

from collections.abc import Callable
from typing import Any

import pytest

from actors.rugs.columns import as_bool, as_float, as_game_id, as_int, as_text, as_us


@pytest.mark.parametrize(
    ("convert", "value", "expected"),
    [
        (as_float, 1, 1.0),
        (as_float, 1.5, 1.5),
        (as_float, 2**64 - 1, 1.8446744073709552e19),
        (as_float, 10**400, None),
        (as_float, "1.5", None),
        (as_float, True, None),
        (as_int, 7, 7),
        (as_int, 7.0, 7),
        (as_int, 7.5, None),
        (as_int, 2**31, None),
        (as_int, 10**400, None),
        (as_int, 1e300, None),
        (as_int, True, None),
        (as_bool, True, True),
        (as_bool, 1, None),
        (as_text, "é", "é"),
        (as_text, "", ""),
        (as_text, 7, None),
        (as_text, "x" * 2_000_000, None),
        (as_us, 1_765_000_000_123, 1_765_000_000_123_000),
        (as_us, 1.5, 1_500),
        (as_us, -1, None),
        (as_us, 10**30, None),
        (as_us, True, None),
        (as_game_id, "20251214-00", "20251214-00"),
        (as_game_id, "", None),
        (as_game_id, "x" * 65, None),
        (as_game_id, "a\n", None),
        (as_game_id, None, None),
    ],
)
def test_a_value_fits_or_is_null(convert: Callable[[Any], Any], value: Any, expected: Any) -> None:
    found = convert(value)
    assert found == expected
    assert type(found) is type(expected)
