"""Recordings of other programs get into the data once, marked, and beside what is recorded."""

import gzip
import json
import os
import tracemalloc
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from actors.core.messages import Frame
from actors.rugs.recordings import Recorded
from actors.rugs.schema import DOC_TYPES, IMPORT_SEQ
from actors.writer import bounded_lines, layout, placing, swap
from actors.writer.batch import Said
from actors.writer.flush import Store
from actors.writer.importing import Import
from actors.writer.offline import compact
from actors.writer.rebuild import Rebuild
from actors.writer.sources import TableSource, sources
from tests.recorded import MIDNIGHT_US, Session, write

CAPTURES = Path(__file__).parents[3] / "shared" / "captures"
SECRET = "planted-credential-of-a-recording"


@cache
def session(rounds: int = 1) -> list[Frame]:
    playing = Session()
    played = [*playing.start(), *playing.rounds(rounds)]
    return [record for record in played if isinstance(record, Frame)]


def lines_of(frames: list[Frame], scale: float = 1e6, since_us: int = 0) -> list[str]:
    return [
        json.dumps({"t": (frame.at_us - since_us) / scale, "dir": "sent" if frame.sent else "received",
                    "frame": frame.payload.decode()})
        for frame in frames
    ]  # fmt: skip


def older(frames: list[Frame], time_name: str, event_name: str) -> list[str]:
    """Return the received events as public recordings have them."""
    found = []
    for number, frame in enumerate(frames):
        if frame.sent or not frame.payload.startswith(b"42["):
            continue
        name, *args = json.loads(frame.payload[2:])
        told: dict[str, Any] = {"seq": number} if time_name == "ts" else {}
        told |= {time_name: frame.at_us // 1000, event_name: name, "data": args if len(args) > 1 else args[0]}
        found.append(json.dumps(told))
    return found


def put(path: Path, lines: list[str]) -> Path:
    text = "".join(f"{line}\n" for line in lines).encode()
    if path.suffix == ".gz":
        text = gzip.compress(text)
    elif path.suffix == ".zst":
        text = zstandard.compress(text)
    path.write_bytes(text)
    return path


def take(data_dir: Path, *paths: Path, began_us: int | None = None) -> tuple[list[Said], list[Said]]:
    """Import; return what became of the files, and what was said on the way."""
    said: list[Said] = []
    importing = Import(data_dir, said.append, began_us)
    return [importing.take(source) for source in sources(list(paths), importing.data_dir)], said


def asked(data_dir: Path, sql: str) -> list[tuple[Any, ...]]:
    root = layout.events_dir(data_dir)
    with duckdb.connect() as database:
        for doc_type in DOC_TYPES:
            if layout.files_of(root, doc_type):
                database.execute(f"CREATE VIEW {doc_type} AS FROM '{root}/doc_type={doc_type}/*/*.parquet'")
        found: list[tuple[Any, ...]] = database.execute(sql).fetchall()
        return found


def counts(data_dir: Path) -> dict[str, int]:
    root = layout.events_dir(data_dir)
    kept = [doc_type for doc_type in DOC_TYPES if layout.files_of(root, doc_type)]
    return {doc_type: asked(data_dir, f"SELECT count(*) FROM {doc_type}")[0][0] for doc_type in kept}


def test_a_recording_becomes_the_rows_that_recording_it_would_have_made(tmp_path: Path) -> None:
    frames = session()
    (done,), _ = take(tmp_path / "data", put(tmp_path / "some.jsonl", lines_of(frames)))
    playing = Session()
    write(tmp_path / "live", [*playing.start(), *playing.rounds(1)])
    imported, live = counts(tmp_path / "data"), counts(tmp_path / "live")
    assert (done.frames, done.bad_lines, done.known) == (len(frames), 0, 0)
    for doc_type in ("ws_event", "game_tick", "game", "trade", "sidebet", "server_state"):
        assert imported[doc_type] == live[doc_type], doc_type
    same = "SELECT game_id, tick, price, phase, trade_count, origin, ts::VARCHAR FROM game_tick ORDER BY ALL"
    assert asked(tmp_path / "data", same) == asked(tmp_path / "live", same)
    assert asked(tmp_path / "data", "SELECT DISTINCT stream, min(seq) FROM ws_event GROUP BY 1") == [
        ("import/some.jsonl", IMPORT_SEQ + 256)
    ]
    ((event, data),) = asked(tmp_path / "data", "SELECT event, data FROM system_event")
    told = json.loads(data)
    assert (event, told["file"], told["frames"], told["firstSeq"]) == ("import", "some.jsonl", len(frames), IMPORT_SEQ)


@pytest.mark.parametrize("again", ["same.jsonl", "packed.jsonl.gz", "packed.jsonl.zst"])
def test_a_recording_given_twice_gets_in_once(tmp_path: Path, again: str) -> None:
    lines = lines_of(session())
    data_dir = tmp_path / "data"
    take(data_dir, put(tmp_path / "first.jsonl", lines))
    before = counts(data_dir)
    (second,), _ = take(data_dir, put(tmp_path / again, lines))
    assert (second.frames, second.known, second.rows) == (0, len(lines), 0)
    assert counts(data_dir) == before


def test_a_recording_that_grew_brings_what_is_new_as_if_it_had_come_at_once(tmp_path: Path) -> None:
    frames = session(2)
    begun = put(tmp_path / "begun.jsonl", lines_of(frames[:300]))
    whole = put(tmp_path / "whole.jsonl", lines_of(frames))
    take(tmp_path / "grown", begun)
    take(tmp_path / "grown", whole)
    take(tmp_path / "once", whole)
    grown, once = counts(tmp_path / "grown"), counts(tmp_path / "once")
    assert grown.pop("system_event") == once.pop("system_event") + 1
    assert grown == once


def test_equal_frames_of_one_moment_are_all_kept(tmp_path: Path) -> None:
    lines = [json.dumps({"t": 1_767_000_000.5, "dir": "received", "frame": "2"})] * 3
    assert take(tmp_path / "data", put(tmp_path / "pings.jsonl", lines))[0][0].frames == 3
    assert take(tmp_path / "data", put(tmp_path / "more.jsonl", [*lines, lines[0]]))[0][0].frames == 1


@pytest.mark.parametrize(("time_name", "event_name"), [("ts", "event"), ("timestamp", "event_type")])
def test_the_older_forms_bring_the_same_typed_rows(tmp_path: Path, time_name: str, event_name: str) -> None:
    frames = [frame for frame in session() if not frame.sent and frame.payload.startswith(b"42[")]
    take(tmp_path / "exact", put(tmp_path / "a.jsonl", lines_of(frames)))
    take(tmp_path / "older", put(tmp_path / "b.jsonl", older(frames, time_name, event_name)))
    exact, rewritten = counts(tmp_path / "exact"), counts(tmp_path / "older")
    assert {one: exact[one] for one in exact} == {one: rewritten[one] for one in exact}
    same = "SELECT game_id, tick, price, phase FROM game_tick ORDER BY ALL"
    assert asked(tmp_path / "exact", same) == asked(tmp_path / "older", same)


def test_what_is_recorded_already_is_not_doubled_and_the_writer_goes_on_as_before(tmp_path: Path) -> None:
    playing = Session()
    played = [*playing.start(), *playing.rounds(1)]
    data_dir = tmp_path / "data"
    write(data_dir, played)
    before = counts(data_dir)
    frames = [record for record in played if isinstance(record, Frame)]
    take(data_dir, put(tmp_path / "same.jsonl", lines_of(frames)))
    after = counts(data_dir)
    for doc_type in ("game", "game_tick", "trade", "sidebet"):
        assert after[doc_type] == before[doc_type], doc_type
    assert after["ws_event"] == before["ws_event"] + len(frames)
    assert max(Store(data_dir).covered.values()) == played[-1].seq


def test_imported_rows_outlive_compaction_and_rebuild_in_files_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swap, "GRACE_S", 0.0)
    playing = Session()
    data_dir = tmp_path / "data"
    write(data_dir, [*playing.start(), *playing.rounds(1)])
    other = Session("other", at_us=MIDNIGHT_US - 55_000_000)
    frames = [record for record in [*other.start(), *other.rounds(1)] if isinstance(record, Frame)]
    for half, part in enumerate((frames[:200], frames[200:])):
        take(data_dir, put(tmp_path / f"{half}.jsonl", lines_of(part)))
    before = counts(data_dir)
    compact(data_dir)
    Rebuild(data_dir, None, None, lambda told: None).work()
    assert counts(data_dir) == before
    files = [file for doc_type in DOC_TYPES for file in layout.files_of(layout.events_dir(data_dir), doc_type)]
    assert {(file.first >= IMPORT_SEQ) == (file.last >= IMPORT_SEQ) for file in files} == {True}


def test_bad_lines_are_named_and_counted_and_stop_nothing(tmp_path: Path) -> None:
    good = lines_of(session())[:20]
    bad = [
        "{", "[]", '{"t": true, "frame": "2"}', '{"ts": "soon", "event": "x"}', '{"t": 1767000000}', '{"frame": "2"}',
        '{"t": 1767000000, "frame": 7}', "\x00", '{"t": 5e17, "frame": "2"}',
    ]  # fmt: skip
    path = put(tmp_path / "mixed.jsonl", [*good[:10], *bad, "", *good[10:]])
    (done,), said = take(tmp_path / "data", path)
    named = [one.bad for one in said if one.bad]
    assert (done.frames, done.bad_lines, len(named)) == (20, len(bad), len(bad))
    assert [one.split(": ")[0] for one in named if one] == [f"{path}:{number}" for number in range(11, 11 + len(bad))]


def test_a_file_that_cannot_be_read_leaves_nothing_and_the_others_get_in(tmp_path: Path) -> None:
    good = put(tmp_path / "good.jsonl", lines_of(session())[:50])
    torn = put(tmp_path / "torn.jsonl.gz", lines_of(session()))
    torn.write_bytes(torn.read_bytes()[:-2000])
    done, _ = take(tmp_path / "data", tmp_path / "absent.jsonl", torn, good)
    assert [one.trouble is None for one in done] == [False, False, True]
    assert counts(tmp_path / "data")["ws_event"] == 50
    assert list(placing.aside(tmp_path / "data").iterdir()) == []


def test_times_that_count_from_zero_are_placed_by_what_the_game_says(tmp_path: Path) -> None:
    frames = session()
    began_us = frames[0].at_us
    path = put(tmp_path / "from-zero.jsonl", lines_of(frames, since_us=began_us))
    (done,), _ = take(tmp_path / "told", path)
    assert done.first_us is not None
    assert abs(done.first_us - began_us) < 2_000_000
    (given,), _ = take(tmp_path / "given", path, began_us=began_us)
    assert given.first_us == began_us
    silent = put(tmp_path / "2025-12-14-silent.jsonl", ['{"t": 1.5, "frame": "2"}'])
    (dated,), _ = take(tmp_path / "dated", silent)
    assert dated.first_us == 1_765_670_401_500_000
    lost = put(tmp_path / "lost.jsonl", ['{"t": 1.5, "frame": "2"}'])
    (nowhere,), said = take(tmp_path / "lost", lost)
    assert (nowhere.frames, nowhere.bad_lines) == (0, 1)
    assert "give --began-at" in (said[0].bad or "")


def test_secrets_of_a_recording_are_redacted(tmp_path: Path) -> None:
    line = json.dumps({"t": 1_767_000_000, "dir": "sent", "frame": f'42["authenticate","{SECRET}"]'})
    take(tmp_path / "data", put(tmp_path / "told.jsonl", [line]))
    assert asked(tmp_path / "data", "SELECT raw FROM ws_event") == [('42["authenticate","[redacted]"]',)]


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the recorded sessions are not part of the project")
def test_real_recordings_get_in_whole_and_every_round_is_verified(tmp_path: Path) -> None:
    paths = sorted(CAPTURES.glob("*.jsonl.gz"))
    done, _ = take(tmp_path, *paths)
    assert [(one.trouble, one.bad_lines) for one in done] == [(None, 0)] * len(paths)
    assert sorted(one.frames for one in done) == [11, 30, 200, 487]
    assert asked(tmp_path, "SELECT DISTINCT verified FROM game") == [(True,)]
    ((games, ids),) = asked(tmp_path, "SELECT count(*), count(DISTINCT game_id) FROM game")
    assert games == ids > 30
    dates = {date for (date,) in asked(tmp_path, "SELECT DISTINCT date::VARCHAR FROM ws_event")}
    assert {"2025-12-07", "2025-12-15", "2026-02-06"} <= dates
    (again, *_), _ = take(tmp_path, *paths)
    assert again.frames == 0


WRONG_TIMES = (
    '"9999-12-31T23:59:59.999999Z"', '"9999-12-31T23:59:59-14:00"', '"0001-01-01T00:00:00+14:00"', '"0001-01-01"',
    '"1500-06-01T00:00:00Z"', '"1969-12-31T23:59:59Z"', '"1970-01-01T00:00:00Z"', '"2100-01-01T00:00:00Z"', '"NaN"',
    '""', '"10000-01-01"', "253402300799999", "4102444800", "4102444800000", "-1", "-1767225600", "1e18", "1e300",
    "-1e300", "18446744073709551616", "9223372036854775807", "true", "[]", "{}",
)  # fmt: skip


@pytest.mark.parametrize("moment", WRONG_TIMES)
@pytest.mark.parametrize("name", ["t", "ts", "timestamp"])
def test_a_time_out_of_range_is_one_bad_line_however_it_is_written(tmp_path: Path, name: str, moment: str) -> None:
    good = '{"ts":"2025-12-15T00:00:00Z","event":"x","data":{}}'
    path = put(tmp_path / "last.jsonl", [good, f'{{"{name}":{moment},"event":"x","data":{{}}}}', good])
    (done,), said = take(tmp_path / "data", path)
    assert (done.trouble, done.frames, done.bad_lines) == (None, 2, 1)
    assert [one.bad for one in said if one.bad and one.bad.startswith(f"{path}:2: ")]


@pytest.mark.parametrize("began_us", [-(10**18), 0, 10**18, 4_102_444_800_000_000])
def test_a_beginning_out_of_range_makes_bad_lines_of_times_that_count_from_it(tmp_path: Path, began_us: int) -> None:
    path = put(tmp_path / "zero.jsonl", ['{"t": 1.5, "frame": "2"}'])
    (done,), _ = take(tmp_path / "data", path, began_us=began_us)
    assert (done.trouble, done.frames, done.bad_lines) == (None, 0, 1)


def test_a_stamp_of_the_far_future_does_not_move_the_beginning(tmp_path: Path) -> None:
    frame = '{"t": 1, "frame": "42[\\"x\\",{\\"timestamp\\":%d}]"}'
    path = put(tmp_path / "zero.jsonl", [frame % 1_767_225_600_000, frame % 9_999_999_999_999])
    (done,), _ = take(tmp_path / "data", path)
    assert (done.frames, done.bad_lines, done.first_us) == (2, 0, 1_767_225_600_000_000)


@pytest.mark.parametrize("packed", ["long.jsonl", "long.jsonl.gz", "long.jsonl.zst"])
def test_a_line_that_is_too_long_is_one_bad_line_and_takes_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: str
) -> None:
    monkeypatch.setattr(bounded_lines, "MOST_LINE_BYTES", 1_000_000)
    good = '{"ts":"2025-12-15T00:00:00Z","event":"x","data":{}}'
    path = put(tmp_path / packed, [good, "x" * 60_000_000, good.replace("x", "y"), "x" * 1_000_001])
    tracemalloc.start()
    (done,), said = take(tmp_path / "data", path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (done.trouble, done.frames, done.bad_lines) == (None, 2, 2)
    assert peak < 40_000_000
    bad = [one.bad for one in said if one.bad]
    assert [one.split(": ")[0] for one in bad] == [f"{path}:2", f"{path}:4"]
    assert "has 60 MB" in bad[0]


@pytest.mark.parametrize(
    "line",
    [
        '{"ts":1767225600,"event":"x","data":[' + "[]," * 2_100_000 + "[]]}",
        '{"ts":1767225600,"event":"x","data":' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"ts":1767225600,"frame":"42[\\"x\\",' + "\\u005b" * 200 + '"}',
        '{"ts":1767225600,"event":"\\ud800","data":{"a":1e400}}',
        '{"ts":1767225600,"event":"x","data":' + "9" * 5000 + "}",
    ],
    ids=["many values", "deep", "deep by escapes", "surrogate", "long number"],
)
def test_a_line_that_unfolds_is_taken_or_named_and_ends_nothing(tmp_path: Path, line: str) -> None:
    good = '{"ts":"2025-12-15T00:00:00Z","event":"z","data":{}}'
    (done,), _ = take(tmp_path / "data", put(tmp_path / "odd.jsonl", [good, line, good.replace("z", "y")]))
    assert (done.trouble, done.frames + done.bad_lines) == (None, 3)


@pytest.mark.parametrize("kind", ["s", "ms", "us", "ns"])
def test_times_of_a_table_that_python_cannot_hold_are_bad_rows(tmp_path: Path, kind: str) -> None:
    good = 1_767_225_600 * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind]
    far = 2**62 // 1000 if kind == "s" else 2**62  # Parquet has no seconds: milliseconds must hold them
    moments = pa.array([good, far, -far, None, 0, good], pa.int64()).cast(pa.timestamp(kind, "UTC"))
    pq.write_table(pa.table({"ts": moments, "frame": ["2"] * 6}), tmp_path / "times.parquet", version="2.6")
    (done,), _ = take(tmp_path / "data", tmp_path / "times.parquet")
    assert (done.trouble, done.frames, done.bad_lines) == (None, 2, 4)


def test_a_text_that_rows_share_is_not_multiplied(tmp_path: Path) -> None:
    text = '42["x",{"noise":"' + "n" * 5_000_000 + '"}]'
    shared = pa.DictionaryArray.from_arrays(pa.array([0] * 1000, pa.int32()), pa.array([text]))
    moments = pa.array([1_767_225_600_000 + number for number in range(1000)])
    pq.write_table(pa.table({"ts": moments, "frame": shared}), tmp_path / "shared.parquet", store_schema=False)
    before, largest = pa.total_allocated_bytes(), 0
    for _, item in zip(range(60), TableSource(tmp_path / "shared.parquet").items(), strict=False):
        assert isinstance(item[1], Recorded)
        largest = max(largest, pa.total_allocated_bytes() - before)
    assert largest < 300_000_000


def test_a_device_or_pipe_is_refused_and_the_others_get_in(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    good = put(tmp_path / "good.jsonl", lines_of(session())[:5])
    done, _ = take(tmp_path / "data", tmp_path / "pipe.jsonl", Path("/dev/zero"), good)
    assert [one.trouble is None for one in done] == [False, False, True]


@pytest.mark.parametrize("place", [10, 1000, -20])
def test_damage_in_a_packed_file_is_its_trouble_and_leaves_nothing(tmp_path: Path, place: int) -> None:
    path = put(tmp_path / "hurt.jsonl.gz", lines_of(session()))
    content = bytearray(path.read_bytes())
    content[place : place + 8] = b"\xff" * 8
    path.write_bytes(content)
    (done,), _ = take(tmp_path / "data", path)
    assert done.trouble
    assert counts(tmp_path / "data") == {}
    assert list(placing.aside(tmp_path / "data").iterdir()) == []
