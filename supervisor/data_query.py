"""One SQL question to the recorded data, in a DuckDB that can read those files and do nothing else.

In: a data directory and a statement. Out: an Arrow table. The database is in memory and read-only in effect: one
statement that reads, no file but the recorded ones, no network, no extension, no setting. `Refused` says why and what
to do instead.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from actors.rugs.schema import DOC_TYPES
from supervisor.data_views import VIEWS, views_sql

MEMORY = "1GB"
BATCH_ROWS = 500  # of rounds with their prices: 1 MB
_READING = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


class Refused(Exception):
    """The question cannot be answered; the message is for the person who asked."""


class Question:
    """An open database over one data directory. Use it as a context manager."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._database = duckdb.connect(":memory:", config={"memory_limit": MEMORY, "threads": 2})
        self._database.execute(views_sql(data_dir))
        folder = str(data_dir / "events_parquet").replace("'", "''")
        self._database.execute(f"SET allowed_directories = ['{folder}/']")
        self._database.execute("SET enable_external_access = false")
        self._database.execute("SET lock_configuration = true")

    def __enter__(self) -> "Question":
        return self

    def __exit__(self, *error: object) -> None:
        self._database.close()

    def ask(self, sql: str) -> Any:
        """Return the answer as an Arrow table. Refused: not one reading statement, or DuckDB finds it wrong."""
        try:
            statements = duckdb.extract_statements(sql)
            if len(statements) != 1:
                raise Refused(f"Found {len(statements)} statements, must be one.")
            if statements[0].type not in _READING:
                kind = statements[0].type.name
                raise Refused(f"Found {kind}, must be a statement that reads: SELECT, FROM, WITH, DESCRIBE, SHOW.")
            return self._database.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            raise Refused(_words(str(error), self._data_dir)) from None

    def rows(self, sql: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a question of our own, a batch at a time; `values` stand for its `?`."""
        try:
            found = self._database.execute(sql, list(values))
            while batch := found.fetchmany(BATCH_ROWS):
                yield from batch
        except duckdb.Error as error:
            raise Refused(_words(str(error), self._data_dir)) from None


def _words(error: str, data_dir: Path) -> str:
    """Return DuckDB's error with the way out."""
    told = re.sub(r"^(\w+ )+Error: ", "", error.strip())
    if "No files found" in told or "No such file" in told:
        return f"{told}\nThe writer merged files at this moment; ask again."
    if "does not exist" in told and "Table" in told:
        names = ", ".join([view.name for view in VIEWS] + list(DOC_TYPES))
        return f"{told}\nThere are: {names}."
    if "file system operations are disabled" in told or "Cannot access" in told:
        return f"{told}\nOnly files below {data_dir / 'events_parquet'} can be read here."
    return told
