"""What an export writes while the files below it change: compacted by the real code, added to, hostile, or none."""

import csv
import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from actors.rugs.schema import DOC_TYPES
from actors.writer import swap
from actors.writer.offline import compact
from tests.web.rounds_on_disk import game_row, write_rounds
from tests.writer.days import batches_of, fill, names
from tests.writer.source import GAME, stored
from web import export
from web.export import Export, Order, Step

ROWS = batches_of(range(8, 14))  # five of the 15th, and the first record of the 16th
DAY, DAYS = ["2025-12-15"], ["2025-12-15", "2025-12-16"]


def order(place: Path, form: str, kinds: list[str], days: list[str], game_id: str | None = None) -> Order:
    folder = place / "result"
    folder.mkdir(exist_ok=True)
    return Order(
        parent=os.getpid(), root=str(place / "data" / "events_parquet"), folder=str(folder), name="vectra", format=form,
        doc_types=kinds, days=days, game_id=game_id,
    )  # fmt: skip


def seqs_in(form: str, content: bytes) -> list[int]:
    """Return the numbers of all rows of an exported file, in its order."""
    if form == "csv":
        return [int(row["seq"]) for row in csv.DictReader(io.StringIO(content.decode()))]
    if form == "jsonl":
        return [json.loads(line)["seq"] for line in content.splitlines()]
    return [int(row["seq"]) for row in pq.read_table(io.BytesIO(content), columns=["seq"]).to_pylist()]


def exported(place: Path, wanted: Order, at: Callable[[int], None], monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    """Run an export; `at` is called after each of its steps with the step's number."""
    steps: list[Step] = []

    def say(step: Step) -> None:
        steps.append(step)
        at(len(steps))

    monkeypatch.setattr(export, "_say", say)
    Export(wanted).run()
    assert [path.name for path in (place / "result").iterdir()] == [steps[-1].result]
    return steps


@pytest.fixture(autouse=True)
def swept_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what a compaction replaced deleted at once, as for a reader that is slower than the grace."""
    monkeypatch.setattr(swap, "GRACE_S", 0.0)


@pytest.mark.parametrize(("form", "game_id"), [("csv", None), ("jsonl", GAME), ("parquet", None)])
def test_a_compaction_at_any_step_of_an_export_neither_loses_nor_doubles_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, game_id: str | None
) -> None:
    fill(tmp_path / "template", ROWS)
    kinds = ["ws_event", "game_tick"]
    truth = {kind: [row[0] for row in stored(tmp_path / "template", kind)] for kind in kinds}
    for when in range(1, sum(map(len, truth.values()))):
        place = tmp_path / str(when)
        shutil.copytree(tmp_path / "template", place / "data")
        merge = partial(_merge, place / "data", when)
        steps = exported(place, order(place, form, kinds, DAYS, game_id), merge, monkeypatch)
        assert names(place / "data", "ws_event") == ["15/8-12", "16/13-13"]
        with zipfile.ZipFile(place / "result" / "vectra.zip") as archive:
            assert {kind: seqs_in(form, archive.read(f"{kind}.{form}")) for kind in kinds} == truth
        assert (steps[-1].rows, steps[-1].done, steps[-1].total) == (*[sum(map(len, truth.values()))] * 3,)
        assert all(step.done <= step.total for step in steps)


def _merge(data_dir: Path, when: int, step: int) -> None:
    if step == when:
        compact(data_dir)


def test_many_rows_of_one_number_are_all_there_after_a_swap_amid_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ticks from a history share the number of their round's end, and a batch may end among them."""
    monkeypatch.setattr(export, "BATCH_ROWS", 7)
    folder = tmp_path / "data" / "events_parquet" / "doc_type=game_tick" / "date=2025-12-15"
    fill(tmp_path / "data", ROWS)
    _, second, _ = sorted(folder.glob("*.parquet"))
    pq.write_table(pa.concat_tables([pq.read_table(second, partitioning=None)] * 40), second)
    exported(
        tmp_path, order(tmp_path, "jsonl", ["game_tick"], DAY), partial(_merge, tmp_path / "data", 3), monkeypatch
    )  # fmt: skip
    assert not second.exists()
    found = seqs_in("jsonl", (tmp_path / "result" / "vectra.game_tick.jsonl").read_bytes())
    assert found == [8 * 256 + 1, *[10 * 256 + 1] * 40, 12 * 256 + 1]


def test_rows_that_the_writer_adds_meanwhile_do_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, after = tmp_path / "data", batches_of(range(14, 20))
    fill(data, ROWS)

    def add(step: int) -> None:
        if step == 1:
            fill(data, after)
        elif step == 2:
            compact(data)

    steps = exported(tmp_path, order(tmp_path, "csv", ["ws_event"], DAYS), add, monkeypatch)
    found = seqs_in("csv", (tmp_path / "result" / "vectra.ws_event.csv").read_bytes())
    assert found == [number * 256 for number in range(8, 8 + len(found))]
    assert len(found) >= len(ROWS)
    assert all(step.done <= step.total for step in steps)


def test_names_of_players_stay_what_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = ["=HYPERLINK(1)", 'a,b"c\nd\r\n"', "<script>alert(1)</script>", "\u202ereversed\x00", "🚀', --", ""]
    rows = [game_row(number, verify_reason=name) for number, name in enumerate(hostile)]
    for form in ("csv-raw", "jsonl", "parquet"):
        place = tmp_path / form
        place.mkdir()
        write_rounds(place / "data", rows)
        exported(place, order(place, form, ["game"], DAY), lambda _: None, monkeypatch)
        content = (place / "result" / f"vectra.game.{form.removesuffix('-raw')}").read_bytes()
        if form == "csv-raw":
            found = [row["verify_reason"] for row in csv.DictReader(io.StringIO(content.decode(), newline=""))]
        elif form == "jsonl":
            found = [json.loads(line)["verify_reason"] for line in content.splitlines()]
        else:
            found = pq.read_table(io.BytesIO(content)).column("verify_reason").to_pylist()
        assert found == hostile, form


def test_foreign_files_beside_ours_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_rounds(tmp_path / "data", [game_row(1)])
    folder = tmp_path / "data" / "events_parquet" / "doc_type=game" / f"date={DAY[0]}"
    for name in ("part-0.parquet", "notes-1.txt", "0-1.parquet"):
        (folder / name).write_bytes(b"not ours")
    steps = exported(tmp_path, order(tmp_path, "csv", ["game"], DAY), lambda _: None, monkeypatch)
    assert steps[-1].rows == 1


@pytest.mark.parametrize("kinds", [["trade"], list(DOC_TYPES)])
def test_a_day_of_which_nothing_is_on_disk_is_said(tmp_path: Path, kinds: list[str]) -> None:
    with pytest.raises(ValueError, match="Nothing is on disk"):
        Export(order(tmp_path, "csv", kinds, ["2025-01-01"])).run()
    assert list((tmp_path / "result").iterdir()) == []


@pytest.mark.parametrize(("form", "named"), [("csv", "'=1+\\x1b\\u202e"), ("csv-raw", "=1+\x1b\u202e")])
def test_a_players_name_is_no_formula_unless_the_exact_text_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, named: str
) -> None:
    folder = tmp_path / "data" / "events_parquet" / "doc_type=trade" / "date=2025-12-15"
    folder.mkdir(parents=True)
    table = pa.table({"seq": [256, 512], "username": ["=1+\x1b\u202e", "plain é"], "qty": [-1.5, 2.0]})
    pq.write_table(table, folder / "0000000000000256-0000000000000512.parquet")
    (last, *_) = exported(tmp_path, order(tmp_path, form, ["trade"], DAY), lambda _: None, monkeypatch)[::-1]
    assert last.result == "vectra.trade.csv"
    rows = list(csv.DictReader(io.StringIO((tmp_path / "result" / "vectra.trade.csv").read_bytes().decode())))
    assert [(row["username"], row["qty"]) for row in rows] == [(named, "-1.5"), ("plain é", "2")]
