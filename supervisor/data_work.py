"""Long work on the recorded data by a process of its own, while VECTRA is stopped, under the data directory's lock.

In: a data directory, a module below `actors`, its arguments. Out: the JSON lines that it says. Where VECTRA runs, or
anything else holds the data, it refuses: the writer and such a work must never change the same files.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from actors.core.printable import printable
from supervisor import locks
from supervisor.ask import CommandError
from supervisor.shared_flags import Given

CODE = Path(__file__).resolve().parents[1]


def place_of_work(given: Given, *, demo: bool, what: str) -> Path:
    """Return the data directory to work in. CommandError: VECTRA runs, or there is nothing."""
    config = given.load_to_find(writes=True).config
    pid = locks.running_pid(config.runtime_path)
    if pid is not None:
        raise CommandError(
            f"VECTRA is running (pid {pid}), {what} needs it stopped: both would change the same files. "
            "Call `vectra-supervisor stop`, then this again, then `vectra-supervisor start`.",
            1,
        )
    data_dir = config.data_path / "demo" if demo else config.data_path
    refuse_unsafe(data_dir)
    return data_dir


def refuse_unsafe(data_dir: Path) -> None:
    """CommandError: the data directory is not ours to write in."""
    from supervisor.places import data_faults, in_words

    for fault in data_faults(data_dir):
        raise CommandError(in_words(fault), 1)


def show_progress(words: str) -> None:
    """Show how far a work is, in one line of a terminal that the next one replaces."""
    if sys.stderr.isatty():
        (sys.__stderr__ or sys.stderr).write(f"\r{printable(words)}\x1b[K\r")


def said_by(data_dir: Path, module: str, *arguments: str) -> Iterator[dict[str, Any]]:
    """Yield what the process says; CommandError where it ends otherwise than it should."""
    try:
        lock = locks.take(data_dir)
    except locks.Locked as error:
        raise CommandError(f"{error} Give this command the settings that it was started with.", 1) from None
    command = [sys.executable, "-P", "-m", module, str(data_dir), str(os.getpid()), *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(CODE), *filter(None, sys.path)])}
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, pass_fds=[lock]) as process:
            for line in process.stdout or ():
                told: dict[str, Any] = msgspec.json.decode(line)
                if "error" in told:
                    raise CommandError(told["error"], 1)
                yield told
        if process.returncode != 0:
            raise CommandError(
                f"The work ended with code {process.returncode} before all was done. Call it again: what was complete "
                "is not done twice. Where it ends so again, give it one file or date at a time to find the one.",
                1,
            )
    finally:
        os.close(lock)
