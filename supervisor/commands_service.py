"""install-service: VECTRA as a systemd service.

In: flags, the settings. Out: a unit file, or its text, and what to call next. Calls no systemctl: whoever looks after
the machine does that. Never overwrites a unit that somebody changed, unless told to.
"""

import os
import pwd
import sys
from pathlib import Path

import click

from supervisor.ask import CommandError
from supervisor.keys import OLDER_NAMES, all_keys
from supervisor.service import Scope, Service, place, steps, unit
from supervisor.shared_flags import Given, settings_flags

UNIT_MODE = 0o644


@click.command("install-service", short_help="Write a systemd unit for VECTRA.")
@click.option("--user", "scope", flag_value="user", help="A service of your own; the default, unless you are root.")
@click.option("--system", "scope", flag_value="system", help="A service of the machine; the default for root.")
@click.option("--run-as", metavar="NAME", help="Whom a system service runs as. Default: who called sudo.")
@click.option("--print", "--dry-run", "only_print", is_flag=True, help="Print the unit and write nothing.")
@click.option("--force", is_flag=True, help="Overwrite a unit that differs.")
@settings_flags
def install_service(given: Given, scope: Scope | None, run_as: str | None, only_print: bool, force: bool) -> None:
    """Write a systemd unit that runs VECTRA with these settings, and say what to call next.

    Settings given by flags or environment variables go into the unit, so that the service has them too.
    """
    scope = scope or ("system" if os.geteuid() == 0 else "user")
    if run_as is not None and scope == "user":
        raise CommandError("--run-as is for --system only: a user's service runs as that user.", 2)
    loaded = given.load()
    config = loaded.config
    user = known_user(run_as or os.environ.get("SUDO_USER")) if scope == "system" else None
    text = unit(_service(given, loaded.path, scope, user), config)
    if scope == "system" and user is None:
        click.echo("warning: the browser runs as root, so without its sandbox. Give --run-as NAME.", err=True)
    if scope == "system" and not config.browser.headless:
        click.echo(
            "warning: a system service has no display, and browser.headless is false: it will not start.", err=True
        )
    if only_print:
        click.echo(text, nl=False)
        return
    path = place(scope, os.environ)
    click.echo(f"{path}: {write(path, text, force=force)}.")
    click.echo(steps(scope))


def known_user(name: str | None) -> str | None:
    """Return the user's name, None for root. CommandError: there is no such user."""
    if name is None:
        return None
    try:
        return name if pwd.getpwnam(name).pw_uid != 0 else None
    except KeyError:
        raise CommandError(f"--run-as is {name!r}, must be a user of this machine.", 2) from None


def write(path: Path, text: str, *, force: bool) -> str:
    """Write the unit; return what was done. CommandError: a different one stands there, or it cannot be written."""
    try:
        there = path.read_text() if path.exists() else None
        if there == text:
            return "unchanged"
        if there is not None and not force:
            raise CommandError(
                f"{path} is there and differs. Look at the new one with --print; --force overwrites the old one.", 1
            )
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        partial.write_text(text)
        partial.chmod(UNIT_MODE)
        partial.replace(path)
    except OSError as error:
        way_out = "Call it with sudo, or give --user." if isinstance(error, PermissionError) else "Mend that."
        raise CommandError(f"{path}: cannot be written: {error.strerror}. {way_out}", 1) from None
    return "written" if there is None else "overwritten"


def _service(given: Given, path: str | None, scope: Scope, user: str | None) -> Service:
    """Return the service. path: of the settings file that counts; once the unit names it, all of its keys do."""
    program, environment = _program()
    variables = {key.variable for key in all_keys().values()} | set(OLDER_NAMES)
    flags = ["--config", path] if path is not None else []
    flags += [part for override in given.overrides for part in ("--set", override)]
    return Service(
        scope=scope,
        command=(*program, "start", "--log-format", "text", *flags),
        reload=(*program, "reload", *flags),
        environment=environment | {name: value for name, value in os.environ.items() if name in variables},
        run_as=user,
    )


def _program() -> tuple[list[str], dict[str, str]]:
    """Return how to call us: the console script beside our interpreter; where there is none, the code as it lies."""
    script = Path(sys.executable).with_name("vectra-supervisor")
    if script.exists():
        return [str(script)], {}
    return [sys.executable, "-P", "-m", "vectra_player.entry"], {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
