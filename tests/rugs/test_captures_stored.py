"""Both recorded sessions from a capture's socket to Parquet, through the real processes: nothing drifts or is lost."""

import time
from pathlib import Path

import duckdb
import pytest

from actors.core.bus import Bus
from actors.core.config import Config, Recording
from tests.players import Capture
from tests.processes import process
from tests.rugs.test_captures import CAPTURES, SESSIONS, frames

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not CAPTURES.is_dir(), reason="the recorded sessions are not part of the project"),
]


def test_recorded_sessions_are_stored_whole_typed_and_proven(tmp_path: Path) -> None:
    settings = Config(data_dir=str(tmp_path / "data"), recording=Recording(flush_s=0.2))
    payloads = [payload for name in SESSIONS for payload, _ in frames(name)]
    bus = Bus(settings.runtime_path)
    capture = Capture(bus)
    for payload in payloads:
        capture.text(payload.encode())
    with (
        process("journal", "actors.journal.actor:run", settings),
        process("normalizer", "actors.normalizer:run", settings),
        process("state", "actors.state.actor:run", settings),
        process("writer", "actors.writer.actor:run", settings) as writer,
    ):
        deadline = time.monotonic() + 60
        stored: list[str] = []
        while len(stored) < len(payloads):
            assert time.monotonic() < deadline, len(stored)
            capture.turn()
            capture.wait(0.05)
            if list(settings.data_path.glob("events_parquet/doc_type=ws_event/*/*.parquet")):
                found = f"SELECT raw FROM read_parquet('{files(settings, 'ws_event')}') ORDER BY seq"
                stored = [raw for (raw,) in duckdb.execute(found).fetchall()]
        assert writer.stop() == 0
    bus.close()
    assert stored == payloads
    told = f"SELECT data FROM read_parquet('{files(settings, 'system_event')}') WHERE event = 'drift'"
    assert duckdb.execute(told).fetchall() == []
    games = duckdb.execute(f"SELECT game_id, verified FROM read_parquet('{files(settings, 'game')}')").fetchall()
    assert len(games) == len({game_id for game_id, _ in games}) >= 30
    assert {verified for _, verified in games} == {True}
    differing = duckdb.execute(
        f"SELECT count(*) FROM read_parquet('{files(settings, 'game_tick')}') tick "
        f"JOIN read_parquet('{files(settings, 'game')}') game USING (game_id) "
        "WHERE tick.phase IN ('ACTIVE', 'RUGGED') AND tick.price != game.prices[tick.tick + 1]"
    ).fetchone()
    assert differing == (0,)


def files(settings: Config, doc_type: str) -> str:
    """Return the pattern of a doc_type's files."""
    return f"{settings.data_path}/events_parquet/doc_type={doc_type}/*/*.parquet"
