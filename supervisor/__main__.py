"""The daemon as a process: `python -P -m supervisor`, started by `vectra-supervisor start`.

-P keeps the working directory off the import path, of this process and of the fork server. No click and no rich here:
what the daemon imports stays in memory for months.
"""

import argparse
import os
import signal
import sys

signal.signal(signal.SIGINT, signal.SIG_DFL)  # until the daemon listens, Ctrl-C ends us without a traceback

from supervisor.daemon import Daemon  # noqa: E402
from supervisor.settings import Loaded, SettingsError, load  # noqa: E402


def main() -> int:
    """Read the arguments and the settings, and run."""
    parser = argparse.ArgumentParser(prog="python -P -m supervisor", description=__doc__, allow_abbrev=False)
    parser.add_argument("--config", help="the settings file")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="one setting, above all others")
    parser.add_argument("--demo", action="store_true", help="the simulator and a headless browser")
    parser.add_argument("--foreground", action="store_true", help="stay, and tell the terminal what happens")
    parser.add_argument("--log-format", choices=["text", "json"], help="stay, and put all logs on standard output")
    parser.add_argument("--announce", type=int, metavar="FD", help="tell this descriptor when all is ready")
    arguments = parser.parse_args()

    def read() -> Loaded:
        return load(arguments.config, os.environ, arguments.set)

    try:
        loaded = read()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.announce is not None:
        os.set_inheritable(arguments.announce, False)
    return Daemon(
        loaded,
        read,
        demo=arguments.demo,
        foreground=arguments.foreground or arguments.log_format is not None,
        announce=arguments.announce,
        log_format=arguments.log_format,
    ).run()


if __name__ == "__main__":
    sys.exit(main())
