"""A rebuild makes the very rows that live recording wrote; what frames cannot tell stays; a death costs nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import msgspec
import pytest

from actors.core.faults import EXIT_CODE
from actors.core.messages import Frame, Record, Row
from actors.core.segments import Batch, Codec
from actors.rugs.memory import Memory
from actors.rugs.normalize import derive
from actors.rugs.schema import DOC_TYPES, IMPORT_SEQ, SCHEMA_VERSION
from actors.writer import swap
from actors.writer.flush import Store
from actors.writer.layout import events_dir, files_of
from actors.writer.rebuild import Rebuild, Told
from tests.processes import ROOT
from tests.recorded import Session, records, write

FIRST, SECOND = "2026-01-01", "2026-01-02"


@pytest.fixture(autouse=True)
def _swift(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swap, "GRACE_S", 0.0)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    assert write(folder, records(2)).failures == 0
    return folder


def copy(source: Path, target: Path) -> Path:
    shutil.copytree(source, target)
    return target


def rebuild(data_dir: Path, first: str | None = None, last: str | None = None) -> list[Told]:
    said: list[Told] = []
    Rebuild(data_dir, first, last, said.append).work()
    return said


def forget_typed_rows(data_dir: Path, date: str = "*") -> None:
    """Leave of the derived doc_types no row that frames can tell of: as if the parser had made nothing of them."""
    for doc_type in ("game_tick", "server_state", "trade", "sidebet", "game"):
        for folder in events_dir(data_dir).glob(f"doc_type={doc_type}/date={date}"):
            shutil.rmtree(folder)


def differing(one: Path, other: Path) -> dict[str, int]:
    """Return by doc_type how many rows are in one directory only, doubles counted."""
    found = {}
    with duckdb.connect() as database:
        for doc_type in DOC_TYPES:
            both = [f"SELECT * FROM '{events_dir(place)}/doc_type={doc_type}/*/*.parquet'" for place in (one, other)]
            held = [bool(files_of(events_dir(place), doc_type)) for place in (one, other)]
            if not any(held):
                continue
            assert all(held), doc_type
            sql = f"(({both[0]}) EXCEPT ALL ({both[1]})) UNION ALL (({both[1]}) EXCEPT ALL ({both[0]}))"
            found[doc_type] = database.execute(f"SELECT count(*) FROM ({sql})").fetchall()[0][0]
    return found


def counts(data_dir: Path) -> dict[str, int]:
    with duckdb.connect() as database:
        return {
            doc_type: database.execute(
                f"SELECT count(*) FROM '{events_dir(data_dir)}/doc_type={doc_type}/*/*.parquet'"
            ).fetchall()[0][0]
            for doc_type in DOC_TYPES
        }


def test_all_rows_come_out_as_they_were_recorded(recorded: Path, tmp_path: Path) -> None:
    data_dir = copy(recorded, tmp_path / "data")
    forget_typed_rows(data_dir)
    said = rebuild(data_dir)
    assert set(differing(recorded, data_dir).values()) == {0}
    assert len(differing(recorded, data_dir)) == len(DOC_TYPES)
    assert [told.date for told in said if told.counts] == [FIRST, SECOND]
    assert list((data_dir / "staging").iterdir()) == []


def test_a_second_rebuild_changes_nothing_and_numbers_and_rights_are_those_of_the_writer(
    recorded: Path, tmp_path: Path
) -> None:
    data_dir = copy(recorded, tmp_path / "data")
    rebuild(data_dir)
    last = [told for told in rebuild(data_dir) if told.counts]
    assert all(one.before == one.after for told in last for one in (told.counts or {}).values())
    assert set(differing(recorded, data_dir).values()) == {0}
    before = {doc_type: files_of(events_dir(recorded), doc_type)[-1].last for doc_type in DOC_TYPES}
    assert before == {doc_type: files_of(events_dir(data_dir), doc_type)[-1].last for doc_type in DOC_TYPES}
    for path in (data_dir / "events_parquet").rglob("doc_type=game*/*/*.parquet"):
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("date", [FIRST, SECOND])
def test_one_date_is_made_again_with_the_day_before_as_warm_up(recorded: Path, tmp_path: Path, date: str) -> None:
    data_dir = copy(recorded, tmp_path / "data")
    forget_typed_rows(data_dir, date)
    said = rebuild(data_dir, date, date)
    assert set(differing(recorded, data_dir).values()) == {0}
    assert [told.date for told in said if told.counts] == [date]


def test_a_checkpoint_spares_the_warm_up(recorded: Path, tmp_path: Path) -> None:
    from actors.core.checkpoints import Checkpoints

    data_dir = copy(recorded, tmp_path / "data")
    begin = files_of(events_dir(data_dir), "ws_event")
    first = min(file.first for file in begin if file.path.parent.name == f"date={SECOND}")
    memory = Memory()
    for record in records(2):
        if record.seq < first:
            derive(memory, record)
    Checkpoints(data_dir / "checkpoints").save(first - 256, msgspec.msgpack.encode(memory))
    for file in begin:  # without it the day before could not be read
        if file.last < first:
            file.path.write_bytes(b"damaged")
    forget_typed_rows(data_dir, SECOND)
    rebuild(data_dir, SECOND)
    shutil.rmtree(events_dir(data_dir) / "doc_type=ws_event")
    shutil.copytree(events_dir(recorded) / "doc_type=ws_event", events_dir(data_dir) / "doc_type=ws_event")
    assert set(differing(recorded, data_dir).values()) == {0}


def paused(journal: Path | None = None) -> list[Record]:
    """A session in which recording is off for a round and a bit; journal: where all of it is journaled too."""
    session = Session("paused")
    played = [*session.start(), *session.rounds(1), session.note("recording", on=False, by="test")]
    played += [*session.rounds(1), *(record for _ in range(80) for record in step(session))]
    played += [session.note("recording", on=True, by="test"), *session.rounds(2)]
    if journal is not None:
        journal.mkdir(parents=True)
        batch = Batch(0, played[-1].seq, played)
        (journal / f"{1:016d}.seg").write_bytes(Codec().encode(batch))
    return played


def step(session: Session) -> list[Record]:
    session.at_us += 250_000
    return [session.frame(f"4{emit.packet()}") for emit in session.game.step(session.at_us // 1000).emits]


@pytest.mark.parametrize("has_journal", [True, False])
def test_a_pause_of_the_recording_comes_out_as_it_was(tmp_path: Path, has_journal: bool) -> None:
    played = paused(tmp_path / "live" / "journal" if has_journal else None)
    write(tmp_path / "live", played)
    data_dir = copy(tmp_path / "live", tmp_path / "data")
    rebuild(data_dir)
    found = differing(tmp_path / "live", data_dir)
    assert counts(data_dir)["game"] == counts(tmp_path / "live")["game"]
    assert set(found.values()) == {0}, found


def test_what_frames_do_not_tell_of_stays(recorded: Path, tmp_path: Path) -> None:
    data_dir = copy(recorded, tmp_path / "data")
    first, second = (frame.seq for frame in records(1)[300:302])
    moment = records(1)[300].at_us
    strange = [
        Row(first + 3, "game_tick", moment, "made up", [1, 1.0, "ACTIVE", True, False, 0, 1, 1, "live"]),
        Row(IMPORT_SEQ, "game_tick", moment, "imported", [1, 1.0, "ACTIVE", True, False, 0, 1, 1, "live"]),
    ]
    root = events_dir(data_dir)
    made_up, imported = (Store(tmp_path / name) for name in ("one", "other"))
    made_up.flush(strange[:1], second)
    imported.flush(strange[1:], IMPORT_SEQ)
    for store in (made_up, imported):
        (file,) = files_of(store.root, "game_tick")
        shutil.copy(file.path, root / "doc_type=game_tick" / f"date={FIRST}")
    assert differing(recorded, data_dir)["game_tick"] == 2
    rebuild(data_dir)
    assert differing(recorded, data_dir)["game_tick"] == 1  # a row of a stored frame that the parser does not make
    for doc_type in ("trade", "ws_event"):  # without the frames nothing is lost either
        shutil.rmtree(root / f"doc_type={doc_type}" / f"date={SECOND}")
    before = counts(data_dir)
    rebuild(data_dir)
    assert counts(data_dir) == before


def test_a_file_of_an_earlier_build_gets_the_columns_it_lacks(recorded: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    data_dir = copy(recorded, tmp_path / "data")
    (file, *_) = files_of(events_dir(data_dir), "player_action")
    table = pq.ParquetFile(file.path).read()
    pq.write_table(table.drop_columns(["data"]), file.path)
    rebuild(data_dir)
    (mended, *_) = files_of(events_dir(data_dir), "player_action")
    schema = pq.ParquetFile(mended.path).schema_arrow
    assert schema.equals(table.schema)
    assert (schema.metadata or {})[b"vectra.schema_version"] == SCHEMA_VERSION.encode()


@pytest.mark.parametrize(
    "fault", [f"compact.{place}" for place in ("fsync.after:3", "exchange.before:4", "exchange.after:4")]
)
def test_a_death_leaves_each_date_whole_and_a_second_call_completes_it(
    recorded: Path, tmp_path: Path, fault: str
) -> None:
    data_dir = copy(recorded, tmp_path / "data")
    command = [sys.executable, "-P", "-m", "actors.writer.rebuild", str(data_dir), str(os.getpid()), "", ""]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    died = subprocess.run(command, env={**environment, "VECTRA_FAULT": fault}, capture_output=True, check=False)
    assert died.returncode == EXIT_CODE
    assert set(differing(recorded, data_dir).values()) == {0}
    rebuild(data_dir)
    assert set(differing(recorded, data_dir).values()) == {0}
    assert list((data_dir / "staging").iterdir()) == []


def test_a_damaged_file_is_named_and_nothing_of_its_date_changes(recorded: Path, tmp_path: Path) -> None:
    from actors.writer.reading import Unreadable

    data_dir = copy(recorded, tmp_path / "data")
    damaged = files_of(events_dir(data_dir), "ws_event")[-1].path
    damaged.write_bytes(b"no parquet")
    held = {path: path.stat().st_ino for path in events_dir(data_dir).rglob(f"date={SECOND}/*.parquet")}
    with pytest.raises(Unreadable, match=str(damaged)):
        rebuild(data_dir)
    assert held == {path: path.stat().st_ino for path in held}


def test_binary_frames_and_bytes_that_are_no_text_come_through(tmp_path: Path) -> None:
    session = Session()
    odd = [b"\xff\xfe", b'42["x","\xed\xa0\x80"]', '42["grüße","ä\\u00e4"]'.encode(), b""]
    played: list[Record] = [*session.start(), *session.rounds(1)]
    for payload in odd:
        frame = session.frame("")
        played.append(Frame(frame.seq, frame.at_us, frame.stream, False, 1, payload))
    for payload in (b'451-["picture",{"_placeholder":true,"num":0}]', b"\x00\x01\x02"):
        frame = session.frame("")
        played.append(Frame(frame.seq, frame.at_us, frame.stream, False, 1 if payload[:1] == b"4" else 2, payload))
    write(tmp_path / "live", played)
    data_dir = copy(tmp_path / "live", tmp_path / "data")
    rebuild(data_dir)
    assert set(differing(tmp_path / "live", data_dir).values()) == {0}
