"""A successor takes its place: what is linked, what is refused, what is deleted and when."""

import errno
import os
from pathlib import Path

import pytest

from actors.writer import swap
from actors.writer.layout import events_dir, staging_dir
from actors.writer.swap import GRACE_S, Remover, Stale, exchange, folder_for, leftovers, live_dir


@pytest.fixture
def day(home: Path) -> Path:
    """A date directory with three files."""
    live = events_dir(home) / "doc_type=trade" / "date=2025-12-15"
    live.mkdir(parents=True)
    staging_dir(home).mkdir()
    for number in (1, 2, 3):
        (live / name(number)).write_text(str(number))
    return live


def name(first: int, last: int = 0) -> str:
    return f"{first:016d}-{last or first:016d}.parquet"


def successor(home: Path) -> Path:
    folder = folder_for(staging_dir(home), "trade", "2025-12-15")
    folder.mkdir()
    (folder / name(1, 2)).write_text("12")
    return folder


def content(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_the_rest_is_linked_and_the_predecessor_lies_in_staging(home: Path, day: Path) -> None:
    folder, inode = successor(home), (day / name(3)).stat().st_ino
    assert live_dir(events_dir(home), folder) == day
    swap.swap(events_dir(home), folder, {name(1), name(2)})
    assert content(day) == {name(1, 2): "12", name(3): "3"}
    assert (day / name(3)).stat().st_ino == inode
    assert content(folder) == {name(number): str(number) for number in (1, 2, 3)}
    assert leftovers(staging_dir(home)) == [folder]


def test_a_reader_that_is_listing_the_old_directory_lists_it_whole(home: Path, day: Path) -> None:
    folder = successor(home)
    remover = Remover(events_dir(home))
    with os.scandir(day) as listing:
        swap.swap(events_dir(home), folder, {name(1), name(2)})
        remover.add(folder, 100.0)
        remover.step(100.0 + GRACE_S - 0.1)
        seen = {entry.name for entry in listing}
    assert seen == {name(1), name(2), name(3)}
    assert not (day / name(1)).exists()  # so that its query fails, and does not miss rows
    remover.step(100.0 + GRACE_S)
    assert (leftovers(staging_dir(home)), remover.waiting) == ([], set())


def test_deleting_is_done_in_small_steps(home: Path, day: Path) -> None:
    folder = successor(home)
    for number in range(10, 10 + swap.MOST_A_STEP):
        (folder / name(number)).touch()
    remover = Remover(events_dir(home))
    remover.add(folder, 0.0)
    remover.step(GRACE_S)
    assert len(content(folder)) == 1
    remover.step(GRACE_S)
    assert not folder.exists()


def test_a_file_that_is_gone_or_cannot_be_linked_stops_the_swap(home: Path, day: Path) -> None:
    folder = successor(home)
    with pytest.raises(Stale, match="no longer holds"):
        swap.swap(events_dir(home), folder, {name(1), name(4)})
    (day / "notes").mkdir()
    with pytest.raises(Stale, match=r"notes is no plain file, must not be here\. Move it"):
        swap.swap(events_dir(home), folder, {name(1), name(2)})
    assert set(content(folder)) == {name(1, 2)}
    assert (day / name(1)).exists()


def test_somebody_elses_file_is_kept_whenever_it_came(home: Path, day: Path) -> None:
    (day / "part-0.parquet").write_text("before")
    folder = successor(home)
    swap.swap(events_dir(home), folder, {name(1), name(2)})
    (folder / "part-1.parquet").write_text("written by one who had the old directory open")
    remover = Remover(events_dir(home))
    remover.add(folder, 0.0)
    remover.step(GRACE_S)
    assert set(content(day)) == {name(1, 2), name(3), "part-0.parquet", "part-1.parquet"}
    assert not folder.exists()


def test_a_file_system_that_cannot_exchange_is_an_error_and_changes_nothing(home: Path, day: Path) -> None:
    with pytest.raises(OSError, match="renameat2 EXCHANGE") as caught:
        exchange(home / "absent", day)
    assert caught.value.errno == errno.ENOENT
    assert len(content(day)) == 3
