"""Whose recorded data a command means: those of the running VECTRA, the demo's, or the settings' data directory.

In: the settings' flags and `--demo`. Out: a directory. Reads only.
"""

from pathlib import Path

import click

from supervisor.ask import CommandError, ask
from supervisor.locks import running_pid
from supervisor.shared_flags import Given


def data_dir_of(given: Given, *, demo: bool) -> Path:
    """Return the data directory to look into.

    demo: the demo's, whatever runs. Else that of the VECTRA that runs here; where none runs the settings', or the
    demo's where only that one was ever recorded, with a line on stderr that says so.
    """
    config = given.load_to_find().config
    usual, demonstrated = config.data_path, config.data_path / "demo"
    if demo:
        return demonstrated
    if running_pid(config.runtime_path) is not None:
        try:
            return Path(ask(config.runtime_path, "status")["supervisor"]["data_dir"])
        except CommandError:
            pass  # it is starting or stopping; the directories tell
    if not _has_data(usual) and _has_data(demonstrated):
        click.echo(f"Only the demo was recorded here: {demonstrated}", err=True)
        return demonstrated
    return usual


def demo_flag(command: click.decorators.FC) -> click.decorators.FC:
    """Give a command `--demo`."""
    return click.option("--demo", is_flag=True, help="The demo's data, <data_dir>/demo.")(command)


def _has_data(data_dir: Path) -> bool:
    return (data_dir / "events_parquet").is_dir()
