"""The index of rounds: every page, order and search against the same asked of a plain list."""

import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.web.rounds_on_disk import game_row, write_rounds
from web.query import PAGE, Query
from web.register import Register


def rows(count: int) -> list[dict[str, Any]]:
    draw = random.Random(7)
    made = [game_row(number) for number in range(count)]
    for row in made:
        row["peak"] = draw.choice([None, 1.0, round(1 + draw.random() * 5, 3)])
        row["ticks"] = draw.randrange(3, 40)
        row["verified"] = draw.choice([True, True, True, False, None])
        row["missing_ticks"] = draw.choice([0, 0, 3])
    return made


def stored(data_dir: Path, made: list[dict[str, Any]]) -> Register:
    for at in range(0, len(made), 25):
        write_rounds(data_dir, made[at : at + 25], f"2025-12-{15 + at // 100}")
    return Register(data_dir)


def walk(register: Register, **asked: Any) -> list[int]:
    first = register.page(Query(**asked))
    found = [one.seq for one in first.rounds]
    for page in range(2, first.pages + 1):
        found += [one.seq for one in register.page(Query(**asked, page=page)).rounds]
    assert len(found) == first.total
    return found


def test_time_is_the_order_of_the_journal(data_dir: Path) -> None:
    made = rows(130)
    register = stored(data_dir, made)
    numbers = [row["seq"] for row in made]
    assert walk(register) == numbers[::-1]
    assert walk(register, order="up") == numbers


@pytest.mark.parametrize("sort", ["peak", "ticks", "rug_price", "missing_ticks"])
@pytest.mark.parametrize("order", ["up", "down"])
def test_every_order_is_whole_and_what_is_not_known_comes_last(data_dir: Path, sort: str, order: str) -> None:
    made = rows(180)
    register = stored(data_dir, made)
    known = [row for row in made if row[sort] is not None]
    wanted = sorted(known, key=lambda row: (row[sort], row["seq"]), reverse=order == "down")
    found = walk(register, sort=sort, order=order)
    assert found[: len(wanted)] == [row["seq"] for row in wanted]
    assert set(found[len(wanted) :]) == {row["seq"] for row in made if row[sort] is None}
    some = walk(register, sort=sort, order=order, ticks_from=10)
    assert some[:20] == [row["seq"] for row in wanted if row["ticks"] >= 10][:20]


def test_conditions_go_together(data_dir: Path) -> None:
    made = rows(200)
    register = stored(data_dir, made)
    found = walk(register, verdict="true", peak_from=2.0, ticks_to=30)
    assert found == [
        row["seq"] for row in reversed(made)
        if row["verified"] is True and row["peak"] is not None and row["peak"] >= 2 and row["ticks"] <= 30
    ]  # fmt: skip
    assert walk(register, verdict="unknown") == [row["seq"] for row in reversed(made) if row["verified"] is None]


def test_an_id_is_found_by_its_beginning_and_by_the_beginning_behind_its_date(data_dir: Path) -> None:
    made = rows(60)
    register = stored(data_dir, made)
    assert walk(register, text="20251215-000000000000001") == [row["seq"] for row in reversed(made[16:32])]
    assert walk(register, text="000000000000002a") == [made[42]["seq"]]
    assert walk(register, text="2a") == []


def test_a_page_beyond_the_last_is_the_last(data_dir: Path) -> None:
    register = stored(data_dir, rows(PAGE + 3))
    assert len(register.page(Query(page=99)).rounds) == 3
    assert Register(data_dir / "empty").page(Query(page=5)).rounds == []


def test_a_round_is_placed_and_its_forerunner_known(data_dir: Path) -> None:
    made = rows(40)
    register = stored(data_dir, made)
    place = register.place(made[30]["game_id"])
    assert place is not None
    assert place.path.is_file()
    assert register.before(place.seq) == made[29]["seq"]
    assert register.before(made[0]["seq"]) == 0
    assert register.place("nope") is None


def test_a_compaction_changes_nothing_and_an_index_is_found_again(data_dir: Path) -> None:
    made = rows(100)
    register = stored(data_dir, made)
    before = walk(register, sort="ticks")
    shutil.rmtree(data_dir / "events_parquet" / "doc_type=game" / "date=2025-12-15")
    write_rounds(data_dir, made)
    assert walk(register, sort="ticks") == before
    kept = data_dir / "cache" / "rounds.arrow"
    assert kept.stat().st_mode & 0o077 == 0
    write_rounds(data_dir, [game_row(500)], "2025-12-20")
    again = Register(data_dir)
    assert len(walk(again)) == 101
    assert kept.exists()
    kept.write_bytes(b"damaged")
    assert walk(Register(data_dir), sort="ticks")[-100:] != []
    assert len(walk(Register(data_dir))) == 101
