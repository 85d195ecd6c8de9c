"""`vectra-supervisor` as a process, in a folder and a home directory of the test's own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.supervisor.running import ROOT

NOBODY = 65_534


class Answer(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str
    cpu_s: float


def call(folder: Path, *arguments: str, home: Path, user: int | None = None, **environ: str) -> Answer:
    """Run one command in `folder` and return how it ended; user: another one than ours."""
    inherited = {
        key: value for key, value in os.environ.items() if not key.startswith(("VECTRA_", "RUGS_", "FOUNDATION_"))
    }
    before_s = _children_cpu_s()
    done = subprocess.run(
        [sys.executable, "-P", "-m", "vectra_player.entry", *arguments],
        cwd=folder, env={**inherited, "PYTHONPATH": str(ROOT), "HOME": str(home), **environ},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False, user=user,
        extra_groups=None if user is None else [],
    )  # fmt: skip
    return Answer(done.returncode, done.stdout, done.stderr, _children_cpu_s() - before_s)


def _children_cpu_s() -> float:
    times = os.times()
    return times.children_user + times.children_system
