"""import: recordings of other programs into the recorded data.

In: files of JSON lines, Parquet files of another schema, folders of these. Out: what became of each file, bad lines and
rows on stderr, and an exit code. The work is done by a process of its own (`actors/writer/importing.py`); VECTRA must
be stopped.
"""

from datetime import UTC, datetime
from typing import Any

import click

from actors.core.files import private_dir
from actors.rugs.recordings import check_time, time_us
from supervisor.ask import CommandError
from supervisor.data_place import demo_flag
from supervisor.data_work import place_of_work, said_by, show_progress
from supervisor.shared_flags import Given, settings_flags

SHOWN_BAD = 100  # of one file


def _moment(context: click.Context, option: click.Parameter, value: str | None) -> str:
    if value is None:
        return ""
    try:
        return str(check_time(time_us(value)))
    except (ValueError, OverflowError):
        raise click.BadParameter(f"is {value!r}, must be a time as in 2025-12-14T01:02:03Z.") from None


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--began-at", metavar="TIME", callback=_moment, help="When a recording began whose times count from 0.")
@demo_flag
@settings_flags
def import_files(given: Given, files: tuple[str, ...], began_at: str, demo: bool) -> None:
    """Take recordings of other programs into the data, files or folders of them. VECTRA must be stopped.

    JSON lines, also .gz and .zst: each line is {"t", "dir", "frame"}, {"seq", "ts", "event", "data"} or {"timestamp",
    "event_type", "data"}.

    Parquet files of another schema: each row is a frame, an event's name with its content (JSON text, nested, or one
    column a field), or a typed row below a folder doc_type=<name>. Columns that nothing is made of are named. A file
    that lies among VECTRA's own, in <data_dir>/events_parquet, is moved to <data_dir>/taken_over when all of its rows
    were taken; VECTRA's own files are passed over.

    Frames and what is derived from them get in once, however often the same file is given; they are marked by the
    stream import/<file>. A bad line or row is named and counted, and stops nothing.
    """
    data_dir = place_of_work(given, demo=demo, what="an import")
    private_dir(data_dir)
    troubles = files_seen = 0
    shown: dict[str, int] = {}
    veiled = "1" if given.load_to_find(writes=True).config.privacy.pseudonymise else ""
    for told in said_by(data_dir, "actors.writer.importing", began_at, veiled, *files):
        if told.get("bad"):
            _show_bad(told, shown)
        elif told.get("trouble"):
            troubles += 1
            click.echo(f"Not imported: {told['trouble']}", err=True)
        elif told.get("done"):
            _show(told)
        else:
            show_progress(f"{told['file']}: {told['lines']:,} {told.get('unit', 'lines')}")
        files_seen += bool(told.get("done"))
    if not files_seen:
        click.echo("There is nothing to import: no Parquet file but VECTRA's own.")
    if troubles:
        raise CommandError(
            f"{troubles} of {files_seen} files could not be imported; nothing of them is in the data.", 1
        )


def _show_bad(told: dict[str, Any], shown: dict[str, int]) -> None:
    count = shown[told["file"]] = shown.get(told["file"], 0) + 1
    if count <= SHOWN_BAD:
        click.echo(told["bad"], err=True)
    elif count == SHOWN_BAD + 1:
        click.echo(f"{told['file']}: more of them are counted and not shown.", err=True)


def _show(told: dict[str, Any]) -> None:
    unit = told.get("unit", "lines")
    parts = [f"{told.get('frames', 0):,} frames, {told.get('rows', 0):,} rows"]
    if told.get("kept"):
        parts.append(f"{told['kept']:,} of them no frames")
    if told.get("known"):
        parts.append(f"{told['known']:,} {'frames' if unit == 'lines' else 'rows'} were in the data already")
    if told.get("bad_lines"):
        parts.append(f"{told['bad_lines']:,} bad {unit} passed over")
    if told.get("first_us") is not None:
        parts.append(f"{_time(told['first_us'])} to {_time(told['last_us'])} UTC")
    click.echo(f"{told['file']}: {'; '.join(parts)}.")
    if told.get("left"):
        click.echo(f"  Columns of which nothing was taken: {', '.join(told['left'])}. They are in the file still.")
    if told.get("moved"):
        click.echo(f"  Taken over; the file lies in {told['moved']} now.")
    if told.get("stays"):
        click.echo("  It stays where it is: not all of its rows were taken. Move it out of events_parquet to go on.")


def _time(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S")
