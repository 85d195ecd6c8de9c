"""Parquet files of other schemas: what their rows become, what is told of them, and that they are taken over once."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from actors.core.messages import Frame
from actors.rugs.recordings import Recorded
from actors.rugs.schema import DOC_TYPES
from actors.writer import layout, placing
from actors.writer.batch import Said
from actors.writer.sources import TableSource
from tests.recorded import Session, write
from tests.writer.test_importing import CAPTURES, SECRET, asked, counts, lines_of, put, session, take

ROOT = Path(__file__).parents[2]
EPOCH = datetime(1970, 1, 1)
TICKS = "SELECT game_id, tick, price, phase, trade_count, ts::VARCHAR FROM game_tick ORDER BY ALL"


def told(frames: Sequence[Frame]) -> list[tuple[Frame, str, Any]]:
    """Return the received events with one argument: frame, name, content."""
    found = []
    for frame in frames:
        if not frame.sent and frame.payload.startswith(b"42["):
            name, *arguments = json.loads(frame.payload[2:])
            if len(arguments) == 1:
                found.append((frame, name, arguments[0]))
    return found


def states(frames: Sequence[Frame]) -> list[tuple[Frame, dict[str, Any]]]:
    return [(frame, content) for frame, name, content in told(frames) if name == "gameStateUpdate"]


def earlier(data_dir: Path, doc_type: str, rows: list[dict[str, Any]] | pa.Table, name: str = "part-0.parquet") -> Path:
    """Put a file of another schema where the data directory's own files lie."""
    path = layout.events_dir(data_dir) / f"doc_type={doc_type}" / "date=2026-01-01" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows), path)
    return path


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def one(done: list[Said]) -> Said:
    (found,) = done
    assert found.trouble is None
    return found


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_frames_of_a_table_are_taken_as_they_are(tmp_path: Path, unit: str) -> None:
    frames = [frame for frame in session() if b"gameHistory" not in frame.payload][:80]
    rounded = [Frame(f.seq, f.at_us // 1_000_000 * 1_000_000, f.stream, f.sent, 1, f.payload) for f in frames]
    table = pa.table(
        {
            "ts": pa.array([f.at_us for f in rounded], pa.timestamp("us", "UTC")).cast(pa.timestamp(unit, "UTC")),
            "direction": ["sent" if frame.sent else "received" for frame in rounded],
            "raw": [frame.payload.decode() for frame in rounded],
            "session_id": ["a"] * len(rounded),
        }
    )  # fmt: skip
    pq.write_table(table, tmp_path / "frames.parquet")
    done = one(take(tmp_path / "data", tmp_path / "frames.parquet")[0])
    take(tmp_path / "lines", put(tmp_path / "some.jsonl", lines_of(rounded)))
    assert (done.frames, done.bad_lines, done.left, done.moved) == (len(frames), 0, ["session_id"], None)
    assert counts(tmp_path / "data") == counts(tmp_path / "lines")
    same = "SELECT raw, direction, ts::VARCHAR FROM ws_event ORDER BY seq"
    assert asked(tmp_path / "data", same) == asked(tmp_path / "lines", same)
    again = one(take(tmp_path / "data", tmp_path / "frames.parquet")[0])
    assert (again.frames, again.known, again.rows) == (0, len(frames), 0)


@pytest.mark.parametrize("time", ["s", "ms", "iso", "decimal"])
def test_an_event_with_its_content_as_json_becomes_what_a_line_with_them_becomes(tmp_path: Path, time: str) -> None:
    events = [one for one in told(session()) if "gameHistory" not in str(one[2])][:80]
    times = {
        "s": lambda at_us: at_us / 1e6, "ms": lambda at_us: at_us // 1000,
        "iso": lambda at_us: f"{(EPOCH + timedelta(microseconds=at_us)).isoformat()}Z",
        "decimal": Decimal,
    }  # fmt: skip
    rows = [
        {"timestamp": times[time](frame.at_us), "event_name": name, "data": json.dumps(content)}
        for frame, name, content in events
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "events.parquet")
    done = one(take(tmp_path / "data", tmp_path / "events.parquet")[0])
    lines = [json.dumps({"ts": frame.at_us, "event": name, "data": content}) for frame, name, content in events]
    take(tmp_path / "lines", put(tmp_path / "some.jsonl", lines))
    assert (done.frames, done.bad_lines, done.left) == (len(events), 0, [])
    assert counts(tmp_path / "data") == counts(tmp_path / "lines")
    same = "SELECT game_id, tick, price, phase FROM game_tick ORDER BY ALL"
    assert asked(tmp_path / "data", same) == asked(tmp_path / "lines", same) != []


def test_nested_columns_become_the_content_and_their_nulls_are_left_out(tmp_path: Path) -> None:
    frames = [one for one in states(session()) if "gameHistory" not in one[1]][:60]
    rows = [{"t": frame.at_us, "event": "gameStateUpdate", "data": content} for frame, content in frames]
    path = tmp_path / "nested.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    assert pa.types.is_struct(pq.read_schema(path).field("data").type)
    done = one(take(tmp_path / "data", path)[0])
    take(tmp_path / "lines", put(tmp_path / "some.jsonl", lines_of([frame for frame, _ in frames])))
    assert done.frames == len(frames)
    assert asked(tmp_path / "data", TICKS) == asked(tmp_path / "lines", TICKS) != []


def test_each_column_can_be_a_field_of_the_event(tmp_path: Path) -> None:
    frames = [(f, c) for f, c in states(session()) if "gameId" in c and "gameHistory" not in c][:100]
    names = ("gameId", "price", "tickCount", "active", "rugged", "cooldownTimer", "allowPreRoundBuys", "tradeCount")
    rows = [
        {"ts": f.at_us, "event": "gameStateUpdate", "seq": n, **{name: c.get(name) for name in names}, "mood": "calm"}
        for n, (f, c) in enumerate(frames)
    ]
    path = tmp_path / "flat.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    done = one(take(tmp_path / "data", path)[0])
    take(tmp_path / "lines", put(tmp_path / "some.jsonl", lines_of([frame for frame, _ in frames])))
    assert (done.frames, done.left) == (len(frames), ["seq"])
    assert asked(tmp_path / "data", TICKS) == asked(tmp_path / "lines", TICKS) != []
    raw = asked(tmp_path / "data", "SELECT raw FROM ws_event ORDER BY seq LIMIT 1")[0][0]
    assert json.loads(raw[2:])[1]["mood"] == "calm"  # a column that nobody knows is kept in the frame


def test_typed_rows_of_an_earlier_schema_come_back_as_rows_and_their_files_move_away(tmp_path: Path) -> None:
    live, data_dir = tmp_path / "live", tmp_path / "data"
    playing = Session()
    write(live, [*playing.start(), *playing.rounds(1)])
    kinds = [kind for kind in DOC_TYPES if kind != "ws_event"]
    before = counts(live)
    for kind in kinds:
        files = layout.files_of(layout.events_dir(live), kind)
        table = pa.concat_tables([pq.read_table(file.path, partitioning=None) for file in files])
        table = table.drop_columns(["seq"]).append_column("writer", pa.array(["old"] * len(table)))
        earlier(data_dir, kind, table.replace_schema_metadata({"vectra.schema_version": "1.4.0"}))
    done, _ = take(data_dir, layout.events_dir(data_dir))
    assert [(told.trouble, told.bad_lines, told.stays) for told in done] == [(None, 0, False)] * len(kinds)
    assert files_below(data_dir / "taken_over") == {f"doc_type={k}/date=2026-01-01/part-0.parquet" for k in kinds}
    assert not list(layout.events_dir(data_dir).rglob("part-0.parquet"))
    after = counts(data_dir)
    for kind in ("game_tick", "trade", "sidebet", "player_action", "server_state", "game"):
        assert after[kind] == before[kind], kind
    same = "SELECT game_id, tick, price, phase, active, rugged, cooldown_ms, trade_count FROM game_tick ORDER BY ALL"
    assert asked(data_dir, same) == asked(live, same)
    same = "SELECT game_id, ended_at::VARCHAR, ticks, peak, prices, server_seed, verified, verify_reason FROM game"
    assert asked(data_dir, same) == asked(live, same)
    same = "SELECT ts::VARCHAR, game_id, button, actor, amount, success, trace_id FROM player_action ORDER BY ALL"
    assert asked(data_dir, same) == asked(live, same)
    ((data,),) = asked(data_dir, "SELECT DISTINCT (data::JSON)->'columns' FROM player_action")
    assert json.loads(data) == {"writer": "old"}
    assert {told.file.split("doc_type=")[1].split("/")[0]: told.left for told in done}["game_tick"] == [
        "origin",
        "writer",
    ]


def test_what_the_messages_told_already_is_not_taken_from_typed_rows_again(tmp_path: Path) -> None:
    frames = [one for one in states(session()) if "gameHistory" not in one[1]]
    data_dir = tmp_path / "data"
    messages = [{"ts": f.at_us, "event_name": "gameStateUpdate", "data": json.dumps(c)} for f, c in frames]
    ticks = [
        {"ts": f.at_us, "game_id": c["gameId"], "tick": c["tickCount"], "price": c["price"], "phase": "ACTIVE"}
        for f, c in frames if c.get("active") and not c.get("rugged") and "gameId" in c
    ]  # fmt: skip
    assert len(ticks) > 20
    earlier(data_dir, "game_tick", ticks)
    earlier(data_dir, "ws_event", messages)
    first, second = take(data_dir, layout.events_dir(data_dir))[0]
    assert ("ws_event" in first.file, first.frames) == (True, len(messages))
    assert (second.frames, second.known, second.moved is not None) == (0, len(ticks), True)
    assert counts(data_dir)["ws_event"] == len(messages)


def test_small_files_that_follow_each_other_are_one_recording(tmp_path: Path) -> None:
    rows = [{"ts": f.at_us, "raw": f.payload.decode()} for f in session() if not f.sent]
    for number in range(0, len(rows), 60):
        earlier(tmp_path / "many", "ws_event", rows[number : number + 60], f"{99 - number // 60}.parquet")
    earlier(tmp_path / "single", "ws_event", rows)
    for data_dir in (tmp_path / "many", tmp_path / "single"):
        take(data_dir, layout.events_dir(data_dir))
    found, whole = counts(tmp_path / "many"), counts(tmp_path / "single")
    assert found.pop("system_event") > whole.pop("system_event")  # an event for each file
    assert found == whole
    same = "SELECT game_id, live_ticks, missing_ticks FROM game"
    assert asked(tmp_path / "many", same) == asked(tmp_path / "single", same)


def test_rows_that_tell_nothing_are_named_and_their_file_stays(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    good: dict[str, Any] = {"ts": 1_767_225_600.5, "event": "x", "data": "{}"}
    bad: list[dict[str, Any]] = [{"ts": None}, {"ts": -5.0}, {"event": None}, {"data": "{"}, {"data": None}]
    path = earlier(data_dir, "ws_event", [good, *({**good, **one} for one in bad), good])
    done, said = take(data_dir, layout.events_dir(data_dir))
    named = [line.bad for line in said if line.bad]
    assert named == [
        f"{path}: row 2: has no time in column ts",
        f"{path}: row 3: has the time -5.0, must be a number or ISO 8601",
        f"{path}: row 4: has a content in column data and no event that it belongs to",
        f"{path}: row 5: column data holds '{{', must be a frame or JSON: Input data was truncated",
        f"{path}: row 6: has nothing in data",
    ]
    assert (one(done).frames, one(done).bad_lines, one(done).stays, path.exists()) == (2, 5, True, True)


@pytest.mark.parametrize(
    ("doc_type", "row", "why"),
    [
        ("odd", {"ts": 1, "a": 2}, "has only the columns ts, a: none holds a message (frame, raw, "),
        ("game_tick", {"ts": 1, "a": 2}, "has only the columns ts, a, none of them of game_tick"),
        ("game_tick", {"a": 1, "tick": 2}, "has no column with a time (t, ts, timestamp, time, "),
    ],
)
def test_a_table_of_which_nothing_is_understood_stays_and_is_told(
    tmp_path: Path, doc_type: str, row: dict[str, Any], why: str
) -> None:
    path = earlier(tmp_path, doc_type, [row])
    (done,), _ = take(tmp_path, layout.events_dir(tmp_path))
    assert (done.trouble or "").startswith(f"{path}: {why}")
    assert files_below(tmp_path) == {str(path.relative_to(tmp_path))}


def test_a_damaged_file_leaves_nothing_and_stays(tmp_path: Path) -> None:
    rows = [{"ts": f.at_us, "raw": f.payload.decode()} for f in session()]
    path = earlier(tmp_path, "ws_event", pa.Table.from_pylist(rows))
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=100, compression="zstd")
    group = pq.read_metadata(path).row_group(2).column(1)
    content = bytearray(path.read_bytes())
    begin = group.data_page_offset + 100
    content[begin : begin + 200] = os.urandom(200)
    path.write_bytes(content)
    torn = earlier(tmp_path, "ws_event", rows, "torn.parquet")
    torn.write_bytes(torn.read_bytes()[:-30])
    text = earlier(tmp_path, "ws_event", rows, "text.parquet")
    text.write_text("no table")
    there = files_below(tmp_path)
    done, _ = take(tmp_path, layout.events_dir(tmp_path))
    assert [told.trouble is None for told in done] == [False] * 3
    assert files_below(tmp_path) == there


def test_own_files_are_passed_over_and_those_of_another_data_directory_taken(tmp_path: Path) -> None:
    playing = Session()
    write(tmp_path / "other", [*playing.start(), *playing.rounds(1)])
    before = counts(tmp_path / "other")
    own = layout.files_of(layout.events_dir(tmp_path / "other"), "ws_event")[0].path
    earlier(tmp_path / "other" / "demo", "ws_event", [{"ts": 1_767_225_600, "raw": "2"}])
    for given in (tmp_path / "other", layout.events_dir(tmp_path / "other"), own):
        assert take(tmp_path / "other", given)[0] == []
    done, _ = take(tmp_path / "data", layout.events_dir(tmp_path / "other"))
    assert {told.trouble for told in done} == {None}
    after = counts(tmp_path / "data")
    for kind in ("ws_event", "game_tick", "game", "trade", "sidebet", "server_state"):
        assert after[kind] == before[kind], kind
    assert counts(tmp_path / "other") == before


def test_a_row_group_of_any_size_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "huge.parquet"
    texts = [f'42["x",{{"at":{number},"noise":"{os.urandom(4000).hex()}"}}]' for number in range(8000)]
    table = pa.table({"ts": range(1_767_225_600_000, 1_767_225_608_000), "frame": texts})
    pq.write_table(table, path, row_group_size=len(table))
    size = table.nbytes
    assert (pq.read_metadata(path).num_row_groups, size > 60_000_000) == (1, True)
    del table, texts
    held_before, held, count = pa.total_allocated_bytes(), 0, 0
    for _, item in TableSource(path).items():
        count += isinstance(item, Recorded)
        held = max(held, pa.total_allocated_bytes() - held_before)
    assert (count, held < size // 2) == (8000, True), held


def test_secrets_of_a_table_are_redacted(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    earlier(data_dir, "ws_event", [{"ts": 1_767_225_600, "dir": "sent", "frame": f'42["authenticate","{SECRET}"]'}])
    earlier(data_dir, "system_event", [{"ts": 1_767_225_600, "event": "x", "data": json.dumps({"jwt": SECRET})}])
    done, _ = take(data_dir, layout.events_dir(data_dir))
    assert [told.trouble for told in done] == [None, None]
    written = [path.read_bytes() for path in layout.events_dir(data_dir).rglob("*.parquet")]
    assert len(written) == 4
    assert asked(data_dir, "SELECT raw FROM ws_event") == [('42["authenticate","[redacted]"]',)]
    assert asked(data_dir, "SELECT data FROM system_event WHERE event = 'x'") == [('{"jwt": "[redacted]"}',)]


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the recorded sessions are not part of the project")
def test_real_rounds_as_a_table_are_verified(tmp_path: Path) -> None:
    rounds = [json.loads(line) for line in (CAPTURES / "verified-games.jsonl").read_text().splitlines()]
    rows = [{"ts": round_["timestamp"], **round_, "ended_at": round_["timestamp"]} for round_ in rounds]
    earlier(tmp_path, "game", [{k: v for k, v in row.items() if k != "timestamp"} for row in rows])
    done = one(take(tmp_path, layout.events_dir(tmp_path))[0])
    assert (done.frames, done.bad_lines, done.left) == (len(rounds), 0, ["rugTick"])
    assert asked(tmp_path, "SELECT count(*), bool_and(verified) FROM game") == [(len(rounds), True)]


def rows_there(data_dir: Path) -> dict[str, int]:
    """Return how many rows a plain glob finds, by doc_type."""
    folders = layout.events_dir(data_dir).glob("doc_type=*")
    return {f.name: sum(pq.read_metadata(file).num_rows for file in f.rglob("*.parquet")) for f in folders}


@pytest.mark.system
def test_an_import_killed_at_any_step_is_completed_by_the_next_and_nothing_is_there_twice(tmp_path: Path) -> None:
    before, copies = tmp_path / "before", tmp_path / "copies"
    frames = [frame for frame, content in states(session()) if "gameHistory" not in content][:8]
    earlier(before, "ws_event", [{"ts": frame.at_us, "raw": frame.payload.decode()} for frame in frames])
    earlier(before, "player_action", [{"ts": frames[0].at_us, "button": "BUY", "amount": 0.5}])
    command = [sys.executable, "-m", "tests.writer.dying", str(before), "events_parquet", str(copies)]
    dying = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, check=True
    )
    died = int(dying.stdout)
    lived = rows_there(copies / f"{died + 1:03d}")
    assert died > 20
    assert (lived["doc_type=ws_event"], lived["doc_type=player_action"], lived["doc_type=system_event"]) == (8, 1, 2)
    for data_dir in sorted(copies.iterdir()):
        take(data_dir, layout.events_dir(data_dir))
        assert rows_there(data_dir) == lived, data_dir.name
        assert files_below(data_dir / "taken_over") == files_below(layout.events_dir(before))
        assert files_below(placing.aside(data_dir)) == set()
        assert take(data_dir, layout.events_dir(data_dir))[0] == []
