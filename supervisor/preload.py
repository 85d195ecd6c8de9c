"""Imported by the fork server before anything else: tie it to the supervisor, then import what the children need.

In: one environment variable, `VECTRA_PRELOAD`, as JSON: the supervisor's pid, the modules' names, where to report;
removed when read. Out: imported modules, shared by all children, and a file that lists what cannot be imported: that
is the crash of the child that needs it, never the fork server's. Modules only: no socket, thread or open file.
"""

import contextlib
import gc
import importlib
import json
import os
import signal
from pathlib import Path

from actors.core.lifeline import die_with_parent

VARIABLE = "VECTRA_PRELOAD"


def preload(parent: int, modules: list[str]) -> list[str]:
    """Die with `parent` from now on and import the modules; return what failed, in words."""
    die_with_parent(parent)
    with contextlib.suppress(PermissionError):  # a session leader has a group of its own already
        os.setpgid(0, 0)  # what is sent to the supervisor's group, as by `timeout`, reaches it alone: it stops in order
    for number in (signal.SIGINT, signal.SIGHUP):  # children inherit it from their birth on: Ctrl-C and a closed
        signal.signal(number, signal.SIG_IGN)  # terminal reach the whole group, and the supervisor stops us in order
    failures = []
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:
            failures.append(f"preload: {name} cannot be imported: {type(error).__name__}: {error}")
    gc.collect()
    gc.freeze()  # or the first collection in each child would copy every page that holds an object
    return failures


def begin(name: str, start: str, config: bytes, demo: bool, parent: int) -> None:
    """Be the actor: where each child begins. Imports the shell late: the supervisor itself does without asyncio."""
    from actors.core.runtime import enter

    enter(name, start, config, demo, parent)


def restore_environment(path: str | None) -> None:
    """Take our variables out of the environment again; path: PYTHONPATH as it was, None where it was not set."""
    os.environ.pop(VARIABLE, None)
    if path is None:
        os.environ.pop("PYTHONPATH", None)
    else:
        os.environ["PYTHONPATH"] = path


if VARIABLE in os.environ:
    _order = json.loads(os.environ[VARIABLE])
    restore_environment(_order["path"])
    Path(_order["report"]).write_text(json.dumps(preload(_order["parent"], _order["modules"])))
