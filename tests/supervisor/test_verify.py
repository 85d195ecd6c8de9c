"""Verdicts on recorded rounds: all good as the game played them, and each way of being wrong has its reason."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actors.core.messages import Note, Record, Row
from actors.rugs.memory import Memory
from actors.rugs.normalize import derive
from actors.writer.flush import Store
from supervisor.data_query import ReadOnlyDatabase
from supervisor.data_verify import Verdict, verdicts
from tests.recorded import Session, write
from tests.rugs.playbook import Play, packet
from tests.supervisor.test_cli import vectra

PUBLISHED = Path(__file__).parents[3] / "shared" / "captures" / "verified-games.jsonl"


def played() -> list[Record]:
    session = Session()
    return [*session.start(), *session.rounds(1)]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    memory = Memory()
    return [row for record in played() for row in derive(memory, record).rows]


def judged(data_dir: Path, game_id: str | None = None) -> list[Verdict]:
    with ReadOnlyDatabase(data_dir) as database:
        return list(verdicts(database, game_id))


def changed(data_dir: Path, rows: list[Row], doc_type: str, change: Callable[[list[Any]], None]) -> dict[str, str]:
    """Store the rows with a change to the last row of a doc_type; return the reasons of what is not good."""
    last = max(place for place, row in enumerate(rows) if row.doc_type == doc_type)
    stored = [Row(row.seq, row.doc_type, row.at_us, row.game_id, list(row.values)) for row in rows]
    change(stored[last].values)
    Store(data_dir).flush(stored, rows[-1].seq)
    return {verdict.game_id: verdict.reason for verdict in judged(data_dir) if not verdict.verified}


def put(place: int, value: Any) -> Callable[[list[Any]], None]:
    def change(values: list[Any]) -> None:
        values[place] = value

    return change


def other_price(values: list[Any]) -> None:
    values[6] = [*values[6][:7], values[6][7] + 1e-9, *values[6][8:]]


@pytest.mark.parametrize(
    ("doc_type", "change", "reason"),
    [
        ("game", put(7, None), "seed missing"),
        ("game", put(8, "0" * 64), "hash differs"),
        ("game", other_price, "price differs at tick 7"),
        ("game", put(3, 1e9), "peak differs"),
        ("game", put(5, 0.5), "tick or price of the rug differs from the prices"),
        ("game", put(1, "v9"), "unknown game version v9"),
        ("game", put(9, False), "when it was recorded: matches the seed"),
    ],
)
def test_a_round_that_is_not_good_says_why(
    tmp_path: Path, rows: list[Row], doc_type: str, change: Callable[[list[Any]], None], reason: str
) -> None:
    assert list(changed(tmp_path, rows, doc_type, change).values()) == [reason]


def test_a_live_tick_with_another_price_than_the_seed_gives_is_found(tmp_path: Path, rows: list[Row]) -> None:
    def change(values: list[Any]) -> None:
        values[:3] = [3, 77.7, "ACTIVE"]

    completed = [row.game_id for row in rows if row.doc_type == "game"]
    ticks = [row for row in rows if row.doc_type != "game_tick" or (row.game_id in completed and row.values[0] == 3)]
    assert list(changed(tmp_path, ticks, "game_tick", change).values()) == ["live price differs at tick 3"]


def test_one_round_is_judged_by_its_id_and_an_unknown_one_is_not_there(tmp_path: Path, rows: list[Row]) -> None:
    Store(tmp_path).flush(rows, rows[-1].seq)
    every = judged(tmp_path)
    assert len(every) == 11
    assert {one.verified for one in every} == {True}
    assert judged(tmp_path, every[4].game_id) == [every[4]]
    assert judged(tmp_path, "20260101-absent") == []


@pytest.mark.skipif(not PUBLISHED.is_file(), reason="the verified games are not part of the project")
def test_all_published_rounds_are_good_from_the_stored_data(tmp_path: Path) -> None:
    games = [json.loads(line) for line in PUBLISHED.read_text().splitlines()]
    playing, stored = Play(), []
    for game in games:
        fair = {"serverSeed": game["serverSeed"], "serverSeedHash": game["serverSeedHash"]}
        entry = {"id": game["gameId"], "provablyFair": fair, "rugged": True}
        entry |= {name: game[name] for name in ("timestamp", "prices", "peakMultiplier", "gameVersion")}
        stored += playing.frame(packet("gameStateUpdate", {"gameId": "20260101-now", "gameHistory": [entry]})).rows
    Store(tmp_path).flush(stored, playing.seq)
    found = judged(tmp_path)
    assert [one.game_id for one in found] == [game["gameId"] for game in games]
    assert {(one.verified, one.reason) for one in found} == {(True, "matches the seed")}


@pytest.mark.system
def test_the_command_prints_verdicts_and_its_code_tells_a_mismatch(tmp_path: Path, rows: list[Row]) -> None:
    write(tmp_path / "good", played())
    good = vectra(tmp_path, "verify", "--all", "--data-dir", str(tmp_path / "good"))
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.endswith("11 rounds: 11 good, 0 bad, 0 unknown.\n")
    (bad_id,) = changed(tmp_path / "bad", rows, "game", put(8, "0" * 64))
    bad = vectra(tmp_path, "verify", "--bad", "--json", "--data-dir", str(tmp_path / "bad"))
    assert bad.returncode == 1
    told = [json.loads(line) for line in bad.stdout.splitlines()]
    assert [(one["game_id"], one["verified"], one["reason"]) for one in told] == [(bad_id, False, "hash differs")]
    absent = vectra(tmp_path, "verify", "nothing", "--data-dir", str(tmp_path / "good"))
    assert (absent.returncode, absent.stderr[:24]) == (1, "nothing is not recorded.")
    assert vectra(tmp_path, "verify", "x", "--all").returncode == 2


def test_a_note_alone_is_no_round(tmp_path: Path) -> None:
    write(tmp_path, [Note(256, 1_767_225_600_000_000, "gap", b"{}")])
    assert judged(tmp_path) == []
