"""The command line, `vectra-supervisor COMMAND`: what a person or a script says to VECTRA.

Exit codes: 0 done, 1 it did not work out, 2 wrong usage or settings, 3 VECTRA is not running. Each command imports what
it needs when it runs, so that `status` answers at once. Never does the work itself: that is the daemon's.
"""

import os
import sys

import click

from supervisor.ask import CommandError
from supervisor.commands_compact import compact
from supervisor.commands_import import import_files
from supervisor.commands_journal import journal
from supervisor.commands_look import check, doctor, events, logs, status
from supervisor.commands_rebuild import rebuild
from supervisor.commands_record import record
from supervisor.commands_run import reload, restart, start, stop
from supervisor.commands_service import install_service
from supervisor.commands_sql import sql
from supervisor.commands_trust import trust
from supervisor.commands_verify import verify
from supervisor.completion import completion
from supervisor.examples import show_examples
from supervisor.settings import SettingsError
from supervisor.terminal import install_printable_streams
from vectra_player.version import __version__

HELP = """Record, understand, show and rebroadcast everything a browser exchanges with rugs.fun.

\b
The first steps:
  vectra-supervisor start --demo   a simulated game, no account needed
  vectra-supervisor status         what runs, and what is wrong if anything is
  vectra-supervisor stop           flush everything and stop

Settings are read from ./vectra.yaml (see `trust`), else ~/.config/vectra/vectra.yaml, else the defaults; environment
variables VECTRA_SECTION_KEY beat the file, --set beats both. `vectra-supervisor COMMAND -h` explains each command.

Exit codes: 0 done, 1 it did not work out, 2 wrong usage or settings, 3 VECTRA is not running.
"""


@click.group(help=HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "--version", prog_name="vectra-supervisor", message="%(prog)s %(version)s")
def main() -> None:
    """Hold the commands together."""


COMMANDS = (
    start,
    stop,
    restart,
    reload,
    status,
    logs,
    record,
    compact,
    check,
    trust,
    doctor,
    events,
    journal,
    sql,
    verify,
    rebuild,
    import_files,
    install_service,
    completion,
)

for command in COMMANDS:
    main.add_command(command)
show_examples(main)


def run() -> None:
    """Run the command line and end the process."""
    install_printable_streams()
    os.umask(0o077)  # whatever directory a command is the first to make is its owner's alone
    try:
        main(prog_name="vectra-supervisor")
    except SettingsError as error:
        fail(str(error), 2)
    except CommandError as error:
        fail(str(error), error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has what it wanted
        raise SystemExit(0) from None


def fail(message: str, code: int) -> None:
    """Say what went wrong and end with `code`."""
    click.echo(message, err=True)
    raise SystemExit(code)
