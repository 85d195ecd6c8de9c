"""The writer with a short grace, so that tests see a compaction's predecessor deleted without waiting for seconds."""

from actors.core.runtime import Context
from actors.writer import swap
from actors.writer.actor import run as run_writer

GRACE_S = 0.05


def run(context: Context) -> None:
    """Be the writer."""
    swap.GRACE_S = GRACE_S
    run_writer(context)
