"""rebuild: all typed rows again from the stored frames, as the parser of today understands them.

In: dates. Out: what became of each date, and an exit code. The work is done by a process of its own
(`actors/writer/rebuild.py`); VECTRA must be stopped.
"""

import re
import time
from datetime import date as Date
from typing import Any

import click

from supervisor.data_place import demo_flag
from supervisor.data_work import place_of_work, said_by, show_progress
from supervisor.shared_flags import Given, settings_flags


def _date(context: click.Context, option: click.Parameter, value: str | None) -> str:
    if value is None:
        return ""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            return Date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise click.BadParameter(f"is {value!r}, must be a date as in 2026-01-31.")


@click.command()
@click.option("--from", "first", metavar="DATE", callback=_date, help="The first date, UTC; by default the oldest.")
@click.option("--to", "last", metavar="DATE", callback=_date, help="The last date, UTC; by default the newest.")
@demo_flag
@settings_flags
def rebuild(given: Given, first: str, last: str, demo: bool) -> None:
    """Make all typed rows again from ws_event, as this version understands the frames. VECTRA must be stopped.

    Rows that frames cannot tell of stay: presses, system events, imported rows, rounds seen while recording was off.
    ws_event itself is never touched. Each date's files are exchanged in one step; a rebuild that was killed has changed
    whole directories or none, and a second call completes it.
    """
    data_dir = place_of_work(given, demo=demo, what="a rebuild")
    if first and last and first > last:
        raise click.UsageError(f"--from {first} is after --to {last}.")
    if not (data_dir / "events_parquet" / "doc_type=ws_event").is_dir():
        click.echo(f"Nothing to rebuild: {data_dir} holds no frames.")
        return
    dates = 0
    began_s = time.monotonic()
    for told in said_by(data_dir, "actors.writer.rebuild", first, last):
        if told["counts"] is None:
            what = "warming up on" if told["warm_up"] else "reading"
            show_progress(f"{what} {told['date']}, {told['frames']:,} frames")
        else:
            dates += 1
            click.echo(_line(told))
    click.echo(f"{dates} dates rebuilt in {time.monotonic() - began_s:.0f} s.")


def _line(told: dict[str, Any]) -> str:
    """Say what a date came to: how many rows, and where their number changed."""
    counts = told["counts"]
    rows = sum(one["after"] for one in counts.values())
    changed = [
        f"{doc_type} {one['before']:,} -> {one['after']:,}"
        for doc_type, one in counts.items()
        if one["before"] != one["after"]
    ]
    return f"{told['date']}  {told['frames']:,} frames, {rows:,} rows; {', '.join(changed) or 'as many rows as before'}"
