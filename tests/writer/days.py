"""Rows spread over hours and days, and the files that a writer would have made of them: what a compaction works on."""

from pathlib import Path

from msgspec.structs import replace

from actors.core.messages import Rows
from actors.writer.flush import Store
from actors.writer.layout import events_dir, files_of
from tests.writer.source import MIDNIGHT_US, row_batches

STEP_S = 600  # between two records
MIDNIGHT = 13  # the first record of the second day


def batches_of(numbers: range, size: int = 1, payload: bytes = b"") -> list[Rows]:
    """Return the records `numbers`, ten minutes apart: 1 to 12 are the last two hours of a day."""
    batches = row_batches(numbers, size, payload)
    return [replace(batch, rows=[replace(row, at_us=_time(row.seq // 256)) for row in batch.rows]) for batch in batches]


def fill(data_dir: Path, batches: list[Rows]) -> None:
    """Put each batch into files of its own."""
    data_dir.mkdir(parents=True, exist_ok=True)
    store = Store(data_dir)
    for batch in batches:
        store.flush(batch.rows, batch.upto)


def names(data_dir: Path, doc_type: str) -> list[str]:
    """Return `date/first-last` of each file, in records."""
    files = files_of(events_dir(data_dir), doc_type)
    return [f"{file.path.parent.name[-2:]}/{file.first // 256}-{file.last // 256}" for file in files]


def _time(number: int) -> int:
    return MIDNIGHT_US + (number - MIDNIGHT) * STEP_S * 1_000_000
