"""Rounds from Parquet files."""

import os
import shutil
from pathlib import Path

import pytest

from actors.rugs.schema import IMPORT_SEQ
from tests.web.rounds_on_disk import game_row, write_rounds
from web.archive import Archive
from web.query import Query
from web.register import Register
from web.system_rows import SystemRows


def stored(data_dir: Path, count: int) -> Archive:
    rows = [game_row(number) for number in range(count)]
    write_rounds(data_dir, rows[: count // 2])
    for row in rows[count // 2 :]:
        write_rounds(data_dir, [row], "2025-12-16")
    return Archive(data_dir)


def test_an_empty_house_has_no_rounds(data_dir: Path) -> None:
    assert Archive(data_dir).newest(50) == []
    assert Archive(data_dir).find("g") is None


def test_pages_follow_each_other_without_a_hole_or_a_double(data_dir: Path) -> None:
    archive = stored(data_dir, 23)
    seen: list[int] = []
    before = None
    while page := archive.newest(5, before):
        seen += [one.seq for one in page]
        before = page[-1].seq
    assert seen == [game_row(number)["seq"] for number in reversed(range(23))]


def test_imported_rounds_stand_behind_all_that_were_recorded(data_dir: Path) -> None:
    archive = stored(data_dir, 6)
    imported = [game_row(50 + number, seq=IMPORT_SEQ + 256 * number) for number in range(3)]
    write_rounds(data_dir, imported, "2025-11-01")
    seen: list[int] = []
    before = None
    while page := archive.newest(2, before):
        seen += [one.seq for one in page]
        before = page[-1].seq
    recorded = [game_row(number)["seq"] for number in reversed(range(6))]
    assert seen == recorded + [row["seq"] for row in reversed(imported)]


def test_a_round_is_found_with_its_prices_also_on_another_day_than_its_id(data_dir: Path) -> None:
    archive = stored(data_dir, 10)
    for number in (1, 8):
        wanted = game_row(number)
        found = archive.find(wanted["game_id"])
        assert found is not None
        assert found.prices == wanted["prices"]
        assert found.ended_at == wanted["ended_at"] // 1000
        assert found.sidebets == wanted["sidebets"]


def test_a_new_file_is_seen_at_once(data_dir: Path) -> None:
    archive = stored(data_dir, 4)
    assert len(archive.newest(50)) == 4
    write_rounds(data_dir, [game_row(99)], "2025-12-16")
    assert archive.newest(1)[0].game_id == game_row(99)["game_id"]


def test_side_bets_are_read_only_when_wanted(data_dir: Path) -> None:
    archive = stored(data_dir, 2)
    assert archive.newest(1)[0].sidebets is None
    assert archive.newest(1, sidebets=True)[0].sidebets == game_row(1)["sidebets"]


def test_a_compaction_under_way_is_no_error(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = stored(data_dir, 6)
    archive.newest(50)
    day = data_dir / "events_parquet" / "doc_type=game" / "date=2025-12-16"
    listing = list(archive._files())
    shutil.rmtree(day)
    write_rounds(data_dir, [game_row(number) for number in (3, 4, 5)], "2025-12-16")
    files = archive._files
    answers = iter([listing])
    monkeypatch.setattr(archive, "_files", lambda: next(answers, None) or files())
    archive._read.clear()
    assert len(archive.newest(50)) == 6


def test_what_is_kept_of_files_is_bounded(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.archive.KEPT_ROWS", 3)
    archive = stored(data_dir, 20)
    assert len(archive.newest(50)) == 20
    assert sum(map(len, archive._read.values())) <= 10


def test_a_pipe_among_the_files_holds_no_reader_up(data_dir: Path) -> None:
    """Its opening would wait for ever."""
    archive = stored(data_dir, 4)
    for doc_type in ("game", "system_event", "trade"):
        for day in ("2025-12-15", "2025-12-16"):
            folder = data_dir / "events_parquet" / f"doc_type={doc_type}" / f"date={day}"
            folder.mkdir(parents=True, exist_ok=True)
            os.mkfifo(folder / f"{7:016d}-{8:016d}.parquet")
    assert len(archive.newest(50)) == 4
    assert Register(data_dir).page(Query()).total == 4
    assert SystemRows(data_dir).first_at_us() is None
