"""Imports that die: one child for each step on the file system, killed by a real SIGKILL just before that step.

Called with a data directory as it is before, the folder to import, and a folder for the copies in which the children
die. Prints how many died; the first that lives to its end is the last.
"""

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from actors.writer.importing import Import
from actors.writer.sources import sources

STEPS = {"os.rename", "os.remove", "os.rmdir", "os.mkdir"}


def main(before: str, inner: str, copies: str) -> None:
    """Let imports of the folder `inner` of a data directory die, each one step later than the one before."""
    for number in range(1, 500):
        data_dir = Path(copies) / f"{number:03d}"
        shutil.copytree(before, data_dir)
        child = os.fork()
        if child == 0:
            _import(data_dir, data_dir / inner, number)
        if os.waitpid(child, 0)[1] != signal.SIGKILL:
            print(number - 1)
            return


def _import(data_dir: Path, folder: Path, count: int) -> None:
    left = [count]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        is_writing = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if (event in STEPS or is_writing) and str(arguments[0]).startswith(str(data_dir)):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    importing = Import(data_dir, lambda said: None)
    for source in sources([folder], importing.data_dir):
        importing.take(source)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
