"""sql: one question to the recorded data, whether VECTRA runs or not.

In: a statement, or `-` for standard input. Out: a table, CSV or JSON lines, or with `--views` the views themselves for
another DuckDB. Reads only.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actors.core.printable import printable, spreadsheet_text
from supervisor.ask import CommandError
from supervisor.data_place import data_dir_of, demo_flag
from supervisor.shared_flags import Given, settings_flags
from supervisor.terminal import console, echo_json

if TYPE_CHECKING:
    from supervisor.data_query import Bounds

SHOWN_ROWS = 200


@click.command()
@click.argument("statement", required=False)
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values with a head, all rows.")
@click.option(
    "--spreadsheet", is_flag=True, help="With --csv: a ' before texts that a spreadsheet would run (=, +, -, @)."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, all rows.")
@click.option("--views", is_flag=True, help="Print the views as SQL for any DuckDB, and end.")
@click.option("--limit-s", default=120.0, show_default=True, type=click.FloatRange(0.1), help="Seconds to wait for.")
@click.option("--limit-mb", default=2000, show_default=True, type=click.IntRange(1), help="Megabytes of answer.")
@demo_flag
@settings_flags
def sql(
    given: Given,
    statement: str | None,
    as_csv: bool,
    spreadsheet: bool,
    as_json: bool,
    views: bool,
    limit_s: float,
    limit_mb: int,
    demo: bool,
) -> None:
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
    if spreadsheet and not as_csv:
        raise click.UsageError("--spreadsheet belongs to --csv.")
    if not (data_dir / "events_parquet").is_dir():
        raise CommandError(f"{data_dir / 'events_parquet'} is not there: nothing was recorded, or data_dir differs.", 1)
    from supervisor.data_query import Bounds

    show = (lambda batches: _csv(batches, spreadsheet=spreadsheet)) if as_csv else _json if as_json else _table
    asked = sys.stdin.read() if statement == "-" else statement
    _answer(data_dir, asked, Bounds(time_s=limit_s, answer_bytes=limit_mb * 1_000_000), show)


def _answer(data_dir: Path, statement: str, bounds: "Bounds", show: Callable[[Iterator[Any]], None]) -> None:
    from supervisor.data_query import ReadOnlyDatabase, Refused, left_out_words

    with ReadOnlyDatabase(data_dir, bounds) as database:
        try:
            show(database.stream(statement))
        except Refused as refused:
            sys.stdout.flush()
            raise CommandError(str(refused), 1) from None
        if database.left_out:
            sys.stdout.flush()
            raise CommandError(left_out_words(database.left_out), 1)


def _csv(batches: Iterator[Any], *, spreadsheet: bool) -> None:
    import csv

    lines = csv.writer(sys.stdout, lineterminator="\n")
    for number, batch in enumerate(batches):
        if number == 0:
            lines.writerow(map(spreadsheet_text, batch.schema.names) if spreadsheet else batch.schema.names)
        for row in _rows(batch):
            lines.writerow([_cell(value, spreadsheet) for value in row])


def _cell(value: Any, spreadsheet: bool) -> str:
    return spreadsheet_text(value) if spreadsheet and isinstance(value, str) else _text(value)


def _json(batches: Iterator[Any]) -> None:
    for batch in batches:
        for row in _rows(batch):
            echo_json(dict(zip(batch.schema.names, row, strict=True)))


def _table(batches: Iterator[Any]) -> None:
    from rich.table import Table

    first = next(batches)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in first.schema.names:
        table.add_column(printable(name), overflow="fold")
    count = 0
    try:
        for batch in batches:
            for row in _rows(batch.slice(0, max(0, SHOWN_ROWS - count))):
                table.add_row(*(printable(_text(value), lines=True) for value in row))
            count += batch.num_rows
    finally:  # what came before a bound was reached is shown
        _print(table)
    if count > SHOWN_ROWS:
        click.echo(f"... {count - SHOWN_ROWS} more rows; --csv or --json print all.", err=True)


def _print(table: Any) -> None:
    out = console()
    if not out.is_terminal:
        out.width = 10_000  # nothing is folded for a program
    out.print(table)


def _rows(batch: Any) -> Iterator[tuple[Any, ...]]:
    from supervisor.data_query import plain_values

    yield from zip(*(plain_values(column) for column in batch.columns), strict=True)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
