"""Recorded sessions through all of VECTRA: a real Chromium receives them; each frame is stored, typed and proven."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.house import House, house
from tests.processes import wait_for
from tests.rugs.test_captures import CAPTURES, SESSIONS, frames

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not CAPTURES.is_dir(), reason="the recorded sessions are not part of the project"),
]


@pytest.mark.parametrize("name", SESSIONS)
def test_a_recorded_session_is_stored_whole_typed_and_proven(tmp_path: Path, name: str) -> None:
    wanted = [payload for payload, sent in frames(name) if not sent and payload.startswith("42")]
    settings = {
        "VECTRA_SIMULATOR_REPLAY": str(CAPTURES / f"{name}.jsonl.gz"),
        "VECTRA_SIMULATOR_REPLAY_SPEED": "100",
        "VECTRA_RECORDING_FLUSH_S": "1",
    }
    with house(tmp_path, settings) as running:
        wait_for(lambda: len(stored(running)) >= len(wanted), 60, every_s=0.5)
        verified = running.run("verify", "--all")
        assert running.interrupt() == 0
    assert stored(running) == wanted
    assert (verified.returncode, " 0 bad" in verified.stdout) == (0, True), verified.stdout
    assert asked(f"SELECT data FROM {files(running, 'system_event')} WHERE event = 'drift'") == []
    prices = (
        f"SELECT count(*) FROM {files(running, 'game_tick')} tick JOIN {files(running, 'game')} game USING (game_id) "
        "WHERE tick.phase IN ('ACTIVE', 'RUGGED') AND tick.origin = 'live' AND tick.price != game.prices[tick.tick + 1]"
    )
    assert asked(prices) == [(0,)]


def files(running: House, doc_type: str) -> str:
    return f"read_parquet('{running.data_dir}/events_parquet/doc_type={doc_type}/*/*.parquet')"


def asked(question: str) -> list[tuple[Any, ...]]:
    return duckdb.execute(question).fetchall()


def stored(running: House) -> list[str]:
    """Return the messages that the page received, as they are in Parquet."""
    if not list(running.data_dir.glob("events_parquet/doc_type=ws_event/*/*.parquet")):
        return []
    wanted = "WHERE direction = 'received' AND raw LIKE '42%' ORDER BY seq"
    return [raw for (raw,) in asked(f"SELECT raw FROM {files(running, 'ws_event')} {wanted}")]
