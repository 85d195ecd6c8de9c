"""Questions to the recorded data: answered from the files, and nothing else can be done."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from actors.core.messages import Note
from actors.rugs.schema import DOC_TYPES, columns_of
from supervisor.data_query import ReadOnlyDatabase, Refused
from supervisor.data_views import VIEWS, views_sql
from supervisor.foreign_files import odd_files
from tests.recorded import Session, write

DOCS = Path(__file__).resolve().parents[2] / "docs"
QUESTIONS = re.findall(r"```sql\n(.+?)```", (DOCS / "how-to" / "query.md").read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    session = Session()
    played = [*session.start(), *session.rounds(2)]
    away = session.note("gap", from_us=session.at_us - 2_500_000, to_us=session.at_us, cause="page navigated")
    write(folder, [*played, away])
    return folder


@pytest.fixture
def question(data_dir: Path) -> Iterator[ReadOnlyDatabase]:
    with ReadOnlyDatabase(data_dir) as opened:
        yield opened


def ask(question: ReadOnlyDatabase, sql: str) -> list[tuple[object, ...]]:
    table = question.ask(sql)
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


@pytest.mark.parametrize("sql", QUESTIONS)
def test_every_question_of_the_how_to_is_answered(question: ReadOnlyDatabase, sql: str) -> None:
    assert question.ask(sql).num_columns > 0


def test_the_how_to_answers_five_questions_with_rows(question: ReadOnlyDatabase) -> None:
    answered = [question.ask(sql).num_rows > 0 for sql in QUESTIONS]
    assert sum(answered) >= 5, answered


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_has_the_columns_that_it_says(question: ReadOnlyDatabase, view: object) -> None:
    assert tuple(question.ask(f"SELECT * FROM {view.name}").column_names) == view.columns  # type: ignore[attr-defined]


def test_ticks_are_those_of_the_rounds_each_once(question: ReadOnlyDatabase) -> None:
    (counted,) = ask(question, "SELECT count(*), count(DISTINCT (game_id, tick)), count(DISTINCT game_id) FROM ticks")
    assert counted[0] == counted[1]
    differing = "SELECT count(*) FROM ticks JOIN games USING (game_id) WHERE price <> prices[tick + 1]"
    assert ask(question, differing) == [(0,)]
    (whole,) = ask(question, "SELECT sum(ticks + 1) FROM games")
    (held,) = ask(question, "SELECT count(*) FROM ticks SEMI JOIN games USING (game_id)")
    assert whole == held


def test_a_gap_has_its_bounds_and_cause(question: ReadOnlyDatabase) -> None:
    assert ask(question, "SELECT seconds, cause FROM gaps") == [(2.5, "page navigated")]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("COPY (SELECT 1) TO 'out.csv'", "Found COPY, must be a statement that reads"),
        ("CREATE TABLE x (y INT)", "must be a statement that reads"),
        ("SET threads = 1", "must be a statement that reads"),
        ("ATTACH 'x.db'", "must be a statement that reads"),
        ("SELECT 1; SELECT 2", "Found 2 statements, must be one."),
        ("", "Found 0 statements"),
        ("SELECT * FROM read_text('/etc/hostname')", "Only files below"),
        ("SELECT * FROM '/etc/hostname.csv'", "Only files below"),
        ("SELECT * FROM nothing", "There are: ticks, games, trades, sidebets, gaps, ws_event"),
        ("SELEC 1", "syntax error"),
        ("SELECT pric FROM ticks", '"pric" not found'),
    ],
)
def test_what_is_no_question_is_refused_with_the_way_out(question: ReadOnlyDatabase, sql: str, said: str) -> None:
    with pytest.raises(Refused, match=re.escape(said)):
        question.ask(sql)


def test_the_views_are_good_in_any_duckdb_and_before_anything_was_recorded(data_dir: Path, tmp_path: Path) -> None:
    for place, empty in ((data_dir, False), (tmp_path, True)):
        with duckdb.connect() as other:
            other.execute(views_sql(place))
            for doc_type in DOC_TYPES:
                found = [row[0] for row in other.execute(f"DESCRIBE {doc_type}").fetchall()]
                assert found == [*(column.name for column in columns_of(doc_type)), "date"]
            counts = [other.execute(f"SELECT count(*) FROM {view.name}").fetchall()[0][0] for view in VIEWS]
            assert (sum(counts) == 0) is empty


def test_a_data_directory_with_a_quote_in_its_name_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "it's"
    session = Session()
    note: Note = session.note("gap", from_us=0, to_us=1, cause="x")
    write(folder, [note])
    with ReadOnlyDatabase(folder) as question:
        assert ask(question, "SELECT cause FROM gaps") == [("x",)]


def test_a_pipe_among_the_files_holds_nobody_up(tmp_path: Path) -> None:
    session = Session()
    note: Note = session.note("gap", from_us=0, to_us=1, cause="x")
    write(tmp_path, [note])
    (there,) = (tmp_path / "events_parquet").rglob("*.parquet")
    pipe = there.with_name(f"{9:016}-{9:016}.parquet")
    os.mkfifo(pipe)
    with ReadOnlyDatabase(tmp_path) as question:
        assert ask(question, "SELECT cause FROM gaps") == [("x",)]
    assert odd_files(tmp_path) == {"damaged": [pipe]}
