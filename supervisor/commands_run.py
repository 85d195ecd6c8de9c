"""start, stop, restart, reload: the commands that change what runs.

In: flags. Out: lines for people and exit codes. `start` becomes the daemon in the foreground, or starts it in a session
of its own and waits for its word that all is ready.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import click

from actors.core.config import Config
from actors.core.files import PRIVATE_FILE, private_dir
from supervisor.ask import CommandError, NotRunning, Watch, ask, require_running, wait_ready
from supervisor.completion import actor_names
from supervisor.console import READY_MARK
from supervisor.locks import running_pid
from supervisor.logs import last_lines
from supervisor.plan import demo_config, longest_stop_s
from supervisor.shared_flags import Given, settings_flags
from supervisor.words import exit_words

STOP_MARGIN_S = 10.0
LAST_WORDS = 12


@click.command(short_help="Start VECTRA; --demo: a simulated game.")
@click.option("--foreground", is_flag=True, help="Stay in the terminal; Ctrl-C stops in order.")
@click.option("--demo", is_flag=True, help="A simulated game, a headless browser, data of its own. Needs no account.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    help="Stay, and put all logs on standard output: for Docker, runit, systemd.",
)
@settings_flags
def start(given: Given, foreground: bool, demo: bool, log_format: str | None) -> None:
    """Start VECTRA: print which settings file counts, and the addresses once every actor is ready.

    In the background by default; --log-format implies --foreground. Exits with 1, and stops everything again, when an
    actor does not become ready; with 0 when VECTRA runs already, with 1 where that is a demo and this would be none, or
    the other way round.
    """
    loaded = given.load()
    config, runtime_dir = loaded.config, loaded.config.runtime_path
    if (pid := running_pid(runtime_dir)) is not None:
        from supervisor.figures import web_address

        click.echo(f"vectra-supervisor is already running (pid {pid or 'not known yet'}).")
        if (address := web_address(runtime_dir)) is not None:
            click.echo(f"  control room     {address}")
        _refuse_the_other_kind(runtime_dir, demo)
        return
    click.echo(loaded.origin(), err=log_format is not None)
    _refuse_what_must_fail(demo_config(config) if demo else config)
    command = [sys.executable, "-P", "-m", "supervisor", *given.arguments(), *(["--demo"] if demo else [])]
    environment = {**os.environ, "PYTHONPATH": _import_path()}
    sys.stdout.flush()
    if log_format is not None:
        command += ["--log-format", log_format]
    if foreground or log_format is not None:
        os.execve(command[0], [*command, "--foreground"], environment)  # noqa: S606 - this process becomes the daemon
    raise SystemExit(_start_in_background(command, environment, runtime_dir))


def _refuse_the_other_kind(runtime_dir: Path, demo: bool) -> None:
    """CommandError: a demo runs and none was asked for, or the other way round."""
    try:
        runs_demo = ask(runtime_dir, "status")["supervisor"]["demo"]
    except CommandError:  # it does not answer yet, or no more
        return
    if runs_demo != demo:
        runs, wanted = ("the demo", "the real game") if runs_demo else ("the real game", "the demo")
        raise CommandError(f"It records {runs}, not {wanted}. `vectra-supervisor stop` ends it; then start again.", 1)


def _refuse_what_must_fail(config: Config) -> None:
    """CommandError: all that a start would fail for, at once, before anything is started."""
    from supervisor.doctor import hindrances

    found = hindrances(config, os.environ)
    if found:
        lines = [f"  {finding.what}: {finding.found}\n       {finding.fix}" for finding in found]
        raise CommandError("\n".join(["VECTRA cannot start here:", *lines]), 1)


def _import_path() -> str:
    """Return a PYTHONPATH under which the daemon finds the same code as this process."""
    ours = str(Path(__file__).resolve().parents[1])
    given = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    return os.pathsep.join(given if ours in given else [*given, ours])


def _start_in_background(command: list[str], environment: dict[str, str], runtime_dir: Path) -> int:
    try:
        log = private_dir(private_dir(runtime_dir) / "log") / "supervisor.log"
    except OSError as error:
        from supervisor.daemon import unusable

        raise CommandError(unusable(error), 1) from None
    reader, writer = os.pipe()
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE_FILE), "wb") as output:
        daemon = subprocess.Popen(
            [*command, "--announce", str(writer)],
            pass_fds=[writer],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
        )
    os.close(writer)
    try:
        said = _relay(reader)
    except KeyboardInterrupt:
        click.echo("stopping it again", err=True)
        daemon.terminate()
        said = _relay(reader)
    finally:
        os.close(reader)
    if said.endswith(READY_MARK):
        return 0
    code = daemon.wait()
    if code and not said:
        click.echo(
            "\n".join([f"The supervisor {exit_words(code)}. From {log}:", *last_lines(log, LAST_WORDS)]), err=True
        )
    return 1 if code else 0


def _relay(reader: int) -> bytes:
    """Print what the daemon says until it is ready or gone, and return it."""
    said = b""
    while not said.endswith(READY_MARK) and (data := os.read(reader, 65_536)):
        said += data
        click.echo(data.removesuffix(READY_MARK).decode(errors="replace"), nl=False)
    return said


@click.command(short_help="Flush everything and stop.")
@settings_flags
def stop(given: Given) -> None:
    """Stop VECTRA in order: everything is flushed, no process is left. Returns once that is so."""
    config = given.load_to_find().config
    pid = running_pid(config.runtime_path)
    if pid is None:
        click.echo("VECTRA is not running.")
        return
    with Watch(pid) as supervisor:
        with contextlib.suppress(NotRunning):  # it ended this very moment
            pid = ask(config.runtime_path, "stop")["pid"]
        if not supervisor.ended(longest_stop_s(config) + STOP_MARGIN_S):
            log = config.runtime_path / "log" / "supervisor.log"
            raise CommandError(f"VECTRA (pid {pid}) is still stopping; {log} says what it waits for.", 1)
    click.echo("VECTRA is stopped.")


@click.command(short_help="Stop and start one actor, or all.")
@click.argument("actor", required=False, shell_complete=actor_names)
@settings_flags
def restart(given: Given, actor: str | None) -> None:
    """Stop and start ACTOR, or without it all actors, in order, and wait until they are ready."""
    config = given.load_to_find().config
    pid = require_running(config.runtime_path)
    try:
        old_pids = ask(config.runtime_path, "restart", actor=actor)["actors"]
        limit_s = config.supervisor.start_timeout_s + config.supervisor.stop_timeout_s * len(old_pids)
        late = wait_ready(config.runtime_path, pid, old_pids, limit_s)
    except KeyboardInterrupt:
        raise CommandError("\nThe restart goes on; `vectra-supervisor status` shows how far it is.", 1) from None
    if late:
        raise CommandError(f"not ready after {limit_s:g} s: {', '.join(late)}. `vectra-supervisor status` says why.", 1)
    click.echo(f"{actor} is ready again." if actor else f"All {len(old_pids)} actors are ready again.")


@click.command(short_help="Read the settings again.")
@settings_flags
def reload(given: Given) -> None:
    """Read the settings again, as the daemon was started with them; only actors whose settings changed restart."""
    config = given.load().config
    restarted = ask(config.runtime_path, "reload")["restarted"]
    click.echo(f"Reloaded; restarting: {', '.join(restarted)}." if restarted else "Reloaded; no actor had to restart.")
