"""Actors with shorter waits, so that tests see in a second what takes five, or ten, in earnest."""

from actors import normalizer
from actors.core.runtime import Context
from actors.writer import swap
from actors.writer.actor import run as run_writer

GRACE_S = 0.05
WATCHED_GRACE_S = 1.0  # where readers look: no listing of a few files takes longer
CHECKPOINT_S = 0.2


def run(context: Context) -> None:
    """Be the writer, with a compaction's predecessor deleted at once."""
    swap.GRACE_S = GRACE_S
    run_writer(context)


def run_watched(context: Context) -> None:
    """Be the writer, with the predecessor kept as long as a test's readers need."""
    swap.GRACE_S = WATCHED_GRACE_S
    run_writer(context)


def run_normalizer(context: Context) -> None:
    """Be the normalizer, with checkpoints often enough that the journal may delete what is old."""
    normalizer.CHECKPOINT_S = CHECKPOINT_S
    normalizer.run(context)
