"""journal info, dump, verify: look into the journal's files, whether VECTRA runs or not.

In: the settings (where the data lie), numbers. Out: tables, lines or JSON, and exit codes. Reads only; payloads are
shown only on request, since they may be private.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from actors.core.printable import printable
from supervisor.ask import CommandError
from supervisor.shared_flags import Given, settings_flags
from supervisor.terminal import echo_json


@click.group()
def journal() -> None:
    """Look into the journal: what it holds, its records, whether every checksum is good."""


@journal.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@settings_flags
def info(given: Given, as_json: bool) -> None:
    """Say what the journal holds: segments, numbers, times, bytes, damage."""
    from supervisor.journal_files import overview

    found = overview(_directory(given))
    if as_json:
        echo_json(found)
        return
    for segment in found["segments"]:
        form = "sealed" if segment["sealed"] else "growing"
        click.echo(f"{segment['name']}  {form:7}  {segment['bytes']:>13,} bytes  up to {segment['last_seq']}")
    click.echo(f"Numbers    {found['first_seq']} to {found['last_seq']}, reserved up to {found['reserved_upto']}")
    click.echo(f"Times      {_time(found['oldest_us'])} to {_time(found['newest_us'])}")
    compressed = f", compressed {found['compression']:.1f} to 1" if found["compression"] else ""
    click.echo(f"Bytes      {found['bytes']:,} in {len(found['segments'])} segments{compressed}")
    click.echo(f"Damage     {found['damaged']} places, {found['quarantined']} pieces in quarantine")


@journal.command()
@click.option("--since", type=int, default=0, metavar="SEQ", help="Begin after this number.")
@click.option("--until", type=int, metavar="SEQ", help="End with this number.")
@click.option("--type", "kind", metavar="T", help="frame, note, or a note's event such as gap.")
@click.option("-n", "--lines", type=click.IntRange(1), help="At most this many.")
@click.option("--payload", is_flag=True, help="Show the frames' content too; it may be private.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@settings_flags
def dump(
    given: Given, since: int, until: int | None, kind: str | None, lines: int | None, payload: bool, as_json: bool
) -> None:
    """Print the journal's records, one a line."""
    import itertools

    from supervisor.journal_files import described, human, records

    wanted = (described(record, payload=payload) for record in records(_directory(given), since, until))
    chosen = (one for one in wanted if kind in (None, one["type"], one.get("event")))
    for one in itertools.islice(chosen, lines):
        if as_json:
            echo_json(one)
        else:
            click.echo(printable(human(one)))


@journal.command()
@settings_flags
def verify(given: Given) -> None:
    """Check every checksum and the order of all numbers. Exits with 1 where something is wrong."""
    from supervisor.journal_files import Verdict, check

    verdict, problems = Verdict(), 0
    for problem in check(_directory(given), verdict):
        problems += 1
        click.echo(problem)
    found = f"{problems} problems." if problems else "all good."
    click.echo(f"{verdict.segments} segments, {verdict.batches} batches, {verdict.records} records: {found}")
    raise SystemExit(1 if problems else 0)


def _directory(given: Given) -> Path:
    directory = given.load_to_find().config.data_path / "journal"
    if not directory.is_dir():
        raise CommandError(f"{directory} is not there: nothing was ever recorded, or data_dir is another.", 1)
    return directory


def _time(at_us: Any) -> str:
    return "-" if at_us is None else datetime.fromtimestamp(at_us / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
