"""Names of data files: what they say, and that they say it both ways."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.writer.layout import LAST_US, DataFile, covered, date_of, file_path, files_of, parse


@given(st.integers(0, 2**53), st.integers(0, 2**53))
def test_a_path_tells_the_range_it_was_made_for(first: int, last: int) -> None:
    path = file_path(Path("/root"), "game", "2025-12-15", first, last)
    assert path.parts[2:4] == ("doc_type=game", "date=2025-12-15")
    assert parse(path) == DataFile(path=path, first=first, last=last)


@pytest.mark.parametrize(
    "name", ["x.parquet", "1-2.parquet", ".0000000000000256-0000000000000512.parquet.9.tmp",
             "0000000000000256-0000000000000512.parquet.staged", "_position"],
)  # fmt: skip
def test_other_names_are_not_ours(name: str) -> None:
    assert parse(Path(name)) is None


def test_files_are_listed_by_number_over_all_dates(tmp_path: Path) -> None:
    ranges = [("2025-12-16", 1024, 1024), ("2025-12-15", 256, 512), ("2025-12-15", 1280, 9999)]
    for date, first, last in ranges:
        path = file_path(tmp_path, "trade", date, first, last)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert [(file.first, file.last) for file in files_of(tmp_path, "trade")] == [(256, 512), (1024, 1024), (1280, 9999)]
    assert covered(tmp_path, "trade") == 9999
    assert covered(tmp_path, "game") == -1
    os.mkfifo(file_path(tmp_path, "trade", "2025-12-15", 9_999_999, 9_999_999))
    assert (len(files_of(tmp_path, "trade")), covered(tmp_path, "trade")) == (3, 9999)


@pytest.mark.parametrize(
    ("at_us", "date"),
    [
        (0, "1970-01-01"),
        (1_765_843_199_999_999, "2025-12-15"),
        (1_765_843_200_000_000, "2025-12-16"),
        (LAST_US, "9999-12-31"),
    ],
)
def test_the_date_is_the_utc_day_of_the_capture(at_us: int, date: str) -> None:
    assert date_of(at_us) == date
