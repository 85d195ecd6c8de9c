"""Rounds end while the normalizer, the writer or the journal is killed: each is stored once, whole and proven."""

import time
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from actors.core.bus import Bus
from actors.core.config import Config, Recording
from actors.rugs.fairness import play
from tests.players import Capture
from tests.processes import PIPELINE, Running, wait_for
from tests.rugs.playbook import game_of, seed_of, whole_round

pytestmark = pytest.mark.system

FIRST, ROUNDS = 4, 9
KILLED = ("normalizer", "writer", "writer", "normalizer", "journal", "writer", "normalizer", "normalizer", "writer")
SKIPPED = 5  # ticks of every round that nobody sees


def query(settings: Config, doc_type: str, sql: str) -> list[Any]:
    if not list(settings.data_path.glob(f"events_parquet/doc_type={doc_type}/*/*.parquet")):
        return []
    files = f"{settings.data_path}/events_parquet/doc_type={doc_type}/*/*.parquet"
    return duckdb.execute(sql.replace("FILES", f"read_parquet('{files}')")).fetchall()


def test_each_round_is_stored_once_whole_and_proven(tmp_path: Path) -> None:
    settings = Config(data_dir=str(tmp_path / "data"), recording=Recording(flush_s=0.2))
    sent = 0
    with closing(Bus(settings.runtime_path)) as bus, Running(settings, *PIPELINE) as running:
        capture = Capture(bus)

        def until(done: Any, cap_s: float = 60) -> None:
            deadline = time.monotonic() + cap_s
            while not done():
                assert time.monotonic() < deadline
                capture.turn()
                capture.wait(0.003)

        for number, name in zip(range(FIRST, FIRST + ROUNDS), KILLED, strict=True):
            frames = whole_round(number, step_ms=5000)
            seen = [*frames[:6], *frames[6 + SKIPPED :]] if len(frames) > 20 else frames
            for payload in seen:
                capture.text(payload.encode())
                sent += 1
            if number % 2:
                until(lambda: capture.acked >= sent)  # noqa: B023 - the end is durable; else it is on its way
            else:
                capture.turn()
            running.replace(name)

        def all_there() -> bool:
            capture.turn()
            games = query(settings, "game", "SELECT DISTINCT game_id FROM FILES")
            return (game_of(FIRST + ROUNDS - 1),) in games and capture.acked >= sent

        wait_for(all_there, 60, every_s=0.1)
        assert running["writer"].stop() == 0
    games = query(
        settings, "game", "SELECT game_id, verified, ticks, live_ticks, missing_ticks FROM FILES ORDER BY seq"
    )
    first_history = [game_of(number) for number in range(FIRST - 3, FIRST)]
    wanted = first_history + [game_of(number) for number in range(FIRST, FIRST + ROUNDS)]
    assert [game_id for game_id, *_ in games] == wanted
    assert {verified for _, verified, *_ in games} == {True}
    for game_id, _, ticks, live, missing in games:
        assert live + missing == ticks + 1
        rows = query(settings, "game_tick", f"SELECT tick, price FROM FILES WHERE game_id = '{game_id}' "
                     "AND phase IN ('ACTIVE', 'RUGGED') ORDER BY tick")  # fmt: skip
        number = wanted.index(game_id) + FIRST - 3
        assert rows == list(enumerate(play(seed_of(number), game_id).prices))
