"""A flush as calls to the disk: their order, what a refusal leaves behind, what a restart finds."""

import errno
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from actors.core.messages import SEQ_STEP, Row
from actors.writer import flush
from actors.writer.flush import Store
from actors.writer.layout import POSITION, events_dir, files_of, staging_dir
from tests.writer.source import MIDNIGHT_US, assert_exact, row_batches, rows_of, stored

DAY_US = 86_400_000_000


def all_rows(first: int, last: int) -> list[Row]:
    return [row for batch in row_batches(range(first, last + 1)) for row in batch.rows]


class Calls:
    """Lets the disk work, notes what it was asked, and refuses the call that is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[tuple[str, str]] = []
        self.refuse_at = -1
        fsync, rename = os.fsync, Path.rename

        def noted_fsync(fd: int) -> None:
            self.note("fsync", str(Path(f"/proc/self/fd/{fd}").readlink()))
            fsync(fd)

        def noted_rename(path: Path, target: Path) -> Path:
            self.note("rename", str(target))
            return rename(path, target)

        monkeypatch.setattr(os, "fsync", noted_fsync)
        monkeypatch.setattr(Path, "rename", noted_rename)

    def note(self, what: str, path: str) -> None:
        if len(self.made) == self.refuse_at:
            self.refuse_at = -1
            raise OSError(errno.ENOSPC, "No space left on device", path)
        self.made.append((what, path))


def test_everything_is_synced_before_the_position_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(monkeypatch)
    Store(home).flush(all_rows(25, 35), 35 * SEQ_STEP)
    made = calls.made
    sealed = [path for what, path in made if what == "rename" and path.endswith(".parquet")]
    staged = [path for what, path in made if what == "fsync" and path.endswith(".staged")]
    assert len(sealed) == len(staged) - 1 == 8  # five doc_types, three of them on two days; and the position
    moved = made.index(("rename", str(events_dir(home) / POSITION)))
    first_rename = made.index(("rename", sealed[0]))
    assert all(made.index(("fsync", path)) < first_rename for path in staged[:-1])
    for path in sealed:
        assert made.index(("rename", path)) < made.index(("fsync", str(Path(path).parent))) < moved
        assert made.index(("fsync", str(Path(path).parents[1]))) < moved  # the date's own name
    assert made.index(("fsync", str(events_dir(home)))) < moved
    assert made.index(("fsync", str(home))) < moved
    assert made[moved - 1] == ("fsync", str(staging_dir(home) / f"{POSITION}.staged"))
    assert made[moved + 1 :] == [("fsync", str(events_dir(home)))]


def test_after_a_refusal_at_any_call_the_same_rows_may_come_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(monkeypatch)
    batches = row_batches(range(1, 40))
    refusals = 0
    for refuse_at in range(60):
        place = home / str(refuse_at)
        place.mkdir()
        store = Store(place)
        store.flush(all_rows(1, 20), 20 * SEQ_STEP)
        calls.made, calls.refuse_at = [], refuse_at
        try:
            store.flush(all_rows(21, 35), 35 * SEQ_STEP)
        except OSError:
            refusals += 1
            assert list(staging_dir(place).iterdir()) == []
            store.flush(all_rows(21, 39), 39 * SEQ_STEP)  # more has come meanwhile
        else:
            calls.refuse_at = -1
            store.flush(all_rows(36, 39), 39 * SEQ_STEP)
        assert_exact(place, batches)
        assert (store.position, sum(store.rows.values())) == (39 * SEQ_STEP, len(all_rows(1, 39)))
    assert refusals > 20


def test_a_restart_skips_what_files_beyond_the_position_hold(home: Path) -> None:
    Store(home).flush(all_rows(1, 20), 20 * SEQ_STEP)
    (events_dir(home) / POSITION).write_bytes(b'{"upto":%d}' % (10 * SEQ_STEP))
    store = Store(home)
    assert store.position == 10 * SEQ_STEP
    store.flush(all_rows(11, 39), 39 * SEQ_STEP)
    assert_exact(home, row_batches(range(1, 40)))


def test_what_a_dead_flush_left_in_staging_is_removed_and_nothing_else(home: Path) -> None:
    staging_dir(home).mkdir()
    (staging_dir(home) / "ws_event-2025-12-15-0000000000000256.staged").write_bytes(b"half")
    (staging_dir(home) / "compaction").mkdir()
    Store(home)
    assert [path.name for path in staging_dir(home).iterdir()] == ["compaction"]


def test_a_date_that_goes_back_and_forth_starts_a_file_each_time(home: Path) -> None:
    days = [0, 0, 1, 0, 1, 1]
    rows = [replace(rows_of(number)[0], at_us=MIDNIGHT_US + day * DAY_US) for number, day in enumerate(days, 1)]
    Store(home).flush(rows, rows[-1].seq)
    files = files_of(events_dir(home), "ws_event")
    assert [(file.path.parent.name[-2:], file.first, file.last) for file in files] == [
        ("16", 256, 512), ("17", 768, 768), ("16", 1024, 1024), ("17", 1280, 1536)]  # fmt: skip
    assert len(stored(home, "ws_event")) == 6


def test_rows_of_one_number_stay_together_and_are_put_in_order(home: Path) -> None:
    late = [replace(row, seq=512 + 7) for row in rows_of(2) if row.doc_type == "game_tick"] * 3
    early = [row for row in rows_of(2) if row.doc_type == "game_tick"]
    Store(home).flush([*late, *early], 512)
    assert [row[0] for row in stored(home, "game_tick")] == [513, 519, 519, 519]


def test_files_of_another_system_do_not_disturb(home: Path) -> None:
    foreign = events_dir(home) / "doc_type=ws_event" / "date=2025-12-15"
    foreign.mkdir(parents=True)
    (foreign / "part-0001.parquet").write_bytes(b"another system's")
    store = Store(home)
    store.flush(all_rows(1, 9), 9 * SEQ_STEP)
    assert store.covered["ws_event"] == 9 * SEQ_STEP
    assert (foreign / "part-0001.parquet").exists()


def test_an_error_that_is_no_refusal_of_the_disk_is_not_hidden(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(home)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(flush, "Built", broken)
    with pytest.raises(ZeroDivisionError):
        store.flush(all_rows(1, 9), 9 * SEQ_STEP)
