"""status, logs, check, doctor, events: the commands that only look.

In: flags. Out: tables, lines or JSON, and exit codes. They never change what runs.
"""

import select

import click

from actors.core.config import Config
from supervisor.ask import CommandError, NotRunning, ask
from supervisor.completion import actor_names
from supervisor.plan import known_ids
from supervisor.settings import SettingsError
from supervisor.shared_flags import Given, settings_flags
from supervisor.terminal import echo_json

FOLLOW_S = 0.2


@click.command(short_help="What runs, and what is wrong if anything is.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs; see docs/reference/cli.md.")
@settings_flags
def status(given: Given, as_json: bool) -> None:
    """Say what runs, and in plain words what is wrong with what does not.

    Exits with 0 when all actors are ready, 1 when one is not, 3 when VECTRA is not running.
    """
    from supervisor.figures import empty_status, web_address

    config = given.load_to_find().config
    try:
        state = ask(config.runtime_path, "status")
    except NotRunning:
        state = empty_status(config.data_path, config.runtime_path)
    if as_json:
        echo_json(state)
    else:
        from supervisor.table import print_status

        print_status(state, web_address(config.runtime_path))
    if state["supervisor"]["pid"] is None:
        raise SystemExit(3)
    raise SystemExit(1 if any(actor["degraded"] for actor in state["actors"]) else 0)


@click.command(short_help="The last lines of the logs; -f follows them.")
@click.argument("actor", required=False, shell_complete=actor_names)
@click.option("-n", "--lines", default=50, show_default=True, type=click.IntRange(0), help="How many last lines.")
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines until Ctrl-C.")
@settings_flags
def logs(given: Given, actor: str | None, lines: int, follow: bool) -> None:
    """Show the last lines of ACTOR's log, or of all logs together in order of time, which is UTC."""
    from supervisor.logs import Follower, last_lines, merged

    config = given.load_to_find().config
    folder = config.runtime_path / "log"
    there = {path.stem: path for path in sorted(folder.glob("*.log"))}
    if actor is not None and actor not in there:
        known = sorted({*there, *known_ids(), *(extra.id for extra in config.actors.extra), "supervisor"})
        if actor not in known:
            raise CommandError(f"actor is {actor!r}, must be one of {', '.join(known)}.", 2)
        click.echo(f"{actor} has not written a log yet ({folder / actor}.log).", err=True)
    paths = list(there.values()) if actor is None else [folder / f"{actor}.log"]
    followers = [Follower(path) for path in paths] if follow else []
    for line in merged([last_lines(path, lines) for path in paths])[-lines:] if lines else ():
        click.echo(line)
    try:
        while followers:
            for follower in followers:
                for line in follower.lines():
                    click.echo(line)
            select.select([], [], [], FOLLOW_S)
    except KeyboardInterrupt:
        pass
    finally:
        for follower in followers:
            follower.close()


@click.command(short_help="Look for errors in the settings.")
@settings_flags
def check(given: Given) -> None:
    """Check the settings without starting anything; name every error with its place and the way out.

    Without errors it lists what differs from the defaults, and where each was set.
    """
    from functools import reduce

    import msgspec

    from supervisor.keys import all_keys, show
    from supervisor.places import place_errors

    loaded = given.load()
    if wrong := place_errors(loaded):
        raise SettingsError(wrong)
    values = msgspec.to_builtins(loaded.config)
    lines = []
    for name, key in all_keys().items():
        value = reduce(lambda inner, part: inner[part], name.split("."), values)
        if value != key.default:
            lines.append(f"  {name}: {show(value)} (from {loaded.sources[name]})")
    click.echo(f"{loaded.path or 'No settings file'}: good. What differs from the defaults:")
    click.echo("\n".join(lines) if lines else "  nothing")


@click.command(short_help="Look for what is wrong with this machine.")
@settings_flags
def doctor(given: Given) -> None:
    """Look for what keeps VECTRA from working on this machine, and say how to mend each."""
    from supervisor.doctor import examine, mistakes, settings_read

    try:
        loaded = given.load()
        config, head = loaded.config, [settings_read(loaded.path)]
    except SettingsError as error:
        config, head = (error.usable.config if error.usable else Config()), mistakes(error.errors)
    findings = [*head, *examine(_in_force(config))]
    for finding in findings:
        click.echo(f"{'ok  ' if finding.good else 'BAD '} {finding.what}: {finding.found}")
        if not finding.good:
            click.echo(f"       {finding.fix}")
    raise SystemExit(0 if all(finding.good for finding in findings) else 1)


def _in_force(config: Config) -> Config:
    """Return the settings that VECTRA runs with, a demo's too; where none runs the given ones."""
    import msgspec

    try:
        return msgspec.convert(ask(config.runtime_path, "config")["config"], Config)
    except CommandError:
        return config


@click.command(short_help="Follow the events in the terminal.")
@click.option("--type", "types", multiple=True, metavar="T", help="Only events of this type, as in game.tick or raw.*.")
@click.option("--since", type=int, metavar="SEQ", help="Begin after this number; without it, with what comes next.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@settings_flags
def events(given: Given, types: tuple[str, ...], since: int | None, as_json: bool) -> None:
    """Follow the event feed in the terminal until Ctrl-C. Times are UTC."""
    from supervisor.follow import TYPES, follow_events, unknown_types

    for unknown in unknown_types(types):
        known = f"{', '.join(TYPES)}, raw.<name>"
        click.echo(
            f"warning: --type {unknown}: no such type is known, only {known}. Waiting for it all the same.", err=True
        )
    endpoints = ask(given.load_to_find().config.runtime_path, "status")["endpoints"]
    if endpoints["events"] is None or endpoints["requests"] is None:
        raise CommandError("The broadcaster does not serve events now. `vectra-supervisor status` says why.", 1)
    follow_events(endpoints["events"], endpoints["requests"], types, since, as_json)
