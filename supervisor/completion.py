"""Shell completion: the script that a shell reads once, and the names it then asks us for.

In: the shell's name; later, through a variable, what was typed so far. Out: click's own script and answers. Reads the
settings for the user's own actors, and starts nothing.
"""

import os

import click
from click.shell_completion import get_completion_class

PROGRAM = "vectra-supervisor"
VARIABLE = "_VECTRA_SUPERVISOR_COMPLETE"  # click derives it from the program's name


@click.command(short_help="Make your shell complete commands, options and actors.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what SHELL must read to complete commands, options and the names of actors."""
    kind = get_completion_class(shell)
    if kind is not None:
        click.echo(kind(context.find_root().command, {}, PROGRAM, VARIABLE).source())


def actor_names(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Return the actors whose name begins so, the user's own too."""
    from actors.core.config import Config
    from supervisor.plan import known_ids
    from supervisor.settings import SettingsError, load

    try:
        config = load(context.params.get("config_path"), os.environ).config
    except SettingsError as error:  # names are only shown: those of a folder that is not trusted too
        config = error.usable.config if error.usable else Config()
    own = [actor.id for actor in config.actors.extra]
    return [name for name in (*known_ids(), *own) if name.startswith(begun)]
