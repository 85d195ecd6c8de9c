"""One compaction without a running writer, for `vectra-supervisor compact` when VECTRA is stopped.

In: a data directory whose lock the caller holds, also through this process (an inherited descriptor). Out: the same
swaps as the writer's, and the pass's figures as one JSON line on standard output. Never runs beside a writer.
"""

import logging
import sys
import time
from pathlib import Path
from select import select

import msgspec

from actors.core.lifeline import die_with_parent
from actors.writer.compaction import Figures, Tally
from actors.writer.merger import Merger
from actors.writer.swap import Remover

STEP_S = 0.05


def compact(data_dir: Path) -> Figures:
    """Merge and swap all that is due; return when nothing of it is left in staging."""
    tally = Tally(data_dir)
    tally.begin("")
    for said in Merger(data_dir, _nothing).work():
        tally.hear(said)
    tally.end()
    finish(tally.remover)
    return tally.figures


def finish(remover: Remover) -> None:
    """Wait until what was exchanged is deleted: readers that had listed it are through with it by then."""
    while remover.waiting:
        remover.step(time.monotonic())
        select([], [], [], STEP_S)


def _nothing(files: int) -> None:
    """Nobody watches for a sign of life."""


if __name__ == "__main__":
    die_with_parent(int(sys.argv[2]))
    logging.getLogger("writer").setLevel(logging.ERROR)  # the figures say it all
    sys.stdout.buffer.write(msgspec.json.encode(compact(Path(sys.argv[1]))) + b"\n")
