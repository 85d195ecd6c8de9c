"""compact: merge the Parquet files of finished hours and days now.

In: flags. Out: what became of which files, and an exit code. Asks the writer that runs, by a request file in the
runtime directory, and reads its figures from the status; where VECTRA is stopped it has the work done by a process of
its own, under the data directory's lock. Never touches a data file itself.
"""

import os
import select
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import click
import msgspec

from actors.core.files import replace_file
from supervisor import locks
from supervisor.ask import CommandError, ask
from supervisor.data_work import refuse_unsafe
from supervisor.shared_flags import Given, settings_flags

REQUEST = "compact.request"  # as in actors/writer/compaction.py
LOOK_S = 0.2
NOTICE_S = 15.0  # the writer looks for requests ten times a second; this covers its restart


@click.command()
@settings_flags
def compact(given: Given) -> None:
    """Merge the Parquet files of finished hours, and of finished days, into one each.

    The running VECTRA does this by itself each hour (recording.compact_s). Readers never see a row twice or miss one;
    a query under way may at worst fail with "no such file". When VECTRA is stopped the files are merged all the same.
    """
    config = given.load_to_find(writes=True).config
    if locks.running_pid(config.runtime_path) is not None:
        figures = _by_the_writer(config.runtime_path)
    elif not config.data_path.is_dir():
        click.echo(f"Nothing to merge: {config.data_path} does not exist.")
        return
    else:
        refuse_unsafe(config.data_path)
        figures = _by_ourselves(config.data_path)
    _say(figures)
    if figures["state"] != "done":
        raise CommandError(f"Compaction was put off, nothing is lost: {figures['reason']}", 1)


def _say(figures: dict[str, Any]) -> None:
    skipped_files, skipped = figures.get("skipped_files", 0), figures.get("skipped", [])
    for why in skipped:
        click.echo(f"Left as it is, cannot be merged: {why}", err=True)
    if skipped_files > len(skipped):
        click.echo(f"... and {skipped_files - len(skipped)} more files.", err=True)
    if figures["files_before"]:
        click.echo(
            f"Merged {figures['files_before']} files ({size_words(figures['bytes_before'])}) into "
            f"{figures['files_after']} ({size_words(figures['bytes_after'])})."
        )
    elif figures["state"] == "done":
        besides = "besides, " if skipped_files else ""
        click.echo(f"Nothing to merge: {besides}every finished hour and day is one file already.")


def size_words(size_bytes: int) -> str:
    """Say a size as people do."""
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 100_000 else f"{size_bytes / 1e3:.1f} kB"


def _by_the_writer(runtime_dir: Path) -> dict[str, Any]:
    request = runtime_dir / REQUEST
    name = uuid.uuid4().hex
    replace_file(request, name.encode(), durable=False)
    deadline_s = time.monotonic() + NOTICE_S
    while time.monotonic() < deadline_s:
        figures = _figures(runtime_dir)
        passes: list[dict[str, Any]] = [figures, *figures.get("before", ())]
        for one in passes:
            if one.get("id") == name and one["state"] in ("done", "failed"):
                return one
        if figures.get("state") == "running":  # ours, or one before ours
            deadline_s = time.monotonic() + NOTICE_S
        select.select([], [], [], LOOK_S)
    request.unlink(missing_ok=True)
    raise CommandError(f"The writer did not answer within {NOTICE_S:g} s. `vectra-supervisor status` says why.", 1)


def _figures(runtime_dir: Path) -> dict[str, Any]:
    actors = ask(runtime_dir, "status")["actors"]
    found: list[dict[str, Any]] = [
        actor["stats"].get("compaction", {}) for actor in actors if actor["name"] == "writer"
    ]
    return found[0] if found else {}


def _by_ourselves(data_dir: Path) -> dict[str, Any]:
    try:
        lock = locks.take(data_dir)
    except locks.Locked as error:
        raise CommandError(f"{error} Give this command the settings that it was started with.", 1) from None
    command = [sys.executable, "-P", "-m", "actors.writer.offline", str(data_dir), str(os.getpid())]
    code = str(Path(__file__).resolve().parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([code, *filter(None, sys.path)])}
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, pass_fds=[lock], check=False)
    finally:
        os.close(lock)
    if done.returncode != 0:
        raise CommandError(f"Compaction ended with code {done.returncode}. Nothing is lost; try again.", 1)
    figures: dict[str, Any] = msgspec.json.decode(done.stdout)
    return figures
