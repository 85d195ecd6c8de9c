"""sql: one question to the recorded data, whether VECTRA runs or not.

In: a statement, or `-` for standard input. Out: a table, CSV or JSON lines, or with `--views` the views themselves for
another DuckDB. Reads only.
"""

import sys
from collections.abc import Callable
from typing import Any

import click

from supervisor.ask import CommandError
from supervisor.data_place import data_dir_of, demo_flag
from supervisor.shared_flags import Given, settings_flags

SHOWN_ROWS = 200


@click.command()
@click.argument("statement", required=False)
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values with a head, all rows.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, all rows.")
@click.option("--views", is_flag=True, help="Print the views as SQL for any DuckDB, and end.")
@demo_flag
@settings_flags
def sql(given: Given, statement: str | None, as_csv: bool, as_json: bool, views: bool, demo: bool) -> None:
    """Ask the recorded data in SQL: vectra-supervisor sql "SELECT ...", or - to read it from standard input.

    There are the views ticks, games, trades, sidebets and gaps, and a table for each doc_type: ws_event, game_tick,
    and so on. Nothing can be changed, and no other file read. Times are UTC.
    """
    data_dir = data_dir_of(given, demo=demo)
    if views:
        from supervisor.data_views import views_sql

        click.echo(views_sql(data_dir))
        return
    if statement is None or (as_csv and as_json):
        raise click.UsageError('Give one statement, as in `sql "SELECT count(*) FROM games"`, and at most one form.')
    if not (data_dir / "events_parquet").is_dir():
        raise CommandError(f"{data_dir / 'events_parquet'} is not there: nothing was recorded, or data_dir differs.", 1)
    answer = _answer(data_dir, sys.stdin.read() if statement == "-" else statement)
    form: Callable[[Any], None] = _csv if as_csv else _json if as_json else _table
    form(answer)


def _answer(data_dir: Any, statement: str) -> Any:
    from supervisor.data_query import Question, Refused

    with Question(data_dir) as question:
        try:
            return question.ask(statement)
        except Refused as refused:
            raise CommandError(str(refused), 1) from None


def _csv(answer: Any) -> None:
    import csv

    lines = csv.writer(sys.stdout, lineterminator="\n")
    lines.writerow(answer.column_names)
    for row in _rows(answer):
        lines.writerow(["" if value is None else _text(value) for value in row])


def _json(answer: Any) -> None:
    import msgspec

    for row in _rows(answer):
        click.echo(msgspec.json.encode(dict(zip(answer.column_names, row, strict=True)), enc_hook=str))


def _table(answer: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in answer.column_names:
        table.add_column(name, overflow="fold")
    for row in _rows(answer.slice(0, SHOWN_ROWS)):
        table.add_row(*("" if value is None else _text(value) for value in row))
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = 10_000  # nothing is folded for a program
    console.print(table)
    if answer.num_rows > SHOWN_ROWS:
        click.echo(f"... {answer.num_rows - SHOWN_ROWS} more rows; --csv or --json print all.", err=True)


def _rows(answer: Any) -> Any:
    for batch in answer.to_batches():
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
