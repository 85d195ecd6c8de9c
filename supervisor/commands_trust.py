"""trust: let the settings of a folder count in full where they are only found, by working in it.

In: a folder, flags. Out: what its settings file sets, and whether that counts from now on. Remembers, forgets, lists;
starts nothing and reads no folder that was not named.
"""

import os
from pathlib import Path

import click

from supervisor import trust as trusted
from supervisor.ask import CommandError
from supervisor.keys import all_keys, show
from supervisor.settings_file import LOCAL_FILE, UnusableFile, check_found
from supervisor.yaml_bounds import read_start
from supervisor.yaml_file import read_yaml


@click.command(short_help="Let a folder's vectra.yaml set everything.")
@click.argument("folder", required=False, metavar="[DIR]", type=click.Path(path_type=Path))
@click.option("--remove", is_flag=True, help="Trust it no more.")
@click.option("--list", "show_all", is_flag=True, help="Show the trusted files.")
def trust(folder: Path | None, remove: bool, show_all: bool) -> None:
    """Trust DIR/vectra.yaml, by default that of the working directory, as it is now.

    A vectra.yaml in the working directory may tune VECTRA by numbers and switches. What starts a program, names a
    place, an address or another site, or deletes counts only in a file that --config names, in the user's own
    (~/.config/vectra/vectra.yaml), or once its folder is trusted. When the file changes it has to be trusted again.
    """
    if show_all:
        click.echo("\n".join(trusted.trusted_files()) or "No folder is trusted.")
        return
    path = ((folder or Path()) / LOCAL_FILE).absolute()
    try:
        if remove:
            done = trusted.forget(path)
            click.echo(f"{path}: is trusted no more." if done else f"{path}: was not trusted.")
            return
        _trust(path)
    except UnusableFile as error:
        raise CommandError(str(error), 2) from None
    except OSError as error:
        raise CommandError(f"{error.filename or path}: {error.strerror or error}", 1) from None


def _trust(path: Path) -> None:
    with path.open("rb") as file:
        check_found(path, os.fstat(file.fileno()))
        content = read_start(file.fileno())
    data, errors = read_yaml(content, str(path))
    if errors:
        raise CommandError("\n".join(errors), 2)
    trusted.remember(path, content)
    click.echo(f"{path}: is trusted as it is now. What it sets that needs trust:")
    values = _by_name(data)
    lines = [f"  {name}: {show(values[name], None)}" for name in trusted.untrusted_keys(values)]
    click.echo("\n".join(lines) or "  nothing")


def _by_name(data: dict[str, object]) -> dict[str, object]:
    """Return the values by dotted name, those that are keys."""
    found = dict(data)
    for name, value in data.items():
        if isinstance(value, dict):
            found |= {f"{name}.{leaf}": inner for leaf, inner in value.items()}
    return {name: value for name, value in found.items() if name in all_keys()}
